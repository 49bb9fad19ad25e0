"""Elementwise kernels.

Where JAX's own derivative is not unigrad's (abs at 0, the origin of hypot and atan2), the function
is written from others whose derivative is right; XLA fuses them.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def _abs(x: Any) -> Any:
    """|x| with derivative 0 at 0: JAX takes the sign bit's side."""
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return jnp.abs(x)
    return _real_abs(x)


@jax.custom_jvp
def _real_abs(x: Any) -> Any:
    return jnp.abs(x)


_real_abs.defjvps(lambda t, out, x: t * jnp.sign(x))


@jax.custom_jvp
def _complex_acosh(x: Any) -> Any:
    """JAX's, whose derivative has the wrong sign on the left half-plane."""
    return jnp.arccosh(x)


_complex_acosh.defjvps(lambda t, out, x: t * jax.lax.rsqrt(x - 1) * jax.lax.rsqrt(x + 1))


def _of_doubles(
    function: Callable[[Any], Any], plain: Callable[[Any], Any], slope: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Return a function of float64 in place of JAX's, which loses digits, with its derivative."""
    mended = jax.custom_jvp(function)
    mended.defjvps(lambda t, out, x: t * slope(x))
    return lambda x: mended(x) if x.dtype == jnp.float64 else plain(x)


def _log1p(x: Any) -> Any:
    """log(1 + x), corrected for what 1 + x is rounded by (Kahan)."""
    whole = 1 + x
    exact = jnp.equal(whole, 1) | jnp.isposinf(x)
    safe = jnp.where(exact, 2, whole)
    return jnp.where(exact, x, jnp.log(safe) * (x / (safe - 1)))


def _atanh(x: Any) -> Any:
    size = jnp.abs(x)
    return jnp.copysign(0.5 * _log1p(2 * (size / (1 - size))), x)


def _of_ordered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that refuses complex numbers, most of which JAX orders by real parts."""

    def run(*xs: Any) -> Any:
        if any(jnp.iscomplexobj(x) for x in xs):
            raise TypeError("complex numbers have no order")
        return function(*xs)

    return run


def _of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that refuses bools, of which JAX makes integers."""

    def run(*xs: Any) -> Any:
        if jnp.issubdtype(jnp.result_type(*xs), bool):
            raise TypeError("bools are no numbers")
        return function(*xs)

    return run


def _of_integers(divide: Callable[..., Any]) -> Callable[..., Any]:
    """Return a division whose integer zero divisors give 0 (the front end raises in eager mode)."""

    def run(x: Any, y: Any) -> Any:
        if not jnp.issubdtype(jnp.result_type(x, y), jnp.integer):
            return divide(x, y)
        zero = jnp.equal(y, 0)
        return jnp.where(zero, 0, divide(x, jnp.where(zero, 1, y)))

    return run


def _pow(x: Any, y: Any) -> Any:
    """x**y with derivative 0 by x at y = 0, where x is 0 or NaN too, and by y at x = y = 0."""
    if not jnp.issubdtype(jnp.result_type(x, y), jnp.inexact):
        return jnp.power(x, y)
    still = jnp.equal(y, 0) & ~(jnp.abs(x) > 0)
    return jnp.power(jnp.where(still, 1, x), y)


def _round(x: Any) -> Any:
    """The nearest integer; JAX takes complex numbers too, and no bools."""
    if jnp.iscomplexobj(x):
        raise TypeError("complex numbers are not rounded")
    return x if jnp.issubdtype(x.dtype, bool) else jnp.round(x)


def _copysign(x: Any, y: Any) -> Any:
    return _abs(jnp.asarray(x)) * jnp.where(jnp.signbit(y), -1, 1)


def _atan2(x: Any, y: Any) -> Any:
    origin = jnp.equal(x, 0) & jnp.equal(y, 0)
    angle = jnp.arctan2(x, jnp.where(origin, 1, y))
    return jnp.where(origin, jax.lax.stop_gradient(jnp.arctan2(x, y)), angle)


def _hypot(x: Any, y: Any) -> Any:
    """√(x² + y²) over a constant scale, with derivative 0 at the origin."""
    x, y = jnp.broadcast_arrays(x, y)
    scale = jax.lax.stop_gradient(jnp.maximum(jnp.abs(x), jnp.abs(y)))
    infinite = jnp.isinf(x) | jnp.isinf(y)
    origin = scale == 0
    scale = jnp.where(origin | infinite, 1, scale)
    squares = jnp.square(jnp.where(origin, 1, x) / scale) + jnp.square(y / scale)
    return jnp.where(infinite, jnp.inf, jnp.where(origin, 0, scale * jnp.sqrt(squares)))


def _logaddexp(x: Any, y: Any) -> Any:
    """JAX's, with derivative 0 instead of NaN where both are -∞."""
    empty = jnp.equal(x, -jnp.inf) & jnp.equal(y, -jnp.inf)
    return jnp.where(empty, -jnp.inf, _log_of_sum(jnp.where(empty, 0, x), y))


@jax.custom_jvp
def _log_of_sum(x: Any, y: Any) -> Any:
    """JAX's logaddexp. Its derivative at +∞ is that of another point."""
    return jnp.logaddexp(x, y)


_log_of_sum.defjvps(
    lambda t, out, x, y: t * jax.nn.sigmoid(x - y),
    lambda t, out, x, y: t * jax.nn.sigmoid(y - x),
)


def _ignoring_nan(extremum: Callable[..., Any]) -> Callable[..., Any]:
    """Return fmax or fmin. JAX's own gives the derivative of a tie to one of the two."""
    return lambda x, y: extremum(jnp.where(jnp.isnan(x), y, x), jnp.where(jnp.isnan(y), x, y))


@jax.custom_jvp
def _erfinv(x: Any) -> Any:
    """The inverse of erf: JAX's, whose last digits are wrong, and a Newton step.

    In the tails the step is measured by the complement, where erf has no digits left.
    """
    if x.dtype.itemsize < 4:
        return _erfinv(x.astype(jnp.float32)).astype(x.dtype)
    start = jax.lax.erf_inv(x)
    finite = jnp.isfinite(start)
    safe = jnp.where(finite, start, 0)
    size = jnp.abs(x)
    tail = jnp.sign(x) * ((1 - size) - jax.lax.erfc(jnp.abs(safe)))
    off = jnp.where(size < 0.5, jax.lax.erf(safe) - x, tail)
    return jnp.where(finite, start - off * _slope_of_erfinv(safe), start)


def _slope_of_erfinv(out: Any) -> Any:
    return jnp.exp(jnp.square(out)) * (math.sqrt(math.pi) / 2)


_erfinv.defjvps(lambda t, out, x: t * _slope_of_erfinv(out))


def _astype(x: Any, dtype: Any) -> Any:
    """Cast; of complex numbers the real parts, in silence."""
    if jnp.iscomplexobj(x):
        if dtype.kind == "b":
            return jnp.not_equal(x, 0)
        if dtype.kind != "c":
            x = jnp.real(x)
    return jax.lax.convert_element_type(x, dtype)


_PURE = {
    "add": jnp.add,
    "subtract": jnp.subtract,
    "multiply": jnp.multiply,
    "divide": jnp.divide,
    "floor_divide": _of_integers(jnp.floor_divide),
    "remainder": _of_integers(jnp.remainder),
    "pow": _pow,
    "maximum": _of_ordered(jnp.maximum),
    "minimum": _of_ordered(jnp.minimum),
    "copysign": _copysign,
    "fmax": _of_ordered(_ignoring_nan(jnp.maximum)),
    "fmin": _of_ordered(_ignoring_nan(jnp.minimum)),
    "heaviside": _of_ordered(lambda x, y: jnp.where(jnp.equal(x, 0), y, (jnp.sign(x) + 1) / 2)),
    "negative": jnp.negative,
    "positive": jnp.positive,
    "conj": lambda x: jnp.conj(x) if jnp.iscomplexobj(x) else x,
    "abs": _abs,
    "sign": jnp.sign,
    "floor": jnp.floor,
    "ceil": jnp.ceil,
    "trunc": jnp.trunc,
    "round": _round,
    "square": _of_numbers(jnp.square),
    "reciprocal": jnp.reciprocal,
    "exp": jnp.exp,
    "exp2": jnp.exp2,
    "expm1": jnp.expm1,
    "log": jnp.log,
    "log1p": _of_doubles(_log1p, jnp.log1p, lambda x: 1 / (1 + x)),
    "log2": jnp.log2,
    "log10": jnp.log10,
    "sqrt": jnp.sqrt,
    "rsqrt": jax.lax.rsqrt,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "sinh": jnp.sinh,
    "cosh": jnp.cosh,
    "tanh": jnp.tanh,
    "asinh": jnp.arcsinh,
    "acosh": lambda x: _complex_acosh(x) if jnp.iscomplexobj(x) else jnp.arccosh(x),
    "atanh": _of_doubles(_atanh, jnp.arctanh, lambda x: 1 / ((1 - x) * (1 + x))),
    "atan2": _of_ordered(_atan2),
    "hypot": _of_ordered(_hypot),
    "logaddexp": _of_ordered(_logaddexp),
    "erf": jax.lax.erf,
    "erfinv": _erfinv,
    "sigmoid": jax.nn.sigmoid,
    "relu": _of_ordered(_of_numbers(jax.nn.relu)),
    "greater": _of_ordered(jnp.greater),
    "greater_equal": _of_ordered(jnp.greater_equal),
    "less": _of_ordered(jnp.less),
    "less_equal": _of_ordered(jnp.less_equal),
    "equal": jnp.equal,
    "not_equal": jnp.not_equal,
    "logical_and": jnp.logical_and,
    "logical_or": jnp.logical_or,
    "logical_xor": jnp.logical_xor,
    "logical_not": jnp.logical_not,
    "bitwise_and": jnp.bitwise_and,
    "bitwise_or": jnp.bitwise_or,
    "bitwise_xor": jnp.bitwise_xor,
    "bitwise_invert": jnp.invert,
    "bitwise_left_shift": _of_numbers(jnp.left_shift),
    "bitwise_right_shift": _of_numbers(jnp.right_shift),
    "isfinite": jnp.isfinite,
    "isinf": jnp.isinf,
    "isnan": jnp.isnan,
    "where": jnp.where,
}

TABLE = {
    **_PURE,
    "astype": _astype,
}

WHOLE = frozenset(_PURE)
