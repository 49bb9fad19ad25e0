"""LARS and LAMB: steps whose length is a share of the length of the parameter they change."""

from __future__ import annotations

from typing import Unpack

from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.elementary import sqrt
from unigrad.ops.statistics import norm
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import Selection
from unigrad.optimizers.updates import Leaf, Number, Step, update


def trust_ratio(parameter: Tensor, change: Tensor, share: Number, epsilon: Number) -> Tensor:
    """Return η ‖w‖ / (‖u‖ + ε), or 1 where either is zero."""
    length, size = norm(parameter), norm(change)
    some = (length > 0) & (size > 0)
    return where(some, share * length / where(some, size + epsilon, 1.0), 1.0)


@update(slots=1)
def _lars_update(
    at: Step,
    rate: Number,
    momentum: Number,
    trust: Number,
    epsilon: Number,
    *,
    nesterov: bool,
) -> Leaf:
    """v ← μ v + α r g, r = η ‖w‖ / (‖g‖ + ε); w ← w - v."""
    rate, share, trust, floor = at.narrow_all(rate, momentum, trust, epsilon)

    def leaf(p: Tensor, g: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        fresh = trust_ratio(p, g, trust, floor) * rate * g
        v = share * v + fresh
        return p - (fresh + share * v if nesterov else v), v

    return leaf


class LARS(Descent):
    """v ← μ v + α r (g + λ w), r = η ‖w‖ / (‖g + λ w‖ + ε); w ← w - v. r is 1 where a norm is 0.

    Each parameter has an r of its own.

    Source: You, Gitman & Ginsburg, "Large batch training of convolutional networks" (2017), which
    has ‖g‖ + λ ‖w‖ below; this is optax's ``lars``.

    Args:
        learning_rate: α; see `Descent`.
        momentum: μ.
        trust: η.
        epsilon: ε.
        nesterov: w ← w - (α r (g + λ w) + μ v).
        common: see `Descent`; weights decay within the formula.
    """

    slot_names = ("velocity",)
    op = _lars_update
    momentum = Hyperparameter(least=0.0)
    trust = Hyperparameter(least=0.0)
    epsilon = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.1,
        momentum: float = 0.9,
        trust: float = 0.001,
        epsilon: float = 0.0,
        nesterov: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = momentum
        self.trust = trust
        self.epsilon = epsilon
        self._settings = {"nesterov": bool(nesterov)}


@update(slots=2)
def _lamb_update(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    weight_decay: Number,
) -> Leaf:
    """u = m̂ / (√v̂ + ε) + λ w; w ← w - α ‖w‖ / ‖u‖ · u."""
    root = sqrt(at.correction(beta2))
    scale, floor = at.narrow(root / at.correction(beta1)), at.narrow(epsilon * root)
    rate, decay = at.narrow_all(rate, weight_decay)
    first, second = at.average(beta1), at.average(beta2)

    def leaf(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        m, v = first(m, g), second(v, g * g)
        change = scale * m / (sqrt(v) + floor) + decay * p
        return p - rate * trust_ratio(p, change, 1.0, 0.0) * change, m, v

    return leaf


class LAMB(Descent):
    """Adam's direction in steps as long as the parameter: w ← w - α ‖w‖ / ‖u‖ · u.

    u = m̂ / (√v̂ + ε) + λ w, m̂ and v̂ corrected as in `Adam`; the ratio is 1 where a norm is 0. Each
    parameter has a ratio of its own.

    Source: You et al., "Large batch optimization for deep learning: training BERT in 76 minutes"
    (2020), algorithm 2, whose φ is the identity here, as in optax's ``lamb`` and in Keras's (there
    ε is 1e-7, and weights decay beside the formula: ``decoupled=True``).

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        weight_decay: λ.
        decoupled: decay beside the formula, w ← w - α λ w before the step, with u = m̂ / (√v̂ + ε).
        decay_only: see `Descent`.
    """

    slot_names = ("m", "v")
    op = _lamb_update
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        decoupled: bool = False,
        decay_only: Selection | None = None,
    ) -> None:
        super().__init__(learning_rate, decoupled=decoupled, decay_only=decay_only)
        self.decays_itself = not decoupled
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weight_decay = weight_decay

    def _operands(self, done: Tensor) -> list[float | Tensor]:
        found = super()._operands(done)
        return found if self.decays_itself else [*found, 0.0]
