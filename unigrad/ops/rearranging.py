"""Turned and mirrored matrices, and tensors with elements taken out or put in.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.axes import normalize_axis
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.tensor import Tensor
from unigrad.ops.identity import identity
from unigrad.ops.indexing import take
from unigrad.ops.joining import concat
from unigrad.ops.shaping import as_integer, broadcast_to, flip, moveaxis, ravel, reshape, swapaxes
from unigrad.ops.updating import _as_value

__all__ = ["delete", "fliplr", "flipud", "insert", "rot90"]

#: An index, a slice, or known indices or a mask.
Places = Any


@whole.as_one_op()
def flipud(x: TensorLike, /) -> Tensor:
    """Return ``x`` with its rows (the first axis) in reverse order.

    Example:
        >>> flipud([[1, 2], [3, 4]]).tolist()
        [[3, 4], [1, 2]]
    """
    return _mirrored("flipud", x, 0)


@whole.as_one_op()
def fliplr(x: TensorLike, /) -> Tensor:
    """Return ``x`` with its columns (the second axis) in reverse order.

    Example:
        >>> fliplr([[1, 2], [3, 4]]).tolist()
        [[2, 1], [4, 3]]
    """
    return _mirrored("fliplr", x, 1)


def _mirrored(name: str, x: TensorLike, axis: int) -> Tensor:
    x = as_tensor(x)
    return flip(x, axis=normalize_axis(name, axis, x.ndim))


@whole.as_one_op()
def rot90(x: TensorLike, /, *, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """Return ``x`` turned by ``k`` right angles in the plane of two axes, from the first to the
    second.

    Raises:
        ShapeError: when ``axes`` are not two different axes.

    Example:
        >>> rot90([[1, 2], [3, 4]]).tolist()
        [[2, 4], [1, 3]]
    """
    x = as_tensor(x)
    if len(axes) != 2:
        raise ShapeError(f"rot90: a plane has two axes, not {tuple(axes)}")
    first, second = (normalize_axis("rot90", one, x.ndim) for one in axes)
    if first == second:
        raise ShapeError(f"rot90: the axes {tuple(axes)} are one")
    turns = as_integer("rot90", k) % 4
    if turns == 2:
        return flip(x, axis=(first, second))
    if turns == 1:
        return swapaxes(flip(x, axis=second), first, second)
    return flip(swapaxes(x, first, second), axis=second) if turns else identity(x)


def _known(name: str, places: Places) -> Any:
    """Return places as NumPy takes them: an int, a slice, or an ndarray of integers or bools."""
    if isinstance(places, slice):
        return places
    refuse_mask(places)
    found = places.numpy() if isinstance(places, Tensor) else np.asarray(places)
    if found.size == 0 and not isinstance(places, (Tensor, np.ndarray)):
        found = found.astype(np.int64)
    if found.dtype.kind not in "iub":
        raise DTypeError(f"{name}: places are integers or bools, not {found.dtype.name}")
    if found.ndim > 1:
        raise ShapeError(f"{name}: places of shape {found.shape} have more than one axis")
    return found


@whole.as_one_op("native_dtypes", looks=True)
def delete(x: TensorLike, places: Places, /, *, axis: int | None = None) -> Tensor:
    """Return ``x`` without the slices at some places along an axis; ``None`` flattens it first.

    ``places`` is an index, a slice, or indices or a mask whose values are known.

    Raises:
        OutOfBoundsError: when there is no such place, or a mask has another length.
        DTypeError: when places are no integers.
        TracingError: when they are traced.

    Example:
        >>> delete([1, 2, 3, 4], [0, -1]).tolist()
        [2, 3]
    """
    x = as_tensor(x)
    x, along = (ravel(x), 0) if axis is None else (x, normalize_axis("delete", axis, x.ndim))
    length = x.shape[along]
    try:
        kept = np.delete(np.arange(length), _known("delete", places))
    except (IndexError, ValueError) as error:
        raise OutOfBoundsError(f"delete: {places!r} of length {length}: {error}") from error
    return take(x, kept, axis=along)


@whole.as_one_op("native_dtypes", looks=True)
def insert(
    x: TensorLike, places: Places, values: TensorLike, /, *, axis: int | None = None
) -> Tensor:
    """Return ``x`` with values put in before some places; ``None`` flattens it first.

    ``places`` is an index, a slice or indices of ``x`` (its length stands for the end), whose
    values are known. Before one index there is room for any number of values; otherwise values
    broadcast to one slice per place.

    Raises:
        OutOfBoundsError: when there is no such place.
        DTypeError: when places are no integers, or values do not fit the dtype.
        TracingError: when places are traced.

    Example:
        >>> insert([1, 2, 3], 1, [8, 9]).tolist()
        [1, 8, 9, 2, 3]
        >>> insert([[1, 2], [3, 4]], [0, 2], 7, axis=1).tolist()
        [[7, 1, 2, 7], [7, 3, 4, 7]]
    """
    x = as_tensor(x, values if type(values) is Tensor else None)
    new = _as_value("at_set", x, values)
    x, along = (ravel(x), 0) if axis is None else (x, normalize_axis("insert", axis, x.ndim))
    length = x.shape[along]
    where = _known("insert", places)
    if isinstance(where, slice):
        where = np.arange(*where.indices(length))
    elif where.dtype == np.bool_:
        where = np.flatnonzero(where)
    if where.size and (where.min() < -length or where.max() > length):
        raise OutOfBoundsError(f"insert: {places!r} for length {length}")
    count = where.size
    if count == 1:
        new = reshape(new, (1,) * (x.ndim - new.ndim) + new.shape)
        if where.ndim == 0:
            # One index takes its axis away: the values' first one stands for it.
            new = moveaxis(new, 0, along)
        count = new.shape[along] if new.ndim == x.ndim else 1
        where = np.full(count, where.item())
    shape = (*x.shape[:along], count, *x.shape[along + 1 :])
    try:
        fits = np.broadcast_shapes(new.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"insert: values of shape {new.shape} do not broadcast to {shape}")
    order = np.insert(np.arange(length), where, length + np.arange(count))
    return take(concat([x, broadcast_to(new, shape)], axis=along), order, axis=along)
