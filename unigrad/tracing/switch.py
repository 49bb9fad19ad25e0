"""Switching `ug.jit` off, to debug: functions are then called as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from unigrad.core.registry import setting

_disabled: ContextVar[bool | None] = ContextVar("unigrad_jit_disabled", default=None)
#: Returns whether `disable_jit` is in force with True or False, or ``None``.
switched = _disabled.get


@contextmanager
def disable_jit(disable: bool = True) -> Iterator[None]:
    """Call compiled functions as they are inside the block, op by op, in this thread or task.

    ``UNIGRAD_JIT=0`` in the environment does so for a whole process; ``disable_jit(False)``
    compiles all the same.

    Example:
        >>> import unigrad as ug
        >>> @ug.jit
        ... def f(x):
        ...     return x + 1.0 if x > 0.0 else x
        >>> with disable_jit():
        ...     float(f(ug.asarray(1.0)))
        2.0
    """
    token = _disabled.set(disable)
    try:
        yield
    finally:
        _disabled.reset(token)


def is_disabled() -> bool:
    """Tell whether compiled functions are called as they are.

    Example:
        >>> with disable_jit():
        ...     is_disabled()
        True
    """
    chosen = _disabled.get()
    if chosen is None:
        return setting("UNIGRAD_JIT") == "0"
    return chosen
