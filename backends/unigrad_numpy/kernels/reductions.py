"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

import math
from collections.abc import Callable
from operator import methodcaller
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Axis = tuple[int, ...] | None

#: reduce(x, axis, dtype, out, keepdims)
_add: Callable[..., Array] = np.add.reduce
_multiply: Callable[..., Array] = np.multiply.reduce
_or: Callable[..., Array] = np.logical_or.reduce
_and: Callable[..., Array] = np.logical_and.reduce
_maximum: Callable[..., Array] = np.maximum.reduce
_minimum: Callable[..., Array] = np.minimum.reduce
#: Dtypes too coarse to add many numbers in: they are added in float32 and rounded once.
COARSE = {np.dtype(np.float16): True, np.dtype(ml_dtypes.bfloat16): True}


def total(x: Array, axis: Axis, keepdims: bool) -> Array:
    """Add up, in no coarser dtype than float32."""
    if x.dtype in COARSE:
        return _add(x, axis, np.float32, None, keepdims).astype(x.dtype)
    return _add(x, axis, None, None, keepdims)


def _product(x: Array, axis: Axis, keepdims: bool) -> Array:
    if x.dtype in COARSE:
        return _multiply(x, axis, np.float32, None, keepdims).astype(x.dtype)
    return _multiply(x, axis, None, None, keepdims)


def _size(x: Array, axis: Axis) -> int:
    return x.size if axis is None else math.prod([x.shape[i] for i in axis])


def mean(x: Array, axis: Axis, keepdims: bool) -> Array:
    """Average, in no coarser dtype than float32."""
    # The mean of nothing is NaN, without the warning that 0 / 0 would give.
    size = _size(x, axis) or math.nan
    if x.dtype in COARSE:
        return (_add(x, axis, np.float32, None, keepdims) / np.float32(size)).astype(x.dtype)
    return _add(x, axis, None, None, keepdims) / size


def _var(x: Array, axis: Axis, correction: float, keepdims: bool) -> Array:
    if x.dtype in COARSE:
        return _var(x.astype(np.float32), axis, correction, keepdims).astype(x.dtype)
    deviation = x - mean(x, axis, True)
    squares = total(deviation * deviation, axis, keepdims)
    count = _size(x, axis) - correction
    if count > 0 or count != count:
        return squares / count
    with np.errstate(divide="ignore", invalid="ignore"):
        return squares / 0.0


#: Between these the sum of squares has lost nothing that counts, by dtype.
SAFE = {np.dtype(np.float32): (2.0**-80, 2.0**120), np.dtype(np.float64): (2.0**-800, 2.0**1000)}


def _length(x: Array, axis: Axis, keepdims: bool) -> Array:
    """Return √Σ x², scaled by a power of two where a sum of squares leaves the dtype's range."""
    with np.errstate(over="ignore", under="ignore"):
        squares = total(x * x, axis, keepdims)
    if are_between(squares, *SAFE[x.dtype]):
        return np.sqrt(squares)
    if not x.size:
        return squares
    peak = _maximum(np.abs(x), axis, None, None, True)
    # Infinities and NaN stay what they are, zeros too.
    exponent = np.frexp(np.where(np.isfinite(peak), peak, 0))[1]
    scaled = np.ldexp(x, -exponent)
    found = np.sqrt(total(scaled * scaled, axis, True))
    found = np.ldexp(found, exponent)
    return found if keepdims else np.squeeze(found, axis)


def are_between(x: Array, low: float, high: float) -> bool:
    """Tell whether there are elements, and all lie between two numbers."""
    if x.size == 1:
        return bool(low < x.item() < high)
    return bool(x.size and low < x.min().item() and x.max().item() < high)


def _std(x: Array, axis: Axis, correction: float, keepdims: bool) -> Array:
    if x.dtype in COARSE:
        return _std(x.astype(np.float32), axis, correction, keepdims).astype(x.dtype)
    count = _size(x, axis) - correction
    if not x.size or not count > 0:
        return np.sqrt(_var(x, axis, correction, keepdims))
    with np.errstate(over="ignore", invalid="ignore"):
        middle = mean(x, axis, True)
        scale = x.dtype.type(math.sqrt(count))
        root = _length(x - middle, axis, True) / scale
        if np.isinf(root).any():
            # Of the largest numbers the length is beyond the range where the root is not.
            root = np.where(np.isinf(root), _length((x - middle) / scale, axis, True), root)
        if not _exceeds(root, np.abs(middle)):
            # Of equal elements it is 0; the mean, and so the root, may be rounded.
            equal = _minimum(x, axis, None, None, True) == _maximum(x, axis, None, None, True)
            root = np.where(equal, x.dtype.type(0), root)
    found: Array = root if keepdims else np.squeeze(root, axis)
    return found


