"""Adagrad and Adadelta: steps scaled by all squared gradients so far, or by their average."""

from __future__ import annotations

from typing import Unpack

from unigrad.core.tensor import Tensor
from unigrad.ops.elementary import sqrt
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent, one_of, start
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Leaf, Number, Step, root, update


@update(slots=1)
def _adagrad_update(
    at: Step, rate: Number, epsilon: Number, rate_decay: Number, *, epsilon_at: str
) -> Leaf:
    """s ← s + g²; w ← w - α / (1 + (t - 1) η) · g / (√s + ε)."""
    rate = at.narrow(rate / (1.0 + (at.time - 1.0) * rate_decay))
    floor = at.narrow(epsilon)

    def leaf(p: Tensor, g: Tensor, s: Tensor) -> tuple[Tensor, ...]:
        s = s + g * g
        return p - rate * g / root(s, floor, epsilon_at), s

    return leaf


class Adagrad(Descent):
    """s ← s + g²; w ← w - α g / (√s + ε).

    Source: Duchi, Hazan & Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization" (2011).

    This is torch's Adagrad. Keras's and optax's have √(s + ε) (``epsilon_at="inside"``), s = 0.1 at
    the start and ε = 1e-7; Keras's rate is 0.001.

    Args:
        learning_rate: α; see `Descent`.
        epsilon: ε.
        rate_decay: η: at step t the rate is α / (1 + (t - 1) η).
        initial_sum: s before the first step, at least 0.
        epsilon_at: "outside" of the root, or "inside".
        common: see `Descent`.
    """

    slot_names = ("sum",)
    op = _adagrad_update
    epsilon = Hyperparameter(least=0.0)
    rate_decay = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        epsilon: float = 1e-10,
        rate_decay: float = 0.0,
        initial_sum: float = 0.0,
        *,
        epsilon_at: str = "outside",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.epsilon = epsilon
        self.rate_decay = rate_decay
        self._initial = start("Adagrad", "initial_sum", initial_sum)
        chosen = one_of("Adagrad", "epsilon_at", epsilon_at, ("outside", "inside"))
        self._settings = {"epsilon_at": chosen}

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        return [one + self._initial for one in super()._slots_of(name, parameter)]


@update(slots=2)
def _adadelta_update(at: Step, rate: Number, rho: Number, epsilon: Number) -> Leaf:
    """v ← ρ v + (1 - ρ) g²; d = √(u + ε) / √(v + ε) · g; u ← ρ u + (1 - ρ) d²; w ← w - α d."""
    mean = at.average(rho)
    rate, floor = at.narrow_all(rate, epsilon)

    def leaf(p: Tensor, g: Tensor, v: Tensor, u: Tensor) -> tuple[Tensor, ...]:
        v = mean(v, g * g)
        d = sqrt(u + floor) / sqrt(v + floor) * g
        return p - rate * d, v, mean(u, d * d)

    return leaf


class Adadelta(Descent):
    """v ← ρ v + (1 - ρ) g²; d = √(u + ε) / √(v + ε) · g; u ← ρ u + (1 - ρ) d²; w ← w - α d.

    Source: Zeiler, "ADADELTA: an adaptive learning rate method" (2012), algorithm 1, where α is 1.

    torch's and optax's; Keras has ``learning_rate=0.001, rho=0.95, epsilon=1e-7``.

    Args:
        learning_rate: α; see `Descent`.
        rho: ρ, the weight of the past.
        epsilon: ε.
        common: see `Descent`.
    """

    slot_names = ("square", "change")
    op = _adadelta_update
    rho = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        rho: float = 0.9,
        epsilon: float = 1e-6,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = rho
        self.epsilon = epsilon
