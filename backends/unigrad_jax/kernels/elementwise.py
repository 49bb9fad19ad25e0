"""Elementwise kernels.

Where JAX's own derivative is not unigrad's (abs at 0, the origin of hypot and atan2), the kernel
takes the textbook's: `unigrad_jax.bridge`.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from unigrad.core import inverse_error_function
from unigrad_jax.bridge import by_rule
from unigrad_jax.kernels import complex_ends
from unigrad_jax.kernels.complex_ends import at_the_ends, by_hyperbolic, scaled, sign, size
from unigrad_jax.kernels.widths import held


def _of_doubles(
    function: Callable[[Any], Any], plain: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Return a function of float64 in place of JAX's, which loses digits there."""
    return lambda x: function(x) if x.dtype == jnp.float64 else plain(x)


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


def _of_integers(divide: Callable[..., Any], of_floats: Callable[..., Any]) -> Callable[..., Any]:
    """Return a division whose integer zero divisors give 0 (the front end raises in eager mode)."""

    def run(x: Any, y: Any) -> Any:
        dtype = jnp.result_type(x, y)
        if jnp.issubdtype(dtype, jnp.floating):
            return of_floats(x, y)
        if not jnp.issubdtype(dtype, jnp.integer):
            return divide(x, y)
        zero = jnp.equal(y, 0)
        return jnp.where(zero, 0, divide(x, jnp.where(zero, 1, y)))

    return run


_divide_by_rule = by_rule("divide", jnp.divide)


def _divide(x: Any, y: Any) -> Any:
    """x / y. JAX's own derivative takes 1 / y², which leaves the range long before x / y."""
    inexact = jnp.issubdtype(jnp.result_type(x, y), jnp.inexact)
    return _divide_by_rule(x, y) if inexact else jnp.divide(x, y)


def _widened(x: Any, dtype: Any) -> Any:
    """Return an operand in float32, rounded to a dtype of half precision."""
    wide = jnp.asarray(x, dtype).astype(jnp.float32)
    # Inside of a program XLA leaves out a cast to bfloat16 and back, and so what it rounds.
    return jax.lax.reduce_precision(wide, 8, 7) if dtype == jnp.bfloat16 else wide


def _floor_divide(x: Any, y: Any) -> Any:
    """⌊x / y⌋, a zero with the sign of x / y; JAX's own of half precision rounds x / y before."""
    dtype = jnp.result_type(x, y)
    if dtype.itemsize == 2:
        return _floor_divide(_widened(x, dtype), _widened(y, dtype)).astype(dtype)
    return jnp.copysign(jnp.floor_divide(x, y), jnp.divide(x, y))


def _remainder(x: Any, y: Any) -> Any:
    """x mod y, which has the sign of y; JAX's own zeros have that of x."""
    return jnp.copysign(jnp.remainder(x, y), y)


_power = by_rule("pow", jnp.power)


def _pow(x: Any, y: Any) -> Any:
    """x**y. Of integers, JAX has no derivative to mend."""
    dtype = jnp.result_type(x, y)
    if jnp.issubdtype(dtype, jnp.inexact):
        return _power(x, y)
    return jnp.power(x, y) if dtype == jnp.bool_ else _integer_power(x, y, dtype)


def _integer_power(x: Any, y: Any, dtype: Any) -> Any:
    """x**y by squaring, one bit of the exponent after the other; JAX's own looks at six."""
    x, y = jnp.broadcast_arrays(jnp.asarray(x, dtype), jnp.asarray(y, dtype))

    def step(_: Any, state: Any) -> Any:
        power, factor, rest = state
        return jnp.where(rest & 1, power * factor, power), factor * factor, rest >> 1

    bits = jnp.iinfo(dtype).bits
    found = jax.lax.fori_loop(0, bits, step, (jnp.ones_like(x), x, y))[0]
    return jnp.where(y < 0, jnp.power(x, y), found)


