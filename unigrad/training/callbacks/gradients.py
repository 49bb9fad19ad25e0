"""Callbacks that change the optimizer: clipping, accumulation, averages, rates.

Those that wrap it are nested in the order in which they are given: the last one meets the gradients
first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from unigrad import optimizers
from unigrad.core.errors import SettingError
from unigrad.optimizers import Optimizer
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.plateau import PlateauState
from unigrad.training.callbacks.callback import Callback, Logs, monitored

if TYPE_CHECKING:
    from unigrad.training.trainer import Trainer


class ClipGradients(Callback):
    """Bound the gradients, as `ug.optimizers.clip_by_global_norm` and its like.

    Args:
        bound: the bound.
        by: "global_norm", "norm" or "value".

    Raises:
        SettingError: when it is another, or the bound is negative.

    Example:
        >>> import unigrad as ug
        >>> type(ClipGradients(1.0).wrap(ug.optimizers.SGD(0.1))).__name__
        'ChainedOptimizer'
    """

    _WAYS: Mapping[str, Callable[[float], Any]] = {
        "global_norm": optimizers.clip_by_global_norm,
        "norm": optimizers.clip_by_norm,
        "value": optimizers.clip_by_value,
    }

    def __init__(self, bound: float = 1.0, by: str = "global_norm") -> None:
        if by not in self._WAYS:
            raise SettingError(f"ClipGradients: by={by!r}: expected one of {', '.join(self._WAYS)}")
        self._link = self._WAYS[by](bound)

    def wrap(self, optimizer: Optimizer) -> Optimizer:
        """Put the bound before an optimizer."""
        chained: Optimizer = optimizers.chain(self._link, optimizer)
        return chained


class AccumulateGradients(Callback):
    """Update once for so many batches, with the mean of their gradients.

    ``trainer.step`` goes on counting batches, and schedules count updates.

    Args:
        batches: how many.

    Raises:
        SettingError: when that is no positive integer.

    Example:
        >>> import unigrad as ug
        >>> AccumulateGradients(4).wrap(ug.optimizers.SGD(0.1)).steps
        4
    """

    def __init__(self, batches: int) -> None:
        optimizers.Accumulate(optimizers.SGD(0.0), batches)  # Looks at the number.
        self.batches = batches

    def wrap(self, optimizer: Optimizer) -> Optimizer:
        """Put an optimizer into one that accumulates."""
        return optimizers.Accumulate(optimizer, self.batches)


class AverageWeights(Callback):
    """Keep an exponential moving average of the weights, and evaluate with it.

    Validation, `Trainer.evaluate`, `Trainer.predict` and `BestCheckpoints` use the averages. It
    comes after the other callbacks that wrap the optimizer.

    Args:
        decay, every, warm_up: see `ug.optimizers.AverageWeights`.

    Raises:
        SettingError: when another callback wraps the optimizer after this one.

    Example:
        >>> import unigrad as ug
        >>> AverageWeights(0.99).wrap(ug.optimizers.SGD(0.1)).decay
        0.99
    """

    def __init__(self, decay: float = 0.999, every: int = 1, *, warm_up: bool = False) -> None:
        self._settings: dict[str, Any] = {"decay": decay, "every": every, "warm_up": warm_up}
        self._wrapper = self._made(optimizers.SGD(0.0))

    def _made(self, optimizer: Optimizer) -> optimizers.AverageWeights:
        return optimizers.AverageWeights(optimizer, **self._settings)

    def wrap(self, optimizer: Optimizer) -> Optimizer:
        """Put an optimizer into one that averages."""
        self._wrapper = self._made(optimizer)
        return self._wrapper

    def on_start(self, trainer: Trainer) -> None:
        """See that no other wraps the optimizer."""
        if trainer.optimizer is not self._wrapper:
            raise SettingError(
                "AverageWeights: comes after the other callbacks that wrap the optimizer"
            )

    def evaluating(self, trainer: Trainer) -> AbstractContextManager[Any]:
        """Let the weights be their averages inside a block."""
        variables = trainer.model.trainable_variables
        # One that has become trainable since the last step is its own average.
        self._wrapper.build(variables)
        return self._wrapper.using_averages(variables)


class LearningRateSchedule(Callback):
    """Train with a schedule: a function of the number of steps done so far.

    Args:
        schedule: one of `ug.optimizers.schedules`, or a function like those.

    Example:
        >>> import unigrad as ug
        >>> schedule = ug.optimizers.schedules.cosine(1e-3, 100)
        >>> optimizer = LearningRateSchedule(schedule).wrap(ug.optimizers.Adam())
        >>> optimizer.learning_rate is schedule
        True
    """

    def __init__(self, schedule: LearningRate) -> None:
        self.schedule = schedule

    def wrap(self, optimizer: Optimizer) -> Optimizer:
        """Give an optimizer the schedule."""
        optimizer.learning_rate = self.schedule
        return optimizer


class ReduceOnPlateau(Callback):
    """Lower the learning rate when a number no longer gets better.

    Args:
        monitor: its name in the epoch's logs.
        factor, patience, threshold, relative, cooldown, least_rate, least_change, maximize: see
            `ug.optimizers.ReduceOnPlateau`.

    Raises:
        SettingError: when there is no such number, or the rate is a schedule.

    Example:
        >>> ReduceOnPlateau("val_loss", factor=0.5, patience=1).monitor
        'val_loss'
    """

    def __init__(
        self,
        monitor: str = "val_loss",
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
        self.monitor = monitor
        self._plateau = optimizers.ReduceOnPlateau(
            None,
            factor,
            patience,
            threshold,
            relative=relative,
            cooldown=cooldown,
            least_rate=least_rate,
            least_change=least_change,
            maximize=maximize,
        )
        self._rate: float | None = None

    def on_start(self, trainer: Trainer) -> None:
        """Take the rate that a run that is gone on with had reached."""
        if not isinstance(trainer.optimizer.learning_rate, float):
            raise SettingError("ReduceOnPlateau: needs an optimizer whose rate is a number")
        if self._rate is not None:
            trainer.optimizer.learning_rate = self._rate

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Compare, and lower the rate if it is time."""
        value = monitored(self, self.monitor, logs)
        rate, self._plateau.state = self._plateau.update(
            value, self._plateau.state, trainer.optimizer.learning_rate
        )
        trainer.optimizer.learning_rate = self._rate = rate

    def state_dict(self) -> dict[str, Any]:
        """Return the rate and what is remembered."""
        best, waited, resting = self._plateau.state
        finite = best if abs(best) < float("inf") else None
        return {"rate": self._rate, "best": finite, "waited": waited, "resting": resting}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        best = float("inf") if state["best"] is None else float(state["best"])
        self._plateau.state = PlateauState(best, int(state["waited"]), int(state["resting"]))
        self._rate = state["rate"]
