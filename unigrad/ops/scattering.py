"""Writing elements by arrays of indices: one per place along an axis, or of several axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.axes import normalize_axis
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import OutOfBoundsError
from unigrad.core.op import composite, together
from unigrad.core.plans import BySetting
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import add
from unigrad.ops.comparison import greater_equal, less, logical_and, where
from unigrad.ops.indexing import along, as_index, nd_key
from unigrad.ops.keys import within
from unigrad.ops.shaping import broadcast_to, permute_dims, reshape
from unigrad.ops.updating import _as_value, _at_add, _fit, _new_one, _scatter_set, _write

__all__ = ["put_along_axis", "scatter", "scatter_add", "scatter_update"]


@whole.as_one_op("native_dtypes", looks=True)
def put_along_axis(
    x: TensorLike, indices: TensorLike, values: TensorLike, /, *, axis: int = -1
) -> Tensor:
    """Return ``x`` with one element per place along an axis replaced; see `take_along_axis`.

    Example:
        >>> put_along_axis([[1, 2], [3, 4]], [[1], [0]], 0).tolist()
        [[1, 0], [0, 4]]
    """
    found = _put_at_once(x, indices, values, axis)
    if found is not None:
        return found
    x = as_tensor(x, values if type(values) is Tensor else None)
    place = normalize_axis("put_along_axis", axis, x.ndim)
    given = as_index("put_along_axis", indices, x, place)
    _, index = along("put_along_axis", x, given, place)
    fits = (*index.shape[:place], x.shape[place], *index.shape[place + 1 :]) == x.shape
    if fits and x.size and index.size:
        new = _fit("put_along_axis", _as_value("at_set", x, values), index.shape)
        x, new, index = together(_put_along, x, new, index)
        natives = (x._native, new._native, index._native)
        try:
            out: Tensor = dispatch(_put_along, x.backend, (x, new, index), natives, {"axis": place})
        except OutOfBoundsError:
            # The long way says which index it was.
            pass
        else:
            return out
    grid: list[Any] = list(np.indices(index.shape, sparse=True))
    grid[place] = index
    key = tuple(grid)
    return _write("at_set", x, key, values, _new_one, _scatter_set, "put_along_axis", given)


def _put_at_once(x: Any, indices: Any, values: Any, axis: Any) -> Tensor | None:
    """Replace real numbers if all three tensors have one shape, and nothing is to be said."""
    if not (type(x) is type(indices) is type(values) is Tensor and type(axis) is int):
        return None
    backend, natives = x.backend, (x._native, values._native, indices._native)
    shape, dtype = backend.shape_key(natives[0]), natives[0].dtype
    if (
        values.backend is not backend
        or indices.backend is not backend
        or dtype is not natives[1].dtype
        or dtype not in backend.native_reals
        or natives[2].dtype not in backend.native_indices
        or not backend.shape_key(natives[1]) == shape == backend.shape_key(natives[2])
        or not -len(shape) <= axis < len(shape)
        or 0 in shape
        or not (backend.checks_bounds or within(indices, shape[axis]))
    ):
        return None
    try:
        out: Tensor = dispatch(_putting[axis % len(shape)], backend, (x, values, indices), natives)
    except OutOfBoundsError:
        return None
    return out


@composite
def _put_along(x: Tensor, v: Tensor, index: Tensor, *, axis: int) -> Tensor:
    """Replace one element per place along an axis; the last one of each place wins.

    All elements are written as one row. What lies outside of its axis lies behind that one.
    """
    last = axis == x.ndim - 1
    order = [*range(axis), *range(axis + 1, x.ndim), axis]
    if not last:
        x, v, index = [permute_dims(one, order) for one in (x, v, index)]
    length, index = x.shape[-1], cast(index, dtypes.int64)
    starts = np.arange(0, x.size, max(length, 1)).reshape(*x.shape[:-1], 1)
    wrapped = where(less(index, 0), index + length, index)
    inside = logical_and(greater_equal(wrapped, 0), less(wrapped, length))
    places = where(inside, wrapped + constant(index, starts), x.size)
    flat = [reshape(one, (-1,)) for one in (x, v, places)]
    out: Tensor = reshape(_scatter_set(*flat, axis=0), x.shape)
    return out if last else permute_dims(out, tuple(int(i) for i in np.argsort(order)))


_putting = BySetting("put_along", "axis")


def scatter(indices: TensorLike, values: TensorLike, /, shape: tuple[int, ...]) -> Tensor:
    """Return zeros of a shape with values added at indices; see `gather_nd`.

    Example:
        >>> scatter([[0], [2], [0]], [1.0, 2.0, 3.0], (3,)).tolist()
        [4.0, 0.0, 2.0]
    """
    values = as_tensor(values)
    nothing = constant(values, 0)
    return scatter_add(broadcast_to(nothing, shape), indices, values)


def scatter_add(x: TensorLike, indices: TensorLike, values: TensorLike, /) -> Tensor:
    """Return ``x`` with values added at indices whose last axis runs over the axes of ``x``.

    Example:
        >>> scatter_add([1, 2], [[0], [0]], [1, 1]).tolist()
        [3, 2]
    """
    x = as_tensor(x)
    key, given = nd_key("scatter_add", x, indices)
    return _write("at_add", x, key, values, add, _at_add, "scatter_add", given)


def scatter_update(x: TensorLike, indices: TensorLike, values: TensorLike, /) -> Tensor:
    """Return ``x`` with elements replaced at indices whose last axis runs over the axes of ``x``.

    Example:
        >>> scatter_update([1, 2], [[1]], [7]).tolist()
        [1, 7]
    """
    x = as_tensor(x)
    key, given = nd_key("scatter_update", x, indices)
    return _write("at_set", x, key, values, _new_one, _scatter_set, "scatter_update", given)