def _exp(x: Any) -> Any:
    """eˣ. Of a complex number whose real part is -∞ it is 0, whatever the angle (C99, G.6.3.1)."""
    if not jnp.iscomplexobj(x):
        return jnp.exp(x)
    vanishes = jnp.isneginf(x.real)
    return jnp.where(vanishes, 0, jnp.exp(jnp.where(vanishes, 0, x)))


def _exp2(x: Any) -> Any:
    """2ˣ as 2ⁿ · eᶠ; JAX's own multiplies all of x by a rounded logarithm."""
    wide = x.astype(jnp.float32) if x.dtype.itemsize == 2 else x
    whole = jnp.round(wide)
    there = jnp.isfinite(wide)
    fraction = jnp.where(there, wide - whole, 0)
    exponent = jnp.clip(jnp.where(there, whole, 0), -5000, 5000).astype(jnp.int32)
    found = jnp.ldexp(jnp.exp(fraction * math.log(2.0)), exponent)
    return jnp.where(there, found, jnp.exp2(wide)).astype(x.dtype)


def _round(x: Any) -> Any:
    """The nearest integer; JAX takes complex numbers too, and no bools."""
    if jnp.iscomplexobj(x):
        raise TypeError("complex numbers are not rounded")
    return x if jnp.issubdtype(x.dtype, bool) else jnp.round(x)


def _hypot(x: Any, y: Any) -> Any:
    """√(x² + y²) in units of the greater, which no square leaves the range of."""
    x, y = jnp.broadcast_arrays(x, y)
    scale = jnp.maximum(jnp.abs(x), jnp.abs(y))
    infinite = jnp.isinf(x) | jnp.isinf(y)
    unit = jnp.where((scale == 0) | infinite, 1, scale)
    return jnp.where(
        infinite, jnp.inf, unit * jnp.sqrt(jnp.square(x / unit) + jnp.square(y / unit))
    )


def _heaviside(x: Any, y: Any) -> Any:
    """0, y or 1 by the sign of x."""
    return jnp.where(jnp.equal(x, 0), y, (jnp.sign(x) + 1) / 2)


def _ignoring_nan(extremum: Callable[..., Any]) -> Callable[..., Any]:
    """Return fmax or fmin."""
    return lambda x, y: extremum(jnp.where(jnp.isnan(x), y, x), jnp.where(jnp.isnan(y), x, y))


def erfinv(x: Any) -> Any:
    """The inverse of erf.

    In single precision: JAX's, whose last digits are wrong, and a Newton step. In the tails it is
    measured by the complement, where erf has no digits left.
    """
    if x.dtype == jnp.float64:
        return inverse_error_function.erfinv(x, jnp.log, jnp.sqrt, jnp.where)
    if x.dtype.itemsize < 4:
        return erfinv(x.astype(jnp.float32)).astype(x.dtype)
    start = jax.lax.erf_inv(x)
    finite = jnp.isfinite(start)
    safe = jnp.where(finite, start, 0)
    size = jnp.abs(x)
    tail = jnp.sign(x) * ((1 - size) - jax.lax.erfc(jnp.abs(safe)))
    off = jnp.where(size < 0.5, jax.lax.erf(safe) - x, tail)
    slope = jnp.exp(jnp.square(safe)) * (math.sqrt(math.pi) / 2)
    return jnp.where(finite, start - off * slope, start)


def _astype(x: Any, dtype: Any) -> Any:
    """Cast; of complex numbers the real parts, in silence."""
    if jnp.iscomplexobj(x):
        if dtype.kind == "b":
            return jnp.not_equal(x, 0)
        if dtype.kind != "c":
            x = jnp.real(x)
    return jax.lax.convert_element_type(x, held(dtype))


#: JAX's own derivative is none, not zero.
_bitcast = by_rule("bitcast", lambda x, dtype: jax.lax.bitcast_convert_type(x, held(dtype)))


