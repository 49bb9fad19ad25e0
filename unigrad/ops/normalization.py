"""Normalisation: rows of zero mean and unit variance, over the whole range of the dtype."""

from __future__ import annotations

from unigrad.core.arguments import cast
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum, square
from unigrad.ops.comparison import equal, where
from unigrad.ops.elementary import sqrt
from unigrad.ops.identity import stop_gradient
from unigrad.ops.reductions import _max, _mean, _min, widened
from unigrad.ops.statistics import in_range


def in_units(x: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows less their means in a unit, √(variance + ε) in it, and the inverse of the unit.

    The unit is that of the greatest deviation, or √ε where that is greater: no square leaves the
    dtype's range that counts beside another. As a constant it does not show in derivatives.
    """
    last = (x.ndim - 1,)
    # First a power of two, after which no sum overflows and which rounds nothing.
    scaled, back = in_range(x, last)
    centred = scaled - _mean(scaled, axis=last, keepdims=True)
    # Of equal elements it is 0, though their mean may be rounded.
    flat = equal(*[op(scaled, axis=last, keepdims=True) for op in (_min, _max)])
    centred = centred - where(flat, stop_gradient(centred), 0.0)
    least = (1.0 / back) * epsilon**0.5
    peak = _max(abs(stop_gradient(centred)), axis=last, keepdims=True)
    unit = maximum(peak, least)
    deviations = centred / unit
    variance = _mean(square(deviations), axis=last, keepdims=True)
    return deviations, sqrt(variance + square(least / unit)), 1.0 / (unit * back)


@composite
def _normalized(x: Tensor, *, epsilon: float) -> Tensor:
    """(x - mean) / √(variance + ε) over the last axis. Half precision is computed in float32."""
    if not x.shape[-1]:
        return x * 1.0
    deviations, root, _ = in_units(widened(x), epsilon)
    return cast(deviations / root, x.dtype)
