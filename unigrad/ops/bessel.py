"""Bessel functions of orders 0 and 1 of real numbers, and functions of the normal distribution.

They are made of other ops on every backend: torch's Bessel functions have nine digits. Half
precision is computed in float32, integers in the default float; outside of its domain a function is
NaN. Errors, the same for all: `DTypeError` for complex numbers, `ShapeError` when shapes do not
broadcast.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import TensorLike, constant
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import minimum
from unigrad.ops.comparison import equal, isinf, logical_and, where
from unigrad.ops.elementary import cos, erfc, erfinv, exp, log, sin, sqrt
from unigrad.ops.reductions import sum as total
from unigrad.ops.shaping import expand_dims
from unigrad.ops.special import _log_ndtr, _run, slope_of_log_ndtr

__all__ = ["j0", "j1", "ndtri", "owens_t", "y0", "y1"]

# -- Bessel functions: up to a bound by the trapezoidal rule for their integrals over a period,
#    exact to more digits than there are (DLMF 10.9.1); beyond by Hankel's expansion (10.17.3)

_BOUND = 25.0
#: Points of a quarter of the period, and their weights in a mean over it.
_ANGLES = np.arange(37) * (math.pi / 72.0)
_MEAN = np.where((np.arange(37) == 0) | (np.arange(37) == 36), 0.5, 1.0) / 36.0
_SINES = np.sin(_ANGLES)
_ORDERS = np.arange(1, 35)
#: Σ (-1)ᵏ cos(2kθ) / k: Y₀ is a sum of J₂ₖ, which have one integral together (10.8.3).
_SERIES = (np.cos(2.0 * np.outer(_ANGLES, _ORDERS)) * ((-1.0) ** _ORDERS / _ORDERS)).sum(1)
_TERMS = 11


def _over_period(x: Tensor, function: Any, weights: npt.NDArray[Any]) -> Tensor:
    """Return the mean of a function of x sin θ times weights."""
    values = function(expand_dims(x, axis=-1) * constant(x, _SINES))
    return total(values * constant(x, weights * _MEAN), axis=-1)


def _hankel(order: int) -> tuple[list[float], list[float]]:
    """Return the coefficients of P and Q in powers of 1 / x²."""
    found, term = [], 1.0
    for k in range(2 * _TERMS):
        found.append(term)
        term *= (4 * order**2 - (2 * k + 1) ** 2) / (8.0 * (k + 1))
    signs = [(-1.0) ** i for i in range(_TERMS)]
    return (
        [s * c for s, c in zip(signs, found[::2], strict=True)],
        [s * c for s, c in zip(signs, found[1::2], strict=True)],
    )


_HANKEL = {order: _hankel(order) for order in (0, 1)}


def _polynomial(x: Tensor, coefficients: list[float]) -> Tensor:
    out = x * coefficients[-1] + coefficients[-2]
    for one in coefficients[-3::-1]:
        out = out * x + one
    return out


def _beyond(x: Tensor, order: int, second: bool) -> Tensor:
    """Return J or, as the second kind, Y, by the expansion for large x."""
    squared = 1.0 / (x * x)
    p, q = (_polynomial(squared, one) for one in _HANKEL[order])
    q = q / x
    # Of x - π/4 and of x - 3π/4, in sine and cosine of x itself, which keep their digits.
    sine, cosine = sin(x), cos(x)
    turned, across = (
        (cosine + sine, sine - cosine) if not order else (sine - cosine, -sine - cosine)
    )
    wave = across * p + turned * q if second else turned * p - across * q
    return wave * sqrt(1.0 / (x * math.pi))


def _parts(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return where |x| is beyond the bound, what is up to it, and what is beyond."""
    size = absolute(x)
    far = size > _BOUND
    return far, where(far, 1.0, x), where(far, where(isinf(x), _BOUND, size), _BOUND)


@composite
def _j0(x: Tensor) -> Tensor:
    far, near, large = _parts(x)
    found = where(far, _beyond(large, 0, False), _over_period(near, cos, np.ones(37)))
    return where(isinf(x), 0.0, found)


@composite
def _j1(x: Tensor) -> Tensor:
    far, near, large = _parts(x)
    beyond = _beyond(large, 1, False)
    beyond = where(x < 0.0, -beyond, beyond)
    return where(isinf(x), 0.0, where(far, beyond, _over_period(near, sin, _SINES)))


def _second_kind(x: Tensor, order: int) -> Tensor:
    far, near, large = _parts(x)
    outside = ~(x > 0.0)
    near = where(outside, 1.0, near)
    logarithm = log(near * 0.5) + float(np.euler_gamma)
    if order:
        first = _over_period(near, sin, _SINES)
        rest = _over_period(near, sin, _SINES * _SERIES) * 2.0
        first_order = _over_period(near, cos, np.ones(37)) / near
        found = (logarithm * first - rest - first_order) * (2.0 / math.pi)
    else:
        first = _over_period(near, cos, np.ones(37))
        found = (logarithm * first - _over_period(near, cos, _SERIES) * 2.0) * (2.0 / math.pi)
    found = where(far, _beyond(large, order, True), found)
    found = where(logical_and(isinf(x), x > 0.0), 0.0, found)
    return where(outside, where(equal(x, 0.0), -math.inf, math.nan), found)


