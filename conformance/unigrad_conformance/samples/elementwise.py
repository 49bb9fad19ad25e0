"""Samples of arithmetic, elementary functions, comparisons and bits."""

import math
from functools import cache
from typing import Any

import mpmath
import numpy as np

from unigrad_conformance.sample import (
    Case,
    Draw,
    booleans,
    case,
    distinct,
    integers,
    positive,
    real,
    samples,
    values,
)

_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@cache  # Each backend asks for the same ones, of each dtype.
def _erfinv_of(x: float) -> float:
    if abs(x) < 1:
        return float(mpmath.erfinv(x))
    return x * math.inf if abs(x) == 1 else math.nan


_erfinv = np.vectorize(lambda x: _erfinv_of(float(x)), otypes=[np.float64])


def _sinc(x: Any) -> Any:
    """NumPy's, and 0 for the integers whose product with π leaves the range."""
    return np.where(np.isfinite(x) & np.isinf(np.pi * x), 0.0, np.sinc(x))


_SPECIAL = values([-math.inf, -1.5, -0.0, 0.0, 0.5, 2.5, math.inf, math.nan])


def _shapes(low: float = -2.0, high: float = 2.0) -> tuple[Case, ...]:
    """A matrix, a 0-d tensor and an empty one."""
    return (
        case(real(3, 4, low=low, high=high)),
        case(real(low=low, high=high)),
        case(real(0, 2, low=low, high=high)),
    )


def _pairs(first: Any = real, second: Any = real) -> tuple[Case, ...]:
    """Equal shapes, broadcasting both ways, a matrix with a scalar, empty."""
    return (
        case(first(3, 4), second(3, 4)),
        case(first(3, 1), second(2, 1, 4)),
        case(first(), second(3)),
        case(first(2, 3), 1.5),
        case(first(0, 3), second(3)),
    )


def _ints(x: Any, y: Any) -> tuple[Case, ...]:
    return case(x, y), case(x, 3)


def _apart(*shape: int) -> Draw:
    """Reals that tie with none of `distinct`."""
    return Draw(lambda generator: generator.permutation(distinct(*shape).make(generator)) + 0.033)


#: The loops' oracle: ufuncs of one and of two arrays, plain functions.
_function: Any

# -- arithmetic
for _name, _function in {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}.items():
    samples(_name, *_pairs(), case(2.0, real(3)), oracle=_function, ulps=1)
    samples(_name, *_ints(integers(5), integers(5)), oracle=_function, differentiable=False)
samples("divide", *_pairs(second=positive), case(2.0, positive(3)), oracle=np.divide, ulps=1)
for _name, _function in {"negative": np.negative, "positive": np.positive}.items():
    samples(_name, *_shapes(), case(_SPECIAL), oracle=_function, ulps=0)
samples("conj", *_shapes(), oracle=np.conj, ulps=0)
samples("abs", case(distinct(3, 4)), case(_SPECIAL), oracle=np.abs, ulps=0)
samples("abs", case(integers(6)), oracle=np.abs, differentiable=False)
for _name, _function in {
    "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "round": np.rint,
}.items():  # fmt: skip
    samples(_name, *_shapes(), case(_SPECIAL), oracle=_function, ulps=0, zero_gradient=True)
    samples(
        _name,
        case(integers(6)),
        oracle=lambda x, function=_function: function(x).astype(np.int64),
        differentiable=False,
    )
samples(
    "floor_divide",
    *_pairs(second=positive),
    case(values([7.0, -7.0, 1.0]), values([2.0, 2.0, 0.1])),
    oracle=np.floor_divide,
    ulps=0,
    zero_gradient=True,
)
samples("remainder", *_pairs(second=positive), oracle=np.remainder)
for _name, _function in {"floor_divide": np.floor_divide, "remainder": np.remainder}.items():
    samples(
        _name,
        case(integers(8, low=-9, high=10), values([1, 2, 3, 4, -1, -2, -3, -4])),
        case(integers(5), 3),
        case(7, values([2, -2])),
        oracle=_function,
        differentiable=False,
    )
samples(
    "pow",
    case(positive(3, 4), real(3, 4)),
    case(positive(3, 1), real(4)),
    case(real(3, 4), 2),
    case(distinct(3, 4), 3),
    case(positive(3), -1.5),
    case(2.0, real(3, 4)),
    case(positive(), 0.5),
    oracle=np.power,
)
samples(
    "pow", case(integers(5), 3), case(integers(5), values(2)), oracle=np.power, differentiable=False
)
samples("square", *_shapes(), oracle=np.square, ulps=1)
samples(
    "reciprocal", *_shapes(0.5, 2.0), case(integers(3, low=1)), oracle=lambda x: 1.0 / x, ulps=1
)
for _name, _function in {"maximum": np.maximum, "minimum": np.minimum}.items():
    samples(
        _name,
        case(distinct(3, 4), _apart(3, 4)),
        case(distinct(3, 1), _apart(4)),
        case(distinct(3, 4), 0.1875),
        case(0.1875, distinct(4)),
        case(values(0.25), _SPECIAL),
        oracle=_function,
        ulps=0,
    )
    # This scalar is rounded to the tensor's dtype.
    samples(_name, case(distinct(4), 0.1), oracle=_function, ulps=1)
    samples(_name, *_ints(integers(5), integers(5)), oracle=_function, differentiable=False)
