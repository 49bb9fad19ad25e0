"""Reading and writing by index in programs: what is out of bounds reads as NaN or 0, and writes
nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict as xp

from unigrad_array_api_strict import indexing


def _places(index: Any, length: int) -> list[int | None]:
    """Return indices, flat, counted from the front; None for those that are out of bounds."""
    flat = xp.reshape(index, (-1,))
    numbers = [int(flat[i]) for i in range(flat.shape[0])]
    return [one % length if -length <= one < length else None for one in numbers]


def _inside(index: Any, length: int) -> tuple[Any, Any]:
    """Return which indices are in bounds, and the indices with 0 for the others."""
    n = xp.asarray(length, dtype=xp.int64, device=index.device)
    index = xp.astype(index, xp.int64)
    good = (index < n) & (index >= -n)
    return good, xp.where(good, index, xp.zeros_like(index))


def _read(x: Any, index: Any, axis: int, kernel: Callable[..., Any], whole: bool) -> Any:
    length = x.shape[axis]
    good, safe = _inside(index, length)
    number = xp.isdtype(x.dtype, ("real floating", "complex floating"))
    nothing = xp.asarray(float("nan") if number else 0, dtype=xp.float64)
    nothing = xp.astype(nothing, x.dtype).to_device(x.device)
    if not length:
        rest = () if whole else x.shape[axis + 1 :]
        shape = index.shape if whole else (*x.shape[:axis], *index.shape, *rest)
        return xp.broadcast_to(nothing, shape)
    if not whole:
        good = xp.reshape(good, (*good.shape, *[1] * (x.ndim - axis - 1)))
    return xp.where(good, kernel(x, safe, axis=axis), nothing)


def _write(write: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, v: Any, index: Any, *, axis: int) -> Any:
        return write(x, v, index, _places(index, x.shape[axis]), axis)

    return run


def _scatter_add(v: Any, index: Any, *, axis: int, length: int) -> Any:
    places = _places(index, length)
    return indexing.adding(indexing.lines(v, index, axis), places, axis, length)


def _add_along_axis(v: Any, index: Any, *, axis: int, length: int) -> Any:
    good, safe = _inside(index, length)
    if not length:
        return indexing.add_along_axis(v[(*[slice(None)] * axis, slice(0, 0), ...)],
                                       index[(*[slice(None)] * axis, slice(0, 0), ...)],
                                       axis=axis, length=length)  # fmt: skip
    return indexing.add_along_axis(
        xp.where(good, v, xp.zeros_like(v)), safe, axis=axis, length=length
    )


def _ravel_index(*indices: Any, dims: tuple[int, ...]) -> Any:
    together = xp.broadcast_arrays(*indices)
    places = [_places(index, length) for index, length in zip(together, dims, strict=True)]
    return indexing.ravelled(places, dims, together[0])


TABLE: dict[str, Callable[..., Any]] = {
    "add_along_axis": _add_along_axis,
    "last_of_each": lambda index, length: indexing.last(_places(index, length), index),
    "ravel_index": _ravel_index,
    "scatter_add": _scatter_add,
    "take": lambda x, index, axis: _read(x, index, axis, indexing.take, whole=False),
    "take_along_axis": lambda x, index, axis: _read(
        x, index, axis, indexing.take_along_axis, whole=True
    ),
    **{name: _write(write) for name, write in indexing.WRITES.items()},
}
