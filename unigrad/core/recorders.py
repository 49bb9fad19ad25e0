"""Who is listening: the recorders (tapes, forward accumulators) of this thread.

Every op asks one question on its fast path, "does any thread record?", which is a plain set; only
when it is not empty does it look at its own thread's list. Recorders are told of ops whose
inputs they track and decide the rest themselves; this module knows no derivative.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from unigrad.core.backend import Backend, NativeTape
    from unigrad.core.dispatch import Recording
    from unigrad.core.tensor import Tensor
    from unigrad.core.variable import Variable


class Recorder(Protocol):
    """What listens to ops: a tape or a forward accumulator."""

    #: True when ops must come with a rule of the reference even on a backend that differentiates
    #: its own kernels (a composite without a rule is then taken apart).
    needs_rules: bool
    #: True for a forward accumulator, which runs ops of its own when it is told of one.
    forward: bool

    #: The values that depend on what this recorder watches, with what is noted of each: where the
    #: library takes the notes, the values it was computed from.
    tracked: MutableMapping[int, Any]
    #: The libraries' own tapes behind this one; ``None`` where ops must be recorded one by one.
    native_tapes: Mapping[Backend, NativeTape | None]

    def record(self, recording: Recording, outputs: tuple[Tensor, ...]) -> None:
        """Take note of one op that was run on a tracked value."""
        ...

    def holds(self, native: Any) -> bool:
        """Tell whether a native array is that of a tracked value's handle."""
        ...

    def track(self, tensor: Tensor, native: Any) -> None:
        """Hear of a value that a library's own function computed in this recorder's sight.

        ``native`` is the array that the library's graph knows.
        """
        ...

    def read(self, variable: Variable, value: Tensor, handle: Tensor | None = None) -> Tensor:
        """Hear that a variable is being read; return the handle that its readers get.

        A variable's own handle stays clean, so that tapes of other threads, and of later, never
        meet there. Recorders that listen together are given one ``handle`` for all.
        """
        ...

    def handle_of(self, variable: Variable, value: Tensor) -> Tensor | None:
        """Return the handle under which this recorder knows a variable's value."""
        ...


class _Process:
    """What listens in all threads together (a slot reads faster than a global)."""

    __slots__ = ("recording",)

    def __init__(self) -> None:
        #: Identities of recorders and of traces, in a set: threads may change it without a lock.
        self.recording: set[int] = set()


class _Thread(threading.local):
    """This thread's recorders, innermost last."""

    def __init__(self) -> None:
        self.active: list[Any] = []
        #: True while a function is traced: variables are then the trace's.
        self.traced = False
        #: The recorder, while there is exactly one and no trace: the commonest case has shorter
        #: ways.
        self.single: Any = None

    def refresh(self) -> None:
        """See, after a change, whether one recorder is alone."""
        self.single = self.active[0] if len(self.active) == 1 and not self.traced else None


process = _Process()
#: This thread's own.
thread = _Thread()
#: Identities of tracked values; never reused, 0 means untracked.
uids = itertools.count(1)


def fresh_uid() -> int:
    """Return an identity for a tracked value."""
    return next(uids)


def active() -> list[Any]:
    """Return this thread's recorders, innermost last. Not to be changed by the caller."""
    return thread.active


def push(recorder: Any) -> None:
    """Start telling a recorder of this thread's ops."""
    process.recording.add(id(recorder))
    active = thread.active
    active.append(recorder)
    thread.single = None if len(active) > 1 or thread.traced else recorder


def pop(recorder: Any) -> None:
    """Stop telling a recorder, wherever it stands in the list (recorders may interleave)."""
    active = thread.active
    if thread.single is recorder:
        del active[0]
        thread.single = None
    else:
        for position in range(len(active) - 1, -1, -1):
            if active[position] is recorder:
                del active[position]
                break
        else:
            return
        thread.refresh()
    process.recording.discard(id(recorder))


@contextmanager
def only(recorders: list[Any]) -> Iterator[None]:
    """Let just these recorders, of those that record, listen inside the block.

    Example:
        >>> with only([]):
        ...     len(active())
        0
    """
    before = thread.active
    thread.active = list(recorders)
    thread.refresh()
    try:
        yield
    finally:
        thread.active = before
        thread.refresh()


def handle_of(variable: Variable, value: Tensor) -> Any:
    """Return the handle under which this thread's recorders know a variable's value, if any."""
    for recorder in thread.active:
        handle = recorder.handle_of(variable, value)
        if handle is not None:
            return handle
    return None


def watchers(uids: tuple[int, ...]) -> list[Any]:
    """Return this thread's recorders that track any of these values."""
    found = []
    for recorder in thread.active:
        tracked = recorder.tracked
        for uid in uids:
            if uid in tracked:
                found.append(recorder)
                break
    return found
