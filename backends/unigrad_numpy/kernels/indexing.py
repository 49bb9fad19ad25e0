"""Reading and writing by index.

Specs and starts are those of `unigrad.ops.keys`. A write makes a new array.
"""

from functools import lru_cache
from math import prod
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Spec: TypeAlias = tuple[Any, ...]

_WHOLE = slice(None)
#: Of up to so many elements it counts how a call is made.
_SMALL = 2**12


@lru_cache(4096)
def native_key(spec: Spec, starts: tuple[int, ...]) -> tuple[Any, ...]:
    """Return a basic key as NumPy writes it."""
    rest = iter(starts)
    key: list[Any] = []
    for one in spec:
        if one == "all":
            key.append(_WHOLE)
        elif one == "int":
            key.append(next(rest))
        elif one is None:
            key.append(None)
        else:
            count, step = one
            start = next(rest)
            stop = start + count * step
            key.append(slice(start, None if stop < 0 else stop, step))
    return tuple(key)


def getitem(x: Array, *starts: int, spec: Spec) -> Array:
    """Basic indexing: a view."""
    view: Array = x[native_key(spec, starts)]
    return view


def place_slice(v: Array, *starts: int, spec: Spec, shape: tuple[int, ...]) -> Array:
    """Zeros of a shape, with ``v`` where `getitem` reads."""
    out = np.zeros(shape, v.dtype)
    out[native_key(spec, starts)] = v
    return out


def slice_update(x: Array, v: Array, *starts: int, spec: Spec) -> Array:
    """``x`` with ``v`` where `getitem` reads."""
    out = x.copy()
    out[native_key(spec, starts)] = v
    return out


def _at_axis(index: Array, axis: int) -> Any:
    """Return the key of indices along an axis."""
    return (*[_WHOLE] * axis, index)


def _wrapped(index: Array, length: int) -> Array:
    """Indices counted from the front, checked."""
    if not index.size:
        return index
    low, high = index.min(), index.max()
    if high >= length or low < -length:
        bad = high if high >= length else low
        raise IndexError(f"index {bad} is out of bounds for an axis of length {length}")
    return index if low >= 0 else np.where(index < 0, index + length, index)


def scatter_add(v: Array, index: Array, axis: int, length: int) -> Array:
    """Zeros, with the slices of ``v`` added at indices along an axis.

    ``add.at`` has a fast path for one axis only, so every element gets its own index in the
    flattened result: five times faster than adding rows.
    """
    before, after = v.shape[:axis], v.shape[axis + index.ndim :]
    flat = _wrapped(index, length).reshape(-1)
    places = _places(prod(before), flat.reshape(1, -1, 1), length, prod(after))
    out = np.zeros(prod(before) * length * prod(after), v.dtype)
    np.add.at(out, places.reshape(-1), v.reshape(-1))
    return out.reshape((*before, length, *after))


def _places(before: int, middle: Array, length: int, after: int) -> Array:
    """Flat indices of (line, index along the axis, column)."""
    lines = np.arange(before).reshape(-1, 1, 1) * length
    places: Array = (lines + middle) * after + np.arange(after)
    return places


def _at(ufunc: np.ufunc) -> Any:
    """A write that combines old and new by a ufunc, index by index."""

    def write(x: Array, v: Array, index: Array, axis: int) -> Array:
        out = x.copy()
        ufunc.at(out, _at_axis(index, axis), v)
        return out

    return write


def scatter_set(x: Array, v: Array, index: Array, axis: int) -> Array:
    """A copy with slices replaced; NumPy writes in index order, so the last one wins."""
    out = x.copy()
    out[_at_axis(index, axis)] = v
    return out


def last_of_each(index: Array, length: int) -> Array:
    """True where no later index is the same."""
    flat = index.reshape(-1)
    last = np.empty(length, np.int64)
    order = np.arange(flat.size)
    last[flat] = order
    won: Array = last[flat] == order
    return won.reshape(index.shape)


def add_along_axis(v: Array, index: Array, axis: int, length: int) -> Array:
    """Zeros, with every element of ``v`` added at its index along an axis."""
    before, after = v.shape[:axis], v.shape[axis + 1 :]
    lines, columns = prod(before), prod(after)
    middle = _wrapped(index, length).reshape(lines, index.shape[axis], columns)
    out = np.zeros(lines * length * columns, v.dtype)
    np.add.at(out, _places(lines, middle, length, columns).reshape(-1), v.reshape(-1))
    return out.reshape((*before, length, *after))


def ravel_index(*indices: Array, dims: tuple[int, ...]) -> Array:
    """Indices along several axes as one, negative ones counted from the end."""
    try:
        return np.asarray(np.ravel_multi_index(indices, dims))
    except ValueError:
        pass
    flat: Any = 0
    for index, length in zip(indices, dims, strict=True):
        flat = flat * length + _wrapped(index, length)
    result: Array = flat
    return result


@lru_cache(256)
def _grids(shape: tuple[int, ...], axis: int) -> tuple[list[Array], list[Array]]:
    """Return the indices of the axes before one and behind it, which broadcast to a shape."""
    grids = np.indices(shape, sparse=True)
    return [*grids[:axis]], [*grids[axis + 1 :]]


def _take_along_axis(x: Array, index: Array, axis: int) -> Array:
    """NumPy's, which makes its grids anew at each call: half of the time of small arrays."""
    if x.size > _SMALL:
        return np.take_along_axis(x, index, axis)
    before, behind = _grids(x.shape, axis)
    found: Array = x[(*before, index, *behind)]
    return found


def _take(x: Array, index: Array, axis: int) -> Array:
    """Slices at indices along an axis. Of an empty array NumPy does not look at the bounds."""
    if not x.size:
        _wrapped(index, x.shape[axis])
    found: Array = x.take(index, axis)
    return found


TABLE = {
    "getitem": getitem,
    "place_slice": place_slice,
    "slice_update": slice_update,
    "masked": lambda x, mask: x[mask],
    "picked": lambda x, *indices: x[indices],
    "take": _take,
    "scatter_add": scatter_add,
    "scatter_set": scatter_set,
    "at_multiply": _at(np.multiply),
    "scatter_min": _at(np.minimum),
    "scatter_max": _at(np.maximum),
    "at_add": _at(np.add),
    "last_of_each": last_of_each,
    "take_along_axis": _take_along_axis,
    "add_along_axis": add_along_axis,
    "ravel_index": ravel_index,
    "nonzero": lambda x: np.nonzero(x),
}


def _bind_getitem(*starts: int, spec: Spec) -> Any:
    """Return `getitem` of one key."""
    key = native_key(spec, starts)
    # A key of one entry is faster without its tuple.
    return itemgetter(key[0] if len(key) == 1 else key)


BINDERS: dict[Any, Any] = {
    getitem: _bind_getitem,
    _take: lambda axis: lambda x, index: _take(x, index, axis),
}
