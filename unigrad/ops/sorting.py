"""Sorting and searching.

Sorting is always stable: equal elements keep their order, so the lowest index comes first,
ascending or descending, on every backend. A NaN counts as greater than any number. The derivative
follows the elements to their places; indices have derivative zero.

Errors, the same for all: `ShapeError` for a bad axis, `DTypeError` for complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from unigrad.core import dtypes, whole
from unigrad.core.arguments import (
    TensorLike,
    alike,
    as_tensor,
    cast,
    checked,
    common_tensors,
    visible,
)
from unigrad.core.axes import normalize_axis, plain_axis
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import CloserLookError, DTypeError, SettingError, ShapeError
from unigrad.core.op import Op, composite, primitive
from unigrad.core.plans import BySetting, Planned, planned
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import greater, isnan, less, logical_and, logical_not, logical_or, where
from unigrad.ops.indexing import as_index, take, take_along_axis
from unigrad.ops.reductions import count_nonzero
from unigrad.ops.shaping import as_integer, as_shape, expand_dims, flip, squeeze

__all__ = [
    "argpartition", "argsort", "digitize", "in_top_k", "lexsort", "partition", "searchsorted",
    "sort", "top_k",
]  # fmt: skip

_argsort = primitive("argsort")
_searchsorted = primitive("searchsorted")


@composite
def _sort(x: Tensor, *, axis: int, descending: bool) -> Tensor:
    return take_along_axis(x, _argsort(x, axis=axis, descending=descending), axis=axis)


@composite
def _top_k_indices(x: Tensor, *, k: int, axis: int) -> Tensor:
    order = _argsort(x, axis=axis, descending=True)
    out: Tensor = order[(*[slice(None)] * axis, slice(0, k))]
    return out


@composite
def _top_k(x: Tensor, *, k: int, axis: int) -> tuple[Tensor, Tensor]:
    indices: Tensor = _top_k_indices(x, k=k, axis=axis)
    return take_along_axis(x, indices, axis=axis), indices


def _sortable(name: str, x: TensorLike) -> Tensor:
    """Refuse complex numbers."""
    tensor = as_tensor(x)
    if tensor._native.dtype in tensor.backend.native_complex:
        raise DTypeError(f"{name}: complex numbers have no order ({tensor.dtype.name})")
    return tensor


def _place(name: str, axis: int, shape: tuple[int, ...]) -> int:
    if not shape:
        raise ShapeError(f"{name}: a 0-d tensor has no axis to sort along")
    return normalize_axis(name, axis, len(shape))


def _plan(op: Op) -> Callable[..., Mapping[str, Any]]:
    def plan(shape: tuple[int, ...], axis: int, descending: bool) -> Mapping[str, Any]:
        return {"axis": _place(op.name, axis, shape), "descending": descending}

    return plan


_sorted, _argsorted = planned(_sort, _plan(_sort)), planned(_argsort, _plan(_argsort))


def _is_short(x: TensorLike, axis: int) -> bool:
    """Tell whether an argument is a tensor of real numbers, and its axis Python's int."""
    return type(x) is Tensor and type(axis) is int and x._native.dtype in x.backend.native_reals


