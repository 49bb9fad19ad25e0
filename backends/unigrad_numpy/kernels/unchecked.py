"""Reading and writing by index in programs, where an index out of bounds is no error.

The kernel of the table runs first: it raises where an index is wrong, which is seldom. Then a read
gives NaN, or 0 for what is no float, and a write is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad_numpy.kernels import indexing
from unigrad_numpy.kernels.indexing import Array


def _outside(index: Array, length: int) -> Array:
    wrong: Array = (index >= length) | (index < -length)
    return wrong


def _behind(index: Array, length: int, wrong: Array) -> Array:
    """Return indices from the front; those that are out of bounds are behind the last entry."""
    return np.where(wrong, length, np.where(index < 0, index + length, index))


def _nothing(dtype: Any) -> Any:
    """Return what a read out of bounds gives."""
    return dtype.type(np.nan) if dtype.kind in "fcV" else dtype.type(0)


def _take(x: Array, index: Array, axis: int) -> Array:
    try:
        return x.take(index, axis)
    except IndexError:
        length = x.shape[axis]
        longer = _longer(x, axis, _nothing(x.dtype))
        return longer.take(_behind(index, length, _outside(index, length)), axis)


def _longer(x: Array, axis: int, value: Any) -> Array:
    """Return an array with one more entry along an axis, filled with a value."""
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    return np.concatenate([x, np.full(shape, value, x.dtype)], axis)


def _take_along_axis(x: Array, index: Array, axis: int) -> Array:
    length = x.shape[axis]
    wrong = _outside(index, length)
    if not wrong.any():
        return np.take_along_axis(x, index, axis)
    longer = _longer(x, axis, _nothing(x.dtype))
    return np.take_along_axis(longer, _behind(index, length, wrong), axis)


def _dropping(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Return a write into a given array that leaves out what is out of bounds."""

    def write(x: Array, v: Array, index: Array, axis: int) -> Array:
        length = x.shape[axis]
        wrong = _outside(index, length)
        if not wrong.any():
            return kernel(x, v, index, axis)
        # Behind the last entry there is one more, which is cut off again.
        written = kernel(_longer(x, axis, 0), v, _behind(index, length, wrong), axis)
        return written[(*[slice(None)] * axis, slice(length))]

    return write


def _adding(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Return a write into zeros that leaves out what is out of bounds."""

    def write(v: Array, index: Array, axis: int, length: int) -> Array:
        wrong = _outside(index, length)
        if not wrong.any():
            return kernel(v, index, axis, length)
        written = kernel(v, _behind(index, length, wrong), axis, length + 1)
        return written[(*[slice(None)] * axis, slice(length))]

    return write


def _last_of_each(index: Array, length: int) -> Array:
    wrong = _outside(index, length)
    if not wrong.any():
        return indexing.last_of_each(index, length)
    return indexing.last_of_each(_behind(index, length, wrong), length + 1) & ~wrong


def _ravel_index(*indices: Array, dims: tuple[int, ...]) -> Array:
    """What is out of bounds on an axis is so for the result."""
    wrong: Any = False
    for index, length in zip(indices, dims, strict=True):
        wrong = wrong | _outside(index, length)
    if not np.any(wrong):
        return indexing.ravel_index(*indices, dims=dims)
    safe = [np.where(_outside(one, n), 0, one) for one, n in zip(indices, dims, strict=True)]
    flat = 0 if 0 in dims else indexing.ravel_index(*safe, dims=dims)
    return np.where(wrong, int(np.prod(dims)), flat)


def _picked(x: Array, *indices: Array) -> Array:
    try:
        return x[indices]
    except IndexError:
        dims = x.shape[: len(indices)]
        flat = _ravel_index(*indices, dims=dims)
        return _take(x.reshape(int(np.prod(dims)), *x.shape[len(indices) :]), flat, 0)


TABLE: dict[str, Callable[..., Any]] = {
    "take": _take,
    "picked": _picked,
    "take_along_axis": _take_along_axis,
    **{
        name: _dropping(indexing.TABLE[name])
        for name in ("scatter_set", "at_add", "at_multiply", "scatter_min", "scatter_max")
    },
    **{name: _adding(indexing.TABLE[name]) for name in ("scatter_add", "add_along_axis")},
    "last_of_each": _last_of_each,
    "ravel_index": _ravel_index,
}
