"""What stands between the brackets of ``x[...]``, taken apart once for all backends.

A basic key (ints, slices, ``None``, ``...``) becomes a *spec*, a hashable tuple with one entry per
axis of ``x`` or new axis, and the *starts*, one int for each entry that asks for one:

* ``None``: a new axis of length one,
* ``"all"``: the whole axis,
* ``"int"``: one element, at the next start; the axis is not in the result,
* ``(length, step)``: that many elements from the next start on, step by step.

The starts are apart from the spec so that a compiling backend needs one program for all of
``x[0]``, ``x[1]``, … An array key (`Advanced`) is split into a basic part and arrays of indices
that pick from adjacent axes, in NumPy's meaning.

Source: NumPy, "Indexing on ndarrays".
"""

from __future__ import annotations

import weakref
from math import prod
from typing import Any, TypeAlias

import numpy as np

from unigrad.core.arguments import as_tensor, described, held_by, visible
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError, TracingError
from unigrad.core.tensor import Tensor

Spec: TypeAlias = tuple[Any, ...]


def as_tuple(key: Any) -> tuple[Any, ...]:
    """Return a key as a tuple of entries."""
    return key if type(key) is tuple else (key,)


_ONE_NEW_AXIS = (None,)
#: What a dictionary may hold for itself: by type, since True is 1 and 1.0 is 1 to it.
_PLAIN = frozenset((int, type(None), type(Ellipsis)))


def plain_key(key: Any) -> Any:
    """Return a basic key of Python's own numbers in a hashable form; ``None`` for any other key.

    Example:
        >>> plain_key((0, slice(1, None)))
        (0, (1, None, None))
    """
    if key is None:
        return _ONE_NEW_AXIS
    plain = []
    for one in key if type(key) is tuple else (key,):
        if type(one) in _PLAIN:
            plain.append(one)
        elif type(one) is slice:
            start, stop, step = one.start, one.stop, one.step
            if not (type(start) in _PLAIN and type(stop) in _PLAIN and type(step) in _PLAIN):
                return None
            plain.append((start, stop, step))
        else:
            return None
    return tuple(plain)


def is_basic(entries: tuple[Any, ...]) -> bool:
    """Tell whether a key has no arrays."""
    for one in entries:
        if not (
            type(one) is int
            or type(one) is slice
            or one is None
            or one is Ellipsis
            or isinstance(one, np.integer)
        ):
            return False
    return True


def basic(
    entries: tuple[Any, ...], x: Tensor, name: str = "getitem"
) -> tuple[Spec, tuple[int, ...], tuple[int, ...]]:
    """Return a basic key's spec, its starts and the shape of the result.

    Raises:
        OutOfBoundsError: when an int is outside of its axis, or there are more entries than axes.
    """
    shape = x.shape
    entries = _fill(entries, x, len(shape), name)
    spec: list[Any] = []
    starts: list[int] = []
    out: list[int] = []
    axis = 0
    for one in entries:
        if one is None:
            spec.append(None)
            out.append(1)
            continue
        length = shape[axis]
        if type(one) is slice:
            found = _slice(one, length, name)
            if found is None:
                spec.append("all")
                out.append(length)
            else:
                start, count, step = found
                starts.append(start)
                spec.append((count, step))
                out.append(count)
        else:
            index = int(one)
            if not -length <= index < length:
                raise OutOfBoundsError(
                    f"{name}({described(x)}): index {index} is out of bounds for axis {axis} of "
                    f"length {length}"
                )
            starts.append(index + length if index < 0 else index)
            spec.append("int")
        axis += 1
    return tuple(spec), tuple(starts), tuple(out)


def _slice(one: slice, length: int, name: str) -> tuple[int, int, int] | None:
    """Return a slice's first index, count and step; ``None`` when it takes the whole axis."""
    if one.start is None and one.stop is None and one.step is None:
        return None
    try:
        start, stop, step = one.indices(length)
    except TracingError:
        raise
    except TypeError:
        raise DTypeError(f"{name}: {one} is not made of integers") from None
    except ValueError:
        raise ShapeError(f"{name}: the step of a slice is not zero") from None
    count = len(range(start, stop, step))
    if count == length and step == 1:
        return None
    return (start if count else 0), count, (step if count > 1 else 1)


