"""The derivative of a gamma variate by its shape, for a fixed place in the distribution.

A draw x of Gamma(α) is a function of α through its distribution function: dx/dα = -∂F/∂α / f(x)
(Figurnov, Mohamed and Mnih, "Implicit reparameterization gradients", 2018). In s = log(t / x),

    d log x / dα = ∫₀^∞ exp(αs - x(eˢ - 1)) (s + log x - ψ(α)) ds,

and likewise for the other side, from -∞ to 0. On the side where the exponent falls from 0 on, a
Gauss–Legendre rule up to where it is -40 gives some ten digits for any α; for x ≤ 1, where α may
be tiny, a power series does.
"""

from __future__ import annotations

from math import nan

import numpy as np

from unigrad.autodiff.rules.registry import elementwise
from unigrad.core import dtypes
from unigrad.core.arguments import cast
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum, minimum
from unigrad.ops.comparison import where
from unigrad.ops.elementary import exp, expm1, log, log1p, sqrt
from unigrad.ops.identity import stop_gradient

_NODES = 32
_TERMS = 20
_SHIFT = 10
#: The exponent at which an integrand ends.
_END = 40.0


def digamma_of_next(x: Tensor) -> Tensor:
    """Return ψ(x + 1) for float64 x > 0: the asymptotic series at x + 11, and the recurrence."""
    z = x + float(_SHIFT + 1)
    r = 1.0 / (z * z)
    series = 1 / 252 - r * (1 / 240 - r * (1 / 132))
    total = log(z) - 0.5 / z - r * (1 / 12 - r * (1 / 120 - r * series))
    for k in range(1, _SHIFT + 1):
        total = total - 1.0 / (x + float(k))
    return total


def _by_series(alpha: Tensor, log_x: Tensor) -> Tensor:
    """Return the derivative for x ≤ 1: F = x^α e⁻ˣ M / Γ(α + 1), M = Σ xⁿ / (α+1)…(α+n)."""
    x = exp(log_x)
    term, harmonic = x * 0.0 + 1.0, x * 0.0
    total, slope = term, harmonic
    for n in range(1, _TERMS + 1):
        place = alpha + float(n)
        term, harmonic = term * x / place, harmonic + 1.0 / place
        total, slope = total + term, slope - term * harmonic
    # Where x is 0 its logarithm, times α, is what is left.
    return -(total * (log_x - digamma_of_next(alpha)) + slope) / alpha


#: The nodes and weights of the Gauss–Legendre rule on [-1, 1].
_RULE = [one.tolist() for one in np.polynomial.legendre.leggauss(_NODES)]


def _length(alpha: Tensor, x: Tensor) -> Tensor:
    """Return a length at whose end the exponent is at most -40, and not far below."""
    slope = abs(alpha - x)
    above = _END * 2.0 / (slope + sqrt(slope * slope + x * (2.0 * _END)))
    for _ in range(2):
        above = log1p((alpha * above + _END) / x)
    # Below x the exponent falls more slowly than its parabola, by a third at most up to 1.
    short = _END * 2.0 / (slope + sqrt(slope * slope + x * (_END * 4.0 / 3.0)))
    below = where(short <= 1.0, short, (x + _END) / alpha)
    return stop_gradient(where(x >= alpha, above, below))


def _by_quadrature(alpha: Tensor, log_x: Tensor) -> Tensor:
    """Return the derivative for x ≥ 1."""
    x = exp(log_x)
    sign = where(x >= alpha, 1.0, -1.0)
    length = _length(alpha, x)
    offset = (log_x - digamma_of_next(alpha) + 1.0 / alpha) * sign
    total = x * 0.0
    for node, weight in zip(*_RULE, strict=True):
        s = length * (0.5 * node + 0.5)
        exponent = alpha * s * sign - x * expm1(s * sign)
        total = total + exp(exponent) * (s + offset) * (0.5 * weight)
    return total * length


def slope_of_log_gamma(alpha: Tensor, log_x: Tensor) -> Tensor:
    """Return d log x / dα of draws x of Gamma(α), in the dtype of α."""
    a, where_ = cast(alpha, dtypes.float64), cast(log_x, dtypes.float64)
    near = where_ <= 0.0
    series = _by_series(a, minimum(where_, 0.0))
    quadrature = _by_quadrature(a, maximum(where_, 0.0))
    return cast(where(a > 0.0, where(near, series, quadrature), nan), alpha.dtype)


#: A draw of log x is the sample itself, as a function of its shape.
elementwise(
    "random_gamma_sample",
    lambda out, alpha, sample: slope_of_log_gamma(alpha, sample),
    lambda out, alpha, sample: sample * 0.0 + 1.0,
)

__all__ = ["digamma_of_next", "slope_of_log_gamma"]
