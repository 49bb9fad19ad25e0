"""Reductions of segments: of the rows that have one id.

``segment_ids`` has the first axes of ``x``, which the segments take the place of: the result has
the shape (num_segments, …). Ids need not be sorted. Without ``num_segments`` there are as many as
the greatest id asks for, which a traced function cannot know. An id outside of [0, num_segments) is
out of bounds, a negative one too; where nobody can look at ids its row is dropped.

Errors, the same for all: `DTypeError` for ids that are no integers, `ShapeError` when they do not
fit, `OutOfBoundsError` when one is seen to be out of bounds, `TracingError` without
``num_segments`` inside a traced function.
"""

from __future__ import annotations

import math
from math import prod
from typing import Any

import numpy as np

from unigrad.core import dtypes, whole
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    constant,
    to_floating,
)
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import OPS, together
from unigrad.core.operands import in_dtype, operands, single
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum
from unigrad.ops.comparison import equal, where
from unigrad.ops.counting import first_rows, length_of, within
from unigrad.ops.elementary import exp
from unigrad.ops.filling import ones_like
from unigrad.ops.identity import stop_gradient
from unigrad.ops.indexing import take
from unigrad.ops.parts import part_dtype
from unigrad.ops.reductions import accumulated, widened
from unigrad.ops.shaping import as_integer, broadcast_to, ravel, reshape
from unigrad.ops.statistics import power_of, root_unless
from unigrad.ops.updating import _at_multiply, _scatter_max, _scatter_min

__all__ = [
    "segment_max", "segment_mean", "segment_min", "segment_prod",
    "segment_softmax", "segment_std", "segment_sum",
]  # fmt: skip


@whole.as_one_op("native_dtypes", looks=True)
def segment_sum(
    x: TensorLike, segment_ids: TensorLike, /, num_segments: int | None = None
) -> Tensor:
    """Return the sum of each segment, 0 of an empty one, in the dtype of ``x``.

    Half precision is added up in float32, bools in int64.

    Example:
        >>> segment_sum([1.0, 2.0, 4.0], [0, 2, 0], 3).tolist()
        [5.0, 0.0, 2.0]
    """
    x, ids, full, count = _segments("segment_sum", x, segment_ids, num_segments)
    x = accumulated("segment_sum", x, None) if x.dtype == dtypes.bool_ else x
    return first_rows(cast(_added(widened(x), ids, full), x.dtype), count)


@whole.as_one_op(looks=True)
def segment_mean(
    x: TensorLike, segment_ids: TensorLike, /, num_segments: int | None = None
) -> Tensor:
    """Return the mean of each segment, 0 of an empty one. Integers in the default float.

    Example:
        >>> segment_mean([1.0, 2.0, 4.0], [0, 2, 0], 3).tolist()
        [2.5, 0.0, 2.0]
    """
    x, ids, full, count = _segments(
        "segment_mean", to_floating(as_tensor(x)), segment_ids, num_segments
    )
    return first_rows(cast(_mean(widened(x), ids, full)[0], x.dtype), count)


@whole.as_one_op("native_dtypes", looks=True)
def segment_prod(
    x: TensorLike, segment_ids: TensorLike, /, num_segments: int | None = None
) -> Tensor:
    """Return the product of each segment, 1 of an empty one, in the dtype of ``x``.

    The derivative by one factor is the product of the others, exact also where factors are zero.

    Example:
        >>> segment_prod([3.0, 2.0, 4.0], [0, 2, 0], 3).tolist()
        [12.0, 1.0, 2.0]
    """
    x, ids, full, count = _segments("segment_prod", x, segment_ids, num_segments)
    x = accumulated("segment_prod", x, None) if x.dtype == dtypes.bool_ else x
    wide = widened(x)
    found: Tensor = _at_multiply(_filled(wide, full, 1), wide, ids, axis=0)
    return first_rows(cast(found, x.dtype), count)


@whole.as_one_op("native_dtypes", looks=True)
def segment_max(
    x: TensorLike, segment_ids: TensorLike, /, num_segments: int | None = None
) -> Tensor:
    """Return the greatest of each segment, NaN when there is one.

    Of an empty segment it is -∞, of integers their least one. The gradient goes to the greatest
    elements in equal parts.

    Raises:
        DTypeError: for complex numbers and bools.

    Example:
        >>> segment_max([1.0, 2.0, 4.0], [0, 2, 0], 3).tolist()
        [4.0, -inf, 2.0]
    """
    return _extremum("segment_max", _scatter_max, x, segment_ids, num_segments)


@whole.as_one_op("native_dtypes", looks=True)
def segment_min(
    x: TensorLike, segment_ids: TensorLike, /, num_segments: int | None = None
) -> Tensor:
    """Return the least of each segment, NaN when there is one; see `segment_max`.

    Of an empty segment it is ∞, of integers their greatest one.

    Example:
        >>> segment_min([1.0, 2.0, 4.0], [0, 2, 0], 3).tolist()
        [1.0, inf, 2.0]
    """
    return _extremum("segment_min", _scatter_min, x, segment_ids, num_segments)


