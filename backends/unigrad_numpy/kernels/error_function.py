"""The error function, its complement and its inverse, which NumPy lacks.

|x| < 1: the Taylor series. Beyond: erf(x) = 1 - exp(-x²) f(x), where f, which falls from 0.43
to 0.09 on [1, 6], is interpolated at Chebyshev nodes of t = (x - 3) / (x + 3) from Python's own
``math.erfc``. Past 6, erf is 1 in double precision.

The complement, whose tail counts on to 27, is exp(-x²) g(x) / x beyond ½; g is interpolated
likewise, and x² is taken apart so that nothing of it is rounded.
"""

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import inverse_error_function

Array = npt.NDArray[Any]

_LAST = 6.0


def _t(x: Any) -> Any:
    return (x - 3.0) / (x + 3.0)


@cache
def _coefficients(double: bool) -> tuple[list[float], list[float]]:
    """Return the series' coefficients and the interpolant's, in powers, as many as needed."""
    terms, degree = (19, 20) if double else (10, 9)
    series = [
        2.0 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1))
        for n in range(terms)
    ]
    # A little wider than needed: an interpolant in powers is least exact at its ends.
    low, high = _t(0.8), _t(_LAST)

    def scaled(t: Array) -> Array:
        x = 3.0 * (1.0 + t) / (1.0 - t)
        return np.array([math.exp(one * one) * math.erfc(one) for one in x])

    fitted = np.polynomial.Chebyshev.interpolate(scaled, degree, domain=[low, high])
    powers = fitted.convert(kind=np.polynomial.Polynomial, domain=[-1, 1], window=[-1, 1])
    return series, [float(one) for one in powers.coef]


def _horner(coefficients: list[float], x: Array) -> Array:
    total = np.full_like(x, coefficients[-1])
    for one in reversed(coefficients[:-1]):
        total *= x
        total += one
    return total


def _parts(x: Array) -> tuple[Array, Array]:
    """Return erf(x) for |x| < 1 and erfc(|x|) for |x| ≥ 1 (each meaningless elsewhere)."""
    series, powers = _coefficients(x.dtype == np.float64)
    size = np.minimum(np.abs(x), _LAST)
    near = np.minimum(size, 1.0)
    inner = np.copysign(near, x) * _horner(series, near * near)
    far = np.maximum(size, 1.0)
    return inner, np.exp(-far * far) * _horner(powers, _t(far))


def _wide(x: Array) -> Array:
    """Return half-precision numbers in single precision, others as they are, never 0-d."""
    if x.dtype.kind == "c":
        raise TypeError("complex numbers are not taken")
    return np.atleast_1d(x if x.dtype in (np.float32, np.float64) else x.astype(np.float32))


def erf(x: Array) -> Array:
    """Return the error function."""
    wide = _wide(x)
    inner, outer = _parts(wide)
    out = np.where(np.abs(wide) < 1.0, inner, np.copysign(1.0 - outer, wide))
    return np.where(np.isnan(wide), wide, out).astype(x.dtype).reshape(x.shape)


#: Up to ½ the complement is 1 - erf(x); beyond the second it is 0 in double precision.
_NEAR, _FAR = 0.5, 27.5


@cache
def _tail() -> npt.NDArray[np.float64]:
    """Return the Chebyshev coefficients of x exp(x²) erfc(x) in the tail, from exact sums."""
    odd = range(1, 2 * _NODES, 2)
    nodes = [_from_unit(_cosine(k)) for k in odd]
    heights = [_scaled_erfc(3.0 * (1.0 + t) / (1.0 - t)) for t in nodes]
    sums = [
        math.fsum(y * _cosine(j * k) for y, k in zip(heights, odd, strict=True))
        for j in range(_NODES)
    ]
    return np.array([sums[0], *[2.0 * one for one in sums[1:]]]) / _NODES


#: The ends of t, a little wider than needed.
_LOW, _HIGH = float(_t(0.4)), float(_t(28.0))


_NODES = 26


def _cosine(k: int) -> float:
    """Return cos(πk / 2n) for n nodes, by an angle below 2π."""
    return math.cos(math.pi * (k % (4 * _NODES)) / (2 * _NODES))


def _from_unit(u: float) -> float:
    return 0.5 * (u * (_HIGH - _LOW) + _HIGH + _LOW)


def _to_unit(t: Array) -> Any:
    return (2.0 * t - _HIGH - _LOW) / (_HIGH - _LOW)


def _scaled_erfc(x: float) -> float:
    """Return x exp(x²) erfc(x): in the far tail by Laplace's continued fraction."""
    if x < 5.0:
        return x * float(_exp_of_square(np.float64(x), 1.0)) * math.erfc(x)
    rest = 0.0
    for k in range(60, 0, -1):
        rest = 0.5 * k / (x + rest)
    return x / math.sqrt(math.pi) / (x + rest)


def _exp_of_square(x: Any, sign: float) -> Any:
    """Return exp(±x²): the square of what x is near in 64ths is exact."""
    near = np.rint(x * 64.0) / 64.0
    return np.exp(sign * near * near) * np.exp(sign * (x - near) * (x + near))


def erfc(x: Array) -> Array:
    """Return 1 - erf(x) with the digits of its tail, computed in double precision."""
    wide = _wide(x).astype(np.float64)
    size = np.abs(wide)
    far = np.clip(np.where(np.isnan(size), 1.0, size), _NEAR, _FAR)
    tail = _exp_of_square(far, -1.0) * np.polynomial.chebyshev.chebval(_to_unit(_t(far)), _tail())
    tail /= far
    out = np.where(size < _NEAR, 1.0 - erf(wide), np.where(wide < 0.0, 2.0 - tail, tail))
    out = np.where(size > _FAR, np.where(wide < 0.0, 2.0, 0.0), out)
    return np.where(np.isnan(wide), wide, out).astype(x.dtype).reshape(x.shape)


def erfinv(x: Array) -> Array:
    """Return the inverse of erf, computed in double precision."""
    found = inverse_error_function.erfinv(_wide(x).astype(np.float64), np.log, np.sqrt, np.where)
    return np.asarray(found).astype(x.dtype).reshape(x.shape)
