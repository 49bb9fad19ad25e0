"""The trace of this thread, which stands between variables and their readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from unigrad.core import recorders

if TYPE_CHECKING:
    from unigrad.core.variable import Variable

_process = recorders.process
_thread = recorders.thread


class _Tracing(threading.local):
    trace: Any = None


class NoDependencies:
    """Takes no notes of what a trace takes from Python: nobody asks for them afterwards."""

    def on_attribute(self, owner: Any, name: str) -> None:
        """Ignore that an attribute was read."""

    def on_structure(self, owner: Any) -> None:
        """Ignore that somebody listed what an object holds."""

    def on_trainable(self, variable: Variable) -> None:
        """Ignore that it mattered whether a variable is trainable."""


#: The jit trace of this thread, if one is running: has ``read(variable)`` and ``write(…)``.
tracing = _Tracing()


@contextmanager
def traced_by(trace: Any) -> Iterator[None]:
    """Let a trace (or none) stand between variables and their readers inside the block.

    Example:
        >>> import unigrad as ug
        >>> with traced_by(None):
        ...     float(ug.Variable(1.0))
        1.0
    """
    before, tracing.trace = tracing.trace, trace
    traced_before, _thread.traced = _thread.traced, trace is not None
    _thread.refresh()
    key = None if trace is None else _process.begin()
    try:
        yield
    finally:
        tracing.trace, _thread.traced = before, traced_before
        _thread.refresh()
        if key is not None:
            _process.end(key)
