"""Sharpness-aware minimisation: the gradient is taken a little way up the slope."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import grad
from unigrad.core import tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.arithmetic import abs
from unigrad.ops.comparison import where
from unigrad.optimizers.base import OnNone, Optimizer
from unigrad.optimizers.clipping import global_norm, not_negative
from unigrad.optimizers.transformation import Column, Moment, Moved
from unigrad.optimizers.wrappers import Wrapper


class SAM(Wrapper):
    """Minimise the worst loss nearby: the gradient at w + ρ ∇L(w) / ‖∇L(w)‖, in a step from w.

    With ``adaptive``, the way is ρ w² ∇L / ‖ |w| ∇L ‖ (ASAM). Only `minimize` can do it, which asks
    for the loss twice; `apply_gradients` does a step of the optimizer inside.

    Sources: Foret et al., "Sharpness-aware minimization for efficiently improving generalization"
    (2021), algorithm 1; Kwon et al., "ASAM" (2021), without its constant η.

    Args:
        optimizer: does the steps.
        rho: ρ.
        adaptive: measure lengths in units of the weights.
    """

    def __init__(self, optimizer: Optimizer, rho: float = 0.05, *, adaptive: bool = False) -> None:
        super().__init__(optimizer)
        self.rho = not_negative("SAM", "rho", rho)
        self.adaptive = bool(adaptive)

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        return self._inner(moment, parameters, gradients, slots, shared)

    def minimize(
        self,
        loss: Callable[[], Any],
        variables: Iterable[Variable] | None = None,
        *,
        on_none: OnNone = "raise",
    ) -> Tensor:
        """Do one step down a loss; return its value before. See `Optimizer.minimize`."""
        with GradientTape() as tape:
            value = as_tensor(loss())
        chosen = list(tape.watched_variables() if variables is None else variables)
        first = tape.gradient(value, chosen)
        there = [one for one, g in zip(chosen, first, strict=True) if g is not None]
        before = [one._untaped() for one in there]
        way = perturbation(before, [g for g in first if g is not None], self.rho, self.adaptive)
        for variable, old, change in zip(there, before, way, strict=True):
            variable.assign(old + change)
        try:
            with GradientTape() as tape:
                above = as_tensor(loss())
            second = tape.gradient(above, chosen)
        finally:
            for variable, old in zip(there, before, strict=True):
                variable.assign(old)
        self.apply_gradients(zip(second, chosen, strict=True), on_none=on_none)
        return value


def perturbation(parameters: Any, gradients: Any, rho: float, adaptive: bool = False) -> Any:
    """Return ρ g / ‖g‖, a tree like the parameters, or, adaptive, ρ w² g / ‖ |w| g ‖. 0 of zeros.

    Example:
        >>> perturbation([1.0], [5.0], 0.5)[0].item()
        0.5
    """
    leaves = [as_tensor(leaf) for leaf in tree.leaves(parameters)]
    slopes, structure = tree.flatten(gradients)
    if not slopes:
        return gradients
    sizes = [abs(w) if adaptive else None for w in leaves]
    slopes = [
        as_tensor(g) if size is None else size * as_tensor(g)
        for g, size in zip(slopes, sizes, strict=True)
    ]
    length = global_norm(slopes)
    some = length > 0
    factor = where(some, rho / where(some, length, 1.0), 0.0)
    found = [cast(factor, g.dtype) * g for g in slopes]
    found = [c if size is None else size * c for c, size in zip(found, sizes, strict=True)]
    return tree.unflatten(structure, found)


def sharpness_aware(
    loss: Callable[[Any], Any], rho: float = 0.05, *, adaptive: bool = False
) -> Callable[[Any], Any]:
    """Return the function from parameters to SAM's gradients of a loss, for pure optimizers.

    Args:
        loss: a function of one pytree that gives a scalar.
        rho: ρ; see `SAM`.
        adaptive: see `SAM`.

    Example:
        >>> sharpness_aware(lambda w: w[0] ** 2, 0.5)([1.0])[0].item()
        3.0
    """
    return functools.partial(_sharpened, loss, rho, adaptive)


def _sharpened(loss: Callable[[Any], Any], rho: float, adaptive: bool, parameters: Any) -> Any:
    slopes = grad(loss)
    way = perturbation(parameters, slopes(parameters), rho, adaptive)
    return slopes(tree.map(lambda w, change: as_tensor(w) + change, parameters, way))
