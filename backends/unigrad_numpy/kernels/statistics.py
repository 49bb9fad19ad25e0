"""Reductions that leave NaNs out, and medians. ``axis`` is a tuple of ints, or ``None`` for all."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from unigrad.autodiff.bridge import body_of
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
        deviation, scale = _deviation(x, axis), np.sqrt(count)
        root = _divided(_length(deviation, axis, True), scale)
        if np.isinf(root).any():
            # See `std`.
            smaller = _length(_divided(deviation, scale), axis, True)
            root = np.where(np.isinf(root), smaller, root)
    # Of equal elements it is 0; their mean may be rounded, or be NaN.
    equal = _fmin(x, axis, None, None, True) == _fmax(x, axis, None, None, True)
    root = np.where(equal, x.dtype.type(0), root)
    return root if keepdims else root.reshape(_fmax(x, axis, None, None, False).shape)


@through_float32
def _sorted_quantile(
    x: Array, low: int, weight: float, axis: Axis, keepdims: bool, formula: Any
) -> Array:
    """Return (1 - w) a + w b of the elements at two places in order; ``formula`` if one is NaN."""
    axes = range(x.ndim) if axis is None else axis
    rest = [i for i in range(x.ndim) if i not in axes]
    size = _size(x, axis)
    rows = x.transpose([*rest, *axes]).reshape(*[x.shape[i] for i in rest], size)
    # NaNs are sorted to the end.
    ordered = np.sort(rows, -1)
    if not size or np.isnan(ordered[..., -1]).any():
        composed: Array = formula(x, axis=axis, keepdims=keepdims)
        return composed
    found = _between(ordered[..., low], ordered[..., min(low + 1, size - 1)], weight)
    if not keepdims:
        return found
    return found.reshape([1 if i in axes else n for i, n in enumerate(x.shape)])


def _quantile(
    x: Array, low: int, weight: float, axis: Axis, keepdims: bool, **settings: Any
) -> Array:
    formula = partial(_composed_quantile, low=low, weight=weight, **settings)
    found: Array = _sorted_quantile(
        x, low=low, weight=weight, axis=axis, keepdims=keepdims, formula=formula
    )
    return found


_composed_quantile = body_of("numpy", "quantile_at")


def _median_of(name: str) -> Callable[..., Array]:
    """Return the median, of all elements or of those that are no NaN."""
    formula = body_of("numpy", name)

    def median(x: Array, axis: Axis, keepdims: bool) -> Array:
        size = _size(x, axis)
        low, weight = (size - 1) // 2, 0.0 if size % 2 else 0.5
        found: Array = _sorted_quantile(
            x, low=low, weight=weight, axis=axis, keepdims=keepdims, formula=formula
        )
        return found

    return median


def _between(a: Array, b: Array, weight: float) -> Array:
    """Return (1 - w) a + w b; a where w is 0, if b is infinite too. Half precision in float32."""
    if weight in (0.0, 1.0):
        return np.array(b if weight else a)
    if a.dtype in COARSE:
        return _between(a.astype(np.float32), b.astype(np.float32), weight).astype(a.dtype)
    second = a.dtype.type(weight)
    found: Array = a * (a.dtype.type(1.0) - second) + b * second
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
    "median": _median_of("median"),
    "nanmedian": _median_of("nanmedian"),
    "quantile_at": _quantile,
}
