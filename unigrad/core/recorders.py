"""Who is listening: the recorders (tapes, forward accumulators) of this thread.

Every op asks one question on its fast path, "does any thread record?", which is a plain counter;
only when it is not zero does it look at its own thread's list. Recorders are told of ops whose
inputs they track and decide the rest themselves; this module knows no derivative.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from unigrad.core.backend import Backend
    from unigrad.core.op import Recording
    from unigrad.core.tensor import Tensor
    from unigrad.core.variable import Variable


class Recorder(Protocol):
    """What listens to ops: a tape or a forward accumulator."""

    #: True when ops must come with a rule of the reference even on a backend that differentiates
    #: its own kernels (a composite without a rule is then taken apart).
    needs_rules: bool
    #: True for a forward accumulator, which runs ops of its own when it is told of one.
    forward: bool

    #: The values that depend on what this recorder watches.
    tracked: Mapping[int, Any]

    def record(self, recording: Recording, outputs: tuple[Tensor, ...]) -> None:
        """Take note of one op that was run on a tracked value."""
        ...

    def depend(self, backend: Backend, uids: tuple[int, ...], output: Tensor) -> None:
        """Take note of an op that the backend's own graph recorded (if it needs no rules)."""
        ...

    def adopt(self, tensor: Tensor) -> None:
        """Hear of a gradient that a native tape computed in this recorder's sight."""
        ...

    def variable_read(self, variable: Variable, tensor: Tensor) -> None:
        """Hear that a variable was read, before its value is used."""
        ...


class _Anywhere:
    """How many recorders record in all threads together (a slot reads faster than a global)."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class _Here(threading.local):
    """This thread's recorders, innermost last."""

    def __init__(self) -> None:
        self.active: list[Any] = []
        #: What variables gave while something recorded: by key, the value and the handle that
        #: its readers share. A variable's own handle stays clean, so that tapes of other threads,
        #: and of later, never meet there.
        self.reads: dict[int, tuple[Any, Any]] = {}


anywhere = _Anywhere()
#: This thread's own.
here = _Here()
_lock = threading.Lock()
#: Identities of tracked values; never reused, 0 means untracked.
uids = itertools.count(1)


def fresh_uid() -> int:
    """Return an identity for a tracked value."""
    return next(uids)


def active() -> list[Any]:
    """Return this thread's recorders, innermost last. Not to be changed by the caller."""
    return here.active


def push(recorder: Any) -> None:
    """Start telling a recorder of this thread's ops."""
    with _lock:
        anywhere.count += 1
    here.active.append(recorder)


def pop(recorder: Any) -> None:
    """Stop telling a recorder, wherever it stands in the list (recorders may interleave)."""
    for position in range(len(here.active) - 1, -1, -1):
        if here.active[position] is recorder:
            del here.active[position]
            with _lock:
                anywhere.count -= 1
            if not here.active:
                here.reads.clear()
            return


@contextmanager
def only(recorders: list[Any]) -> Iterator[None]:
    """Let just these recorders listen inside the block.

    Example:
        >>> with only([]):
        ...     len(active())
        0
    """
    before = here.active
    with _lock:
        anywhere.count += len(recorders) - len(before)
    here.active = list(recorders)
    try:
        yield
    finally:
        with _lock:
            anywhere.count += len(before) - len(recorders)
        here.active = before


def watchers(uids: tuple[int, ...]) -> list[Any]:
    """Return this thread's recorders that track any of these values."""
    found = []
    for recorder in here.active:
        tracked = recorder.tracked
        for uid in uids:
            if uid in tracked:
                found.append(recorder)
                break
    return found
