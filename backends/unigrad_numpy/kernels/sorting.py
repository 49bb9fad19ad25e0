"""Sorting and searching. Always stable; NaN counts as greatest."""

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad_numpy.kernels.bfloat16 import through_float32

Array = npt.NDArray[Any]


def _sort(x: Array, axis: int, descending: bool) -> Array:
    if not descending:
        return np.sort(x, axis, kind="stable")
    # Reversed twice, so that equal elements keep their order.
    return np.flip(np.sort(np.flip(x, axis), axis, kind="stable"), axis)


def _argsort(x: Array, axis: int, descending: bool) -> Array:
    if not descending:
        return np.argsort(x, axis, kind="stable")
    reversed_order = np.argsort(np.flip(x, axis), axis, kind="stable")
    order: Array = x.shape[axis] - 1 - np.flip(reversed_order, axis)
    return order


def _unique_all(x: Array) -> list[Array]:
    """Values, first places, inverse and counts."""
    return [*np.unique(x, True, True, True, equal_nan=False)]


TABLE = {
    "unique_all": through_float32(_unique_all),
    "sort": through_float32(_sort),
    "argsort": through_float32(_argsort),
    "searchsorted": through_float32(
        lambda x1, x2, right: x1.searchsorted(x2, "right" if right else "left")
    ),
}
