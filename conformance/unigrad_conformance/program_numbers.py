"""What numbers among the arguments of compiled functions mean: what they mean uncompiled.

Each check is a function that raises `Deviation`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import compiles_for_every_shape
from unigrad_conformance.subject import Deviation, quiet


def _is_integer(s: Any) -> bool:
    """Tell of a number, traced or not, whether it is an integer."""
    return getattr(s, "kind", type(s)) is int


#: Functions of a tensor and a number.
_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "x ** s": lambda x, s: x**s,
    "s ** x": lambda x, s: s**x,
    "x ** (s * 2)": lambda x, s: x ** (s * 2),
    "s ** 2 * x": lambda x, s: s**2 * x,
    "clip(x, s)": lambda x, s: ug.clip(x, s),
    "clip(x, -1, s)": lambda x, s: ug.clip(x, -1, s),
    "clip(x, -s, s)": lambda x, s: ug.clip(x, -s, s),
    "full_like": lambda x, s: ug.full_like(x, s),
    "leaky_relu": lambda x, s: ug.leaky_relu(x, s),
    "pad": lambda x, s: ug.pad(x, 1, constant_values=s),
    "linspace": lambda x, s: ug.linspace(0, s, 3) * x[0],
    "maximum": lambda x, s: ug.maximum(x, s),
    "s // 2 - x": lambda x, s: s // 2 - x,
    "at": lambda x, s: x.at[0].set(s),
    "stack": lambda x, s: ug.stack([s, x[0]]),
    "x == s": lambda x, s: x == s,
    "x * round(s)": lambda x, s: x * round(s) if _is_integer(s) else x,
    "x + round(s, 1)": lambda x, s: x + round(s, 1),
    "x - floor(s)": lambda x, s: x - math.floor(s) if _is_integer(s) else x,
    "divmod(s, 2)": lambda x, s: x + divmod(s, 2)[0] * divmod(3, s)[1],
    "bits of s": lambda x, s: x + ((s & 5) | 2) if _is_integer(s) else x,
    "s << 1": lambda x, s: x + ((~s << 1) >> 2) if _is_integer(s) else x,
}
_DTYPES = ("bfloat16", "int8", "uint8")
_NUMBERS = (2, -1, 300, 0.5)


def _tried(x: ug.Tensor, s: Any) -> list[Any]:
    """Return what each function gives, or the class of its error."""

    def one(function: Callable[[Any, Any], Any]) -> Any:
        try:
            return function(x, s)
        except ug.UnigradError as error:
            return type(error)

    return [one(function) for function in _FUNCTIONS.values()]


def _compiled(x: ug.Tensor, s: Any, wanted: list[Any]) -> list[Any]:
    """Return the same, compiled: in one program what has a value, by itself what has none."""
    found = zip(_FUNCTIONS.values(), wanted, strict=True)
    good = [function for function, one in found if not isinstance(one, type)]
    values = iter(ug.jit(lambda x, s: [f(x, s) for f in good])(x, s))

    def refused(function: Callable[[Any, Any], Any]) -> Any:
        try:
            return ug.jit(function)(x, s)
        except ug.UnigradError as error:
            return type(error)

    return [
        next(values) if function in good else refused(function) for function in _FUNCTIONS.values()
    ]


def numbers_mean_the_same() -> None:
    """Values, dtypes and refusals are those of the number itself."""
    pairs = list(itertools.product(_DTYPES, _NUMBERS))
    if compiles_for_every_shape(ug.get_backend()):
        # Each dtype with two of the numbers: -1 meets an unsigned one, 300 one of eight bits.
        pairs = [*pairs[1:4:2], *pairs[4:7:2], *pairs[9:12:2]]
    for dtype, s in pairs:
        x = ug.asarray(np.array([1, 2, 0]), dtype=dtype)
        with quiet():
            wanted = _tried(x, s)
            found = _compiled(x, s, wanted)
        for name, got, want in zip(_FUNCTIONS, found, wanted, strict=True):
            _require(f"{name} of {dtype} and {s}", got, want)


def _require(what: str, got: Any, want: Any) -> None:
    if isinstance(want, type) or isinstance(got, type):
        same = got is want
    else:
        same = got.dtype == want.dtype and np.allclose(
            got.astype("float64").numpy(), want.astype("float64").numpy(), 1e-2, equal_nan=True
        )
    if not same:
        raise Deviation(f"{what}: {got} where {want} is right")


def integers_never_wrap() -> None:
    """An integer that does not fit, there or among numbers, is refused at whichever call."""
    x = ug.asarray(np.array([1, 2], np.uint8))
    f = ug.jit(lambda x, s: x + (s * s - 1))
    for s, expected in ((1, [1, 2]), (17, None), (0, None), (2, [4, 5])):
        try:
            found = f(x, s).tolist()
        except ug.DTypeError:
            found = None
        if found != expected:
            raise Deviation(f"x + (s * s - 1) for {s}: {found} where {expected} is right")
    if f.programs != 1:
        raise Deviation(f"{f.programs} programs for one signature")
    for s in (2**40, 10**30):
        try:
            found = ug.jit(lambda s: s * s * 1.0)(s)
        except ug.DTypeError:
            continue
        raise Deviation(f"s * s for {s}: {found}, where it is refused")


def numbers_are_assigned() -> None:
    """A number is assigned to a variable in its dtype."""
    for dtype, s in (("float32", 0.1), ("float64", 0.1), ("bfloat16", 3), ("int8", 7)):
        v = ug.Variable(0, dtype=dtype)
        x = ug.asarray(1.0, dtype="float64")
        ug.jit(lambda x, s, v=v: v.assign(s) * 1)(x, s)
        if v.dtype.name != dtype or v.numpy() != np.asarray(s).astype(v.dtype):
            raise Deviation(f"{s} assigned to {dtype} is {v!r}")
    v = ug.Variable(0, dtype="int8")
    try:
        ug.jit(v.assign)(300)
    except ug.DTypeError:
        return
    raise Deviation(f"300 assigned to int8 is {v!r}")


#: By name.
PROGRAM_NUMBERS: dict[str, Callable[[], None]] = {
    one.__name__.replace("_", " "): one
    for one in (numbers_mean_the_same, integers_never_wrap, numbers_are_assigned)
}
