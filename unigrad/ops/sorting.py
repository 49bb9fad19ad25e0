"""Sorting and searching.

Sorting is always stable: equal elements keep their order, so the lowest index comes first,
ascending or descending, on every backend. A NaN counts as greater than any number. The derivative
follows the elements to their places; indices have derivative zero.

Errors, the same for all: `ShapeError` for a bad axis, `DTypeError` for complex numbers.
"""

from __future__ import annotations

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, common_tensors, normalize_axis
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.indexing import take, take_along_axis

__all__ = ["argsort", "searchsorted", "sort", "top_k"]

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


def _sortable(name: str, x: TensorLike, axis: int) -> tuple[Tensor, int]:
    x = as_tensor(x)
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({x.dtype.name})")
    if x.ndim == 0:
        raise ShapeError(f"{name}: a 0-d tensor has no axis to sort along")
    return x, normalize_axis(name, axis, x.ndim)


def sort(
    x: TensorLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Return ``x`` sorted along an axis. It is stable whatever ``stable`` says.

    Example:
        >>> sort([3, 1, 2], descending=True).tolist()
        [3, 2, 1]
    """
    x, along = _sortable("sort", x, axis)
    out: Tensor = _sort(x, axis=along, descending=bool(descending))
    return out


def argsort(
    x: TensorLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """Return the indices (int64) that sort along an axis. It is stable whatever ``stable`` says.

    Example:
        >>> argsort([3, 1, 3, 2], descending=True).tolist()
        [0, 2, 3, 1]
    """
    x, along = _sortable("argsort", x, axis)
    out: Tensor = _argsort(x, axis=along, descending=bool(descending))
    return out


def top_k(x: TensorLike, k: int, /, *, axis: int = -1) -> tuple[Tensor, Tensor]:
    """Return the ``k`` greatest elements along an axis, greatest first, and their indices (int64).

    Raises:
        ShapeError: when ``k`` is negative or the axis is shorter.

    Example:
        >>> values, indices = top_k([1, 4, 4, 2], 3)
        >>> values.tolist(), indices.tolist()
        ([4, 4, 2], [1, 2, 3])
    """
    x, along = _sortable("top_k", x, axis)
    if not 0 <= k <= x.shape[along]:
        raise ShapeError(f"top_k: k is {k}, the axis has {x.shape[along]} elements")
    indices: Tensor = _top_k_indices(x, k=int(k), axis=along)
    return take_along_axis(x, indices, axis=along), indices


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
