"""Elementwise kernels. The standard takes no Python number for an array, so none comes here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import array_api_strict as xp

from unigrad_array_api_strict.creation import is_bool, is_complex, like, truths


def _quiet_division(divide: Callable[..., Any]) -> Callable[..., Any]:
    """Return a division that gives 0 where an integer divisor is 0 (the front end raises)."""

    def run(x: Any, y: Any) -> Any:
        if not xp.isdtype(y.dtype, "integral"):
            return divide(x, y)
        zero = y == like(y, 0)
        return xp.where(zero, like(y, 0), divide(x, xp.where(zero, like(y, 1), y)))

    return run


_quiet_remainder = _quiet_division(xp.remainder)


def _ignoring_nan(extremum: Callable[..., Any]) -> Callable[..., Any]:
    """Return a maximum or minimum that gives the other number where one is NaN."""

    def run(x: Any, y: Any) -> Any:
        return xp.where(xp.isnan(x), y, xp.where(xp.isnan(y), x, extremum(x, y)))

    return run


def _gcd(x: Any, y: Any) -> Any:
    """Euclid's, of all elements at once, until every remainder is 0."""
    x, y = xp.broadcast_arrays(x, y)
    while bool(xp.any(y != like(y, 0))):
        x, y = xp.where(y == like(y, 0), x, y), _quiet_remainder(x, y)
    return xp.abs(x)


def _heaviside(x: Any, y: Any) -> Any:
    step = xp.where(x == like(x, 0), y, xp.where(x > like(x, 0), like(x, 1), like(x, 0)))
    return xp.where(xp.isnan(x), x, step)


def _exp2(x: Any) -> Any:
    return xp.pow(like(x, 2.0), x)


def _rsqrt(x: Any) -> Any:
    return xp.reciprocal(xp.sqrt(x))


def _relu(x: Any) -> Any:
    return xp.maximum(x, like(x, 0))


def _sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) by falling exponentials alone, which do not overflow."""
    one, real = like(x, 1.0), xp.real(x) if is_complex(x) else x
    right = real >= like(real, 0.0)
    z = xp.exp(xp.where(right, -x, x))
    return xp.where(right, one, z) / (one + z)


def _by_number(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """Return a function of Python's `math` on every element, in double precision."""

    def run(x: Any) -> Any:
        flat = xp.reshape(x, (-1,))
        numbers = [function(float(flat[i])) for i in range(flat.shape[0])]
        return xp.reshape(xp.asarray(numbers, dtype=x.dtype, device=x.device), x.shape)

    return run


def _lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


def _or_of_bools(function: Callable[..., Any], of_bools: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that the standard does not have of bools, with one for them."""
    return lambda *xs: of_bools(*xs) if is_bool(xs[0]) else function(*xs)


def _same(x: Any) -> Any:
    return x


def _round(x: Any) -> Any:
    if is_complex(x):
        raise TypeError("complex numbers are not rounded")
    return xp.round(x)


def _of_truths(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a logical function that takes numbers, too."""
    return lambda *xs: function(*map(truths, xs))


def _shift(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a shift that shifts everything out by a negative number, as by a large one."""

    def run(x: Any, y: Any) -> Any:
        return function(x, xp.where(y < like(y, 0), like(y, xp.iinfo(x.dtype).bits), y))

    return run


_NOT, _AND, _OR = xp.logical_not, xp.logical_and, xp.logical_or

#: What bools make of functions of numbers: False is 0 and True is 1.
_OF_BOOLS: dict[str, Callable[..., Any]] = {
    "abs": _same,
    "add": _OR,
    "ceil": _same,
    "floor": _same,
    "fmax": _OR,
    "fmin": _AND,
    "greater": lambda x, y: _AND(x, _NOT(y)),
    "greater_equal": lambda x, y: _OR(x, _NOT(y)),
    "isfinite": xp.ones_like,
    "isinf": xp.zeros_like,
    "isnan": xp.zeros_like,
    "less": lambda x, y: _AND(_NOT(x), y),
    "less_equal": lambda x, y: _OR(_NOT(x), y),
    "maximum": _OR,
    "minimum": _AND,
    "multiply": _AND,
    "positive": _same,
    "round": _same,
    "trunc": _same,
}

#: The standard's functions under the standard's names.
_STANDARD = (
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and",
    "bitwise_invert", "bitwise_or", "bitwise_xor",
    "ceil", "copysign", "cos", "cosh", "divide", "equal", "exp", "expm1", "floor", "greater",
    "greater_equal", "hypot", "imag", "isfinite", "isinf", "isnan", "less", "less_equal", "log",
    "log10", "log1p", "log2", "logaddexp",
    "maximum", "minimum", "multiply", "negative", "nextafter", "not_equal", "pow",
    "reciprocal", "sign", "signbit", "sin", "sinh", "sqrt", "square", "subtract", "tan",
    "tanh", "trunc", "where",
)  # fmt: skip

_OF_NUMBERS: dict[str, Callable[..., Any]] = {
    **{name: getattr(xp, name) for name in _STANDARD},
    "bitwise_left_shift": _shift(xp.bitwise_left_shift),
    "bitwise_right_shift": _shift(xp.bitwise_right_shift),
    "conj": lambda x: xp.conj(x) if is_complex(x) else x,
    "erf": _by_number(math.erf),
    "erfc": _by_number(math.erfc),
    "exp2": _exp2,
    "floor_divide": _quiet_division(xp.floor_divide),
    "fmax": _ignoring_nan(xp.maximum),
    "fmin": _ignoring_nan(xp.minimum),
    "gcd": _gcd,
    "heaviside": _heaviside,
    "lgamma": _by_number(_lgamma),
    "logical_and": _of_truths(xp.logical_and),
    "logical_not": _of_truths(xp.logical_not),
    "logical_or": _of_truths(xp.logical_or),
    "logical_xor": _of_truths(xp.logical_xor),
    "positive": xp.positive,
    "relu": _relu,
    "remainder": _quiet_remainder,
    "round": _round,
    "rsqrt": _rsqrt,
    "sigmoid": _sigmoid,
}

TABLE = _OF_NUMBERS | {
    name: _or_of_bools(_OF_NUMBERS[name], of_bools) for name, of_bools in _OF_BOOLS.items()
}
