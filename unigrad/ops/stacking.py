"""Tensors beside, above and behind each other, and pieces that need not be equal.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, alike, as_tensor, common_tensors
from unigrad.core.axes import normalize_axis
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.plans import planned
from unigrad.core.tensor import Tensor
from unigrad.ops.identity import identity
from unigrad.ops.joining import concat, split
from unigrad.ops.shaping import as_integer, ravel, reshape

__all__ = [
    "append", "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "atleast_nd",
    "column_stack", "dstack", "hstack", "vstack",
]  # fmt: skip


def atleast_1d(*arrays: TensorLike) -> Any:
    """Return a tensor with one axis or more; a tuple of several.

    Example:
        >>> atleast_1d(3).tolist()
        [3]
    """
    return _each(arrays, lambda x: x if x.ndim else reshape(x, (1,)))


def atleast_2d(*arrays: TensorLike) -> Any:
    """Return a tensor with two axes or more, a vector as a row; a tuple of several.

    Example:
        >>> atleast_2d([1, 2]).tolist()
        [[1, 2]]
    """
    if len(arrays) == 1:
        (x,) = arrays
        if type(x) is Tensor and len(x.backend.shape_key(x._native)) < 2:
            return _as_row(x)
    return _each(arrays, _two)


_as_row = planned(OPS["reshape"], lambda shape: {"shape": (1, *shape) if shape else (1, 1)})


def atleast_3d(*arrays: TensorLike) -> Any:
    """Return a tensor with three axes or more; a tuple of several.

    A vector of length n gets the shape (1, n, 1), a matrix one more axis at its end.

    Example:
        >>> atleast_3d([1, 2]).shape
        (1, 2, 1)
    """
    return _each(arrays, _three)


def atleast_nd(x: TensorLike, /, *, ndim: int) -> Tensor:
    """Return a tensor with ``ndim`` axes or more, new ones in front.

    Example:
        >>> atleast_nd([1, 2], ndim=3).shape
        (1, 1, 2)
    """
    count = as_integer("atleast_nd", ndim)
    tensor = as_tensor(x)
    return reshape(tensor, ((1,) * max(count - tensor.ndim, 0)) + tensor.shape)


def _two(x: Tensor) -> Tensor:
    return x if x.ndim > 1 else reshape(x, (1, x.size))


def _three(x: Tensor) -> Tensor:
    if x.ndim > 2:
        return x
    return reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, x.size, 1))


def _each(arrays: Sequence[TensorLike], function: Callable[[Tensor], Tensor]) -> Any:
    found = []
    for x in map(as_tensor, arrays):
        enough = function(x)
        # A handle of its own, as of every op.
        found.append(identity(x) if enough is x else enough)
    return found[0] if len(found) == 1 else tuple(found)


def _tensors(name: str, arrays: Sequence[TensorLike]) -> list[Tensor]:
    if len(arrays) == 0:
        raise ShapeError(f"{name}: needs at least one tensor")
    if alike(tuple(arrays)) is not None:
        return [*arrays]
    return common_tensors(name, arrays)


def hstack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join tensors along the second axis, vectors along their only one.

    Example:
        >>> hstack([[1, 2], [3]]).tolist()
        [1, 2, 3]
    """
    tensors = [x if x.ndim else reshape(x, (1,)) for x in _tensors("hstack", arrays)]
    return concat(tensors, axis=0 if tensors[0].ndim == 1 else 1)


def vstack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join tensors along the first axis, vectors as rows.

    Example:
        >>> vstack([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
    """
    return concat([_two(x) for x in _tensors("vstack", arrays)], axis=0)


def dstack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join tensors along the third axis, those of fewer axes as `atleast_3d` makes them.

    Example:
        >>> dstack([[1, 2], [3, 4]]).tolist()
        [[[1, 3], [2, 4]]]
    """
    return concat([_three(x) for x in _tensors("dstack", arrays)], axis=2)


def column_stack(arrays: Sequence[TensorLike], /) -> Tensor:
    """Join vectors as the columns of a matrix, matrices beside them.

    Example:
        >>> column_stack([[1, 2], [3, 4]]).tolist()
        [[1, 3], [2, 4]]
    """
    tensors = _tensors("column_stack", arrays)
    return concat([x if x.ndim > 1 else reshape(x, (x.size, 1)) for x in tensors], axis=1)


@whole.as_one_op()
def append(x: TensorLike, values: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return ``x`` with values behind it along an axis; without one both are flattened.

    Example:
        >>> append([1, 2], [[3], [4]]).tolist()
        [1, 2, 3, 4]
    """
    x, values = common_tensors("append", (x, values))
    if axis is None:
        return concat([ravel(x), ravel(values)])
    return concat([x, values], axis=normalize_axis("append", axis, x.ndim))


def array_split(
    x: TensorLike, indices_or_sections: int | Sequence[int], /, *, axis: int = 0
) -> list[Tensor]:
    """Return consecutive pieces along an axis, as `split` does, but any number of them.

    Pieces that cannot be equal differ by one in length, the longer ones come first.

    Raises:
        ShapeError: when there are fewer than one.

    Example:
        >>> [one.tolist() for one in array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    x = as_tensor(x)
    place = normalize_axis("array_split", axis, x.ndim)
    if not isinstance(indices_or_sections, (int, np.integer)):
        return split(x, indices_or_sections, axis=place)
    count = as_integer("array_split", indices_or_sections)
    if count < 1:
        raise ShapeError(f"array_split: {count} pieces")
    size, more = divmod(x.shape[place], count)
    bounds = np.cumsum([size + (i < more) for i in range(count - 1)])
    return split(x, [int(one) for one in bounds], axis=place)
