"""Adam: steps along a mean gradient, scaled by a mean square, both corrected for their start."""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.core.tensor import Tensor
from unigrad.optimizers import updates
from unigrad.optimizers.base import LearningRate, Optimizer
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Number


class Adam(Optimizer):
    """m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; w ← w - α m̂ / (√v̂ + ε).

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at step t = 1, 2, …: epsilon is added outside of the
    root, after the correction.

    Source: Kingma & Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1.

    Args:
        learning_rate: α; see `Optimizer`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.

    Raises:
        SettingError: when a β is outside of [0, 1).
    """

    slot_names = ("m", "v")
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter()

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def _run(
        self, step: Tensor, numbers: Sequence[Number], tensors: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        new: tuple[Tensor, ...] = updates._adam_update(step, *numbers, *tensors)
        return new
