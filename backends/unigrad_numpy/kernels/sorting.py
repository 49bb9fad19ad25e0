"""Sorting and searching. Always stable; NaN counts as greatest."""

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.autodiff.bridge import body_of
from unigrad_numpy.kernels.bfloat16 import through_float32

Array = npt.NDArray[Any]


def _sort(x: Array, axis: int, descending: bool) -> Array:
    if not descending:
        return np.sort(x, axis, kind="stable")
    # Reversed twice, so that equal elements keep their order.
    return np.flip(np.sort(np.flip(x, axis), axis, kind="stable"), axis)


def _argsort(x: Array, axis: int, descending: bool) -> Array:
    if not descending:
        found: Array = x.argsort(axis, kind="stable")
        return found
    reversed_order = np.argsort(np.flip(x, axis), axis, kind="stable")
    order: Array = x.shape[axis] - 1 - np.flip(reversed_order, axis)
    return order


def _beginnings(ascending: Array) -> Array:
    """Tell where a new value begins."""
    begins = np.empty(len(ascending), bool)
    begins[:1] = True
    np.not_equal(ascending[1:], ascending[:-1], out=begins[1:])
    return begins


def _unique_all(x: Array) -> list[Array]:
    """Values, first places, inverse and counts: as `numpy.unique`, in half of its time."""
    flat = x.reshape(-1)
    order = flat.argsort(kind="stable")
    ascending = flat[order]
    begins = _beginnings(ascending)
    (starts,) = begins.nonzero()
    inverse = np.empty(len(flat), np.int64)
    inverse[order] = begins.cumsum() - 1
    counts = np.empty(len(starts), np.int64)
    counts[:-1] = starts[1:] - starts[:-1]
    counts[-1:] = len(flat) - starts[-1:]
    return [ascending[starts], order[starts], inverse.reshape(x.shape), counts]


def _unique_values(x: Array) -> Array:
    """The values of `_unique_all`."""
    ascending = np.sort(x.reshape(-1), kind="stable")
    found: Array = ascending[_beginnings(ascending)]
    return found


def _lexsort(*keys: Array, layout: Any = None, axis: int = -1) -> Array:
    """NumPy's, which is stable. Without a layout the keys stand in one array."""
    found: Array = np.lexsort(keys[0] if layout is None else keys, axis)
    return found


_composed_bincount = body_of("numpy", "bincount")


def _bincount(x: Array, *weights: Array, **settings: Any) -> Array:
    """NumPy's of what it takes; what is wrong the body says."""
    if not weights and not settings:
        try:
            return np.bincount(x)
        except (TypeError, ValueError):
            pass
    found: Array = _composed_bincount(x, *weights, **settings)
    return found


TABLE = {
    "unique_counts": lambda x: _unique_all(x)[::3],
    "unique_inverse": lambda x: _unique_all(x)[::2],
    "unique_values": _unique_values,
    "unique_all": through_float32(_unique_all),
    "bincount": _bincount,
    "lexsort": through_float32(_lexsort),
    "sort": through_float32(_sort),
    "argsort": through_float32(_argsort),
    "searchsorted": through_float32(
        lambda x1, x2, right: x1.searchsorted(x2, "right" if right else "left")
    ),
}
