"""Elementwise kernels: raw ops where they are faster than the public function and equal to it.

Where TensorFlow's own derivative is not unigrad's (a tie of maximum, the origin of hypot), the
kernel takes the textbook's: `unigrad_tensorflow.bridge`.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad.core.dtypes import ALL
from unigrad_tensorflow.bridge import by_rule, without_derivative
from unigrad_tensorflow.kernels.complex_ends import expm1, log1p
from unigrad_tensorflow.kernels.neighbours import nextafter, signbit
from unigrad_tensorflow.kernels.powers import exp2, log, log_of_base, power
from unigrad_tensorflow.kernels.quotients import copysign, floor_divide, gcd, remainder
from unigrad_tensorflow.kernels.values import are_finite, values_of
from unigrad_tensorflow.raw import binary, for_bools, of_floats, raw, unary
from unigrad_tensorflow.whole import as_graph

_DTYPES = {d: getattr(tf, d.name) for d in ALL}
_FLOATS = dict.fromkeys((tf.float16, tf.bfloat16, tf.float32, tf.float64), True)
Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]


_choose = raw("SelectV2", "condition", "t", "e")


def _select(*, condition: Any, t: Any, e: Any) -> Any:
    return _choose(condition, t, e)


def _where(condition: Any, x: Any, y: Any) -> Any:
    # The first of the two alone would decide the dtype.
    if type(x) is float or type(x) is int:
        x = tf.constant(x, y.dtype)
    return _choose(condition, x, y)


def _rounded(name: str) -> Unary:
    """Return a kernel that leaves integers and bools as they are."""
    plain = unary(name)
    return of_floats(name, lambda x: plain(x) if x.dtype.is_complex else tf.identity(x))


def _with_bools(op: Binary, logical: Binary) -> Binary:
    """Return an op that TensorFlow has not for bools, where it is a logical one."""

    def run(x: Any, y: Any) -> Any:
        try:
            return op(x, y)
        except (TypeError, tf.errors.InvalidArgumentError):
            if getattr(x, "dtype", None) == tf.bool and getattr(y, "dtype", None) == tf.bool:
                return logical(x, y)
            raise

    return run


def _no(name: str, for_integers: bool) -> Unary:
    """Return a test of floats whose answer for integers and bools is known."""
    plain = unary(name)

    def of_others(x: Any) -> Any:
        if x.dtype.is_complex:
            parts = plain(tf.math.real(x)), plain(tf.math.imag(x))
            return tf.logical_and(*parts) if for_integers else tf.logical_or(*parts)
        return tf.fill(tf.shape(x), for_integers)

    return of_floats(name, of_others)


def _ignoring_nan(name: str) -> Binary:
    """Return fmax or fmin."""
    extremum = binary(name)

    def run(x: Any, y: Any) -> Any:
        if not x.dtype.is_floating:
            return extremum(x, y)
        x_is_nan, y_is_nan = tf.raw_ops.IsNan(x=x), tf.raw_ops.IsNan(x=y)
        return extremum(
            _select(condition=x_is_nan, t=y, e=x), _select(condition=y_is_nan, t=x, e=y)
        )

    return run


def _heaviside(x: Any, y: Any) -> Any:
    """0, y or 1 by the sign of x."""
    if x.dtype.is_complex:
        raise TypeError("complex numbers have no order")
    zero, one = tf.zeros((), x.dtype), tf.ones((), x.dtype)
    step = (tf.raw_ops.Sign(x=x) + one) / (one + one)
    return _select(condition=tf.equal(x, zero), t=y, e=step)


_maximum, _minimum = binary("Maximum"), binary("Minimum")
_clip_by_value = raw("ClipByValue", "t", "clip_value_min", "clip_value_max")


def _clip(x: Any, low: float | None, high: float | None) -> Any:
    """Limit; with x first a tie's derivative is that of x."""
    if low is not None and high is not None:
        # The front end has seen to it that low ≤ high.
        if x.dtype.is_unsigned:
            return _minimum(_maximum(x, low), high)
        return _clip_by_value(x, low, high)
    return _minimum(x, high) if low is None else _maximum(x, low)


