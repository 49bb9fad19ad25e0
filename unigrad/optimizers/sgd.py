"""Steepest descent, plain and with momentum."""

from __future__ import annotations

from typing import Any, Unpack

from unigrad.core.arguments import cast
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Leaf, Number, Step, update


@update(slots=0)
def _sgd_update(at: Step, rate: Number) -> Leaf:
    """w ← w - α g."""
    rate = at.narrow(rate)
    return lambda p, g: (p - rate * g,)


@update(slots=1)
def _momentum_update(at: Step, rate: Number, beta: Number) -> Leaf:
    """v ← β v + (1 - β) g; w ← w - α v."""
    rate, mean = at.narrow(rate), at.average(beta)

    def leaf(p: Tensor, g: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        v = mean(v, g)
        return p - rate * v, v

    return leaf


@update(slots=1)
def _heavy_ball_update(
    at: Step,
    rate: Number,
    momentum: Number,
    dampening: Number,
    *,
    nesterov: bool,
    rate_inside: bool,
) -> Leaf:
    """v ← μ v + (1 - τ) g, but v = g at the first step; w ← w - α v, or w - α (g + μ v)."""
    # Without dampening, as nesterov has it, what enters the velocity is g itself.
    now = 1.0 - dampening * cast(at.number > 1, at.time.dtype)
    share, entering, rate = at.narrow_all(momentum, now * rate if rate_inside else now, rate)

    def leaf(p: Tensor, g: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        fresh = entering * g
        v = share * v + fresh
        moved = fresh + share * v if nesterov else v
        return p - (moved if rate_inside else rate * moved), v

    return leaf


class SGD(Descent):
    """w ← w - α g; with momentum, heavy ball: v ← μ v + (1 - τ) g; w ← w - α v.

    v is g at the first step, whatever τ. With ``nesterov``, w ← w - α (g + μ v).

    Sources: Robbins & Monro, "A stochastic approximation method" (1951); Polyak, "Some methods of
    speeding up the convergence of iteration methods" (1964); Sutskever et al., "On the importance
    of initialization and momentum in deep learning" (2013).

    This is torch's SGD, and optax's ``sgd``. Keras's has the rate in the velocity, v ← μ v + α g; w
    ← w - v (``rate_inside=True``), which differs while the rate changes.

    Args:
        learning_rate: α; see `Descent`.
        momentum: μ. 0 keeps no velocity.
        dampening: τ.
        nesterov: look ahead by the new velocity.
        rate_inside: multiply the gradient by α before it enters the velocity.
        common: see `Descent`.

    Raises:
        SettingError: with ``nesterov``, when there is no momentum or there is dampening.
    """

    op = _sgd_update
    momentum = Hyperparameter(least=0.0)
    dampening = Hyperparameter()

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        dampening: float = 0.0,
        nesterov: bool = False,
        *,
        rate_inside: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = momentum
        self.dampening = dampening
        if nesterov and (not momentum or dampening):
            raise SettingError("SGD: nesterov needs momentum, and no dampening")
        if not momentum:
            self.left_out = {"momentum": 0.0, "dampening": float(dampening)}
        elif nesterov:
            self.left_out = {"dampening": 0.0}
        if momentum:
            self.slot_names = ("velocity",)
            self.op = _heavy_ball_update
            self._settings = {"nesterov": bool(nesterov), "rate_inside": bool(rate_inside)}

    def _operands(self, done: Tensor) -> list[Any]:
        found = super()._operands(done)
        return found if self.slot_names else found[:1]


class Momentum(Descent):
    """A moving average of gradients: v ← β v + (1 - β) g; w ← w - α v; v starts at zero.

    Heavy ball, v ← β v + g (`SGD` with momentum), is this with a rate of (1 - β) α.

    Source: section 4.4 of the lecture; Qian, "On the momentum term in gradient descent learning
    algorithms" (1999).

    Args:
        learning_rate: α; see `Descent`.
        beta: β, the weight of the past.
        common: see `Descent`.
    """

    slot_names = ("velocity",)
    op = _momentum_update
    beta = Hyperparameter(least=0.0, below=1.0)

    def __init__(
        self, learning_rate: LearningRate = 0.01, beta: float = 0.9, **common: Unpack[Common]
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta = beta
