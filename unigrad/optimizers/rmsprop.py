"""RMSprop: steps scaled by a moving average of squared gradients."""

from __future__ import annotations

from typing import Unpack

from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent, one_of, start
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Leaf, Number, Step, root, update


@update(slots=lambda centered, moves, **_: 1 + centered + moves)
def _rmsprop_update(
    at: Step,
    rate: Number,
    rho: Number,
    epsilon: Number,
    momentum: Number,
    *,
    centered: bool,
    moves: bool,
    nesterov: bool,
    epsilon_at: str,
    corrected: bool,
    rate_inside: bool,
) -> Leaf:
    """v ← ρ v + (1 - ρ) g²; w ← w - α g / (√v + ε), through a velocity if it moves."""
    mean, size = at.average(rho), at.narrow(1.0 / at.correction(rho)) if corrected else None
    rate, share, floor = at.narrow_all(rate, momentum, epsilon)

    def leaf(p: Tensor, g: Tensor, v: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        v = mean(v, g * g)
        kept = [v]
        variance = v if size is None else v * size
        if centered:
            average = mean(rest[0], g)
            kept.append(average)
            average = average if size is None else average * size
            # At the first corrected step it is zero but for rounding.
            variance = variance - average * average
            variance = variance if size is None else maximum(variance, 0.0)
        if not moves:
            return (p - rate * g / root(variance, floor, epsilon_at), *kept)
        fresh = (rate * g if rate_inside else g) / root(variance, floor, epsilon_at)
        velocity = share * rest[-1] + fresh
        moved = fresh + share * velocity if nesterov else velocity
        return (p - (moved if rate_inside else rate * moved), *kept, velocity)

    return leaf


class RMSprop(Descent):
    """v ← ρ v + (1 - ρ) g²; w ← w - α g / (√v + ε): epsilon outside of the root; v starts at 0.

    With ``centered``, a ← ρ a + (1 - ρ) g and the root is that of v - a². With momentum,
    b ← μ b + g / (√v + ε); w ← w - α b.

    Sources: Tieleman & Hinton, lecture 6.5 of "Neural Networks for Machine Learning" (2012);
    centred: Graves, "Generating sequences with recurrent neural networks" (2013), eq. 38-41.

    This is torch's RMSprop but for defaults (there ``learning_rate=0.01, rho=0.99``). Keras's and
    optax's have √(v + ε) (``epsilon_at="inside"``) and the rate in the velocity
    (``rate_inside=True``); Keras's ε is 1e-7.

    Args:
        learning_rate: α; see `Descent`.
        rho: ρ, the weight of the past.
        epsilon: ε.
        momentum: μ. 0 keeps no velocity.
        centered: divide by the standard deviation.
        nesterov: with momentum, w ← w - α (g / (√v + ε) + μ b).
        epsilon_at: "outside" of the root, or "inside".
        rate_inside: with momentum, multiply by α before the velocity, not after.
        bias_correction: divide the averages by 1 - ρᵗ.
        initial_square: v before the first step.
        common: see `Descent`.

    Raises:
        SettingError: when ρ is outside of [0, 1), or v before the first step no number from 0 on.
    """

    slot_names: tuple[str, ...] = ("square",)
    op = _rmsprop_update
    rho = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    momentum = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        nesterov: bool = False,
        epsilon_at: str = "outside",
        rate_inside: bool = False,
        bias_correction: bool = False,
        initial_square: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.rho = rho
        self.epsilon = epsilon
        self.momentum = momentum
        if not momentum:
            self.left_out = {"momentum": 0.0}
        self.slot_names = ("square", *["mean"] * bool(centered), *["velocity"] * bool(momentum))
        self._initial = start("RMSprop", "initial_square", initial_square)
        self._settings = {
            "centered": bool(centered),
            "moves": bool(momentum),
            "nesterov": bool(nesterov),
            "epsilon_at": one_of("RMSprop", "epsilon_at", epsilon_at, ("outside", "inside")),
            "corrected": bool(bias_correction),
            "rate_inside": bool(rate_inside),
        }

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        first, *rest = super()._slots_of(name, parameter)
        return [first + self._initial if self._initial else first, *rest]
