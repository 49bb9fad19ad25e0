"""A run of the suite: which trials, on which backends, in this process or in several.

With several workers each is a process of its own, and the parent loads no framework. What they
find comes back in the order of the trials, so that a report does not depend on their number.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cache, partial
from tempfile import TemporaryDirectory
from types import MappingProxyType

from unigrad.core.backend import Backend
from unigrad.core.errors import UnigradError
from unigrad.core.registry import default_device, load_backend
from unigrad_conformance.backends import families_spared, why_absent, why_unplaced
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.levels import Level
from unigrad_conformance.running import Trial, every_trial

_NOTHING: Mapping[tuple[str, str], Outcome] = MappingProxyType({})
#: How many trials a worker takes at a time.
_PIECE = 8
#: After how many trials compiled programs are forgotten: thousands of small ones fill gigabytes.
_PROGRAMS = 150


@dataclass(frozen=True)
class Selection:
    """Which trials are run.

    Args:
        op: that of this name, or else all whose name has these letters; None for all.
        containing: those whose family and name have these letters, in either case; None for all.
        level: how much of the suite.
        sparing: the families of which most of those that are alike are left out, unless names
            are given.
    """

    op: str | None = None
    containing: str | None = None
    level: Level = Level.FULL
    sparing: frozenset[str] = frozenset()

    def trials(self) -> list[Trial]:
        """Return them in order."""
        found = every_trial(self.level)
        if self.sparing and self.op is None and self.containing is None:
            return [one for one in found if not (one.further and one.family in self.sparing)]
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


_trials = cache(Selection.trials)
#: Trials done in this process.
_done = itertools.count(1)


#: Where processes keep what their backends compile; None for one by itself.
_folder: str | None = None


#: Linux's request for a signal when the parent ends: prctl(2).
_PR_SET_PDEATHSIG = 1


def _begin(folder: str) -> None:
    """Start a worker. On Linux it ends with its parent, even if that one is killed.

    It is not a thread that watches: in-place updates are for processes that have one alone.
    """
    global _folder
    _folder = folder
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        parent = multiprocessing.parent_process()
        if parent is not None and os.getppid() != parent.pid:
            # It has ended before it could be asked for the signal.
            os._exit(1)


@cache
def _loaded(name: str) -> Backend:
    backend = load_backend(name)
    # A framework's own objects stay: the collector would look through them again and again.
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)
    if _folder is not None:
        backend.share_programs(_folder)
    return backend


def work(selection: Selection, backend: str, numbers: Sequence[int]) -> list[Outcome]:
    """Run some of the trials, by their numbers, on a backend, here and now."""
    found, subject = [], _loaded(backend)
    for trial in map(_trials(selection).__getitem__, numbers):
        start = time.perf_counter()
        ledger = trial.on(backend)
        found.append(Outcome(trial.family, trial.name, time.perf_counter() - start, ledger))
        if next(_done) % _PROGRAMS == 0:
            subject.clear_caches()
    return found


@dataclass(frozen=True)
class Arrival:
    """A backend that was to be loaded.

    Args:
        absent: why it cannot be tried, or None.
        version: its framework's.
        compiles: the families of which it compiles what is tried.
    """

    absent: str | None
    version: str = ""
    compiles: frozenset[str] = frozenset()


def arrive(name: str) -> Arrival:
    """Load a backend."""
    reason = why_absent(name)
    if reason is None and default_device() is not None:
        reason = why_unplaced(name)
    if reason is not None:
        return Arrival(reason)
    families = {one.family for one in every_trial()}
    return Arrival(None, _loaded(name).version, families_spared(name, families))


class Session:
    """Trials on backends, in one process or several. To be used in a ``with`` block.

    Args:
        selection: the trials.
        workers: how many processes; 1 for this one alone.
    """

    def __init__(self, selection: Selection, workers: int = 1) -> None:
        self._selection = selection
        self._on: dict[str, Selection] = {}
        self._pool: ProcessPoolExecutor | None = None
        if workers > 1:
            # They share the cores, so each keeps to one. A forked process would inherit threads.
            os.environ.setdefault("OMP_NUM_THREADS", "1")
            context = multiprocessing.get_context("spawn")
            self._folder = TemporaryDirectory(prefix="programs-")
            self._pool = ProcessPoolExecutor(
                workers, mp_context=context, initializer=_begin, initargs=(self._folder.name,)
            )

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._folder.cleanup()

    def arrive(self, names: Sequence[str]) -> dict[str, Arrival]:
        """Load backends, before trials run on them; return what came of it."""
        mapped = map if self._pool is None else self._pool.map
        try:
            found = dict(zip(names, mapped(arrive, names), strict=True))
        except BrokenProcessPool as error:
            raise UnigradError("a worker ended while it loaded a backend") from error
        brief = self._selection.level.brief
        self._on = {
            name: replace(self._selection, sparing=one.compiles if brief else frozenset())
            for name, one in found.items()
        }
        return found

    def count(self, backend: str | None = None) -> int:
        """Return how many trials there are: in all, or on a backend that has arrived."""
        return len(_trials(self._selection if backend is None else self._on[backend]))

    def outcomes(
        self, backend: str, known: Mapping[tuple[str, str], Outcome] = _NOTHING
    ) -> Iterator[Outcome]:
        """Run the trials on a backend that has arrived; give each outcome, in order.

        Workers begin at the call. Those that one backend has nothing left for go on with the next.

        Args:
            backend: its name.
            known: outcomes of an earlier run, by family and name: these come first.

        Raises:
            UnigradError: when a worker's process ends before its work does.
        """
        selection = self._on[backend]
        trials = _trials(selection)
        keys = [(one.family, one.name) for one in trials]
        numbers = [i for i, key in enumerate(keys) if key not in known]
        size = 1 if self._pool is None else _PIECE
        pieces = [numbers[first : first + size] for first in range(0, len(numbers), size)]
        found = (map if self._pool is None else self._pool.map)(
            partial(work, selection, backend), pieces
        )
        return _in_order(backend, [known[key] for key in keys if key in known], found)


def _in_order(
    backend: str, known: Sequence[Outcome], found: Iterator[Sequence[Outcome]]
) -> Iterator[Outcome]:
    yield from known
    try:
        for outcomes in found:
            yield from outcomes
    except BrokenProcessPool as error:
        raise UnigradError(f"{backend}: a worker ended in the middle of a trial") from error
