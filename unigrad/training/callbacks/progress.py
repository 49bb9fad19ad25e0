"""A bar on the terminal: how far, how fast, how long still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigrad.training.callbacks.callback import Callback, Logs

# rich is loaded by whoever makes a bar: `import unigrad` does without.
if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars

    from unigrad.training.trainer import Trainer


class Progress(Callback):
    """Show a bar with steps, loss, speed and the time that is left, and a line per epoch.

    Args:
        unit: what the speed counts: the weights of batches, which are their rows, or what the loss
            gives as ``"weight"``: tokens, say.
        console: where; the terminal by default.

    Example:
        >>> Progress("tokens").unit
        'tokens'
    """

    def __init__(self, unit: str = "rows", console: Console | None = None) -> None:
        from rich.console import Console

        self.unit = unit
        self._console = console or Console(highlight=False)
        self._bars: Bars | None = None
        self._bar: Any = None
        self._speed = 0.0

    def on_start(self, trainer: Trainer) -> None:
        """Begin the bar."""
        from rich import progress

        columns = (
            progress.TextColumn("Training"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[loss]}"),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TimeRemainingColumn(),
        )
        self._bars = progress.Progress(*columns, console=self._console)
        self._bars.start()
        self._bar = self._bars.add_task(
            "", total=trainer.total, completed=trainer.step, loss="", speed=""
        )

    def on_step(self, trainer: Trainer, logs: Logs) -> None:
        """Move the bar."""
        assert self._bars is not None
        now = trainer.weight / max(trainer.seconds, 1e-9)
        # Of the first step, which may compile, nothing is left after a few.
        self._speed = 0.9 * self._speed + 0.1 * now if self._speed else now
        self._bars.update(
            self._bar,
            completed=trainer.step,
            loss=f"loss {logs['loss']:.4f}",
            speed=f"{self._speed:,.0f} {self.unit}/s",
        )

    def on_epoch(self, trainer: Trainer, logs: Logs) -> None:
        """Print the epoch's numbers."""
        numbers = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
        self._console.print(
            f"Epoch {trainer.epoch + 1}, step {trainer.step}: {numbers}",
            markup=False,
            soft_wrap=True,
        )

    def on_end(self, trainer: Trainer) -> None:
        """End the bar."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
