"""Errors of a program's own functions that run on the host, in compiled programs of any library.

They are left as they are, while those of a library become unigrad's. A library turns what such a
function raises into an error of its own, often in another thread, and keeps only the text. So the
text carries a number, by which the first error is found again.
"""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_numbers = itertools.count(1)
_errors: OrderedDict[int, Exception] = OrderedDict()
#: How many errors that nobody has asked for are kept.
_KEPT = 8
_TEXT = re.compile(r"unigrad host error (\d+)")
_MARK = "__unigrad_program__"


@contextmanager
def own_errors() -> Iterator[None]:
    """Mark what is raised inside the block as the program's own.

    Example:
        >>> with own_errors():
        ...     pass
    """
    try:
        yield
    except Exception as error:
        setattr(error, _MARK, True)
        raise


def noted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function for a library's compiled program, whose errors `own_error` finds again."""

    def run(*arrays: Any) -> Any:
        try:
            return function(*arrays)
        except Exception as error:
            number = next(_numbers)
            _errors[number] = error
            while len(_errors) > _KEPT:
                _errors.popitem(last=False)
            kind = type(error).__name__
            raise RuntimeError(f"unigrad host error {number}: {kind}: {error}") from error

    return run


def own_error(error: Exception) -> Exception | None:
    """Return the error of a program's own function that this one is or stands for.

    Example:
        >>> def fails():
        ...     raise KeyError("k")
        >>> try:
        ...     noted(fails)()
        ... except RuntimeError as error:
        ...     own_error(error)
        KeyError('k')
    """
    if hasattr(error, _MARK):
        return error
    found = _TEXT.search(str(error))
    return None if found is None else _errors.pop(int(found[1]), None)