_real_divide = binary("RealDiv")


def _divide(x: Any, y: Any) -> Any:
    if type(y) is float and y == 0.0:
        # TensorFlow keeps the tensors of Python's numbers, and takes -0.0 for 0.0.
        y = tf.constant(np.array(y), x.dtype)
    if (y if isinstance(x, (int, float)) else x).dtype.is_complex:
        return _complex_divide(x, y)
    return _real_divide(x, y)


def _quotient(x: Any, y: Any) -> Any:
    """x / y by Smith's formula, as C99 has it at infinities and 0; TensorFlow's own is NaN there.

    The parts of x are divided by the greater part of y, in units of which y is (1 + r²) long.
    """
    dtype = (y if isinstance(x, (int, float)) else x).dtype
    x, y = tf.convert_to_tensor(x, dtype), tf.convert_to_tensor(y, dtype)
    a, b, c, d = tf.math.real(x), tf.math.imag(x), tf.math.real(y), tf.math.imag(y)
    upright = tf.abs(c) < tf.abs(d)
    long, short = tf.where(upright, d, c), tf.where(upright, c, d)
    origin = tf.equal(long, 0)
    ratio = tf.where(origin, tf.zeros_like(long), short / long)
    length = tf.where(origin, tf.abs(long), long + short * ratio)
    real = tf.where(upright, a * ratio + b, a + b * ratio) / length
    return tf.complex(real, tf.where(upright, b * ratio - a, b - a * ratio) / length)


_complex_divide = by_rule("divide", _quotient)


def _divide_no_nan(x: Any, y: Any) -> Any:
    """x / y, and 0 where y is 0. TensorFlow's quotient of complex numbers is another one."""
    return (_complex_divide_no_nan if x.dtype.is_complex else _real_divide_no_nan)(x, y)


_complex_divide_no_nan = as_graph(body_of("tensorflow", "divide_no_nan"))
_real_divide_no_nan = binary("DivNoNan")


def _reciprocal(x: Any) -> Any:
    """1 / x. TensorFlow's own reciprocal of many is not rounded correctly."""
    if not x.dtype.is_complex:
        return _real_divide(1, x)
    out = _quotient(1, x)
    # Of a complex infinity, TensorFlow's quotient is NaN.
    infinite = tf.math.is_inf(tf.math.real(x)) | tf.math.is_inf(tf.math.imag(x))
    return tf.where(infinite, tf.zeros((), x.dtype), out)


_plain_sqrt, _real_rsqrt, _square = unary("Sqrt"), unary("Rsqrt"), unary("Square")


def _other_sqrt(x: Any) -> Any:
    """√x, on the side of the branch cut where x is; TensorFlow's own at -∞ is above."""
    found = _plain_sqrt(x)
    if not x.dtype.is_complex:
        return found
    return tf.complex(tf.math.real(found), copysign(tf.math.imag(found), tf.math.imag(x)))


def _other_rsqrt(x: Any) -> Any:
    """1 / √x; TensorFlow's own of complex numbers takes the other root below the branch cut."""
    return _reciprocal(_other_sqrt(x)) if x.dtype.is_complex else _real_rsqrt(x)


_signed_negative, _signed_sign = unary("Neg"), unary("Sign")


def _other_negative(x: Any) -> Any:
    """-x. TensorFlow has no unsigned one; it wraps around."""
    return tf.zeros((), x.dtype) - x if x.dtype.is_unsigned else _signed_negative(x)


def _other_sign(x: Any) -> Any:
    if x.dtype.is_unsigned:
        return tf.cast(tf.not_equal(x, tf.zeros((), x.dtype)), x.dtype)
    return _signed_sign(x)


