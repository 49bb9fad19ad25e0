"""Reductions that leave NaNs out, and medians. ``axis`` is a tuple of ints, or ``None`` for all."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from unigrad.ops.quantiles import place_of
from unigrad_numpy.kernels.bfloat16 import through_float32
from unigrad_numpy.kernels.reductions import COARSE, Array, Axis, _length, _product, _size, total

_fmax: Callable[..., Array] = np.fmax.reduce
_fmin: Callable[..., Array] = np.fmin.reduce


def _in_single(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Return a kernel that computes half precision in float32 and rounds once."""

    def run(x: Array, **settings: Any) -> Array:
        if x.dtype in COARSE:
            return kernel(x.astype(np.float32), **settings).astype(x.dtype)
        found: Array = kernel(x, **settings)
        return found

    return run


def _replaced(x: Array, value: int) -> Array:
    """Return x with a number in place of NaNs."""
    return np.where(np.isnan(x), x.dtype.type(value), x)


def _count(x: Array, axis: Axis, keepdims: bool) -> Array:
    """Return how many elements are no NaN; x is x unless it is one."""
    found: Array = np.asarray(np.count_nonzero(x == x, axis, keepdims=keepdims))
    return found


def _divided(x: Array, count: Any) -> Array:
    """Return x / count, NaN where the count is not positive."""
    counts = np.asarray(count, x.dtype)
    if counts.size != 1 or counts.item() <= 0:
        counts = np.where(counts > 0, counts, x.dtype.type(math.nan))
    found: Array = x / counts
    return found


@_in_single
def _mean(x: Array, axis: Axis, keepdims: bool) -> Array:
    return _divided(total(_replaced(x, 0), axis, keepdims), _count(x, axis, keepdims))


def _deviation(x: Array, axis: Axis) -> Array:
    """Return what elements differ from their mean, 0 for a NaN."""
    return np.where(np.isnan(x), x.dtype.type(0), x - _mean(x, axis=axis, keepdims=True))


@_in_single
def _var(x: Array, axis: Axis, keepdims: bool) -> Array:
    deviation = _deviation(x, axis)
    return _divided(total(deviation * deviation, axis, keepdims), _count(x, axis, keepdims))


@_in_single
def _std(x: Array, axis: Axis, keepdims: bool) -> Array:
    count = _count(x, axis, True)
    with np.errstate(over="ignore", invalid="ignore"):
        length = _length(_deviation(x, axis), axis, True)
        root = _divided(length, np.sqrt(count))
    # Of equal elements it is 0; their mean may be rounded.
    equal = _fmin(x, axis, None, None, True) == _fmax(x, axis, None, None, True)
    root = np.where(equal & (root == root), x.dtype.type(0), root)
    return root if keepdims else root.reshape(_fmax(x, axis, None, None, False).shape)


@through_float32
def _quantile(x: Array, q: float, axis: Axis, method: str, keepdims: bool, skips: bool) -> Array:
    axes = range(x.ndim) if axis is None else axis
    rest = [i for i in range(x.ndim) if i not in axes]
    size = _size(x, axis)
    rows = x.transpose([*rest, *axes]).reshape(*[x.shape[i] for i in rest], size)
    # NaNs are sorted to the end.
    ordered = np.sort(rows, -1)
    if not size:
        found = np.full(rows.shape[:-1], math.nan, x.dtype)
    elif not np.isnan(ordered[..., -1]).any():
        low, part = place_of(q * (size - 1), method)
        found = _between(ordered[..., low], ordered[..., min(low + 1, size - 1)], part)
    else:
        found = _of_rows_with_nan(ordered, q, method, skips)
    if not keepdims:
        return found
    return found.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])


def _between(a: Array, b: Array, weight: float) -> Array:
    """Return (1 - w) a + w b; a where w is 0, if b is infinite too. Half precision in float32."""
    if weight in (0.0, 1.0):
        return np.array(b if weight else a)
    if a.dtype in COARSE:
        return _between(a.astype(np.float32), b.astype(np.float32), weight).astype(a.dtype)
    second = a.dtype.type(weight)
    found: Array = a * (a.dtype.type(1.0) - second) + b * second
    return found


def _of_rows_with_nan(ordered: Array, q: float, method: str, skips: bool) -> Array:
    """Return the quantiles of sorted rows: of one with NaNs it is NaN, or that of the rest."""
    found = np.full(ordered.shape[:-1], math.nan, ordered.dtype)
    size = ordered.shape[-1]
    counts = np.count_nonzero(ordered == ordered, -1)
    for count in np.unique(counts).tolist():
        if count == size or (skips and count):
            low, part = place_of(q * (count - 1), method)
            these = ordered[counts == count]
            found[counts == count] = _between(
                these[..., low], these[..., min(low + 1, count - 1)], part
            )
    return found


def _median_of(skips: bool) -> Callable[..., Array]:
    """Return the median, of all elements or of those that are no NaN."""
    return partial(_quantile, q=0.5, method="linear", skips=skips)


TABLE = {
    "nansum": lambda x, axis, keepdims: total(_replaced(x, 0), axis, keepdims),
    "nanprod": lambda x, axis, keepdims: _product(_replaced(x, 1), axis, keepdims),
    "nanmean": _mean,
    "nanvar": _var,
    "nanstd": _std,
    # Of NaNs alone these are NaN.
    "nanmax": lambda x, axis, keepdims: _fmax(x, axis, None, None, keepdims),
    "nanmin": lambda x, axis, keepdims: _fmin(x, axis, None, None, keepdims),
    "median": _median_of(skips=False),
    "nanmedian": _median_of(skips=True),
    "quantile_at": _quantile,
}
