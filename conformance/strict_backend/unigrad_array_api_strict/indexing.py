"""Reading and writing by index. The standard writes to one place at a time; so do these.

Specs and starts are those of `unigrad.ops.keys`. A write makes a new array.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import array_api_strict as xp

Spec = tuple[Any, ...]
#: Puts an old and a new value together.
Combine = Callable[[Any, Any], Any]


def _key(spec: Spec, starts: tuple[int, ...]) -> tuple[Any, ...]:
    """Return a basic key as the standard writes it."""
    rest = iter(starts)
    key: list[Any] = []
    for one in spec:
        if one == "all":
            key.append(slice(None))
        elif one == "int":
            key.append(int(next(rest)))
        elif one is None:
            key.append(None)
        else:
            key.append(_slice(int(next(rest)), *one))
    return (*key, ...)


def _slice(start: int, count: int, step: int) -> slice:
    """Return a slice whose ends are those of its elements: beyond, nothing is specified."""
    if not count:
        return slice(0, 0, 1)
    last = start + (count - 1) * step
    stop = last + 1 if step > 0 else last - 1
    return slice(start, None if stop < 0 else stop, step)


def getitem(x: Any, *starts: int, spec: Spec) -> Any:
    """Basic indexing."""
    return x[_key(spec, starts)]


def place_slice(v: Any, *starts: int, spec: Spec, shape: tuple[int, ...]) -> Any:
    """Zeros of a shape, with ``v`` where `getitem` reads."""
    return slice_update(xp.zeros(shape, dtype=v.dtype, device=v.device), v, *starts, spec=spec)


def slice_update(x: Any, v: Any, *starts: int, spec: Spec) -> Any:
    """``x`` with ``v`` where `getitem` reads."""
    out = xp.asarray(x, copy=True)
    # A new axis is only for reading.
    axes = [one for one in spec if one != "int"]
    kept = tuple([0 if one is None else slice(None) for one in axes])
    out[_key(tuple([one for one in spec if one is not None]), starts)] = v[(*kept, ...)]
    return out


def wrapped(index: Any, length: int) -> list[int]:
    """Return indices, flat, counted from the front, and checked."""
    flat = xp.reshape(index, (-1,))
    numbers = [int(flat[i]) for i in range(flat.shape[0])]
    for one in numbers:
        if not -length <= one < length:
            raise IndexError(f"index {one} is out of bounds for an axis of length {length}")
    return [one % length for one in numbers]


def take(x: Any, index: Any, *, axis: int) -> Any:
    """The standard's, which knows flat indices alone."""
    found = xp.take(x, xp.reshape(index, (-1,)), axis=axis)
    return xp.reshape(found, (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def take_along_axis(x: Any, index: Any, *, axis: int) -> Any:
    """The standard's."""
    return xp.take_along_axis(x, index, axis=axis)


def _write(out: Any, v: Any, places: list[int | None], axis: int, combine: Combine) -> Any:
    """Combine slices with those of ``out`` one after the other; None is written nowhere."""
    before = (slice(None),) * axis
    for k, place in enumerate(places):
        if place is not None:
            at = (*before, place, ...)
            out[at] = combine(out[at], v[(*before, k, ...)])
    return out


def lines(v: Any, index: Any, axis: int) -> Any:
    """Return updates with the axes of their index made one."""
    after = v.shape[axis + index.ndim :]
    return xp.reshape(v, (*v.shape[:axis], prod(index.shape), *after))


def adding(v: Any, places: list[int | None], axis: int, length: int) -> Any:
    """Zeros, with slices of ``v`` added at places along an axis."""
    shape = (*v.shape[:axis], length, *v.shape[axis + 1 :])
    return _write(xp.zeros(shape, dtype=v.dtype, device=v.device), v, places, axis, xp.add)


def scatter_add(v: Any, index: Any, *, axis: int, length: int) -> Any:
    """Zeros, with the slices of ``v`` added at indices along an axis."""
    return adding(lines(v, index, axis), [*wrapped(index, length)], axis, length)


def combining(combine: Combine) -> Callable[..., Any]:
    """Return a write at places along an axis that puts old and new together."""

    def write(x: Any, v: Any, index: Any, places: list[int | None], axis: int) -> Any:
        shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
        rows = lines(xp.broadcast_to(v, shape), index, axis)
        return _write(xp.asarray(x, copy=True), rows, places, axis, combine)

    return write


#: Writes into an array, by op.
WRITES = {
    "scatter_set": combining(lambda old, new: new),
    "scatter_min": combining(xp.minimum),
    "scatter_max": combining(xp.maximum),
}


def _checked(write: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, v: Any, index: Any, *, axis: int) -> Any:
        return write(x, v, index, wrapped(index, x.shape[axis]), axis)

    return run


def add_along_axis(v: Any, index: Any, *, axis: int, length: int) -> Any:
    """Zeros, with every element of ``v`` added at its index along an axis."""
    wrapped(index, length)
    shape = [1] * v.ndim
    shape[axis] = length
    counted = xp.arange(length, dtype=index.dtype, device=index.device)
    places = xp.reshape(counted, tuple(shape))
    total = xp.asarray(length, dtype=index.dtype, device=index.device)
    index = xp.where(index < xp.zeros_like(index), index + total, index)
    out = xp.zeros((*v.shape[:axis], length, *v.shape[axis + 1 :]), dtype=v.dtype, device=v.device)
    before = (slice(None),) * axis
    for k in range(v.shape[axis]):
        row = (*before, slice(k, k + 1), ...)
        out = xp.where(index[row] == places, out + v[row], out)
    return out


def last(places: list[int | None], like: Any) -> Any:
    """True where no later place is the same; False at None."""
    seen: set[int | None] = {None}
    won = []
    for place in reversed(places):
        won.append(place not in seen)
        seen.add(place)
    return xp.reshape(xp.asarray(won[::-1], dtype=xp.bool, device=like.device), like.shape)


def ravelled(places: list[list[int | None]], dims: tuple[int, ...], like: Any) -> Any:
    """Places along several axes as one; None is behind the last."""
    flat = []
    for position in zip(*places, strict=True):
        number: int | None = 0
        for place, length in zip(position, dims, strict=True):
            number = None if number is None or place is None else number * length + place
        flat.append(prod(dims) if number is None else number)
    return xp.reshape(xp.asarray(flat, dtype=xp.int64, device=like.device), like.shape)


def _ravel_index(*indices: Any, dims: tuple[int, ...]) -> Any:
    together = xp.broadcast_arrays(*indices)
    places: list[list[int | None]] = [
        [*wrapped(index, length)] for index, length in zip(together, dims, strict=True)
    ]
    return ravelled(places, dims, together[0])


TABLE: dict[str, Callable[..., Any]] = {
    "add_along_axis": add_along_axis,
    "getitem": getitem,
    "last_of_each": lambda index, length: last([*wrapped(index, length)], index),
    "nonzero": lambda x: xp.nonzero(x),
    "place_slice": place_slice,
    "ravel_index": _ravel_index,
    "scatter_add": scatter_add,
    "slice_update": slice_update,
    "take": take,
    "take_along_axis": take_along_axis,
    **{name: _checked(write) for name, write in WRITES.items()},
}