def sort(
    x: TensorLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Return ``x`` sorted along an axis. It is stable whatever ``stable`` says.

    Example:
        >>> sort([3, 1, 2], descending=True).tolist()
        [3, 2, 1]
    """
    if not _is_short(x, axis):
        x, axis = _sortable("sort", x), plain_axis("sort", axis)
    return _sorted(x, axis, descending is True or bool(descending))


def argsort(
    x: TensorLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Return the indices (int64) that sort along an axis. It is stable whatever ``stable`` says.

    Example:
        >>> argsort([3, 1, 3, 2], descending=True).tolist()
        [0, 2, 3, 1]
    """
    if not _is_short(x, axis):
        x, axis = _sortable("argsort", x), plain_axis("argsort", axis)
    return _argsorted(x, axis, descending is True or bool(descending))


def top_k(x: TensorLike, k: int, /, *, axis: int = -1) -> tuple[Tensor, Tensor]:
    """Return the ``k`` greatest elements along an axis, greatest first, and their indices (int64).

    Raises:
        ShapeError: when ``k`` is negative or the axis is shorter.

    Example:
        >>> values, indices = top_k([1, 4, 4, 2], 3)
        >>> values.tolist(), indices.tolist()
        ([4, 4, 2], [1, 2, 3])
    """
    if not _is_short(x, axis) or type(k) is not int:
        x, axis, k = _sortable("top_k", x), plain_axis("top_k", axis), as_integer("top_k", k)
    values, indices = _greatest(x, axis, k)
    return values, indices


def _plan_top_k(shape: tuple[int, ...], axis: int, k: int) -> Mapping[str, Any]:
    along = _place("top_k", axis, shape)
    if not 0 <= k <= shape[along]:
        raise ShapeError(f"top_k: k is {k}, the axis has {shape[along]} elements")
    return {"k": k, "axis": along}


_greatest: Callable[..., tuple[Tensor, Tensor]] = planned(_top_k, _plan_top_k)  # type: ignore[assignment]


def searchsorted(
    x1: TensorLike, x2: TensorLike, /, *, side: str = "left", sorter: TensorLike | None = None
) -> Tensor:
    """Return where the elements of ``x2`` fit into the sorted ``x1`` (one axis), as int64.

    The index i has x1[i - 1] < x2 ≤ x1[i], or with ``side="right"`` x1[i - 1] ≤ x2 < x1[i].
    ``sorter`` gives the order (an `argsort`) in which ``x1`` is sorted.

    Raises:
        ShapeError: when ``x1`` does not have one axis.
        SettingError: for another ``side``.

    Example:
        >>> searchsorted([1, 3, 5], [3, 4]).tolist()
        [1, 2]
    """
    if type(x1) is Tensor and type(x2) is Tensor and sorter is None and type(side) is str:
        backend = x1.backend
        given, wanted = x1._native, x2._native
        dtype = given.dtype
        if (
            x2.backend is backend
            and dtype is wanted.dtype
            and dtype in backend.native_reals
            and given.ndim == 1
            and side in _sides
        ):
            made: Tensor = dispatch(_sides[side], backend, (x1, x2), (given, wanted))
            return made
    if side not in ("left", "right"):
        raise SettingError(f"searchsorted: side is 'left' or 'right', not {side!r}")
    x1, x2 = common_tensors("searchsorted", (x1, x2))
    if x1.ndim != 1:
        raise ShapeError(f"searchsorted: the sorted tensor has one axis, not shape {x1.shape}")
    if x1.dtype in dtypes.COMPLEX:
        raise DTypeError(f"searchsorted: complex numbers have no order ({x1.dtype.name})")
    if x1.dtype == dtypes.bool_:
        x1, x2 = cast(x1, dtypes.uint8), cast(x2, dtypes.uint8)
    if sorter is not None:
        x1 = take(x1, sorter, axis=0)
    out: Tensor = _searchsorted(x1, x2, right=side == "right")
    return out


def partition(x: TensorLike, kth: int | Sequence[int], /, *, axis: int = -1) -> Tensor:
    """Return ``x`` with its k-th smallest elements where sorting puts them, smaller ones before.

    The elements between them are in order, too, the same on every backend: it is `sort`.

    Raises:
        ShapeError: when a k is outside of the axis.

    Example:
        >>> partition([3, 1, 2], 1).tolist()
        [1, 2, 3]
    """
    if _is_short(x, axis) and type(kth) is int:
        return _partitioned(x, kth, axis)
    x = _sortable("partition", x)
    _check_ranks("partition", kth, x.shape, axis)
    return sort(x, axis=axis)


def argpartition(x: TensorLike, kth: int | Sequence[int], /, *, axis: int = -1) -> Tensor:
    """Return the indices (int64) that partition along an axis: it is `argsort`. See `partition`.

    Raises:
        ShapeError: when a k is outside of the axis.

    Example:
        >>> argpartition([3, 1, 2], 1).tolist()
        [1, 2, 0]
    """
    if _is_short(x, axis) and type(kth) is int:
        return _argpartitioned(x, kth, axis)
    x = _sortable("argpartition", x)
    _check_ranks("argpartition", kth, x.shape, axis)
    return argsort(x, axis=axis)


def _check_ranks(name: str, kth: int | Sequence[int], shape: tuple[int, ...], axis: int) -> None:
    length = shape[_place(name, axis, shape)]
    for k in as_shape(name, kth):
        if not -length <= k < length:
            raise ShapeError(f"{name}: there is no {k}-th of {length} elements")


def _plan_partition(op: Op, name: str) -> Callable[..., Mapping[str, Any]]:
    def plan(shape: tuple[int, ...], kth: int, axis: int) -> Mapping[str, Any]:
        _check_ranks(name, kth, shape, axis)
        return {"axis": _place(op.name, axis, shape), "descending": False}

    return plan


_partitioned = planned(_sort, _plan_partition(_sort, "partition"))
_argpartitioned = planned(_argsort, _plan_partition(_argsort, "argpartition"))


@whole.as_one_op("native_dtypes", looks=True)
def lexsort(keys: TensorLike | Sequence[TensorLike], /, *, axis: int = -1) -> Tensor:
    """Return the indices (int64) that sort by several keys: by the last one first of all.

    Equal elements of one key are ordered by the key before it, and equal ones of all keep their
    order. The keys have one shape; those of one tensor stand along its first axis.

    Raises:
        ShapeError: when there are no keys, or their shapes differ.

    Example:
        >>> lexsort(([2, 1, 2], [5, 5, 4])).tolist()
        [2, 1, 0]
    """
    if type(keys) in (tuple, list) and keys and type(axis) is int:
        natives = alike(tuple(keys))
        if natives is not None:
            backend = keys[0].backend
            shapes = {*map(backend.shape_key, natives)}
            if len(shapes) == 1 and natives[0].dtype in backend.native_reals:
                place = _place("lexsort", axis, keys[0].shape)
                made: Tensor = dispatch(_by_keys[place], backend, tuple(keys), natives)
                return made
    given = list(keys)
    if not given:
        raise ShapeError("lexsort: needs at least one key")
    like = next((one for one in given if type(one) is Tensor), None)
    tensors = [_sortable("lexsort", as_tensor(one, like)) for one in given]
    if len({one.shape for one in tensors}) > 1:
        raise ShapeError(f"lexsort: the shapes differ: {[one.shape for one in tensors]}")
    place = _place("lexsort", axis, tensors[0].shape)
    out: Tensor = _order_by_keys(*tensors, axis=place)
    return out


@composite
def _order_by_keys(*keys: Tensor, axis: int) -> Tensor:
    order = argsort(keys[0], axis=axis)
    for key in keys[1:]:
        # Sorts are stable: what the keys before have ordered stays so among equal ones.
        again = argsort(take_along_axis(key, order, axis=axis), axis=axis)
        order = take_along_axis(order, again, axis=axis)
    return order


_by_keys = BySetting("order_by_keys", "axis")


class _FallingError(CloserLookError):
    """Bounds fall somewhere, or are those of several examples."""


def _refuse_falling(bounds: npt.NDArray[Any]) -> None:
    if bounds.ndim > 1 or (bounds[1:] < bounds[:-1]).any():
        raise _FallingError


@whole.as_one_op("native_dtypes", looks=True)
def digitize(x: TensorLike, bins: TensorLike, /, *, right: bool = False) -> Tensor:
    """Return the number (int64) of the bin that each element lies in; 0 is before all bounds.

    Of increasing bounds bin i has bins[i - 1] ≤ x < bins[i], with ``right`` bins[i - 1] < x ≤
    bins[i]; of decreasing ones bins[i - 1] > x ≥ bins[i], or ≥ and >. Derivative zero.

    Raises:
        ShapeError: when ``bins`` is no vector.
        SettingError: when it is seen to go up and down.

    Example:
        >>> digitize([0.5, 1.0, 9.0], [0.0, 1.0, 2.0]).tolist()
        [1, 2, 3]
    """
    x, bins = common_tensors("digitize", (x, bins))
    if bins.ndim != 1:
        raise ShapeError(f"digitize: the bounds have shape {bins.shape}, not one axis")
    side = "left" if right else "right"
    try:
        if checked(_refuse_falling, bins):
            return searchsorted(bins, x, side=side)
    except _FallingError:
        pass
    known, count, falls = visible(bins), bins.shape[0], False
    if known is not None and known.ndim == 1:
        falls = True
        if (known[1:] > known[:-1]).any():
            raise SettingError(f"digitize: the bounds go up and down: {known.tolist()}")
    falling: Tensor = count - searchsorted(flip(bins), x, side=side)
    if falls or count < 2:
        return falling
    # Examples of a batch, or a traced function's bounds, may go either way.
    return where(bins[0] <= bins[-1], searchsorted(bins, x, side=side), falling)


@whole.as_one_op("native_dtypes", looks=True, name="sorting.in_top_k")
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int, /) -> Tensor:
    """Tell for each row whether fewer than ``k`` predictions are greater than the target's.

    So those that are equal at the end all count. ``predictions`` has one axis more than the class
    numbers ``targets``, its last one. A NaN counts as greater than any number, and is never among
    the greatest itself.

    Raises:
        OutOfBoundsError: when there is no class of a number.
        ShapeError: when the shapes do not fit.
        DTypeError: when the targets are no integers, or predictions are complex.

    Example:
        >>> in_top_k([0, 1], [[0.1, 0.7, 0.2], [0.1, 0.7, 0.2]], 1).tolist()
        [False, True]
    """
    predictions = _sortable("in_top_k", as_tensor(predictions, _tensor_or_none(targets)))
    targets = as_tensor(targets, predictions)
    if targets.dtype not in dtypes.INTEGER:
        raise DTypeError(f"in_top_k: targets are integers, not {targets.dtype.name}")
    if predictions.shape[:-1] != targets.shape or not predictions.ndim:
        raise ShapeError(
            f"in_top_k: targets of shape {targets.shape} for predictions of {predictions.shape}"
        )
    most = as_integer("in_top_k", k)
    if not predictions.backend.checks_bounds:
        # Where values can be looked at, that is done here: in a program nobody can.
        as_index("take_along_axis", targets, predictions, predictions.ndim - 1)
    out: Tensor = _in_top_k(predictions, targets, k=most)
    return out


@composite
def _in_top_k(predictions: Tensor, targets: Tensor, *, k: int) -> Tensor:
    own = take_along_axis(predictions, expand_dims(targets, axis=-1), axis=-1)
    before = logical_or(greater(predictions, own), isnan(predictions))
    few = less(count_nonzero(before, axis=-1), k)
    return logical_and(few, logical_not(squeeze(isnan(own), axis=-1)))


def _tensor_or_none(x: TensorLike) -> Tensor | None:
    return x if type(x) is Tensor else None


_sides = {side: Planned(_searchsorted, {"right": side == "right"}) for side in ("left", "right")}