def _hypot(x: Any, y: Any) -> Any:
    """√(x² + y²) in units of the greater, which no square leaves the range of."""
    if _have_squares(x) and _have_squares(y):
        return _plain_sqrt(_add(_square(x), _square(y)))
    scale = _maximum(tf.abs(x), tf.abs(y))
    one = tf.ones((), x.dtype)
    origin = tf.equal(scale, tf.zeros((), x.dtype))
    infinite = tf.math.is_inf(scale) | tf.math.is_inf(x) | tf.math.is_inf(y)
    unit = tf.where(origin | infinite, one, scale)
    found = unit * tf.sqrt(tf.square(x / unit) + tf.square(y / unit))
    return tf.where(infinite, tf.constant(math.inf, x.dtype), found)


#: Between these no square, and no sum of two, leaves the range.
_SQUARES = {tf.float32: (2.0**-60, 2.0**60), tf.float64: (2.0**-500, 2.0**500)}


def _have_squares(x: Any) -> bool:
    """Tell whether numbers are seen to have squares in range."""
    low, high = _SQUARES.get(x.dtype, (1.0, 0.0))
    values = values_of(x) if low < high else None
    if values is None or not values.size:
        return False
    sizes = np.abs(values)
    return bool(low < sizes.min() and sizes.max() < high)


def _nan_to_num(x: Any, **settings: float | None) -> Any:
    if x.dtype in _FLOATS and are_finite(x):
        return tf.identity(x)
    return _composed_nan_to_num(x, **settings)


_composed_nan_to_num = body_of("tensorflow", "nan_to_num")


def _logaddexp(x: Any, y: Any) -> Any:
    """greater + log(1 + exp(less - greater)), and the greater where both are the same infinity."""
    first = x >= y
    greater, less = tf.where(first, x, y), tf.where(first, y, x)
    same = tf.equal(greater, less) & tf.math.is_inf(greater)
    return tf.where(same, greater, greater + tf.math.log1p(tf.exp(less - greater)))


def _astype(x: Any, dtype: Any) -> Any:
    """Cast; of complex numbers the real parts, in silence."""
    if x.dtype in _FLOATS and dtype.kind != "c":
        return _casts[dtype](x)
    if x.dtype.is_complex:
        if dtype.kind == "b":
            return tf.not_equal(x, tf.zeros((), x.dtype))
        if dtype.kind != "c":
            x = _reals[x.dtype](x)
            if x.dtype is _DTYPES[dtype]:
                return x
    elif dtype.kind == "c" and x.dtype.is_floating:
        # Its derivative is the real part, which that of a cast takes with a warning.
        x = tf.cast(x, _DTYPES[dtype].real_dtype)
        return tf.complex(x, tf.zeros_like(x))
    return tf.cast(x, _DTYPES[dtype])


#: Real parts, by complex dtype.
_reals = {
    native: raw("Real", "input", Tout=native.real_dtype) for native in (tf.complex64, tf.complex128)
}
#: Casts of floating tensors to other dtypes.
_casts = {d: raw("Cast", "x", DstT=native, Truncate=False) for d, native in _DTYPES.items()}


_bitcasts = {d: raw("Bitcast", "input", type=native) for d, native in _DTYPES.items()}


_logical_and, _logical_or = binary("LogicalAnd"), binary("LogicalOr")
_ceil, _floor, _less = unary("Ceil"), unary("Floor"), binary("Less")
_real_abs, _add = unary("Abs"), binary("AddV2")


def _trunc(x: Any) -> Any:
    if x.dtype.is_integer or x.dtype.is_bool:
        return tf.identity(x)
    return _choose(_less(x, 0.0), _ceil(x), _floor(x))


def _other_abs(x: Any) -> Any:
    if x.dtype.is_complex:
        return tf.raw_ops.ComplexAbs(x=x, Tout=x.dtype.real_dtype)
    return x if x.dtype.is_unsigned or x.dtype.is_bool else _real_abs(x)


multiply = binary("Mul", of_others=for_bools(_logical_and))

