"""Elements side by side as one batch of NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.dtypes import default_dtype
from unigrad.core.errors import ShapeError
from unigrad.core.ndarrays import refuse_mask
from unigrad.data.padding import check_padding

__all__ = ["collate"]


def collate(elements: Sequence[Any], padding: float | None = None, width: int | None = None) -> Any:
    """Return elements of one structure as one batch with a new first axis.

    Dicts and tuples are structure; arrays, numbers and lists of numbers become arrays; strings, and
    what else NumPy has no numbers for, a list. Python's floats take the default dtype, and so do
    Python's integers beside them; integers alone are int64.

    Args:
        elements: at least one.
        padding: fills up arrays of different shapes at the end of their axes, in their dtype.
        width: the length that first axes are filled up to; the longest one's by default.

    Raises:
        ShapeError: when there is no element, their structures differ, or their shapes do without a
            ``padding``, or one is longer than ``width``.
        SettingError: when the padding is no number, or none that the dtype of what it fills up can
            hold.
        DTypeError: when one is a masked array.

    Example:
        >>> batch = collate([([1, 2, 3], 0), ([4], 1)], padding=0)
        >>> batch[0].tolist(), batch[1].tolist()
        ([[1, 2, 3], [4, 0, 0]], [0, 1])
    """
    if not elements:
        raise ShapeError("collate: there is no element")
    first = elements[0]
    if isinstance(first, (dict, tuple)):
        _check_alike(elements)
        if isinstance(first, dict):
            return {key: collate([one[key] for one in elements], padding, width) for key in first}
        parts = [collate(column, padding, width) for column in zip(*elements, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if padding is not None:
        check_padding("collate", padding)
    arrays = [_array(one) for one in elements]
    if any(one is None for one in arrays):
        return list(elements)
    rows = [one for one in arrays if one is not None]
    return _stacked(rows, _dtype(elements, rows), padding, width)


def _check_alike(elements: Sequence[Any]) -> None:
    """Check that all elements are dicts of the same keys, or tuples of one length."""
    first = elements[0]
    for one in elements:
        if type(one) is not type(first) or len(one) != len(first):
            raise ShapeError(f"collate: elements differ: {_outline(first)} and {_outline(one)}")
        if isinstance(first, dict) and one.keys() != first.keys():
            raise ShapeError(f"collate: elements differ: {_outline(first)} and {_outline(one)}")


def _outline(element: Any) -> str:
    if isinstance(element, dict):
        return f"a dict of {sorted(map(str, element))}"
    if isinstance(element, tuple):
        return f"a tuple of {len(element)}"
    return f"a {type(element).__name__}"


def _array(leaf: Any) -> npt.NDArray[Any] | None:
    """Return a leaf as an array, or None if it holds no numbers."""
    if isinstance(leaf, str | bytes) or leaf is None:
        return None
    refuse_mask(leaf)
    if isinstance(leaf, np.ndarray | np.generic):
        array = np.asarray(leaf)
        return None if array.dtype.kind in "OSU" else array
    if hasattr(leaf, "numpy"):
        return np.asarray(leaf.numpy())
    try:
        array = np.asarray(leaf)
    except ValueError as error:  # Lists in lists of different lengths.
        raise ShapeError(f"collate: a list is no array: {error}") from error
    if array.dtype.kind in "OSU":
        return None
    # Python's floats take the default dtype, as everywhere; an empty list has no kind of its own.
    return array.astype(default_dtype()) if array.dtype == np.float64 and array.size else array


def _dtype(elements: Sequence[Any], rows: list[npt.NDArray[Any]]) -> np.dtype[Any]:
    """Return the dtype of rows together."""
    filled = [
        (one.dtype, isinstance(element, int | list))
        for element, one in zip(elements, rows, strict=True)
        if one.size
    ]
    if any(dtype.kind in "fc" for dtype, _ in filled):
        # Beside floats, Python's integers have no dtype of their own.
        filled = [(dtype, plain) for dtype, plain in filled if not plain or dtype.kind not in "biu"]
    return np.result_type(*([dtype for dtype, _ in filled] or [one.dtype for one in rows]))


def _stacked(
    rows: list[npt.NDArray[Any]], dtype: np.dtype[Any], padding: float | None, width: int | None
) -> npt.NDArray[Any]:
    """Return arrays as the rows of one."""
    shapes = {one.shape for one in rows}
    if len({one.ndim for one in rows}) > 1:
        raise ShapeError(f"collate: elements have shapes {sorted(shapes)}: the axes differ")
    if padding is None or not rows[0].ndim:
        if len(shapes) > 1:
            raise ShapeError(
                f"collate: elements have shapes {sorted(shapes)[:3]}; give a padding, or put them "
                "into buckets"
            )
        return np.stack(rows).astype(dtype, copy=False)
    shape = [max(sizes) for sizes in zip(*shapes, strict=True)]
    if width is not None:
        if shape[0] > width:
            raise ShapeError(f"collate: an element of length {shape[0]} does not fit into {width}")
        shape[0] = width
    if shapes == {tuple(shape)}:
        return np.stack(rows).astype(dtype, copy=False)
    check_padding("collate", padding, dtype)
    batch = np.full((len(rows), *shape), padding, dtype)
    for place, one in zip(batch, rows, strict=True):
        place[tuple(slice(size) for size in one.shape)] = one
    return batch
