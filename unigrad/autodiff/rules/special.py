"""Derivatives of special functions, made of each other.

Source: NIST Digital Library of Mathematical Functions, 5.15, 8.8, 10.29, 25.11. That of the
incomplete gamma function by its first argument is the gamma distribution's (`rules.gamma`).
"""

from __future__ import annotations

import math

from unigrad.autodiff.rules.gamma import slope_of_log_gamma
from unigrad.autodiff.rules.registry import elementwise
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import sign
from unigrad.ops.bessel import _j0, _j1, _y0, _y1
from unigrad.ops.comparison import equal, where
from unigrad.ops.elementary import erf, exp, log, log1p
from unigrad.ops.special import (
    _digamma,
    _i0e,
    _i1e,
    _lgamma,
    _zeta,
    derivative_of_digamma,
    slope_of_log_ndtr,
)

elementwise("lgamma", lambda out, x: _digamma(x))
elementwise("digamma", lambda out, x: derivative_of_digamma(x, 1))

# -- ζ(s, q) by the sum of Euler and Maclaurin, differentiated by s

#: How many terms are summed as they are, and the coefficients B₂ⱼ / (2j)! of the rest.
_SUMMED = 10
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798,
    -174611 / 330,
)  # fmt: skip
_COEFFICIENTS = [b / math.factorial(2 * j) for j, b in enumerate(_BERNOULLI, 1)]


def _zeta_by_s(out: Tensor, s: Tensor, q: Tensor) -> Tensor:
    total = s * 0.0
    for k in range(_SUMMED):
        place = q + float(k)
        total = total - log(place) * place ** (-s)
    a = q + float(_SUMMED)
    log_a, power = log(a), a ** (-s)
    rest = s - 1.0
    total = total - a * power / rest * (log_a + 1.0 / rest) - 0.5 * log_a * power
    # P = s (s + 1) … (s + 2j - 2), and the sum of the inverses of its factors.
    product, inverses = s, 1.0 / s
    power = power / a
    for j, coefficient in enumerate(_COEFFICIENTS, 1):
        total = total + product * power * (inverses - log_a) * coefficient
        for step in (2 * j - 1, 2 * j):
            product, inverses = product * (s + float(step)), inverses + 1.0 / (s + float(step))
        power = power / (a * a)
    return total


elementwise("zeta", _zeta_by_s, lambda out, s, q: -s * _zeta(s + 1.0, q))

# -- P(a, x), of density xᵃ⁻¹ e⁻ˣ / Γ(a)


def _density(a: Tensor, x: Tensor) -> Tensor:
    """Return x times the density."""
    return exp(a * log(x) - x - _lgamma(a))


def _by_shape(out: Tensor, a: Tensor, x: Tensor) -> Tensor:
    # 0 at x = 0, whose logarithm has no place in the formula.
    inside = x > 0.0
    safe = where(inside, x, 1.0)
    return where(inside, -slope_of_log_gamma(a, log(safe)) * _density(a, safe), 0.0)


def _by_place(out: Tensor, a: Tensor, x: Tensor) -> Tensor:
    return exp((a - 1.0) * log(x) - x - _lgamma(a))


elementwise("gammainc", _by_shape, _by_place)
elementwise(
    "gammaincc",
    lambda out, a, x: -_by_shape(out, a, x),
    lambda out, a, x: -_by_place(out, a, x),
)

# -- I₀′ = I₁, I₁′ = I₀ - I₁ / x, each times e^(-|x|)


#: Up to here C₁(x) / x is a series, whose derivatives keep their digits.
_NEAR = 0.05


def _over_place(out: Tensor, x: Tensor, sign_of_square: float, factor: Tensor | None) -> Tensor:
    """Return C₁(x) / x = ½ Σ (±x²/4)ᵏ / (k! (k + 1)!), times what ``out`` has beside it."""
    near = absolute(x) < _NEAR
    quarter = where(near, x * x * (0.25 * sign_of_square), 0.0)
    series = quarter * 0.0
    for k in (4, 3, 2, 1):
        series = (series + 1.0 / (math.factorial(k) * math.factorial(k + 1))) * quarter
    series = (series + 1.0) * 0.5
    return where(near, series if factor is None else series * factor, out / where(near, 1.0, x))


def _i1e_slope(out: Tensor, x: Tensor) -> Tensor:
    quotient = _over_place(out, x, 1.0, exp(-absolute(x)))
    slope: Tensor = _i0e(x) - quotient - sign(x) * out
    return slope


elementwise("i0e", lambda out, x: _i1e(x) - sign(x) * out)
elementwise("i1e", _i1e_slope)

# -- log Φ: φ / Φ
elementwise("log_ndtr", lambda out, x: slope_of_log_ndtr(x))


def _quotient(x: Tensor, y: Tensor) -> Tensor:
    """Return x / y, and 0 where x is 0."""
    nothing = equal(x, 0.0)
    return where(nothing, 0.0, x / where(nothing, 1.0, y))


elementwise("xlogy", lambda out, x, y: log(y), lambda out, x, y: _quotient(x, y))
elementwise("xlog1py", lambda out, x, y: log1p(y), lambda out, x, y: _quotient(x, 1.0 + y))

# -- Bessel functions of the first and the second kind (10.6.3)


def _y1_slope(out: Tensor, x: Tensor) -> Tensor:
    zero = equal(x, 0.0)
    slope: Tensor = _y0(x) - out / where(zero, 1.0, x)
    return where(zero, math.inf + x * 0.0, slope)


# C₁′ = C₀ - C₁ / x
elementwise("j0", lambda out, x: -_j1(x))
elementwise("j1", lambda out, x: _j0(x) - _over_place(out, x, -1.0, None))
elementwise("y0", lambda out, x: -_y1(x))
elementwise("y1", _y1_slope)

# -- the normal distribution: 1 / φ(x), and -φ(h) (Φ(a h) - ½), φ(h) φ(a h) / φ(0) / (1 + a²) / 2π
elementwise("ndtri", lambda out, p: exp(out * out * 0.5) * math.sqrt(2.0 * math.pi))
elementwise(
    "owens_t",
    lambda out, h, a: (
        exp(h * h * -0.5) * erf(h * a * math.sqrt(0.5)) * (-0.5 / math.sqrt(2 * math.pi))
    ),
    lambda out, h, a: exp((a * a + 1.0) * (h * h) * -0.5) / ((a * a + 1.0) * (2.0 * math.pi)),
)
