"""Sparsemax: probabilities of which some are exactly 0."""

from __future__ import annotations

import numpy as np

from unigrad.core.arguments import TensorLike, cast, constant
from unigrad.core.axes import normalize_axis
from unigrad.core.elementwise import real_floating
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.cumulative import cumulative_sum
from unigrad.ops.identity import identity, stop_gradient
from unigrad.ops.reductions import max as greatest
from unigrad.ops.reductions import sum as total
from unigrad.ops.reductions import widened
from unigrad.ops.shaping import as_integer, moveaxis
from unigrad.ops.sorting import sort

__all__ = ["sparsemax"]


@composite
def _sparsemax(x: Tensor) -> Tensor:
    """Over the last axis."""
    if 0 in x.shape:
        return identity(x)
    wide = widened(x)
    wide = wide - stop_gradient(greatest(wide, axis=-1, keepdims=True))
    falling = sort(stop_gradient(wide), axis=-1, descending=True)
    ranks = constant(wide, np.arange(1.0, wide.shape[-1] + 1.0))
    # The k greatest are the support, k the last for which 1 + k xₖ exceeds their sum.
    counted = falling * ranks + 1.0 > cumulative_sum(falling, axis=-1)
    last = total(cast(counted, wide.dtype), axis=-1, keepdims=True)
    sums = total(where(counted, falling, 0.0), axis=-1, keepdims=True)
    support = stop_gradient(wide) > (sums - 1.0) / last
    # Once more of the elements themselves, for the derivative.
    count = total(cast(support, wide.dtype), axis=-1, keepdims=True)
    tau = (total(where(support, wide, 0.0), axis=-1, keepdims=True) - 1.0) / count
    return cast(where(support, wide - tau, 0.0), x.dtype)


def sparsemax(x: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return the probabilities nearest to x: max(x - τ, 0), with the τ for which they add up to 1.

    Half precision is computed in float32. An element that just falls to 0 has derivative 0. Of rows
    with a NaN or +∞ the result is NaN.

    Source: Martins & Astudillo, "From softmax to sparsemax" (2016).

    Raises:
        ShapeError: for a bad axis.
        DTypeError: for complex numbers.

    Example:
        >>> sparsemax([1.0, 0.5, -1.0]).tolist()
        [0.75, 0.25, 0.0]
    """
    x = real_floating("sparsemax", x)
    place = normalize_axis("sparsemax", as_integer("sparsemax", axis), x.ndim)
    return moveaxis(_sparsemax(moveaxis(x, place, -1)), -1, place)