samples(
    "clip",
    case(distinct(3, 4), -0.25, 0.25),
    case(distinct(3, 4), None, 0.25),
    case(distinct(3, 4), -0.25),
    case(distinct(3, 4), _apart(4), 0.375),
    oracle=lambda x, low, high=None: np.clip(x, low, high),
    ulps=0,
)
# These limits are rounded to the tensor's dtype.
samples("clip", case(distinct(3, 4), -0.3, 0.3), oracle=np.clip, ulps=1)
samples("clip", case(integers(8), -2, 2), oracle=np.clip, differentiable=False)
samples(
    "copysign",
    case(distinct(3, 4), distinct(3, 4)),
    case(distinct(4), values(-1.0)),
    case(distinct(4), -1.0),
    case(1.0, distinct(4)),
    case(distinct(2, 3), distinct(3)),
    oracle=np.copysign,
    ulps=0,
)
samples(
    "nextafter",
    case(distinct(3, 4), distinct(3, 4)),
    case(distinct(4), -1.0),
    case(1.0, distinct(4)),
    # One step of the dtype's, not of float64's, in which the oracle runs.
    oracle=lambda x, y: np.broadcast_arrays(x, y)[0],
    ulps=2.0,
)
for _name, _function in {"fmax": np.fmax, "fmin": np.fmin}.items():
    samples(
        _name,
        case(distinct(3, 4), _apart(3, 4)),
        case(distinct(3, 1), _apart(4)),
        case(distinct(2, 3), 0.1875),
        case(distinct(0, 3), _apart(3)),
        case(values([1.0, math.nan, math.nan]), values([math.nan, -1.0, math.nan])),
        case(values(0.25), _SPECIAL),
        oracle=_function,
        ulps=0,
    )
    samples(_name, *_ints(integers(5), integers(5)), oracle=_function, differentiable=False)
samples(
    "heaviside",
    case(distinct(3, 4), real(3, 4)),
    case(distinct(3, 1), real(4)),
    case(values([-2, 0, 3]), real(3)),
    case(distinct(3), 0.5),
    case(_SPECIAL, 0.5),
    oracle=np.heaviside,
    ulps=0,
)
samples(
    "nan_to_num",
    case(real(3)),
    case(values([math.nan, math.inf, -math.inf, 1.0]), nan=2.0, posinf=3.0, neginf=-4.0),
    oracle=np.nan_to_num,
    ulps=0,
)

# -- elementary
for _name, _low, _high, _ulps, _function in [
    ("exp", -2, 2, 2, np.exp),
    ("exp2", -2, 9, 2, np.exp2),
    ("expm1", -2, 2, 4, np.expm1),
    ("log", 0.5, 4, 2, np.log),
    ("log1p", -0.5, 4, 2, np.log1p),
    ("log2", 0.5, 4, 4, np.log2),
    ("log10", 0.5, 4, 4, np.log10),
    ("sqrt", 0.5, 4, 1, np.sqrt),
    ("rsqrt", 0.5, 4, 4, lambda x: 1.0 / np.sqrt(x)),
    ("sin", -2, 2, 2, np.sin),
    ("cos", -2, 2, 2, np.cos),
    ("tan", -1.3, 1.3, 4, np.tan),
    ("asin", -0.9, 0.9, 4, np.arcsin),
    ("acos", -0.9, 0.9, 4, np.arccos),
    ("atan", -2, 2, 4, np.arctan),
    ("sinh", -2, 2, 4, np.sinh),
    ("cosh", -2, 2, 4, np.cosh),
    ("tanh", -2, 2, 4, np.tanh),
    ("asinh", -2, 2, 4, np.arcsinh),
    ("acosh", 1.3, 4, 4, np.arccosh),
    ("atanh", -0.9, 0.9, 4, np.arctanh),
    ("erf", -3, 3, 4, _erf),
    ("erfc", -3, 9, 8, _erfc),
    ("erfinv", -0.95, 0.95, 4, _erfinv),
]:
    samples(_name, *_shapes(_low, _high), oracle=_function, ulps=_ulps)