def segment_softmax(
    x: TensorLike, segment_ids: TensorLike, /, num_segments: int | None = None
) -> Tensor:
    """Return exp(x) / Σ exp(x) of each element's segment, without overflow, in the shape of ``x``.

    Integers in the default float, half precision in float32. The result is NaN where all of a
    segment are -∞, its greatest element is ∞, or the id is out of bounds.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> segment_softmax([0.0, 7.0, 0.0], [0, 1, 0]).tolist()
        [0.5, 1.0, 0.5]
    """
    name = "segment_softmax"
    given = to_floating(as_tensor(x))
    if given.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({given.dtype.name})")
    x, ids, full, count = _segments(name, given, segment_ids, num_segments)
    wide = widened(x)
    peak: Tensor = _scatter_max(_filled(wide, full, -math.inf), stop_gradient(wide), ids, axis=0)
    power = exp(wide - take(peak, ids, axis=0))
    part = power / take(_added(power, ids, full), ids, axis=0)
    if full > count:
        beyond = reshape(equal(ids, count), (-1, *[1] * (x.ndim - 1)))
        part = where(beyond, math.nan, part)
    return reshape(cast(part, x.dtype), given.shape)


@operands("correction")
def segment_std(
    x: TensorLike,
    segment_ids: TensorLike,
    /,
    num_segments: int | None = None,
    *,
    correction: TensorLike = 0.0,
) -> Tensor:
    """Return the standard deviation √(Σ (x - mean)² / (n - correction)) of each segment.

    Of an empty segment it is 0, otherwise NaN where n - correction is not positive. Of equal
    elements it has derivative 0. Integers in the default float, half precision in float32.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> segment_std([1.0, 2.0, 3.0], [0, 2, 0], 3).tolist()
        [1.0, 0.0, 0.0]
    """
    name = "segment_std"
    given = to_floating(as_tensor(x))
    if given.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers ({given.dtype.name}) are not taken")
    x, ids, full, count = _segments(name, given, segment_ids, num_segments)
    wide = widened(x)
    mean, size = _mean(wide, ids, full)
    deviation = wide - take(mean, ids, axis=0)
    none = _filled(wide, full, 0)
    peak: Tensor = _scatter_max(none, stop_gradient(abs(deviation)), ids, axis=0)
    scale = power_of(peak)
    scaled = deviation * take(scale, ids, axis=0)
    number: Any = single(name, correction)
    free = size - (in_dtype(number, wide.dtype) if isinstance(number, Tensor) else number)
    total = _added(scaled * scaled, ids, full)
    variance = where(free > 0, total / where(free > 0, free, 1), math.nan)
    # Whether all are equal is asked of the elements: their mean may be rounded.
    ends = [
        op(_filled(wide, full, worst), stop_gradient(wide), ids, axis=0)
        for op, worst in ((_scatter_max, -math.inf), (_scatter_min, math.inf))
    ]
    zero = equal(size, 0) | (equal(*ends) & (free > 0))
    return first_rows(cast(root_unless(zero, variance) / scale, x.dtype), count)


def _extremum(
    name: str, op: Any, x: TensorLike, segment_ids: TensorLike, num_segments: int | None
) -> Tensor:
    given = as_tensor(x)
    if given.dtype == dtypes.bool_ or given.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: not for {given.dtype.name}; cast it with ug.astype")
    x, ids, full, count = _segments(name, given, segment_ids, num_segments)
    worst: Any = -math.inf if op is _scatter_max else math.inf
    if x.dtype in dtypes.INTEGER:
        limits = np.iinfo(x.dtype)
        worst = limits.min if op is _scatter_max else limits.max
    found: Tensor = op(_filled(x, full, worst), x, ids, axis=0)
    return first_rows(found, count)


def _segments(
    name: str, x: TensorLike, segment_ids: TensorLike, num_segments: int | None
) -> tuple[Tensor, Tensor, int, int]:
    """Return rows, one id per row, and how many segments there are with and without `within`'s."""
    x = as_tensor(x, segment_ids if type(segment_ids) is Tensor else None)
    if isinstance(segment_ids, (list, tuple)) and not segment_ids:
        segment_ids = np.zeros(0, np.int64)
    ids = as_tensor(segment_ids, x)
    x, ids = together(OPS["take"], x, ids)
    if ids.dtype not in dtypes.INTEGER:
        raise DTypeError(f"{name}: segment ids are integers, not {ids.dtype.name}")
    if ids.ndim == 0 or ids.shape != x.shape[: ids.ndim]:
        raise ShapeError(f"{name}: ids of shape {ids.shape} for elements of shape {x.shape}")
    if num_segments is None:
        count = length_of(name, ids, "num_segments")
    else:
        count = as_integer(name, num_segments)
    if count < 0:
        raise ShapeError(f"{name}: {count} segments")
    if ids.ndim > 1:
        x = reshape(x, (prod(ids.shape), *x.shape[ids.ndim :]))
    return x, *within(name, ravel(ids), count), count


def _added(x: Tensor, ids: Tensor, count: int) -> Tensor:
    """Return the sums of segments."""
    out: Tensor = OPS["scatter_add"](x, ids, axis=0, length=count)
    return out


def _mean(x: Tensor, ids: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the means of segments, 0 of empty ones, and how many rows each has."""
    size = cast(_added(ones_like(cast(ids, dtypes.int64)), ids, count), part_dtype(x.dtype))
    size = reshape(size, (count, *[1] * (x.ndim - 1)))
    return _added(x, ids, count) / maximum(size, 1), size


def _filled(x: Tensor, count: int, value: Any) -> Tensor:
    """Return what empty segments have."""
    return broadcast_to(constant(x, value), (count, *x.shape[1:]))
