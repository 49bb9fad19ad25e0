"""Powers of two that bring matrices into range, and back: they round nothing.

As constants they do not show in derivatives.
"""

from __future__ import annotations

import numpy as np

from unigrad.core.arguments import cast, constant, visible
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import where
from unigrad.ops.identity import stop_gradient
from unigrad.ops.limits import clip
from unigrad.ops.linalg.matrices import real_dtype
from unigrad.ops.mantissas import _frexp, _times_power
from unigrad.ops.reductions import max

#: Of ordinary matrices the largest element lies between 2^±30: there is nothing to be done.
_ORDINARY = 30


def exponents(x: Tensor) -> Tensor:
    """Return the least e with |xᵢⱼ| < 2ᵉ, (…, 1, 1) in int32; 0 of zeros, and of NaN or ∞."""
    peak = max(absolute(stop_gradient(x)), axis=(-2, -1), keepdims=True)
    found: Tensor = _frexp(peak)[1]
    return found


def extremes(x: Tensor) -> Tensor:
    """Return even exponents of very large and very small matrices, and 0 of others."""
    found = exponents(x)
    return where(absolute(found) > _ORDINARY, found // 2 * 2, 0)


def times_power(x: Tensor, exponent: Tensor) -> Tensor:
    """Return x 2ᵏ, which overflows and vanishes only if the product does."""
    known = visible(exponent)
    if known is not None and not known.any():
        return x
    real = real_dtype(x)
    # In two steps, each of which has a power that is a number.
    least = 2 * int(np.finfo(real).minexp)
    near = clip(exponent, least, -least)
    half = near // 2
    for step in (half, near - half):
        x = x * cast(_times_power(constant(x, 1.0, real), step), x.dtype)
    return x
