"""Bounds of gradients: by value, by norm, by the norm of all, by the norm of the weights.

Each is a transformation to put before an optimizer, and, given gradients first, a function of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, overload

from unigrad.core import tree
from unigrad.core.arguments import as_tensor, cast, to_floating
from unigrad.core.dtypes import INEXACT, DType, default_dtype, float32, result_dtype
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import where
from unigrad.ops.joining import stack
from unigrad.ops.limits import clip
from unigrad.ops.reductions import widened
from unigrad.ops.statistics import norm
from unigrad.optimizers.numbers import plain_number
from unigrad.optimizers.transformation import Column, Moment, Moved, Transformation

#: The moment, parameters and gradients, to gradients.
Function: TypeAlias = Callable[[Moment, Column, Column], Column]


class Stateless(Transformation):
    """A transformation that keeps nothing."""

    def __init__(self, name: str, function: Function) -> None:
        super().__init__()
        #: For messages.
        self.name = name
        self._function = function

    def __repr__(self) -> str:
        return f"<transformation {self.name}>"

    def _move(
        self,
        moment: Moment,
        parameters: Column,
        gradients: Column,
        slots: list[Column],
        shared: list[Tensor],
    ) -> Moved:
        return Moved(self._function(moment, parameters, gradients), [], [])


def not_negative(name: str, what: str, number: float) -> float:
    """Return a number that is none below zero, and none of infinity and NaN.

    Raises:
        SettingError: when it is.
    """
    found = plain_number(number)
    if not 0.0 <= found < float("inf"):
        raise SettingError(f"{name}: {what}={number}: expected a finite number, at least 0")
    return found


def clip_by_value(bound: float) -> Transformation:
    """Bring each element of each gradient into [-bound, bound].

    Example:
        >>> clip_by_value(1.0).update([3.0], {"step": 0}, [0.0])[0][0].item()
        1.0
    """
    bound = not_negative("clip_by_value", "bound", bound)
    return Stateless("clip_by_value", partial(_each_clipped, bound))


def _each_clipped(bound: float, moment: Moment, parameters: Column, gradients: Column) -> Column:
    return [clip(g, -bound, bound) for g in gradients]


def clip_by_norm(bound: float) -> Transformation:
    """Scale each gradient, by itself, so that its norm is at most a bound.

    Example:
        >>> new, _ = clip_by_norm(1.0).update([3.0, 0.5], {"step": 0}, [0.0, 0.0])
        >>> [g.item() for g in new]
        [1.0, 0.5]
    """
    bound = not_negative("clip_by_norm", "bound", bound)
    return Stateless("clip_by_norm", partial(_each_scaled, bound))


def _each_scaled(bound: float, moment: Moment, parameters: Column, gradients: Column) -> Column:
    return [_scaled([g], bound)[0] for g in gradients]


@overload
def clip_by_global_norm(maximum_norm: float, /) -> Transformation: ...
@overload
def clip_by_global_norm(gradients: Any, maximum_norm: float) -> Any: ...
def clip_by_global_norm(gradients: Any, maximum_norm: Any = None) -> Any:
    """Scale all gradients by one factor so that their global norm is at most ``maximum_norm``.

    The factor is 1 while the norm is within the bound, and else c / ‖g‖.

    Args:
        gradients: a pytree of gradients; without them (``clip_by_global_norm(1.0)``) a
            transformation is returned.
        maximum_norm: c.

    Source: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks"
    (2013), algorithm 1.

    Example:
        >>> [round(g.item(), 6) for g in clip_by_global_norm([3.0, 4.0], 1.0)]
        [0.6, 0.8]
    """
    if maximum_norm is None:
        bound = not_negative("clip_by_global_norm", "maximum_norm", gradients)
        return Stateless("clip_by_global_norm", partial(_all_scaled, bound))
    if not isinstance(maximum_norm, Tensor):
        maximum_norm = not_negative("clip_by_global_norm", "maximum_norm", maximum_norm)
    leaves, structure = tree.flatten(gradients)
    return tree.unflatten(structure, _scaled(leaves, maximum_norm))


def _all_scaled(bound: float, moment: Moment, parameters: Column, gradients: Column) -> Column:
    return _scaled([*gradients], bound)


def _scaled(gradients: list[Any], bound: float) -> list[Tensor]:
    """Scale gradients by one factor so that their norm is at most a bound."""
    if not gradients:
        return []
    length = _norm(gradients)[0]
    # NaN is not within. Within, nothing is divided: norm and bound may both be 0.
    within = length <= bound
    factor = where(within, 1.0, bound / where(within, 1.0, length))

    def scaled(gradient: Any) -> Tensor:
        g = to_floating(as_tensor(gradient))
        # The factor may be less than half precision holds when the product is not.
        return cast(widened(g) * cast(factor, widened(g).dtype), g.dtype)

    return [scaled(gradient) for gradient in gradients]


def global_norm(gradients: Any) -> Tensor:
    """Return √ΣΣ g² over all leaves of a tree, taken as one vector. Of zeros it has derivative 0.

    Half precision is added up in float32.

    Raises:
        ShapeError: when the tree has no leaves.

    Example:
        >>> global_norm([3.0, [4.0]]).item()
        5.0
    """
    length, dtype = _norm(tree.leaves(gradients))
    return cast(length, dtype)


def _norm(gradients: list[Any]) -> tuple[Tensor, DType]:
    """Return the norm of all leaves in at least float32, and the dtype that it should have."""
    leaves = [as_tensor(leaf) for leaf in gradients]
    if not leaves:
        raise ShapeError("global_norm: the tree has no leaves")
    dtype = result_dtype(*(leaf.dtype for leaf in leaves))
    if dtype not in INEXACT:
        dtype = default_dtype()
    within = float32 if dtype.itemsize == 2 else dtype
    # The norm of the leaves' norms: neither leaves the range of the dtype unless the result does.
    norms = [norm(cast(leaf, within)) for leaf in leaves]
    return norm(stack(norms)) if len(norms) > 1 else norms[0], dtype


def clip_adaptively(bound: float = 0.01, epsilon: float = 1e-3) -> Transformation:
    """Scale the gradient of each unit so that its norm is at most a share of the unit's weights'.

    g ← λ max(‖w‖, ε) / ‖g‖ · g where ‖g‖ > λ max(‖w‖, ε). Units are along the last axis, as the
    outputs of layers are here; vectors and numbers are one unit.

    Source: Brock et al., "High-performance large-scale image recognition without normalization"
    (2021), eq. 3.

    Args:
        bound: λ.
        epsilon: ε.

    Example:
        >>> clip_adaptively(0.5).update([3.0], {"step": 0}, [2.0])[0][0].item()
        1.0
    """
    share = not_negative("clip_adaptively", "bound", bound)
    least = not_negative("clip_adaptively", "epsilon", epsilon)

    return Stateless("clip_adaptively", partial(_clipped_by_units, share, least))


def _clipped_by_units(
    share: float, least: float, moment: Moment, parameters: Column, gradients: Column
) -> Column:
    clipped = []
    for p, g in zip(parameters, gradients, strict=True):
        axes = None if p.ndim < 2 else tuple(range(p.ndim - 1))
        length = norm_along(g, axes)
        allowed = share * maximum(norm_along(p, axes), least)
        above = length > allowed
        clipped.append(where(above, g * (allowed / where(above, length, 1.0)), g))
    return clipped


def norm_along(x: Tensor, axes: tuple[int, ...] | None) -> Tensor:
    """Return √Σ x² over some axes, which stay with length 1; over all if ``None``."""
    if axes is None:
        return norm(x)
    return norm(x, axis=axes, keepdims=True)
