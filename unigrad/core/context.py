"""What a traced function depends on besides its arguments.

*Context values* are the settings that stand around a call: the default dtype, the training mode.
Whoever adds one registers how it is read, and it is part of every signature of `ug.jit`.
*Structure* is which variables and modules hang together, and how they are set. Changes are counted
for the whole process, so that a program compares one number to know that nothing has changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable

_readers: dict[str, Callable[[], Hashable]] = {}
#: What reads the context values: another tuple when one is registered.
reading: tuple[Callable[[], Hashable], ...] = ()


def register_context(name: str, read: Callable[[], Hashable]) -> None:
    """Make a value part of the signature of every compiled function.

    Args:
        name: what it is; registering a name again replaces its reader.
        read: returns the value in force in this thread or task; it runs at every compiled call.

    Example:
        >>> register_context("always the same", lambda: 0)
    """
    global reading
    _readers[name] = read
    reading = tuple(_readers.values())


def context_values() -> tuple[Hashable, ...]:
    """Return the context values in force, in the order of registration."""
    return tuple([read() for read in reading])


def registered_context() -> list[str]:
    """Return the names of the context values.

    Example:
        >>> "default dtype" in registered_context()
        True
    """
    return list(_readers)


class _Structure:
    """Which state the structure of variables and modules is in."""

    __slots__ = ("version",)

    def __init__(self) -> None:
        self.version = 0


structure = _Structure()
_versions = itertools.count(1)


def structure_changed() -> None:
    """Say that a variable or module is set differently; after the change, not before."""
    structure.version = next(_versions)
