"""Derivatives of the elementwise ops, as partial derivatives of ``out`` by each input."""

import math
from typing import Any

import ml_dtypes

from unigrad.autodiff.rules.registry import add_up, elementwise, linear, rule, zero
from unigrad.core.arguments import cast, constant
from unigrad.core.dtypes import COMPLEX, complex128, float32, float64
from unigrad.core.tensor import Tensor
from unigrad.ops.activations import sigmoid
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import conj, copysign, pow, reciprocal, sign, square
from unigrad.ops.comparison import (
    equal,
    greater,
    greater_equal,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_or,
    where,
)
from unigrad.ops.creation import astype
from unigrad.ops.elementary import cos, cosh, exp, hypot, log, rsqrt, sin, sinh
from unigrad.ops.filling import ones_like
from unigrad.ops.identity import stop_gradient
from unigrad.ops.rounding import floor_divide

rule(
    "add",
    lambda g, out, x, y: g,
    lambda g, out, x, y: g,
    jvp=lambda t, out, x, y: t[1] if t[0] is None else t[0] if t[1] is None else t[0] + t[1],
)
rule(
    "subtract",
    lambda g, out, x, y: g,
    lambda g, out, x, y: -g,
    jvp=lambda t, out, x, y: -t[1] if t[0] is None else t[0] if t[1] is None else t[0] - t[1],
)
elementwise("multiply", lambda out, x, y: y, lambda out, x, y: x)


def _inverse(y: Any) -> Any:
    """1 / y, of a Python zero too as IEEE 754 has it."""
    if isinstance(y, Tensor) or y:
        return 1.0 / y
    return complex(math.nan, math.nan) if isinstance(y, complex) else math.copysign(math.inf, y)


elementwise("divide", lambda out, x, y: _inverse(y), lambda out, x, y: -out / y)
linear("negative", lambda g, out, x: -g)
elementwise("exp", lambda out, x: out)
elementwise("log", lambda out, x: 1.0 / x)
elementwise("sin", lambda out, x: cos(x))
elementwise("cos", lambda out, x: -sin(x))
elementwise("tanh", lambda out, x: 1.0 - out * out)
linear("positive", lambda g, out, x: g)
linear("conj", lambda g, out, x: conj(g))
linear("imag", lambda g, out, x: cast(g, x.dtype) * -1j)


def _conjugated_sign(out: Tensor, x: Tensor) -> Tensor:
    """conj(x) / |x|, 0 at 0."""
    if x.dtype not in COMPLEX:
        return sign(x)
    origin = equal(out, 0)
    return where(origin, 0.0, conj(x) / where(origin, 1.0, out))


# d|x| = Re(conj(sign x) dx): of complex numbers the tangent is real, the cotangent is not.
rule(
    "abs",
    lambda g, out, x: g * _conjugated_sign(out, x),
    jvp=lambda t, out, x: cast(t[0] * _conjugated_sign(out, x), out.dtype),
)
elementwise("square", lambda out, x: x * 2.0)
elementwise("reciprocal", lambda out, x: -out * out)
elementwise("exp2", lambda out, x: out * math.log(2.0))
elementwise("expm1", lambda out, x: exp(x))
elementwise("log1p", lambda out, x: 1.0 / (x + 1.0))
elementwise("log2", lambda out, x: 1.0 / (x * math.log(2.0)))
elementwise("log10", lambda out, x: 1.0 / (x * math.log(10.0)))
elementwise("sqrt", lambda out, x: 0.5 / out)
elementwise("rsqrt", lambda out, x: out / x * -0.5)
elementwise("tan", lambda out, x: out * out + 1.0)
elementwise("asin", lambda out, x: rsqrt(_one_less_square(x)))
elementwise("acos", lambda out, x: -rsqrt(_one_less_square(x)))
elementwise("atan", lambda out, x: reciprocal(x * x + 1.0))
elementwise("sinh", lambda out, x: cosh(x))
elementwise("cosh", lambda out, x: sinh(x))


