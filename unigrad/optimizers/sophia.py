"""Sophia: steps scaled by the diagonal of the Hessian, which is estimated now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Unpack

from unigrad.autodiff.tape import GradientTape
from unigrad.autodiff.transforms import grad
from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import SettingError
from unigrad.core.exchanging import exchange
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.arithmetic import maximum
from unigrad.ops.limits import clip
from unigrad.ops.reductions import sum
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import widened
from unigrad.optimizers.updates import Leaf, Number, Step, narrow, update
from unigrad.random.discrete import bernoulli
from unigrad.random.keys import split


@update(slots=2)
def _sophia_update(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    gamma: Number,
    epsilon: Number,
    bound: Number,
    *,
    corrected: bool,
) -> Leaf:
    """m ← β₁ m + (1 - β₁) g; w ← w - α clip(m / max(γ h, ε), -ρ, ρ)."""
    mean = at.average(beta1)
    size = at.narrow(1.0 / at.correction(beta1)) if corrected else None
    rate, share, floor, limit = at.narrow_all(rate, gamma, epsilon, bound)

    def leaf(p: Tensor, g: Tensor, m: Tensor, h: Tensor) -> tuple[Tensor, ...]:
        m = mean(m, g)
        change = (m if size is None else m * size) / maximum(share * h, floor)
        return p - rate * clip(change, -limit, limit), m, h

    return leaf


class Sophia(Descent):
    """m ← β₁ m + (1 - β₁) g; w ← w - α clip(m / max(γ h, ε), -ρ, ρ), with the Hessian's diagonal h.

    h ← β₂ h + (1 - β₂) d whenever an estimate d is given to `observe` (with Variables) or
    `observed` (with pure functions), about every tenth step; `hessian_diagonal` and
    `hessian_diagonal_of` make them. Before the first one, h is 0, and steps are α ρ sign(m).

    Source: Liu et al., "Sophia: a scalable stochastic second-order optimizer for language model
    pre-training" (2023), algorithm 3. optax's divides m by 1 - β₁ᵗ (``bias_correction=True``) and
    has ε = 1e-8.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        gamma: γ.
        epsilon: ε.
        bound: ρ.
        bias_correction: divide m by 1 - β₁ᵗ.
        common: see `Descent`; weights decay beside the formula.
    """

    slot_names = ("m", "h")
    op = _sophia_update
    decouples = True
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    gamma = Hyperparameter(least=0.0)
    epsilon = Hyperparameter(least=0.0)
    bound = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 1e-4,
        beta1: float = 0.965,
        beta2: float = 0.99,
        gamma: float = 0.01,
        epsilon: float = 1e-12,
        bound: float = 1.0,
        *,
        bias_correction: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2
        self.gamma = gamma
        self.epsilon = epsilon
        self.bound = bound
        self._settings = {"corrected": bool(bias_correction)}

    def _averaged(self, h: Tensor, estimate: Any) -> Tensor:
        share = self.numbers["beta2"].get()
        past, now = narrow(share, h.dtype), narrow(1.0 - share, h.dtype)
        return past * h + now * widened(as_tensor(estimate, h))

    def observed(self, estimates: Any, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state after an estimate of the diagonal, a tree like the parameters."""
        return {**state, "h": tree.map(self._averaged, state["h"], estimates)}

    def observe(self, estimates_and_variables: Iterable[tuple[Any, Variable]]) -> None:
        """Take over an estimate of the diagonal for each of some Variables.

        Raises:
            SettingError: when the optimizer refuses a variable (see `build`), or an estimate is
                ``None``.
        """
        pairs = list(estimates_and_variables)
        lacking = [variable.name for estimate, variable in pairs if estimate is None]
        if lacking:
            raise SettingError(f"Sophia.observe: no estimate for {', '.join(lacking)}")
        if not self._built:
            self._build([variable for _, variable in pairs])
        for estimate, variable in pairs:
            h = self._slots.of(variable)[1]
            exchange([h], _assignment(self._averaged, h, estimate))


def _assignment(
    averaged: Callable[[Tensor, Any], Tensor], h: Variable, estimate: Any
) -> Callable[[Sequence[Tensor]], tuple[Sequence[Tensor], None]]:
    return lambda _: ([averaged(h._untaped(), estimate)], None)


def _signs(key: TensorLike, like: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors of ±1, each as likely, of the shapes and dtypes of others."""
    keys = split(key, max(len(like), 1))
    return [
        2.0 * bernoulli(keys[i], 0.5, one.shape).astype(one.dtype) - 1.0
        for i, one in enumerate(like)
    ]


def hessian_diagonal(loss: Callable[[Any], Any], parameters: Any, key: TensorLike) -> Any:
    """Estimate the diagonal of the Hessian of a loss: u ⊙ H u for random signs u, by Hutchinson.

    Its expectation is the diagonal. H u is the gradient of ⟨∇ loss, u⟩.

    Source: Bekas, Kokiopoulou & Saad, "An estimator for the diagonal of a matrix" (2007).

    Args:
        loss: a function of one pytree that gives a scalar.
        parameters: where.
        key: a key of `ug.random`.

    Example:
        >>> import unigrad as ug
        >>> loss = lambda w: (ug.asarray([1.0, 3.0]) * w * w).sum()
        >>> hessian_diagonal(loss, ug.asarray([1.0, 1.0]), ug.random.key(0)).tolist()
        [2.0, 6.0]
    """
    leaves, structure = tree.flatten(parameters)
    signs = _signs(key, [as_tensor(leaf) for leaf in leaves])

    def along(some: Any) -> Any:
        slopes = tree.leaves(grad(loss)(some))
        return _dot(slopes, signs)

    products = tree.leaves(grad(along)(parameters))
    return tree.unflatten(structure, [u * h for u, h in zip(signs, products, strict=True)])


def hessian_diagonal_of(
    loss: Callable[[], Any], variables: Sequence[Variable], key: TensorLike
) -> list[Tensor]:
    """Estimate the diagonal of the Hessian of a loss of Variables, as `hessian_diagonal` does.

    Args:
        loss: computes it from the Variables.
        variables: by which to differentiate.
        key: a key of `ug.random`.

    Example:
        >>> import unigrad as ug
        >>> w = ug.Variable([1.0, 2.0])
        >>> hessian_diagonal_of(lambda: (w * w).sum(), [w], ug.random.key(0))[0].tolist()
        [2.0, 2.0]
    """
    signs = _signs(key, [variable._untaped() for variable in variables])
    with GradientTape() as outer:
        with GradientTape() as inner:
            value = loss()
        slopes = inner.gradient(value, list(variables), unconnected_gradients="zero")
        along = _dot(slopes, signs)
    products = outer.gradient(along, list(variables), unconnected_gradients="zero")
    return [u * h for u, h in zip(signs, products, strict=True)]


def _dot(some: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    """Return Σ ⟨a, b⟩."""
    terms = [sum(a * b) for a, b in zip(some, others, strict=True)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
