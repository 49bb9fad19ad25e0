"""Who is listening: the recorders (tapes, forward accumulators) of this thread.

Every op asks one question on its fast path, "does any thread record?", which is a plain set; only
when it is not empty does it look at its own thread's list. Recorders are told of ops whose
inputs they track and decide the rest themselves; this module knows no derivative.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from unigrad.core.backend import Backend
    from unigrad.core.dispatch import Recording
    from unigrad.core.native_tape import NativeTape
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

    def watches(self, variable: Variable) -> bool:
        """Tell whether a read of this variable is a source of what this recorder differentiates."""
        ...

    def handle_of(self, variable: Variable, value: Tensor) -> Tensor | None:
        """Return the handle under which this recorder knows a variable's value."""
        ...


class _Process:
    """What listens in all threads together (a slot reads faster than a global)."""

    __slots__ = ("_keys", "recording")

    def __init__(self) -> None:
        #: Identities of recorders, and a key for each block in which a trace or a frame is in
        #: force. In a set: threads may change it without a lock.
        self.recording: set[int] = set()
        self._keys = itertools.count(-1, -1)

    def begin(self) -> int:
        """Say that a trace or a frame is in force; return the key to `end` that with.

        A trace may be in force again in a block inside of its own, so it is no key itself: the
        inner block's end would be taken for the outer one's.
        """
        key = next(self._keys)
        self.recording.add(key)
        return key

    def end(self, key: int) -> None:
        """Say that what began with this key is over."""
        self.recording.discard(key)


class _Thread(threading.local):
    """This thread's recorders, innermost last.

    Under interpreters they stand in several lists, by the depth at which they were opened: those
    of less depth hear of the ops on values of their depth (see `unigrad.core.interpreters`).
    """

    def __init__(self) -> None:
        self.active: list[Any] = []
        #: The lists of less depth, outermost first; none outside of interpreters.
        self.outer: tuple[list[Any], ...] = ()
        #: True while a function is traced: variables are then the trace's.
        self.traced = False
        #: True where a library's own autograd follows the arrays unseen: a tape that is opened
        #: there must be made of ops, through which that graph goes on.
        self.by_rules = False
        #: True while the arrays are those of a caller that uses their library itself
        #: (`ug.interop`): its graph must see every op.
        self.borrowed = False
        #: The recorder, while there is exactly one and no trace: the commonest case has shorter
        #: ways.
        self.single: Any = None

    def refresh(self) -> None:
        """See, after a change, whether one recorder is alone."""
        alone = len(self.active) == 1 and not self.traced and not self.outer
        self.single = self.active[0] if alone else None


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
    if thread.outer:
        return [one for some in (*thread.outer, thread.active) for one in some]
    return thread.active


def push(recorder: Any) -> None:
    """Start telling a recorder of this thread's ops."""
    process.recording.add(id(recorder))
    active = thread.active
    active.append(recorder)
    thread.single = None if len(active) > 1 or thread.traced or thread.outer else recorder


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
def by_rules() -> Iterator[None]:
    """Let tapes that are opened inside the block go by the rules of the reference.

    Example:
        >>> with by_rules():
        ...     thread.by_rules
        True
    """
    before, thread.by_rules = thread.by_rules, True
    try:
        yield
    finally:
        thread.by_rules = before


@contextmanager
def only(recorders: Sequence[Any], besides: Sequence[Any] = ()) -> Iterator[None]:
    """Let just these recorders, of those that record, listen inside the block, and some others.

    Example:
        >>> with only([]):
        ...     len(active())
        0
    """
    before = thread.active, thread.outer
    kept = {id(one) for one in recorders}
    thread.active = [*[one for one in thread.active if id(one) in kept], *besides]
    thread.outer = tuple([[one for one in some if id(one) in kept] for some in thread.outer])
    thread.refresh()
    try:
        yield
    finally:
        thread.active, thread.outer = before
        thread.refresh()


def handle_of(variable: Variable, value: Tensor) -> Any:
    """Return the handle under which this thread's recorders know a variable's value, if any."""
    for recorder in thread.active:
        handle = recorder.handle_of(variable, value)
        if handle is not None:
            return handle
    return None


def watchers(uids: tuple[int, ...], depth: int = 0) -> list[Any]:
    """Return this thread's recorders that track any of these values, which are of one depth."""
    found = []
    for recorder in thread.active if len(thread.outer) <= depth else _from(depth):
        tracked = recorder.tracked
        for uid in uids:
            if uid in tracked:
                found.append(recorder)
                break
    return found


def _from(depth: int) -> list[Any]:
    """Return the recorders that hear of ops at a depth: those opened there, or further in."""
    return [one for some in (*thread.outer[depth:], thread.active) for one in some]
