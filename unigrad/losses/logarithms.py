"""Products with a logarithm that are 0 where the factor is: 0 log 0 = 0."""

from __future__ import annotations

from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal, isinf, logical_and, where
from unigrad.ops.elementary import log, log1p


def weighted(weight: Tensor, value: Tensor) -> Tensor:
    """Return w v, which is 0 where w is 0 and v is infinite: nothing weighs nothing."""
    return weight * where(logical_and(equal(weight, 0.0), isinf(value)), 0.0, value)


def weighted_log(weight: Tensor, p: Tensor) -> Tensor:
    """Return w log p, which is 0 where both are 0; the logarithm is never taken there."""
    return weight * log(where(logical_and(equal(weight, 0.0), equal(p, 0.0)), 1.0, p))


def weighted_log_of_rest(weight: Tensor, p: Tensor) -> Tensor:
    """Return w log(1 - p), which is 0 where w is 0 and p is 1."""
    certain = logical_and(equal(weight, 0.0), equal(p, 1.0))
    return weight * log1p(-where(certain, 0.0, p))
