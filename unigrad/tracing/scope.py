"""Leaving a trace: values made inside `init_scope` are real, and no tape hears of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from unigrad.core import recorders
from unigrad.core.interpreters import outside
from unigrad.core.registry import current_backend
from unigrad.core.traces import traced_by, tracing

#: Held by the thread that makes the variables of a layer or an optimizer, or traces a function:
#: libraries keep the state of a trace for the whole process. It is one lock for all of them, since
#: each may do the others on its way.
making = threading.RLock()


@contextmanager
def init_scope() -> Iterator[None]:
    """Step out of every trace and tape: for making Variables inside a function that is jitted.

    Layers and optimizers make their weights and slots in it at their first call.

    Example:
        >>> with init_scope():
        ...     pass
    """
    trace = tracing.trace
    backend = current_backend() if trace is None else trace.backend
    with outside(), traced_by(None), recorders.only([]), backend.root.init_scope():
        yield
