"""Stop when a number no longer gets better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from unigrad.core.errors import SettingError
from unigrad.training.callbacks.callback import Callback, Logs, better, monitored

if TYPE_CHECKING:
    from unigrad.training.trainer import Trainer


class EarlyStopping(Callback):
    """Stop after so many epochs in a row in which a number was not better than the best one.

    Args:
        monitor: its name in the epoch's logs.
        patience: the number of epochs.
        margin: how much better counts as better.
        maximize: whether more is better.

    Raises:
        SettingError: when the patience is not positive or the margin is negative, and at the end
            of an epoch when there is no such number.

    Example:
        >>> EarlyStopping("val_accuracy", patience=2, maximize=True).state_dict()
        {'best': None, 'waited': 0}
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 3,
        margin: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        if patience < 1 or not margin >= 0.0:
            raise SettingError(
                f"EarlyStopping: patience={patience} is at least 1, margin={margin} at least 0"
            )
        self.monitor = monitor
        self.patience = patience
        self.margin = margin
        self.maximize = maximize
        self.best = -math.inf if maximize else math.inf
        self.waited = 0

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Compare, and stop when the patience is over."""
        value = monitored(self, self.monitor, logs)
        if better(value, self.best, self.margin, self.maximize):
            self.best, self.waited = value, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(
                f"{self.monitor} has not been better than {self.best:.6g} for {self.waited} epochs"
            )

    def state_dict(self) -> dict[str, Any]:
        """Return the best number and how many epochs ago it was."""
        return {"best": self.best if math.isfinite(self.best) else None, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        worst = -math.inf if self.maximize else math.inf
        self.best = worst if state["best"] is None else float(state["best"])
        self.waited = int(state["waited"])
