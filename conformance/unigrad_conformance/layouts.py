"""Memory layouts: the same values, kept in memory in another order than the usual one.

Arrays come from outside with their axes swapped, with gaps, backwards, one value standing for
many, in the middle of others, read-only or in the other byte order. Within a library its own
views make some of these; they are made here by the front end's ops, so that any backend can be
asked, and one without views just has nothing special to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

import unigrad as ug
from unigrad_conformance.sample import Array

_BEFORE = 3


def unchanged(array: Array) -> Array:
    """Return the array."""
    return array


@dataclass(frozen=True)
class Layout:
    """A way to keep an array in memory."""

    name: str
    #: Gives an ndarray of the same values that is kept so.
    array: Callable[[Array], Array]
    #: Gives a Tensor of the same values that is kept so, if the library has such views.
    tensor: Callable[[Array], ug.Tensor]
    #: Gives similar values that can be kept so.
    values: Callable[[Array], Array] = unchanged


def _backwards(array: Array) -> Array:
    # A copy of the array backwards, read backwards.
    return np.flip(np.flip(array).copy())


def _turned_back(array: Array) -> ug.Tensor:
    return ug.flip(ug.asarray(np.flip(array).copy())) if array.ndim else ug.asarray(array)


def _with_gaps(array: Array) -> tuple[Array, tuple[slice, ...]]:
    """Return an array with the values at every other place, and where they are."""
    wide = np.ones([2 * length + 1 for length in array.shape], array.dtype)
    places = (slice(1, None, 2),) * array.ndim
    wide[places] = array
    return wide, places


def _in_others(array: Array) -> Array:
    return np.concatenate([np.ones(_BEFORE, array.dtype), array.reshape(-1)])


def _cut(flat: Any, shape: tuple[int, ...]) -> Any:
    return flat[_BEFORE:].reshape(shape)


def _from_gaps(array: Array) -> ug.Tensor:
    wide, places = _with_gaps(array)
    return ug.asarray(wide)[places]


def _view_of_gaps(array: Array) -> Array:
    wide, places = _with_gaps(array)
    return np.asarray(wide[places]) if places else wide


def _read_only(array: Array) -> Array:
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def _other_byte_order(array: Array) -> Array:
    swapped: Array = (
        array if array.dtype == ml_dtypes.bfloat16 else array.astype(array.dtype.newbyteorder("S"))
    )
    return swapped


def _repeating(array: Array) -> Array:
    """Return an array with one row many times."""
    return np.broadcast_to(array[:1], array.shape).copy() if array.ndim else array


def _one_for_many(array: Array) -> Array:
    repeats = array.ndim and np.array_equal(_repeating(array), array)
    return np.broadcast_to(array[:1], array.shape) if repeats else array


def _expanded(array: Array) -> ug.Tensor:
    kept = _one_for_many(array)
    if kept is array:
        return ug.asarray(array)
    return ug.broadcast_to(ug.asarray(array[:1]), array.shape)


def _turned(array: Array) -> ug.Tensor:
    axes = tuple(range(array.ndim))[::-1]
    return ug.permute_dims(ug.asarray(np.transpose(array).copy()), axes)


LAYOUTS = [
    Layout("transposed", lambda array: array.copy(order="F"), _turned),
    Layout("with gaps", _view_of_gaps, _from_gaps),
    Layout("backwards", _backwards, _turned_back),
    Layout(
        "in the middle of others",
        lambda array: _cut(_in_others(array), array.shape),
        lambda array: _cut(ug.asarray(_in_others(array)), array.shape),
    ),
    Layout("one for many", _one_for_many, _expanded, _repeating),
    Layout("read-only", _read_only, lambda array: ug.asarray(_read_only(array))),
    Layout(
        "in the other byte order",
        _other_byte_order,
        lambda array: ug.asarray(_other_byte_order(array)),
    ),
]
