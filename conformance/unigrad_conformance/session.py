"""A run of the suite: which trials, on which backends, in this process or in several.

With several workers each is a process of its own, and the parent loads no framework. What they
find comes back in the order of the trials, so that a report does not depend on their number.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache

from unigrad.core.errors import UnigradError
from unigrad.core.registry import default_device, load_backend
from unigrad_conformance.backends import why_absent, why_unplaced
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.running import Trial, every_trial

#: How many trials a worker takes at a time.
_PIECE = 8


@dataclass(frozen=True)
class Selection:
    """Which trials are run.

    Args:
        op: that of this name, or else all whose name has these letters; None for all.
        containing: those whose family and name have these letters, in either case; None for all.
        thorough: whether the costly checks are run on every sample.
    """

    op: str | None = None
    containing: str | None = None
    thorough: bool = True

    def trials(self) -> list[Trial]:
        """Return them in order."""
        found = every_trial(self.thorough)
        if self.containing is not None:
            words = self.containing.lower()
            found = [one for one in found if words in f"{one.family}/{one.name}".lower()]
        if self.op is not None:
            found = [one for one in found if one.name == self.op] or [
                one for one in found if self.op in one.name
            ]
        return found


@dataclass(frozen=True)
class Outcome:
    """How one trial went on one backend."""

    family: str
    name: str
    seconds: float
    ledger: Ledger


#: Run the trials from one number up to another on a backend.
Work = Callable[[Selection, str, int, int], list[Outcome]]


_trials = cache(Selection.trials)


def work(selection: Selection, backend: str, first: int, last: int) -> list[Outcome]:
    """Run some of the trials on a backend, here and now."""
    found = []
    for trial in _trials(selection)[first:last]:
        start = time.perf_counter()
        ledger = trial.on(backend)
        found.append(Outcome(trial.family, trial.name, time.perf_counter() - start, ledger))
    return found


def arrive(name: str) -> tuple[str | None, str]:
    """Load a backend; return why it cannot be tried, or None, and its version."""
    reason = why_absent(name)
    if reason is None and default_device() is not None:
        reason = why_unplaced(name)
    return reason, "" if reason else load_backend(name).version


class Session:
    """Trials on backends, in one process or several. To be used in a ``with`` block.

    Args:
        selection: the trials.
        workers: how many processes; 1 for this one alone.
    """

    def __init__(self, selection: Selection, workers: int = 1) -> None:
        self.selection = selection
        self.count = len(_trials(selection))
        self._pool: ProcessPoolExecutor | None = None
        if workers > 1:
            # They share the cores, so each keeps to one. A forked process would inherit threads.
            os.environ.setdefault("OMP_NUM_THREADS", "1")
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, mp_context=context)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def arrive(self, names: Sequence[str]) -> dict[str, tuple[str | None, str]]:
        """Load backends; return for each why it cannot be tried, or None, and its version."""
        mapped = map if self._pool is None else self._pool.map
        try:
            return dict(zip(names, mapped(arrive, names), strict=True))
        except BrokenProcessPool as error:
            raise UnigradError("a worker ended while it loaded a backend") from error

    def outcomes(self, backend: str) -> Iterator[Outcome]:
        """Run the trials on a backend; give each outcome, in order.

        Raises:
            UnigradError: when a worker's process ends before its work does.
        """
        size = 1 if self._pool is None else _PIECE
        starts = range(0, self.count, size)
        arguments = [(self.selection, backend, first, first + size) for first in starts]
        mapped = map if self._pool is None else self._pool.map
        try:
            for found in mapped(work, *zip(*arguments, strict=True)):
                yield from found
        except BrokenProcessPool as error:
            raise UnigradError(f"{backend}: a worker ended in the middle of a trial") from error
