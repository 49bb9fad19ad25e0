"""Elements that could not be made: an error is raised in its element's place, and others follow.

A generator that raises is over. So generators of this package hand on what was raised as they hand
on elements, and only what they are wrapped in raises it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Failed(NamedTuple):
    """What stands for an element that could not be made."""

    error: BaseException


def outcomes(elements: Iterator[Any]) -> Iterator[Any]:
    """Yield an iterator's elements, and `Failed` where it raised.

    Example:
        >>> found = list(outcomes(map(int, ["1", "?", "3"])))
        >>> found[0], type(found[1].error).__name__, found[2]
        (1, 'ValueError', 3)
    """
    while True:
        try:
            one = next(elements)
        except StopIteration:
            return
        except Exception as error:
            one = Failed(error)
        yield one


def raising(found: Iterator[Any]) -> Iterator[Any]:
    """Return an iterator over outcomes that raises the errors among them, and can go on.

    Example:
        >>> numbers = raising(outcomes(map(int, ["?", "3"])))
        >>> try:
        ...     next(numbers)
        ... except ValueError:
        ...     print("then", next(numbers))
        then 3
    """
    return map(_raised, found)


def _raised(outcome: Any) -> Any:
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome


def ending_nothing(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose `StopIteration` is a `RuntimeError`, as in generators (PEP 479).

    Else it would end the epoch without a word.

    Example:
        >>> list(map(ending_nothing("map", next), [iter([])]))
        Traceback (most recent call last):
        ...
        RuntimeError: map: the function raised StopIteration
    """

    def called(*given: Any) -> Any:
        try:
            return function(*given)
        except StopIteration as error:
            raise RuntimeError(f"{name}: the function raised StopIteration") from error

    return called
