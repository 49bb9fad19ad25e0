"""Medians and quantiles: what is greater than a given part of the elements.

The elements are sorted by `argsort`, so equal ones keep their order, and the derivative goes to the
one or two elements that a quantile lies between: ½ each for the median of an even number. A NaN
makes the quantile NaN, and the derivative goes to it; the functions whose names begin with ``nan``
leave NaNs out. Of no elements the quantile is NaN. Integers and bools are computed in the default
float, half precision between two elements in float32.

Errors, the same for all: `ShapeError` for a bad axis, `DTypeError` for complex numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    constant,
    to_floating,
    visible,
    weak_types,
)
from unigrad.core.axes import normalize_axes
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.op import composite
from unigrad.core.operands import in_dtype, operands
from unigrad.core.plans import planned
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.at_once import whole_reduction
from unigrad.ops.comparison import (
    equal,
    greater,
    isfinite,
    isinf,
    isnan,
    logical_and,
    logical_not,
    logical_or,
    where,
)
from unigrad.ops.identity import stop_gradient
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.reductions import (
    Axis,
    count_nonzero,
    reduced_shape,
    sum,
    undefined,
    widened,
)
from unigrad.ops.rounding import floor, remainder
from unigrad.ops.shaping import broadcast_to, moveaxis, permute_dims, ravel, reshape
from unigrad.ops.sorting import argsort

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

Method = Literal["linear", "lower", "higher", "nearest", "midpoint"]


@whole_reduction
def median(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the median over axes; the mean of the two in the middle where n is even.

    Example:
        >>> float(median([3.0, 1.0, 2.0])), float(median([1, 2, 5, 9]))
        (2.0, 3.5)
    """
    return _quantile("median", x, 0.5, axis, "linear", keepdims)