_SCALARS = {
    "add": binary("AddV2", of_others=for_bools(_logical_or)),
    "subtract": binary("Sub"),
    "multiply": multiply,
    "divide": _divide,
    "floor_divide": without_derivative(floor_divide),
    "remainder": by_rule("remainder", remainder),
    "gcd": gcd,
    "pow": power,
    "maximum": by_rule("maximum", binary("Maximum", of_others=for_bools(_logical_or))),
    "minimum": by_rule("minimum", binary("Minimum", of_others=for_bools(_logical_and))),
    "greater": binary("Greater", of_others=for_bools(lambda x, y: x & ~y)),
    "greater_equal": binary("GreaterEqual", of_others=for_bools(lambda x, y: x | ~y)),
    "less": binary("Less", of_others=for_bools(lambda x, y: ~x & y)),
    "less_equal": binary("LessEqual", of_others=for_bools(lambda x, y: ~x | y)),
    "equal": binary("Equal", incompatible_shape_error=True),
    "not_equal": binary("NotEqual", incompatible_shape_error=True),
    "where": _where,
}

TABLE = {
    **_SCALARS,
    "negative": of_floats("Neg", _other_negative),
    "positive": tf.identity,
    "conj": lambda x: tf.raw_ops.Conj(input=x) if x.dtype.is_complex else x,
    "abs": of_floats("Abs", _other_abs),
    "sign": by_rule("sign", of_floats("Sign", _other_sign)),
    "floor": _rounded("Floor"),
    "ceil": _rounded("Ceil"),
    "trunc": _trunc,
    "round": _rounded("Round"),
    "square": unary("Square"),
    "reciprocal": by_rule("reciprocal", _reciprocal),
    "clip": _clip,
    "fmax": _with_bools(by_rule("fmax", _ignoring_nan("Maximum")), _logical_or),
    "fmin": _with_bools(by_rule("fmin", _ignoring_nan("Minimum")), _logical_and),
    "divide_no_nan": by_rule("divide_no_nan", _divide_no_nan),
    "heaviside": by_rule("heaviside", as_graph(_heaviside)),
    "copysign": by_rule("copysign", copysign),
    "nextafter": by_rule("nextafter", nextafter),
    "imag": by_rule("imag", tf.math.imag),
    "signbit": signbit,
    "exp": unary("Exp"),
    "exp2": by_rule("exp2", exp2),
    "expm1": expm1,
    "log": by_rule("log", log),
    "log1p": log1p,
    "log2": by_rule("log2", log_of_base(2.0)),
    "log10": by_rule("log10", log_of_base(10.0)),
    "sqrt": by_rule("sqrt", of_floats("Sqrt", _other_sqrt)),
    "rsqrt": by_rule("rsqrt", of_floats("Rsqrt", _other_rsqrt)),
    "sin": unary("Sin"),
    "cos": unary("Cos"),
    "tan": unary("Tan"),
    "asin": unary("Asin"),
    "acos": unary("Acos"),
    # TensorFlow's own second derivative takes the square of x² + 1.
    "atan": by_rule("atan", unary("Atan")),
    "sinh": unary("Sinh"),
    "cosh": unary("Cosh"),
    "tanh": unary("Tanh"),
    "asinh": unary("Asinh"),
    # TensorFlow's second derivative at ∞ is NaN; it has one where there is no value.
    "acosh": by_rule("acosh", unary("Acosh")),
    "atanh": by_rule("atanh", unary("Atanh")),
    "atan2": by_rule("atan2", binary("Atan2", "y", "x")),
    "nan_to_num": by_rule("nan_to_num", _nan_to_num),
    "hypot": by_rule("hypot", _hypot),
    "logaddexp": by_rule("logaddexp", as_graph(_logaddexp)),
    "sigmoid": unary("Sigmoid"),
    "relu": unary("Relu", "features"),
    "isfinite": _no("IsFinite", for_integers=True),
    "isinf": _no("IsInf", for_integers=False),
    "isnan": _no("IsNan", for_integers=False),
    "astype": _astype,
    "bitcast": by_rule("bitcast", lambda x, dtype: _bitcasts[dtype](x)),
}

SCALAR_OPS = frozenset(_SCALARS)
