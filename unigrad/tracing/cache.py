"""The programs of one compiled function, by signature: bounded, counted, and with a warning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from unigrad.core.context import registered_context
from unigrad.core.errors import RetracingWarning
from unigrad.core.leaks import warn_program
from unigrad.tracing.calling import MISSED
from unigrad.tracing.program import Closing, Program
from unigrad.tracing.recorded import RecordedProgram
from unigrad.tracing.signature import Call

#: How many signatures are kept, and how many programs of one, whose traces took different things
#: from Python.
MOST_SIGNATURES = 128
MOST_PROGRAMS = 8
#: A function that is traced more often than this is warned of, once.
_HANDFUL = 8


AnyProgram: TypeAlias = Program | RecordedProgram | Closing


class CacheInfo(NamedTuple):
    """What `functools.lru_cache` tells of its own: calls that found a program, and traces."""

    hits: int
    misses: int
    #: Programs that are kept, and signatures that may be.
    currsize: int
    maxsize: int


class _Entry:
    """The programs of one signature, the latest first."""

    __slots__ = ("programs", "used")

    def __init__(self) -> None:
        self.programs: tuple[AnyProgram, ...] = ()
        self.used = 0


def _no_quick_call(args: tuple[Any, ...]) -> Any:
    return MISSED


class Programs:
    """Programs by signature. The signature used longest ago goes when there are too many."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._entries: dict[Any, _Entry] = {}
        self._latest: Any = None
        self.hits = 0
        self._misses = 0
        #: What takes calls like the last one, and the programs of its signature.
        self.quick: Callable[[tuple[Any, ...]], Any] = _no_quick_call
        self._quick_entry = _Entry()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles have no programs: these belong to the variables that they read."""
        return Programs, (self._name,)

    @property
    def all(self) -> list[AnyProgram]:
        """The programs that are kept."""
        return [one for entry in self._entries.values() for one in entry.programs]

    def info(self) -> CacheInfo:
        """Return how the cache is doing."""
        return CacheInfo(self.hits, self._misses, len(self.all), MOST_SIGNATURES)

    def find(self, signature: Any) -> AnyProgram | None:
        """Return a program of a signature whose trace took from Python what is there now.

        Raises:
            TypeError: when the signature is not hashable.
        """
        entry = self._entries.get(signature)
        # Calls that took the short way did not count.
        self._quick_entry.used = self.hits + self._misses
        if entry is not None:
            for program in entry.programs:
                if program.dependencies.hold():
                    self.hits += 1
                    entry.used = self.hits + self._misses
                    return program
        return None

    def expect(self, program: AnyProgram, call: Call) -> None:
        """Let calls like one that was just made go the short way, if there is one."""
        quick = program.quick_call(call, self) if isinstance(program, Program) else None
        entry = self._entries.get(call.signature)
        if quick is None or entry is None or program is not entry.programs[0]:
            self.quick = _no_quick_call
        else:
            self.quick, self._quick_entry = quick, entry

    def add(self, signature: Any, make: Callable[[], AnyProgram], describe: Any) -> AnyProgram:
        """Trace and keep a program; ``describe`` names the parts of signatures for a warning."""
        self._misses += 1
        if self._misses == _HANDFUL + 1:
            warn_program(
                f"jit: {self._name} is traced {self._misses} times by now; since the last trace "
                f"{describe(self._latest, signature)}. A trace takes far longer than a call",
                RetracingWarning,
            )
        self._latest = signature
        program = make()
        entry = self._entries.get(signature)
        if entry is None:
            while len(self._entries) >= MOST_SIGNATURES:
                oldest = min(self._entries, key=lambda one: self._entries[one].used)
                del self._entries[oldest]
            entry = self._entries[signature] = _Entry()
        entry.programs = (program, *entry.programs)[:MOST_PROGRAMS]
        entry.used = self.hits + self._misses
        return program


def differences(before: Any, now: Any, paths: Sequence[str]) -> str:
    """Say what differs between two signatures, leaf by leaf.

    ``paths`` are the arguments' names, in the order of their leaves.
    """
    found = []
    names = (
        "the backend", "the structure of the arguments", "", "", "the library's own settings",
        "whether a tape records",
    )  # fmt: skip
    for name, one, other in zip(names, before, now, strict=True):
        if name and one != other:
            found.append(f"{name} changed")
    if before[1] == now[1]:
        for path, one, other in zip(paths, before[2], now[2], strict=True):
            if one != other:
                found.append(f"argument {path} changed from {_shown(one)} to {_shown(other)}")
    for name, one, other in zip(registered_context(), before[3], now[3], strict=True):
        if one != other:
            found.append(f"{name} changed from {one!r} to {other!r}")
    return "; ".join(found) or (
        "something that the function reads from Python changed: an attribute, a name of its "
        "closure, a global variable or what a list or dict holds"
    )


def _shown(key: Any) -> str:
    """Return an argument's part of a signature as a message shows it."""
    if len(key) == 2:
        return repr(getattr(key[1], "value", key[1]))
    _, shape, dtype, *_ = key
    return f"{dtype.name}{list(shape)}"