def _exceeds(root: Array, mean: Array) -> bool:
    """Tell whether all roots are beyond what the rounding of means can make."""
    rounding = 64.0 * float(np.finfo(root.dtype).eps)
    if root.size == 1:
        return bool(root.item() > rounding * mean.item())
    return bool((root > rounding * mean).all())


def _norm(x: Array, ord: float, axis: Axis, keepdims: bool) -> Array:
    if x.dtype in COARSE:
        return _norm(x.astype(np.float32), ord, axis, keepdims).astype(x.dtype)
    if ord == 2:
        return _length(x, axis, keepdims)
    if ord == 1:
        return total(np.abs(x), axis, keepdims)
    return _maximum(np.abs(x), axis, None, None, keepdims)


def _ptp(x: Array, axis: Axis, keepdims: bool) -> Array:
    return _maximum(x, axis, None, None, keepdims) - _minimum(x, axis, None, None, keepdims)


def _trace(x: Array, offset: int) -> Array:
    """Add a diagonal up: integers in 64 bits."""
    entries = x.diagonal(offset, -2, -1)
    if x.dtype.kind in "bui":
        return _add(entries, -1, np.uint64 if x.dtype.kind == "u" else np.int64, None, False)
    return total(entries, (-1,), False)


def _diff(x: Array, axis: int, n: int) -> Array:
    """Differences of neighbours, of bools whether they differ."""
    before = (slice(None),) * axis
    first, last = (*before, slice(1, None)), (*before, slice(None, -1))
    subtract = np.not_equal if x.dtype.kind == "b" else np.subtract
    for _ in range(n):
        x = subtract(x[first], x[last])
    return x


def _cumulative_logsumexp(x: Array, axis: int) -> Array:
    if x.dtype in COARSE:
        return _cumulative_logsumexp(x.astype(np.float32), axis).astype(x.dtype)
    return np.logaddexp.accumulate(x, axis)


def _cumulative_sum(x: Array, axis: int, reverse: bool) -> Array:
    if x.dtype in COARSE:
        return _cumulative_sum(x.astype(np.float32), axis, reverse).astype(x.dtype)
    if reverse:
        return np.flip(np.cumsum(np.flip(x, axis), axis, x.dtype), axis)
    return x.cumsum(axis, x.dtype)


def _cumulative_prod(x: Array, axis: int) -> Array:
    if x.dtype in COARSE:
        return x.astype(np.float32).cumprod(axis).astype(x.dtype)
    return x.cumprod(axis, x.dtype)


TABLE = {
    "sum": total,
    "mean": mean,
    "prod": _product,
    "max": lambda x, axis, keepdims: _maximum(x, axis, None, None, keepdims),
    "min": lambda x, axis, keepdims: _minimum(x, axis, None, None, keepdims),
    "any": lambda x, axis, keepdims: _or(x, axis, None, None, keepdims),
    "all": lambda x, axis, keepdims: _and(x, axis, None, None, keepdims),
    "argmax": lambda x, axis: x.argmax(axis),
    "argmin": lambda x, axis: x.argmin(axis),
    "count_nonzero": lambda x, axis, keepdims: np.count_nonzero(x, axis, keepdims=keepdims),
    "var": _var,
    "std": _std,
    "norm": _norm,
    "cumulative_max": lambda x, axis: np.maximum.accumulate(x, axis),
    "cumulative_min": lambda x, axis: np.minimum.accumulate(x, axis),
    "cumulative_logsumexp": _cumulative_logsumexp,
    "cumulative_sum": _cumulative_sum,
    "diff": _diff,
    "ptp": _ptp,
    "trace": _trace,
    "cumulative_prod": _cumulative_prod,
}


def _bind(reduce: Callable[..., Array]) -> Callable[..., Any]:
    """Return a binder of a reduction by a ufunc."""
    return lambda axis, keepdims: lambda x: reduce(x, axis, None, None, keepdims)


BINDERS: dict[Any, Any] = {
    TABLE["max"]: _bind(_maximum),
    TABLE["min"]: _bind(_minimum),
    TABLE["any"]: _bind(_or),
    TABLE["all"]: _bind(_and),
    TABLE["argmax"]: lambda axis: methodcaller("argmax", axis),
    TABLE["argmin"]: lambda axis: methodcaller("argmin", axis),
}
