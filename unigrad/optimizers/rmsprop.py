"""RMSprop: steps scaled by a moving average of squared gradients."""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.core.tensor import Tensor
from unigrad.optimizers import updates
from unigrad.optimizers.base import LearningRate, Optimizer
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Number


class RMSprop(Optimizer):
    """v ← ρ v + (1 - ρ) g²; w ← w - α g / (√v + ε): epsilon outside of the root; v starts at 0.

    Source: Tieleman & Hinton, lecture 6.5 of "Neural Networks for Machine Learning" (2012).

    Args:
        learning_rate: α; see `Optimizer`.
        rho: ρ, the weight of the past.
        epsilon: ε.
    """

    slot_names = ("square",)
    rho = Hyperparameter()
    epsilon = Hyperparameter()

    def __init__(
        self, learning_rate: LearningRate = 0.001, rho: float = 0.9, epsilon: float = 1e-8
    ) -> None:
        super().__init__(learning_rate)
        self.rho = rho
        self.epsilon = epsilon

    def _run(
        self, step: Tensor, numbers: Sequence[Number], tensors: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        new: tuple[Tensor, ...] = updates._rmsprop_update(step, *numbers, *tensors)
        return new