samples("erf", case(_SPECIAL), oracle=_erf)
samples("erfc", case(_SPECIAL), oracle=_erfc)
samples("exp", case(integers(4)), oracle=np.exp)
samples("sinc", *_shapes(), case(values([0.0, 1e-9, -1e-3, 0.6])), oracle=_sinc)
samples("sinc", case(values([0, 0])), oracle=_sinc)
# Around 0 and in the tails, where the step must be smaller than the distance from the pole.
for _tail, _step in [([-1e-9, 1e-9], 1e-3), ([-0.9999, 0.999], 1e-6), ([-0.999999], 1e-8)]:
    samples("erfinv", case(values(_tail)), oracle=_erfinv, ulps=4, step=_step)
samples(
    "atan2", *_pairs(distinct, distinct)[:2], case(distinct(2, 3), values(1.5)), oracle=np.arctan2
)
samples("hypot", *_pairs(distinct, distinct)[:2], oracle=np.hypot)
# The squares of these are beyond float32.
samples("hypot", case(values(3e30), values(4e30)), oracle=np.hypot, step=1e27)
samples(
    "logaddexp", *_pairs(), case(real(3), values([-math.inf, 50.0, -50.0])), oracle=np.logaddexp
)

# -- comparisons, logic, bits
for _name, _function in {
    "greater": np.greater, "greater_equal": np.greater_equal, "less": np.less,
    "less_equal": np.less_equal, "equal": np.equal, "not_equal": np.not_equal,
}.items():  # fmt: skip
    samples(
        _name,
        *_pairs(),
        case(values([1.0, 2.0, math.nan]), values([1.0, 1.0, math.nan])),
        oracle=_function,
        zero_gradient=True,
        dtype="bool",
    )
    samples(_name, case(integers(6), 1), oracle=_function, differentiable=False, dtype="bool")
for _name, _function in {
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor,
}.items():  # fmt: skip
    samples(
        _name,
        case(booleans(8), booleans(8)),
        case(booleans(2, 1), booleans(3)),
        case(integers(8, low=0, high=2), booleans(8)),
        oracle=_function,
        differentiable=False,
        dtype="bool",
    )
samples("logical_not", case(booleans(5)), oracle=np.logical_not, differentiable=False, dtype="bool")
for _name, _function in {
    "bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor,
}.items():  # fmt: skip
    samples(
        _name,
        case(integers(8), integers(8)),
        case(integers(2, 1), integers(3)),
        case(integers(4), 6),
        case(booleans(8), booleans(8)),
        oracle=_function,
        differentiable=False,
    )
samples(
    "bitwise_invert", case(integers(6)), case(booleans(4)), oracle=np.invert, differentiable=False
)
_SHIFTS = case(values([1, 5, -8, -8, 3, -3]), values([3, 64, 1, 70, -1, -1]))
samples(
    "bitwise_left_shift", _SHIFTS, case(integers(4), 2), oracle=np.left_shift, differentiable=False
)
samples(
    "bitwise_right_shift",
    _SHIFTS,
    case(integers(4), 2),
    oracle=np.right_shift,
    differentiable=False,
)
for _name, _function in {
    "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan,
}.items():  # fmt: skip
    samples(_name, case(_SPECIAL), case(real()), oracle=_function, zero_gradient=True, dtype="bool")
    samples(_name, case(integers(3)), oracle=_function, differentiable=False, dtype="bool")
samples("signbit", case(_SPECIAL), case(values([0.0, -0.0])), case(real()), oracle=np.signbit,
        zero_gradient=True, dtype="bool")  # fmt: skip
samples("signbit", case(integers(3)), oracle=np.signbit, differentiable=False, dtype="bool")
samples("real", case(real(3, 4)), oracle=np.real)
samples("imag", case(real(3, 4)), oracle=np.imag, differentiable=False)
samples("angle", case(real(3, 4)), oracle=np.angle, ulps=1, zero_gradient=True)
samples(
    "isclose",
    case(values([1.0, 2.0, math.inf, math.nan]), values([1.0 + 1e-7, 2.1, math.inf, math.nan])),
    case(real(3), real(3), rtol=0.5, atol=0.5),
    case(values([math.nan, 1.0]), values([math.nan, math.inf]), equal_nan=True),
    oracle=np.isclose,
    zero_gradient=True,
    dtype="bool",
)
samples(
    "where",
    case(booleans(3, 4), real(3, 4), real(3, 4)),
    case(booleans(3, 1), real(4), real()),
    case(booleans(3), real(3), 0.5),
    case(booleans(3), 0.5, real(2, 3)),
    oracle=np.where,
    ulps=0,
)
samples("where", case(booleans(4), integers(4), 7), oracle=np.where, differentiable=False)
samples(
    "safe_where",
    case(values([2.0, -1.0, 0.5])),
    oracle=lambda x: np.sqrt(np.maximum(x, 0)),
    call=lambda ug, x: ug.safe_where(x > 0, ug.sqrt, x, 0.0),
)
