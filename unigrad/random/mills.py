"""The tail of the normal distribution, in which neither erf nor its complement has digits left.

Q(x) = φ(x) R(x), where R, Mills' ratio, falls slowly from √(π/2) at 0 like 1 / x. What is said of
tails is said by R and by differences of exponents.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.core.tensor import Tensor
from unigrad.ops.elementary import expm1, log, log1p, sqrt
from unigrad.ops.identity import stop_gradient

_SCALE = 4.0
_LEAST = 1e-300


def _ratio_of_number(x: float) -> float:
    """Return Mills' ratio of a number ≥ 0: by ``math.erfc``, or by Laplace's continued fraction."""
    if x < 4.0:
        return math.exp(x * x / 2) * math.erfc(x / math.sqrt(2)) * math.sqrt(math.pi / 2)
    rest = x
    for k in range(120, 0, -1):
        rest = x + k / rest
    return 1.0 / rest


def _coefficients() -> list[float]:
    """Return (1 + x) R(x) on [0, ∞) in powers of t = (x - 4) / (x + 4).

    After M. M. Shepherd and J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x²) erfc x
    in 0 ≤ x < ∞", Mathematics of Computation 36, 1981.
    """

    def scaled(t: Any) -> Any:
        x = _SCALE * (1.0 + t) / (1.0 - t)
        return np.array([(1.0 + one) * _ratio_of_number(one) for one in x.tolist()])

    fitted = np.polynomial.Chebyshev.interpolate(scaled, 30)
    return [float(one) for one in fitted.convert(kind=np.polynomial.Polynomial).coef]


_COEFFICIENTS = _coefficients()


def mills_ratio(x: Tensor) -> Tensor:
    """Return R(x) = Q(x) / φ(x) of float64 x ≥ 0, to some 14 digits."""
    t = (x - _SCALE) / (x + _SCALE)
    total = t * 0.0 + _COEFFICIENTS[-1]
    for one in reversed(_COEFFICIENTS[:-1]):
        total = total * t + one
    return total / (x + 1.0)


def log_tail_ratio(low: Tensor, step: Tensor) -> Tensor:
    """Return log Q(low + step) - log Q(low), for float64 low, step ≥ 0."""
    return (low + step * 0.5) * -step + log(mills_ratio(low + step) / mills_ratio(low))


def in_tail(low: Tensor, width: Tensor, part: Tensor) -> Tensor:
    """Return x - low for the x in [low, low + width] below which lies this part of the tail.

    By Newton's method for log Q(low + step) = log Q(low) + log v, which is concave, so that it
    comes down from the right. The last step is the derivative by the bounds, too.

    Args:
        low: float64, ≥ 0.
        width: float64, > 0.
        part: float64 in [0, 1).
    """
    log_v = log1p(part * expm1(log_tail_ratio(low, width)))
    still, wanted = stop_gradient(low), stop_gradient(log_v)
    # Without the least number, 0 / 0 would be the first guess of a draw of 0 from a bound of 0.
    step = wanted * -2.0 / (still + sqrt(still * still - wanted * 2.0) + _LEAST)
    for _ in range(4):
        step = step + (log_tail_ratio(still, step) - wanted) * mills_ratio(still + step)
    step = stop_gradient(step)
    return step + (log_tail_ratio(low, step) - log_v) * mills_ratio(still + step)
