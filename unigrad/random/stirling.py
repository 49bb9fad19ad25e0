"""What remains of log k! beside k log k - k, and of a binomial or Poisson weight.

Source: Loader, "Fast and accurate computation of binomial probabilities", 2000: weights as
deviances, in which nothing large cancels.
"""

from __future__ import annotations

from math import lgamma, log, pi

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import cast, constant
from unigrad.core.tensor import Tensor
from unigrad.ops import elementary
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.comparison import where
from unigrad.ops.indexing import take

_SMALL = 16
_REST = np.array([lgamma(k + 1) - (k * log(k) if k else 0.0) + k for k in range(_SMALL)])


def rest_of_factorial(k: Tensor) -> Tensor:
    """Return log k! - k log k + k of int64 k ≥ 0 as float64."""
    table = take(constant(k, _REST, dtypes.float64), minimum(k, _SMALL - 1))
    x = maximum(cast(k, dtypes.float64), float(_SMALL))
    r = 1.0 / (x * x)
    series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680)))) / x
    return where(k < _SMALL, table, elementary.log(x * (2 * pi)) * 0.5 + series)


def deviance(x: Tensor, mean: Tensor) -> Tensor:
    """Return x log(x / mean) - x + mean of float64 x ≥ 0 and mean > 0."""
    d = (x - mean) / mean
    there = x > 0.0
    safe = where(there, d, 0.0)
    return where(there, (elementary.log1p(safe) * (safe + 1.0) - safe) * mean, mean)
