"""Checks of what functions of functions are given, and of what the given functions return."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from unigrad.core.errors import SettingError, ShapeError, TracingError


def check_function(what: str, given: Any) -> None:
    """Check that what is to be called later can be called.

    Raises:
        SettingError: when it cannot; ``what`` names the argument.

    Example:
        >>> check_function("vmap: function", len)
    """
    if not callable(given):
        raise SettingError(f"{what} has to be callable, not {given!r}")


def pair(what: str, found: Any) -> tuple[Any, Any]:
    """Return the two parts of what a function returned; an array of length 2 is no pair.

    Raises:
        SettingError: when it is no tuple or list of two; ``what`` says what should have been.

    Example:
        >>> pair("f returns a carry and a result", (1, 2))
        (1, 2)
    """
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        size = f" of {len(found)}" if isinstance(found, (tuple, list)) else ""
        raise SettingError(f"{what}, not a {type(found).__name__}{size}")
    first, second = found
    return first, second


def sequence(what: str, given: Any) -> tuple[Any, ...]:
    """Return one entry per argument as a tuple; an array is no sequence of arguments.

    Raises:
        SettingError: when it is no tuple or list.

    Example:
        >>> sequence("jvp: primals", [1, 2])
        (1, 2)
    """
    if not isinstance(given, (tuple, list)):
        raise SettingError(
            f"{what} are a tuple or list with one entry per argument, not a {type(given).__name__}"
        )
    return tuple(given)


def positions(name: str, argnums: int | Sequence[int], count: int) -> list[int]:
    """Return the positions of arguments that ``argnums`` names.

    Raises:
        SettingError: when it is no integer, nor a sequence of them.
        ShapeError: when there is no such argument.

    Example:
        >>> positions("grad", (0, -1), 3)
        [0, 2]
    """
    try:
        given: list[Any] = [argnums] if is_single(argnums) else [*argnums]  # type: ignore[misc]
        found = [index(one) for one in given]
    except TracingError:
        raise
    except TypeError:
        raise SettingError(
            f"{name}: argnums is an integer or a tuple of them, not {argnums!r}"
        ) from None
    for one in found:
        if not -count <= one < count:
            raise ShapeError(f"{name}: argnums {one} for {count} arguments")
    return [one % count for one in found]


def is_single(argnums: int | Sequence[int]) -> bool:
    """Tell whether ``argnums`` names one argument, and no sequence of them.

    Example:
        >>> is_single(0), is_single((0,))
        (True, False)
    """
    return not isinstance(argnums, (tuple, list, range))