def _of_asinh(x: Tensor) -> Tensor:
    """1 / √(x² + 1), of real numbers without the square, which leaves the range."""
    return rsqrt(x * x + 1.0) if x.dtype in COMPLEX else reciprocal(hypot(x, 1.0))


elementwise("asinh", lambda out, x: _of_asinh(x))
# Of a product of roots, since x² - 1 leaves the range, and is above 0 on the left too.
elementwise("acosh", lambda out, x: rsqrt(x - 1.0) * rsqrt(x + 1.0))
elementwise("atanh", lambda out, x: reciprocal(_one_less_square(x)))
elementwise("erf", lambda out, x: exp(-square(x)) * (2.0 / math.sqrt(math.pi)))
elementwise("erfc", lambda out, x: exp(-square(x)) * (-2.0 / math.sqrt(math.pi)))
elementwise("erfinv", lambda out, x: exp(square(out)) * (math.sqrt(math.pi) / 2.0))


def _one_less_square(x: Tensor) -> Tensor:
    """(1 - x)(1 + x), which keeps the digits near ±1 that 1 - x² loses.

    The derivative is that of 1 - x²: by the factors the second ones at ±1 would be ∞ · 0.
    """
    plain = 1.0 - x * x
    return plain + stop_gradient((1.0 - x) * (x + 1.0) - plain)


zero("sign", "floor", "ceil", "round", "trunc", "floor_divide")
zero("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")
zero("logical_and", "logical_or", "logical_xor", "logical_not", "isfinite", "isinf", "isnan")
zero("allclose", "isclose")
zero("bitcast", "signbit", "gcd")
zero("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert")
zero("bitwise_left_shift", "bitwise_right_shift")


def _share(first: Any, second: Any, of: Tensor) -> Tensor:
    """1 where the first is greater, ½ at a tie, 0 elsewhere."""
    both = cast(greater(first, second), of.dtype) + cast(greater_equal(first, second), of.dtype)
    return both * 0.5


def _beside(x: Any, out: Tensor) -> Tensor:
    """Return a Python scalar as a tensor beside another, not on the current backend."""
    return x if isinstance(x, Tensor) else constant(out, x)


def _missing(x: Any, out: Tensor) -> Tensor:
    return isnan(_beside(x, out))


elementwise("maximum", lambda out, x, y: _share(x, y, out), lambda out, x, y: _share(y, x, out))
elementwise("minimum", lambda out, x, y: _share(y, x, out), lambda out, x, y: _share(x, y, out))
elementwise(
    "fmax",
    lambda out, x, y: where(_missing(y, out), 1.0, _share(x, y, out)),
    lambda out, x, y: where(_missing(x, out), 1.0, _share(y, x, out)),
)
elementwise(
    "fmin",
    lambda out, x, y: where(_missing(y, out), 1.0, _share(y, x, out)),
    lambda out, x, y: where(_missing(x, out), 1.0, _share(x, y, out)),
)
elementwise("heaviside", None, lambda out, x, y: cast(equal(_beside(x, out), 0), out.dtype))
elementwise("remainder", lambda out, x, y: 1.0, lambda out, x, y: -floor_divide(x, y))
elementwise("nextafter", lambda out, x, y: ones_like(out), None)
elementwise("copysign", lambda out, x, y: sign(x) * copysign(1.0, _beside(y, out)), None)


def _real(x: Tensor) -> Tensor:
    """Return the real part."""
    if x.dtype not in COMPLEX:
        return x
    return cast(x, float64 if x.dtype == complex128 else float32)


def _by_base(out: Tensor, x: Tensor, y: Any) -> Any:
    """y x^(y-1), which is 0 for y = 0 wherever x is, at 0 and NaN too."""
    if not isinstance(y, Tensor):
        if y == 0:
            return cast(equal(x, x), out.dtype) * 0.0
        return x * 2.0 if y == 2 else pow(x, y - 1) * y
    # At y = 0 the power is infinite where 1 / x is; elsewhere the second derivative needs it.
    tiny = less_equal(absolute(x), constant(absolute(x), 4.0 * _smallest(x)))
    flat = logical_and(equal(y, 0), logical_or(tiny, isnan(x)))
    return y * pow(where(flat, 1, x), where(flat, 1, y - 1))


