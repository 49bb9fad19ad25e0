"""Whether a model is being trained or used: what Dropout and its like ask.

It is a property of the call and not of the model: ``model(x, training=True)`` holds for everything
inside that call. Functions compiled by `ug.jit` are traced in each mode in which they are called.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from unigrad.core.context import register_context
from unigrad.core.registry import restore

_training: ContextVar[bool] = ContextVar("unigrad_training", default=False)


def is_training() -> bool:
    """Tell whether the innermost call that said so is one of training (default: no).

    Example:
        >>> is_training()
        False
    """
    return _training.get()


# Without a function of Python's in between: every compiled call reads it.
register_context("training mode", _training.get)


@contextmanager
def training_mode(training: bool = True) -> Iterator[None]:
    """Set the mode inside the block.

    Example:
        >>> with training_mode():
        ...     is_training()
        True
    """
    token = _training.set(bool(training))
    try:
        yield
    finally:
        restore(_training, token)
