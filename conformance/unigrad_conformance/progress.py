"""How far a run is: a bar on a terminal, and elsewhere a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

#: Seconds between two lines where there is no terminal.
_SILENCE = 10.0


class Counter:
    """Count trials on one backend, say what is left, and at the end how long they took.

    Args:
        console: where to.
        backend: the backend's name.
        total: how many trials there are.
        say: prints a line.
    """

    def __init__(
        self, console: Console, backend: str, total: int, say: Callable[[str], None]
    ) -> None:
        self._backend, self._total, self._say = backend, total, say
        self._done = 0
        self._start = self._said = time.monotonic()
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn(backend), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                TextColumn("{task.description}"), console=console, transient=True,
            )  # fmt: skip

    def __enter__(self) -> Counter:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)
        return self

    def step(self, name: str) -> None:
        """Count one trial that is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=name)
            return
        now = time.monotonic()
        if now - self._said >= _SILENCE and self._done < self._total:
            self._said = now
            left = (now - self._start) / self._done * (self._total - self._done)
            self._say(f"{self._backend}: {self._done}/{self._total} trials, ETA {_spoken(left)}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if error is None:
            took = _spoken(time.monotonic() - self._start)
            self._say(f"{self._backend}: {self._done}/{self._total} trials in {took}")


def _spoken(seconds: float) -> str:
    """Return a span of time such as "12 s" or "3 min 5 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