def outside(
    name: str, index: Any, x: Tensor, axis: int, given: Any = None
) -> OutOfBoundsError | None:
    """Return the error for an array with an index outside of an axis, where one can be seen.

    ``given`` is what the caller has put in if ``index`` is only a part of it.
    """
    length = x.shape[axis]
    if type(index) is Tensor:
        if within(index, length):
            return None
        values = visible(index)
    else:
        values = index
    if values is None or not values.size or (values.max() < length and values.min() >= -length):
        return None
    bad = values[(values >= length) | (values < -length)].flat[0]
    return OutOfBoundsError(
        f"{name}({described(x)}, {described(index if given is None else given)}): index {bad} is "
        f"out of bounds for axis {axis} of length {length}"
    )


#: The least and the greatest of index arrays that are alive, by identity: arrays do not change.
_extremes: dict[int, tuple[weakref.ref[Any], int, int]] = {}


def within(index: Tensor, length: int) -> bool:
    """Tell whether no index can be seen to be outside of an axis of this length."""
    known = _extremes.get(id(index._native))
    # What is there is alive: an entry goes before its array does.
    low, high = known[1:] if known is not None else extremes(index)
    return high < length and low >= -length


def extremes(index: Tensor) -> tuple[int, int]:
    """Return the least and the greatest index, where they can be seen; else 0 and -1.

    An array that was looked at before is not fetched from its library again.
    """
    held = held_by(index)
    if held is None:
        return 0, -1
    native = held._native
    name = id(native)
    found = _extremes.get(name)
    if found is not None and found[0]() is native:
        return found[1], found[2]
    values = held.backend.to_numpy(native)
    if not values.size:
        return 0, -1
    low, high = int(values.min()), int(values.max())
    if not index.backend.checks_bounds:
        # Only for those libraries is this asked at every read.
        _extremes[name] = (weakref.ref(native, lambda _: _extremes.pop(name, None)), low, high)
    return low, high


def _fill(entries: tuple[Any, ...], x: Tensor, ndim: int, name: str) -> tuple[Any, ...]:
    """Put as many full slices as axes are left for ``...``, or at the end."""
    # Compared by identity: an array answers == elementwise.
    dots = [i for i, one in enumerate(entries) if one is Ellipsis]
    if len(dots) > 1:
        raise ShapeError(f"{name}: an index has at most one '...'")
    used = sum(_axes_of(one) for one in entries)
    if used > ndim:
        raise OutOfBoundsError(f"{name}({described(x)}): {used} indices for {ndim} axes")
    place = dots[0] if dots else len(entries)
    return entries[:place] + (slice(None),) * (ndim - used) + entries[place + 1 :]


def _axes_of(one: Any) -> int:
    """Return how many axes an entry of a key stands for."""
    if one is None or one is Ellipsis:
        return 0
    if type(one) is Tensor or isinstance(one, np.ndarray):
        return one.ndim if one.dtype == np.bool_ else 1
    return 1


class Advanced:
    """A key with arrays, for a tensor: what to do first, and what to pick then.

    First the basic part (``first``, a basic key) is applied. Then the axes are put in the order
    ``order``, unless that is ``None``. Then the arrays ``indices`` pick from the axes of lengths
    ``lengths`` that begin at ``axis``; their common shape takes those axes' place.

    Errors are those of the op ``name``; ``given`` is as for `outside`.
    """

    __slots__ = ("axis", "first", "given", "indices", "lengths", "name", "order", "picked", "shape")

    def __init__(
        self, x: Tensor, entries: tuple[Any, ...], name: str = "getitem", given: Any = None
    ) -> None:
        self.name = name
        self.given = given
        entries = _fill_masks(x, entries, name)
        apart = _apart(entries)
        entries = _fill(entries, x, x.ndim, name)
        first: list[Any] = []
        self.indices: list[Tensor] = []
        #: The axis of ``x`` that each of them picks from.
        self.picked: list[int] = []
        axes: list[int] = []
        place = axis = 0
        for one in entries:
            if one is None:
                first.append(None)
                place += 1
                continue
            if type(one) is slice:
                first.append(one)
            else:
                index = _index(x, one, axis, name, given)
                first.append(slice(None))
                self.picked.append(axis)
                self.indices.append(index)
                axes.append(place)
            place += 1
            axis += 1
        #: The basic key to apply first; None when it takes everything.
        self.first: tuple[Any, ...] | None = tuple(first)
        shape: tuple[int, ...] = basic(self.first, x, name)[2]
        if all(type(one) is slice and one == slice(None) for one in first):
            self.first = None
        self.order: tuple[int, ...] | None = None
        self.axis = axes[0]
        if apart:
            rest = [i for i in range(place) if i not in axes]
            self.order = (*axes, *rest)
            self.axis = 0
            shape = tuple([shape[i] for i in self.order])
        #: The lengths of the axes from which the indices pick.
        self.lengths = shape[self.axis : self.axis + len(axes)]
        #: The shape after the basic part and the reordering.
        self.shape = shape

    def picked_shape(self) -> tuple[int, ...]:
        """Return the common shape of the indices.

        Raises:
            ShapeError: when they do not broadcast.
        """
        shapes = [index.shape for index in self.indices]
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            raise ShapeError(f"{self.name}: indices of shapes {shapes} do not broadcast") from None

    def explained(self, x: Tensor, error: OutOfBoundsError) -> OutOfBoundsError:
        """Return a library's error in words of the key."""
        for index, axis in zip(self.indices, self.picked, strict=True):
            found = outside(self.name, index, x, axis, self.given)
            if found is not None:
                return found
        return error

    def merged(self) -> tuple[int, ...]:
        """Return the shape in which the axes that are picked from are one."""
        k = len(self.lengths)
        return (*self.shape[: self.axis], prod(self.lengths), *self.shape[self.axis + k :])