@composite
def _y0(x: Tensor) -> Tensor:
    return _second_kind(x, 0)


@composite
def _y1(x: Tensor) -> Tensor:
    return _second_kind(x, 1)


def j0(x: TensorLike, /) -> Tensor:
    """Return J₀(x), the Bessel function of the first kind of order 0.

    Example:
        >>> round(j0(1.0).item(), 5)
        0.7652
    """
    return _run(_j0, x)


def j1(x: TensorLike, /) -> Tensor:
    """Return J₁(x), the Bessel function of the first kind of order 1.

    Example:
        >>> round(j1(1.0).item(), 5)
        0.44005
    """
    return _run(_j1, x)


def y0(x: TensorLike, /) -> Tensor:
    """Return Y₀(x), the Bessel function of the second kind of order 0; -∞ at 0, NaN below.

    Example:
        >>> round(y0(1.0).item(), 5)
        0.08826
    """
    return _run(_y0, x)


def y1(x: TensorLike, /) -> Tensor:
    """Return Y₁(x), the Bessel function of the second kind of order 1; -∞ at 0, NaN below.

    Example:
        >>> round(y1(1.0).item(), 5)
        -0.78121
    """
    return _run(_y1, x)


# -- the normal distribution


@composite
def _ndtri(p: Tensor) -> Tensor:
    middle = absolute(p - 0.5) < 0.4
    centre = erfinv(where(middle, p, 0.5) * 2.0 - 1.0) * math.sqrt(2.0)
    inside = logical_and(p > 0.0, p < 1.0)
    outer = where(logical_and(inside, ~middle), p, 0.01)
    upper = outer > 0.5
    tail = where(upper, 1.0 - outer, outer)
    wanted = log(tail)
    # Abramowitz & Stegun, 26.2.22, then Newton's steps for log Φ.
    t = sqrt(wanted * -2.0)
    x = (t * 0.27061 + 2.30753) / ((t * 0.04481 + 0.99229) * t + 1.0) - t
    for _ in range(4):
        x = x - (_log_ndtr(x) - wanted) / slope_of_log_ndtr(x)
    found = where(middle, centre, where(upper, -x, x))
    ends = where(equal(p, 0.0), -math.inf, where(equal(p, 1.0), math.inf, math.nan))
    return where(inside, found, ends)


def ndtri(p: TensorLike, /) -> Tensor:
    """Return the x with Φ(x) = p, the inverse of `ndtr`; ±∞ at 1 and 0, NaN outside of [0, 1].

    Example:
        >>> ndtri(0.5).item()
        0.0
    """
    return _run(_ndtri, p)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@composite
def _owens_t(h: Tensor, a: Tensor) -> Tensor:
    # Beyond these nothing changes, and squares stay in the dtype's range.
    size, slope = minimum(absolute(h), 60.0), minimum(absolute(a), 1e15)
    large = slope > 1.0
    # T(h, a) + T(a h, 1 / a) has a formula: the second is the integral up to 1 at most.
    length = where(large, size * where(large, slope, 1.0), size)
    end = where(large, 1.0 / where(large, slope, 1.0), slope)
    # Beyond that the integrand is less than its first values by e⁻⁴⁰.
    bound = minimum(end, 9.0 / where(length > 9.0, length, 9.0))
    places = expand_dims(bound, axis=-1) * constant(h, (_NODES + 1.0) / 2.0)
    squared = places * places
    square = expand_dims(length * length, axis=-1)
    values = exp(square * squared * -0.5) / (squared + 1.0)
    inner = total(values * constant(h, _WEIGHTS / 2.0), axis=-1) * bound
    inner = inner * exp(length * length * -0.5) / (2.0 * math.pi)
    p, q = erfc(size * math.sqrt(0.5)) * 0.5, erfc(length * math.sqrt(0.5)) * 0.5
    outer = (p + q) * 0.5 - p * q - inner
    return where(large, outer, inner) * where(a < 0.0, -1.0, 1.0)


def owens_t(h: TensorLike, a: TensorLike, /) -> Tensor:
    """Return Owen's T(h, a) = ∫₀ᵃ exp(-h² (1 + x²) / 2) / (1 + x²) dx / 2π.

    The probability that X > h and 0 < Y < a X for independent standard normal X and Y.

    Source: Owen, "Tables for computing bivariate normal probabilities" (1956).

    Example:
        >>> owens_t(0.0, 1.0).item()
        0.125
    """
    return _run(_owens_t, h, a)


for _op in (_j0, _j1, _y0, _y1, _ndtri, _owens_t):
    _op.broadcasts = True
