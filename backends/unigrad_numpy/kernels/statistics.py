"""Reductions that leave NaNs out, and medians. ``axis`` is a tuple of ints, or ``None`` for all."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad_numpy.kernels.bfloat16 import through_float32
from unigrad_numpy.kernels.reductions import COARSE, Array, Axis, _length, _product, total

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


def _median_of(skips: bool) -> Any:
    """Return the median, of all elements or of those that are no NaN."""

    @through_float32
    def median(x: Array, axis: Axis, keepdims: bool) -> Array:
        axes = range(x.ndim) if axis is None else axis
        rest = [i for i in range(x.ndim) if i not in axes]
        rows = x.transpose([*rest, *axes]).reshape(*[x.shape[i] for i in rest], -1)
        # NaNs are sorted to the end.
        ordered = np.sort(rows, -1)
        size = rows.shape[-1]
        missing = np.isnan(ordered[..., -1])
        found = _middle(ordered[..., (size - 1) // 2], ordered[..., size // 2])
        if missing.any():
            if skips:
                count = np.count_nonzero(rows == rows, -1, keepdims=True)
                places = np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2
                found = _middle(*[np.take_along_axis(ordered, i, -1)[..., 0] for i in places])
                missing = count[..., 0] == 0
            found = np.where(missing, x.dtype.type(math.nan), found)
        if not keepdims:
            return found
        return found.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])

    return median


def _middle(a: Array, b: Array) -> Array:
    """Return the mean of two numbers, without overflow; half precision in float32."""
    if a.dtype in COARSE:
        return _middle(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
    half = a.dtype.type(0.5)
    found: Array = a * half + b * half
    return found


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
}