def _smallest(x: Tensor) -> float:
    """Return the smallest normal number of a tensor's precision."""
    found = ml_dtypes.finfo(absolute(x).dtype)  # type: ignore[no-untyped-call]
    return float(found.smallest_normal)


def _by_exponent(out: Tensor, x: Any, y: Tensor) -> Tensor:
    """x^y log x, which is 0 at x = 0 for y ≥ 0."""
    if not isinstance(x, Tensor):
        if not isinstance(x, complex) and x > 0:
            return out * math.log(x)
        x = constant(y, x)
    still = logical_and(equal(x, 0), greater_equal(_real(y), 0))
    return out * log(where(still, 1, x))


elementwise("pow", _by_base, _by_exponent)


def _over_square(numerator: Tensor, x: Any, y: Any) -> Tensor:
    """numerator / (x² + y²), 0 at the origin; neither square is taken: it may be beyond range."""
    origin = logical_and(*[equal(_beside(one, numerator), 0) for one in (x, y)])
    distance = where(origin, 1.0, hypot(x, y))
    quotient: Tensor = numerator / distance / distance
    return quotient


elementwise(
    "atan2",
    lambda out, x, y: _over_square(_beside(y, out), x, y),
    lambda out, x, y: -_over_square(_beside(x, out), x, y),
)
elementwise(
    "hypot",
    lambda out, x, y: x / where(equal(out, 0), 1.0, out),
    lambda out, x, y: y / where(equal(out, 0), 1.0, out),
)


def _weight(out: Tensor, x: Any, y: Any) -> Tensor:
    """The share of exp(x) in exp(x) + exp(y): 1 / (1 + exp(y - x)), 0 where both are -∞."""
    # Where both are -∞ their difference would be NaN.
    nothing = equal(out, -math.inf)
    x, y = _beside(x, out), _beside(y, out)
    return sigmoid(where(nothing, -math.inf, x) - where(nothing, 0.0, y))


elementwise("logaddexp", lambda out, x, y: _weight(out, x, y), lambda out, x, y: _weight(out, y, x))


def _inside(x: Tensor, low: float | None, high: float | None, t: Any) -> Any:
    """Return ``t`` where the limits leave x as it is, on a limit too, and 0 elsewhere."""
    if low is not None:
        t = where(less(x, low), 0.0, t)
    return t if high is None else where(greater(x, high), 0.0, t)


rule(
    "clip",
    lambda g, out, x, low, high: _inside(x, low, high, g),
    jvp=lambda t, out, x, low, high: t[0] * _inside(x, low, high, constant(x, 1.0)),
)


def _where_jvp(t: Any, out: Tensor, condition: Tensor, x: Any, y: Any) -> Tensor:
    """Weigh the sides by 1 and 0; nothing moves with the condition.

    Not a select: where the side that is not taken is infinitely steep, 0 · ∞ is NaN in this mode as
    it is in reverse. Nor a cast condition, by which XLA multiplies as if it were a select.
    """
    one = constant(out, 1.0)
    terms = []
    if t[1] is not None:
        terms.append(t[1] * where(condition, one, 0.0))
    if t[2] is not None:
        terms.append(t[2] * where(condition, 0.0, one))
    return add_up(terms) if terms else out * 0.0


rule(
    "where",
    lambda g, out, condition, x, y: g * 0.0,
    lambda g, out, condition, x, y: where(condition, g, 0.0),
    lambda g, out, condition, x, y: where(condition, 0.0, g),
    jvp=_where_jvp,
)
linear("astype", lambda g, out, x, dtype: astype(g, x.dtype))
