"""A rate that falls when a metric no longer improves: state, and so no function of the step."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from unigrad.core.errors import SettingError
from unigrad.optimizers.base import Optimizer


class PlateauState(NamedTuple):
    """What `ReduceOnPlateau` remembers."""

    best: float
    #: Calls since the best one.
    waited: int
    #: Calls in which nothing is counted, since the rate has just fallen.
    resting: int


class ReduceOnPlateau:
    """Multiply an optimizer's rate by γ when a metric has not improved for P calls.

    As torch's ReduceLROnPlateau and Keras's, with patience as in torch: the rate falls at the first
    call after P bad ones.

    Args:
        optimizer: whose rate, a plain number, is changed; ``None`` for `update` alone.
        factor: γ, below 1.
        patience: P.
        threshold: how much better counts as better.
        relative: measure that as a share of the best value.
        cooldown: for how many calls nothing is counted after a change.
        least_rate: below which the rate does not fall.
        least_change: the rate stays where it would fall by no more; torch's ``eps``, there 1e-8.
        maximize: whether more is better.

    Example:
        >>> from unigrad.optimizers import SGD, ReduceOnPlateau
        >>> optimizer = SGD(1.0)
        >>> plateau = ReduceOnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (1.0, 1.0, 1.0):
        ...     plateau.step(loss)
        >>> optimizer.learning_rate
        0.5
    """

    def __init__(
        self,
        optimizer: Optimizer | None = None,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        *,
        relative: bool = True,
        cooldown: int = 0,
        least_rate: float = 0.0,
        least_change: float = 0.0,
        maximize: bool = False,
    ) -> None:
        if not 0.0 < factor < 1.0:
            raise SettingError(f"ReduceOnPlateau: factor={factor}: expected a number in (0, 1)")
        self._optimizer = optimizer
        self._factor = factor
        self._patience = patience
        self._threshold = threshold
        self._relative = relative
        self._cooldown = cooldown
        self._least_rate = least_rate
        self._least_change = least_change
        self._sign = -1.0 if maximize else 1.0
        self.state = self.init()

    def init(self) -> PlateauState:
        """Return the state before the first call."""
        return PlateauState(math.inf, 0, 0)

    def update(self, metric: Any, state: PlateauState, rate: float) -> tuple[float, PlateauState]:
        """Return the rate and the state after one more value of the metric. Pure."""
        value = self._sign * float(metric)
        margin = self._threshold * (abs(state.best) if self._relative else 1.0)
        better = value < (state.best if math.isinf(state.best) else state.best - margin)
        best, waited = (value, 0) if better else (state.best, state.waited + 1)
        resting = state.resting
        if resting:
            resting, waited = resting - 1, 0
        if waited > self._patience:
            lower = max(rate * self._factor, self._least_rate)
            rate = lower if rate - lower > self._least_change else rate
            resting, waited = self._cooldown, 0
        return rate, PlateauState(best, waited, resting)

    def step(self, metric: Any) -> None:
        """Take one more value of the metric, and change the optimizer's rate if it is time.

        Raises:
            SettingError: when there is no optimizer, or its rate is no plain number.
        """
        if self._optimizer is None or not isinstance(self._optimizer.learning_rate, float):
            raise SettingError("ReduceOnPlateau.step: needs an optimizer whose rate is a number")
        rate, self.state = self.update(metric, self.state, self._optimizer.learning_rate)
        self._optimizer.learning_rate = rate
