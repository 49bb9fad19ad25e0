"""Steepest descent, plain and with momentum."""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.core.tensor import Tensor
from unigrad.optimizers import updates
from unigrad.optimizers.base import LearningRate, Optimizer
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Number


class SGD(Optimizer):
    """w ← w - α g.

    Args:
        learning_rate: α; see `Optimizer`.
    """

    def __init__(self, learning_rate: LearningRate = 0.01) -> None:
        super().__init__(learning_rate)

    def _run(
        self, step: Tensor, numbers: Sequence[Number], tensors: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        new: tuple[Tensor, ...] = updates._sgd_update(step, *numbers, *tensors)
        return new


class Momentum(Optimizer):
    """A moving average of gradients: v ← β v + (1 - β) g; w ← w - α v; v starts at zero.

    Heavy ball, v ← β v + g, is this with a rate of (1 - β) α.

    Args:
        learning_rate: α; see `Optimizer`.
        beta: β, the weight of the past.
    """

    slot_names = ("velocity",)
    beta = Hyperparameter()

    def __init__(self, learning_rate: LearningRate = 0.01, beta: float = 0.9) -> None:
        super().__init__(learning_rate)
        self.beta = beta

    def _run(
        self, step: Tensor, numbers: Sequence[Number], tensors: Sequence[Tensor]
    ) -> tuple[Tensor, ...]:
        new: tuple[Tensor, ...] = updates._momentum_update(step, *numbers, *tensors)
        return new