def _apart(entries: tuple[Any, ...]) -> bool:
    """Tell whether a slice, ``...`` or ``None`` stands between two indices."""
    places = [
        i
        for i, one in enumerate(entries)
        if not (one is None or one is Ellipsis or type(one) is slice)
    ]
    return places[-1] - places[0] + 1 != len(places)


def _fill_masks(x: Tensor, entries: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    """Replace every mask by the indices of its true elements."""
    from unigrad.ops.indexing import nonzero

    out: list[Any] = []
    axis = 0
    entries = tuple([_as_entry(x, one) for one in entries])
    left = x.ndim - sum(_axes_of(one) for one in entries)
    for one in entries:
        if one is Ellipsis:
            axis += max(left, 0)
        if not (type(one) is Tensor and one.dtype == np.bool_):
            out.append(one)
            axis += _axes_of(one)
            continue
        shape = x.shape[axis : axis + one.ndim]
        if one.shape != shape:
            raise OutOfBoundsError(
                f"{name}({described(x)}): a mask of shape {one.shape} does not fit axes of lengths "
                f"{shape}"
            )
        if one.backend.is_traced(one._native):
            raise TracingError(
                f"{name}: the shape of x[mask] depends on the mask's values, which do not exist "
                "while the function is traced; use ug.where"
            )
        axis += one.ndim
        out.extend(nonzero(one))
    return tuple(out)


def is_bool(one: Any) -> bool:
    """Tell whether a key's entry is a single bool."""
    if isinstance(one, (bool, np.bool_)):
        return True
    return type(one) is Tensor and one.dtype == np.bool_ and one.ndim == 0


def without_bools(
    x: Tensor, entries: tuple[Any, ...]
) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """Return the basic key that gives ``x`` an axis per single bool, and the key of what it gives.

    A bool beside other entries is an index of a new axis, of its one element or of none. ``None``
    if there is no such bool.
    """
    if not any(is_bool(one) for one in entries):
        return None
    view: list[Any] = []
    key: list[Any] = []
    for one in entries:
        if is_bool(one):
            view.append(None)
            key.append(np.zeros(int(bool(one)), np.int64))
            continue
        entry = _as_entry(x, one)
        view.extend([entry] if entry is Ellipsis else [slice(None)] * _axes_of(entry))
        key.append(one)
    return tuple(view), tuple(key)


def _as_entry(x: Tensor, one: Any) -> Any:
    """Return an entry with arrays and lists as Tensors."""
    if one is None or one is Ellipsis or type(one) is slice or type(one) is Tensor:
        return one
    if type(one) is int or isinstance(one, np.integer):
        return int(one)
    if isinstance(one, (list, tuple)) and len(one) == 0:
        one = np.zeros((0,), np.int64)
    return as_tensor(one, x)


def _index(x: Tensor, one: Any, axis: int, name: str, given: Any) -> Tensor:
    """Return the entry of one axis as a tensor of indices within bounds.

    Raises:
        DTypeError: when it is no integer array.
        OutOfBoundsError: when an index can be seen to be outside of the axis.
    """
    from unigrad.ops.indexing import as_index

    return as_index(name, one, x, axis, given)
