"""Arguments that are equal to Python and mean different things, one straight after the other.

Front end, backends and libraries remember what they worked out of arguments, in dictionaries in
which ``0.0`` and ``-0.0``, and ``1``, ``1.0`` and ``True``, are one key. Whoever forgets that
answers the second call with the first one's result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.subject import Deviation


def _signs(what: str, make: Callable[[float], ug.Tensor]) -> None:
    """Check that a function of a number keeps the sign of a zero, whichever zero came before."""
    for value in (0.0, -0.0, 0.0):
        found = np.signbit(np.asarray(make(value).numpy(), np.float64))
        if not (found == np.signbit(value)).all():
            raise Deviation(f"{what} of {value} has the sign of the other zero")


def _filled(value: float) -> ug.Tensor:
    return ug.full((2,), value)


def zeros_of_both_signs() -> None:
    """Fill and calculate with 0.0 and -0.0 in turn."""
    x = ug.asarray([1.0, 2.0])
    _signs("full", _filled)
    _signs("full_like", lambda value: ug.full_like(x, value))
    _signs("asarray", ug.asarray)
    _signs("x * number", lambda value: x * value)
    _signs("number * x", lambda value: value * x)
    _signs("copysign", lambda value: ug.copysign(x, value))
    jitted: Callable[[float], ug.Tensor] = ug.jit(static_argnums=0)(_filled)
    _signs("jitted full", jitted)


def dtypes_of_equal_numbers() -> None:
    """Fill with 1, 1.0 and True in turn: each has its own dtype."""
    wanted = {int: ug.int64, float: ug.default_dtype(), bool: ug.asarray(True).dtype}
    for value in (1, 1.0, True, 1.0, 1):
        found = ug.full((3,), value).dtype
        if found != wanted[type(value)]:
            raise Deviation(f"full of {value!r} has dtype {found.name}")


#: Equal to 1 and no integer. (To type checkers it is anything.)
_FLOAT: Any = 1.0


def _refuses(what: str, call: Callable[[], Any]) -> None:
    """Check that a call raises `DTypeError`."""
    try:
        call()
    except ug.DTypeError:
        return
    raise Deviation(f"{what} is taken once the equal integer was")


def numbers_that_are_no_integers() -> None:
    """Ask for an integer, and then for the equal float or bool, which is refused."""
    x = ug.ones((2, 4))
    for _ in range(2):
        ug.reshape(x, (8, 1))
        _refuses("a length of 1.0", lambda: ug.reshape(x, (8, _FLOAT)))
        ug.sum(x, axis=1)
        _refuses("an axis of True", lambda: ug.sum(x, axis=True))
        ug.flip(x, axis=1)
        _refuses("an axis of 1.0", lambda: ug.flip(x, axis=_FLOAT))
        ug.concat([x, x], axis=1)
        _refuses("an axis of True", lambda: ug.concat([x, x], axis=True))
        x[:1]
        _refuses("a slice to 1.0", lambda: x[:1.0])
        x[1]
        _refuses("an index of 1.0", lambda: x[1.0])
    if x[True].shape != (1, 2, 4) or x[1].shape != (4,):
        raise Deviation("x[True] is read as x[1], or the other way round")


LOOKALIKES: dict[str, Callable[[], None]] = {
    one.__name__: one
    for one in (zeros_of_both_signs, dtypes_of_equal_numbers, numbers_that_are_no_integers)
}
