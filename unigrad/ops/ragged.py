"""Ragged rows: rows of different lengths, one after the other in one tensor.

Row i is values[row_splits[i] : row_splits[i + 1]]; ``row_splits`` begins with 0 and never descends.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, visible
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import OPS, together
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.counting import length_of
from unigrad.ops.cumulative import cumulative_sum, diff
from unigrad.ops.indexing import as_index, pick, take
from unigrad.ops.joining import concat
from unigrad.ops.shaping import as_integer, reshape
from unigrad.ops.sorting import searchsorted

__all__ = ["ragged_gather"]


def ragged_gather(
    values: TensorLike,
    row_splits: TensorLike,
    indices: TensorLike,
    /,
    *,
    length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the ragged rows at some indices: their values one after the other, and their splits.

    The splits are int64. The number of values depends on which rows are taken; a traced function
    cannot know it, and names a ``length`` that is enough: what is behind the last row is NaN (0
    among integers).

    Raises:
        OutOfBoundsError: when there is no row of an index.
        TracingError: inside a traced function without a ``length``.
        ShapeError: when ``row_splits`` or ``indices`` do not have one axis, or ``values`` none.
        SettingError: when the splits are seen to be none, or the length not to be enough.
        DTypeError: when splits or indices are no integers.

    Example:
        >>> values, splits = ragged_gather([1.0, 2.0, 3.0], [0, 2, 2, 3], [2, 0, 1])
        >>> values.tolist(), splits.tolist()
        ([3.0, 1.0, 2.0], [0, 1, 3, 3])
    """
    name = "ragged_gather"
    values = as_tensor(values, row_splits if type(row_splits) is Tensor else None)
    splits = as_tensor(row_splits, values)
    values, splits = together(OPS["take"], values, splits)
    if splits.dtype not in dtypes.INTEGER:
        raise DTypeError(f"{name}: splits are integers, not {splits.dtype.name}")
    if values.ndim == 0 or splits.ndim != 1 or splits.shape[0] == 0:
        raise ShapeError(f"{name}: splits of shape {splits.shape} for values of {values.shape}")
    splits = cast(splits, dtypes.int64)
    known = visible(splits)
    size = values.shape[0]
    if known is not None and known.ndim == 1 and not _splits(known, size):
        raise SettingError(f"{name}: {known.tolist()} do not split {size} values")
    lengths, starts = diff(splits), splits[:-1]
    index = as_index(name, indices, lengths, 0)
    if index.ndim != 1:
        raise ShapeError(f"{name}: indices of shape {index.shape} do not have one axis")
    ends = cumulative_sum(pick(name, lengths, index, 0))
    first = constant(ends, [0], dtypes.int64)
    bounds = concat([first, ends])
    total = visible(bounds)
    if length is None:
        count = length_of(name, bounds, "length") - 1
    else:
        count = as_integer(name, length)
        if count < 0 or (total is not None and total[..., -1].max(initial=0) > count):
            raise SettingError(f"{name}: a length of {count} is not enough")
    if index.shape[0] == 0:
        return take(values, constant(index, [], dtypes.int64), axis=0), bounds
    place = constant(index, range(count), dtypes.int64)
    # The first row that ends behind a place holds it.
    row = searchsorted(ends, place, side="right")
    last = index.shape[0] - 1
    inside = row <= last
    row = where(inside, row, last)
    source = take(take(starts, index, axis=0), row, axis=0) + place - take(bounds, row, axis=0)
    if total is not None and total[..., -1].min(initial=count) == count:
        return take(values, source, axis=0), bounds
    return _padded(values, source, inside), bounds


def _padded(values: Tensor, source: Tensor, inside: Tensor) -> Tensor:
    """Return values at their sources, and what is behind the last row as reads out of bounds."""
    missing = {"f": float("nan"), "V": float("nan"), "c": complex("nan")}
    picked = take(values, where(inside, source, 0), axis=0)
    shown = reshape(inside, (-1, *[1] * (values.ndim - 1)))
    return where(shown, picked, constant(values, missing.get(values.dtype.kind, 0)))


def _splits(bounds: npt.NDArray[Any], size: int) -> bool:
    """Tell whether numbers are the bounds of rows."""
    ascends = bool((bounds[1:] >= bounds[:-1]).all())
    return ascends and int(bounds[0]) == 0 and int(bounds[-1]) == size