def _gcd(x: jax.Array, y: jax.Array) -> jax.Array:
    """Euclid's algorithm; JAX's own does not end where a size is negative still."""

    def step(pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        a, b = pair
        done = b == 0
        rest = jax.lax.rem(a, jnp.where(done, 1, b))
        return jnp.where(done, a, b), jnp.where(done, 0, rest)

    first, second = jnp.broadcast_arrays(x, y)
    found, _ = jax.lax.while_loop(lambda pair: jnp.any(pair[1] != 0), step, (first, second))
    return jnp.abs(found)


_PURE = {
    "add": jnp.add,
    "subtract": jnp.subtract,
    "multiply": jnp.multiply,
    "divide": _divide,
    "floor_divide": _of_integers(jnp.floor_divide, _floor_divide),
    "remainder": _of_integers(jnp.remainder, by_rule("remainder", _remainder)),
    "gcd": _gcd,
    "pow": _pow,
    "maximum": _of_ordered(jnp.maximum),
    "minimum": _of_ordered(jnp.minimum),
    "copysign": by_rule("copysign", jnp.copysign),
    "nextafter": by_rule("nextafter", jnp.nextafter),
    "imag": by_rule("imag", jnp.imag),
    "signbit": jnp.signbit,
    "fmax": _of_ordered(by_rule("fmax", _ignoring_nan(jnp.maximum))),
    "fmin": _of_ordered(by_rule("fmin", _ignoring_nan(jnp.minimum))),
    "heaviside": _of_ordered(by_rule("heaviside", _heaviside)),
    "negative": jnp.negative,
    "positive": jnp.positive,
    "conj": lambda x: jnp.conj(x) if jnp.iscomplexobj(x) else x,
    "abs": by_rule("abs", size),
    "sign": sign,
    "floor": jnp.floor,
    "ceil": jnp.ceil,
    "trunc": jnp.trunc,
    "round": _round,
    "square": _of_numbers(jnp.square),
    "reciprocal": jnp.reciprocal,
    "exp": at_the_ends("exp", _exp),
    "exp2": complex_ends.power_of_two(by_rule("exp2", _exp2), _exp),
    # JAX's derivative of the first, 1 + expm1(x), is 0 from -20 on; those of others take squares.
    "expm1": at_the_ends("expm1", by_rule("expm1", jnp.expm1)),
    "log": at_the_ends("log", jnp.log),
    "log1p": by_rule("log1p", at_the_ends("log1p", _of_doubles(_log1p, jnp.log1p))),
    "log2": scaled("log2", jnp.log2, "log", jnp.log, 1.0 / math.log(2.0)),
    "log10": scaled("log10", jnp.log10, "log", jnp.log, 1.0 / math.log(10.0)),
    "sqrt": at_the_ends("sqrt", jnp.sqrt),
    "rsqrt": jax.lax.rsqrt,
    "sin": by_hyperbolic("sin", jnp.sin, "sinh", complex_ends.sinh),
    "cos": complex_ends.cos,
    "tan": by_hyperbolic("tan", jnp.tan, "tanh", jnp.tanh),
    "asin": by_hyperbolic("asin", jnp.arcsin, "asinh", jnp.arcsinh),
    "acos": at_the_ends("acos", jnp.arccos),
    "atan": by_hyperbolic("atan", by_rule("atan", jnp.arctan), "atanh", jnp.arctanh),
    "sinh": at_the_ends("sinh", complex_ends.sinh),
    "cosh": at_the_ends("cosh", complex_ends.cosh),
    "tanh": at_the_ends("tanh", jnp.tanh),
    "asinh": at_the_ends("asinh", by_rule("asinh", jnp.arcsinh)),
    # JAX's derivative has the wrong sign on the left half-plane.
    "acosh": by_rule("acosh", at_the_ends("acosh", jnp.arccosh)),
    "atanh": by_rule("atanh", at_the_ends("atanh", _of_doubles(_atanh, jnp.arctanh))),
    "atan2": _of_ordered(by_rule("atan2", jnp.arctan2)),
    "hypot": _of_ordered(by_rule("hypot", _hypot)),
    "logaddexp": _of_ordered(by_rule("logaddexp", jnp.logaddexp)),
    "erf": jax.lax.erf,
    "erfc": jax.lax.erfc,
    "erfinv": by_rule("erfinv", erfinv),
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
    "bitcast": _bitcast,
}

WHOLE = frozenset(_PURE)