@whole_reduction
def nanmedian(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the median over axes of what is no NaN.

    Example:
        >>> float(nanmedian([3.0, float("nan"), 2.0]))
        2.5
    """
    return _quantile("nanmedian", x, 0.5, axis, "linear", keepdims, skips=True)


@operands("q")
def quantile(
    x: TensorLike,
    q: TensorLike,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Return the q-quantiles over axes; the axes of ``q`` come first in the result.

    With the sorted elements x₀ … xₙ₋₁ it is x at the place t = q (n - 1). Between two of them
    ``method`` says what to take: "linear" interpolation, the "lower" or the "higher" one, the
    "nearest" (of the even place in the middle), or their mean ("midpoint"). The derivative by ``q``
    is the slope of the interpolation, where two pieces meet the mean of their slopes, and zero for
    the other methods. A ``q`` outside of [0, 1] that nobody can look at gives NaN.

    Raises:
        SettingError: when a ``q`` is not in [0, 1], or for another ``method``.

    Example:
        >>> quantile([1.0, 2.0, 4.0], [0.25, 1.0]).tolist()
        [1.5, 4.0]

    Source: Hyndman & Fan, "Sample quantiles in statistical packages" (1996), definition 7.
    """
    return _quantile("quantile", x, q, axis, method, keepdims)


@operands("q")
def percentile(
    x: TensorLike,
    q: TensorLike,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Return the q-th percentiles over axes: the quantiles of q / 100. See `quantile`.

    Example:
        >>> float(percentile([1.0, 2.0, 4.0], 50))
        2.0
    """
    return _quantile("percentile", x, q, axis, method, keepdims, whole=100.0)


@operands("q")
def nanquantile(
    x: TensorLike,
    q: TensorLike,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Return the q-quantiles over axes of what is no NaN. See `quantile`.

    Example:
        >>> float(nanquantile([1.0, float("nan"), 3.0], 0.25))
        1.5
    """
    return _quantile("nanquantile", x, q, axis, method, keepdims, skips=True)


@operands("q")
def nanpercentile(
    x: TensorLike,
    q: TensorLike,
    /,
    *,
    axis: Axis = None,
    method: Method = "linear",
    keepdims: bool = False,
) -> Tensor:
    """Return the q-th percentiles over axes of what is no NaN. See `quantile`.

    Example:
        >>> float(nanpercentile([1.0, float("nan"), 3.0], 25))
        1.5
    """
    return _quantile("nanpercentile", x, q, axis, method, keepdims, whole=100.0, skips=True)


def _quantile(
    name: str,
    x: TensorLike,
    q: TensorLike,
    axis: Axis,
    method: str,
    keepdims: bool,
    whole: float = 1.0,
    skips: bool = False,
) -> Tensor:
    if (
        type(x) is Tensor
        and (type(q) is float or type(q) is int)
        and (axis is None or type(axis) is int)
        and 0.0 <= q <= whole
        and type(method) is str
        and x._native.dtype in x.backend.native_reals
        # A compiler would make a program for each number.
        and "quantile_at" in x.backend.root.kernels
    ):
        return _at_number(x, axis, float(q) / whole, method, bool(keepdims), skips)
    return _at_chances(name, x, q, axis, method, keepdims, whole, skips)


def _plan(
    shape: tuple[int, ...], axis: int | None, q: float, method: str, keepdims: bool, skips: bool
) -> Mapping[str, Any]:
    if method not in get_args(Method):
        raise SettingError(f"quantile: method is one of {get_args(Method)}, not {method!r}")
    axes = normalize_axes("quantile", axis, len(shape))
    count = math.prod(shape[i] for i in axes)
    low, weight = _places(np.float64(q * max(count - 1, 0)), method)
    settings = {"q": q, "method": method, "low": int(low), "weight": float(weight)}
    return {**settings, "axis": axes, "keepdims": keepdims, "skips": skips}


@composite
def _quantile_at(
    x: Tensor,
    *,
    q: float,
    method: str,
    low: int,
    weight: float,
    axis: tuple[int, ...],
    keepdims: bool,
    skips: bool,
) -> Tensor:
    """The quantile at a number; with all elements it is (1 - weight) x[low] + weight x[low + 1]."""
    return _at_chances("quantile", x, q, axis, method, keepdims, 1.0, skips)


_at_number = planned(_quantile_at, _plan)


def _at_chances(
    name: str,
    x: TensorLike,
    q: TensorLike,
    axis: Axis,
    method: str,
    keepdims: bool,
    whole: float,
    skips: bool,
) -> Tensor:
    if method not in get_args(Method):
        raise SettingError(f"{name}: method is one of {get_args(Method)}, not {method!r}")
    x = to_floating(as_tensor(x, q if type(q) is Tensor else None))
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({x.dtype.name})")
    axes = normalize_axes(name, axis, x.ndim)
    rest = reduced_shape(x.shape, axes, False)
    order = [i for i in range(x.ndim) if i not in axes]
    count = math.prod(x.shape[i] for i in axes)
    rows = reshape(permute_dims(x, [*order, *axes]), (*rest, count))
    chances, shape = _chances(name, q, x, whole)
    found = _of_rows(rows, chances, method, skips)
    kept = reduced_shape(x.shape, axes, bool(keepdims))
    if shape:
        found = moveaxis(found, -1, 0)
    dtype = x.dtype
    if type(q) is Tensor and q.dtype in dtypes.FLOATING:
        dtype = dtypes.result_dtype(dtype, q.dtype)
    return cast(reshape(found, (*shape, *kept)), dtype)


def _chances(name: str, q: TensorLike, x: Tensor, whole: float) -> tuple[Any, tuple[int, ...]]:
    """Return q / whole flattened, in float64, as an ndarray if nothing follows it, and q's shape.

    Raises:
        SettingError: when a number that can be looked at is not in [0, 1].
        DTypeError: when they are no real numbers.
    """
    given = None if isinstance(q, Tensor) else _plain(q)
    chances = given
    if chances is None:
        chances = q if type(q) in weak_types else as_tensor(q, x)
    if chances.dtype.kind == "c":
        raise DTypeError(f"{name}: expected real numbers, not {chances.dtype.name}")
    known = visible(chances) if isinstance(chances, Tensor) else chances
    if known is not None:
        exact = known.astype(np.float64) / whole
        if not ((exact >= 0) & (exact <= 1)).all():
            raise SettingError(f"{name}: q is in [0, {whole:g}], not {known.tolist()}")
    shape = tuple(chances.shape)
    if given is not None:
        return exact.reshape(-1), shape
    return ravel(in_dtype(chances, dtypes.float64)) / whole, shape


def _plain(q: TensorLike) -> Any:
    """Return numbers that nothing follows as an ndarray in float64; ``None`` for all else."""
    if isinstance(q, (list, tuple)):
        parts = [_plain(one) for one in q]
        return None if any(one is None for one in parts) else np.array(parts, np.float64)
    return np.asarray(q, np.float64) if type(q) in (int, float, bool) else None


def _of_rows(rows: Tensor, chances: Any, method: str, skips: bool) -> Tensor:
    """Return the quantiles of the last axis, along the last axis."""
    size = rows.shape[-1]
    shape = (*rows.shape[:-1], chances.shape[0])
    if size == 0:
        return broadcast_to(undefined(sum(widened(rows), axis=-1, keepdims=True)), shape)
    order = argsort(rows, axis=-1)
    count: Any = size
    if skips:
        count = count_nonzero(logical_not(isnan(rows)), axis=-1, keepdims=True)
    elif isinstance(chances, np.ndarray):
        low, part = _places(chances * (size - 1), method)
        pair = (constant(order, low, dtypes.int64), constant(order, np.minimum(low + 1, size - 1)))
        weight = constant(rows, part, widened(rows).dtype)
        return _or_nan(rows, order, _between(rows, order, *pair, weight))
    q = constant(rows, chances, dtypes.float64) if isinstance(chances, np.ndarray) else chances
    place = q * cast(maximum(count - 1, 0), dtypes.float64) if skips else q * (size - 1.0)
    # Only what lies inside is made an index.
    inside = logical_and(q >= 0.0, q <= 1.0)
    low, part = _traced_places(where(inside, stop_gradient(place), 0.0), method)
    last = maximum(count - 1, 0)
    low = minimum(low, last)
    weight = cast(part, widened(rows).dtype)
    found = _between(rows, order, low, minimum(low + 1, last), weight)
    if method == "linear" and not isinstance(chances, np.ndarray):
        found = found + _slope(rows, order, low, weight, last, cast(place, found.dtype))
    found = where(inside, found, math.nan)
    if skips:
        return where(equal(count, 0), math.nan, found)
    return _or_nan(rows, order, found)


def _places(place: Any, method: str) -> tuple[Any, Any]:
    """Return the index below a place, and the weight of the one above."""
    low = np.floor(place).astype(np.int64)
    part = place - low
    return low, {
        "linear": part,
        "lower": np.zeros_like(part),
        "higher": np.ceil(part),
        "midpoint": np.where(part > 0, 0.5, 0.0),
        "nearest": np.where((part > 0.5) | ((part == 0.5) & (low % 2 == 1)), 1.0, 0.0),
    }[method]


def _traced_places(place: Tensor, method: str) -> tuple[Tensor, Tensor]:
    """Return the same as `_places` of a tensor."""
    below = floor(place)
    part, low = place - below, cast(below, dtypes.int64)
    if method == "linear":
        return low, part
    if method == "nearest":
        odd = logical_and(equal(part, 0.5), equal(remainder(low, 2), 1))
        return low, where(logical_or(greater(part, 0.5), odd), 1.0, part * 0.0)
    above = {"lower": 0.0, "higher": 1.0, "midpoint": 0.5}[method]
    return low, where(greater(part, 0.0), above, part * 0.0)


def _at(rows: Tensor, order: Tensor, place: Tensor) -> Tensor:
    """Return the elements at places in the sorted rows."""
    index = reshape(place, (1,) * (order.ndim - place.ndim) + place.shape)
    return widened(take_along_axis(rows, take_along_axis(order, index), axis=-1))


def _between(rows: Tensor, order: Tensor, low: Tensor, high: Tensor, weight: Tensor) -> Tensor:
    """Return (1 - w) a + w b of the elements at two places; a where w is 0, if b is infinite too.

    Of products: a difference of large numbers would leave the range.
    """
    first, second = _at(rows, order, low), _at(rows, order, high)
    mixed = first * (1.0 - weight) + second * weight
    odd = logical_or(isinf(first), isinf(second))
    chosen = where(equal(weight, 0.0), first, where(equal(weight, 1.0), second, mixed))
    return where(odd, chosen, mixed)


def _or_nan(rows: Tensor, order: Tensor, found: Tensor) -> Tensor:
    """Return what was found, but the NaN where a row has one: they are sorted to the end."""
    last = _at(rows, order, constant(order, [rows.shape[-1] - 1]))
    return where(isnan(last), last, found)


def _slope(
    rows: Tensor, order: Tensor, low: Tensor, weight: Tensor, last: Any, place: Tensor
) -> Tensor:
    """Return 0 whose derivative by the place is the interpolation's.

    It is the slope of the piece that the place lies on, and of two that meet there their mean.
    """
    first, middle, second = (
        _at(rows, order, one) for one in (maximum(low - 1, 0), low, minimum(low + 1, last))
    )
    right, left = second - middle, middle - first
    meets = logical_and(greater(low, 0), equal(weight, 0.0))
    ends = equal(low, last)
    slope = where(meets, where(ends, left, (left + right) * 0.5), right)
    slope = where(isfinite(slope), slope, 0.0)
    return (place - stop_gradient(place)) * slope
