"""`Callback`: what is told how a run goes, and may take part in it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from unigrad.optimizers import Optimizer

if TYPE_CHECKING:
    from unigrad.training.trainer import Trainer

#: Numbers by name: "loss", what else the loss gives, and "val_…" after an epoch.
Logs = dict[str, float]


class Callback:
    """Does nothing; subclasses write what they need.

    A callback looks at ``trainer.step`` (how many were done), ``trainer.epoch`` (which one it is
    in, from 0), ``trainer.model``, ``trainer.optimizer``, ``trainer.folder``, and may call
    ``trainer.stop(reason)``.

    Example:
        >>> class Falls(Callback):
        ...     def on_epoch(self, trainer, logs):
        ...         if logs["loss"] < 0.1:
        ...             trainer.stop("it is good enough")
    """

    def wrap(self, optimizer: Optimizer) -> Optimizer:
        """Return the optimizer that trains, made of the one that would without this callback."""
        return optimizer

    def on_start(self, trainer: Trainer) -> None:
        """Begin, or go on from ``trainer.step``."""

    def on_step(self, trainer: Trainer, logs: Logs) -> None:
        """Look at a step that was done."""

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Look at an epoch that was done, with means over it and those of validation."""

    def on_save(self, trainer: Trainer) -> None:
        """Write down what a checkpoint, which is written next, must not be ahead of."""

    def on_end(self, trainer: Trainer) -> None:
        """Close what is open; also after an error."""

    def evaluating(self, trainer: Trainer) -> AbstractContextManager[Any]:
        """Return a context in which the model is as it is to be evaluated and handed on."""
        return nullcontext()

    def state_dict(self) -> dict[str, Any]:
        """Return what must be known to go on: what JSON can hold."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""


def better(value: float, than: float, margin: float, maximize: bool) -> bool:
    """Tell whether a value is better than another by more than a margin; NaN never is.

    Example:
        >>> better(1.0, 2.0, 0.5, maximize=False), better(1.0, 2.0, 0.5, maximize=True)
        (True, False)
    """
    return value > than + margin if maximize else value < than - margin


def monitored(owner: Callback, monitor: str, logs: Logs) -> float:
    """Return the number that a callback looks at.

    Raises:
        SettingError: when there is none of that name.
    """
    from unigrad.core.errors import SettingError

    if monitor not in logs:
        hint = "; give fit a validation=" if monitor.startswith("val_") else ""
        raise SettingError(
            f"{type(owner).__name__}: there is no {monitor!r}, only {sorted(logs)}{hint}"
        )
    return logs[monitor]
