"""Ops that move elements without computing: reshape, permute, broadcast, join.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import (
    TensorLike,
    as_tensor,
    common_tensors,
    normalize_axis,
    primitive,
)
from unigrad.core.tensor import Tensor

__all__ = ["broadcast_to", "permute_dims", "reshape", "stack"]

_reshape = primitive("reshape")
_broadcast_to = primitive("broadcast_to")
_permute_dims = primitive("permute_dims")
_stack = primitive("stack")


def as_shape(name: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return a shape given as an int or a sequence of ints as a tuple.

    Raises:
        DTypeError: when an entry is no integer.
    """
    many = (
        shape if isinstance(shape, Sequence) or hasattr(shape, "__iter__") else (shape,)
    )
    try:
        return tuple([one.__index__() for one in many])
    except AttributeError:
        raise DTypeError(f"{name}: a shape is made of integers, not {shape!r}") from None


def reshape(x: TensorLike, /, shape: int | Sequence[int]) -> Tensor:
    """Return the same elements, in row-major order, in another shape.

    One length may be -1: it follows from the others.

    Raises:
        ShapeError: when the sizes differ.

    Example:
        >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
        [[1, 2], [3, 4]]
    """
    x = as_tensor(x)
    wanted = as_shape("reshape", shape)
    size = x.size
    if -1 in wanted:
        known = int(np.prod([n for n in wanted if n != -1], dtype=np.int64))
        if wanted.count(-1) > 1 or (known == 0 and size != 0) or (known and size % known):
            raise ShapeError(f"reshape: {x.shape} does not fit {wanted}")
        wanted = tuple(size // max(known, 1) if n == -1 else n for n in wanted)
    if int(np.prod(wanted, dtype=np.int64)) != size or any(n < 0 for n in wanted):
        raise ShapeError(f"reshape: {x.shape} has {size} elements, {wanted} has another number")
    out: Tensor = _reshape(x, shape=wanted)
    return out


def broadcast_to(x: TensorLike, /, shape: int | Sequence[int]) -> Tensor:
    """Return ``x`` repeated along new axes and axes of length one.

    Raises:
        ShapeError: when the shape is not one that ``x`` broadcasts to.

    Example:
        >>> broadcast_to([1, 2], (2, 2)).tolist()
        [[1, 2], [1, 2]]
    """
    x = as_tensor(x)
    wanted = as_shape("broadcast_to", shape)
    try:
        fits = np.broadcast_shapes(x.shape, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"broadcast_to: {x.shape} does not broadcast to {wanted}")
    out: Tensor = _broadcast_to(x, shape=wanted)
    return out


def permute_dims(x: TensorLike, /, axes: Sequence[int]) -> Tensor:
    """Return ``x`` with its axes in another order.

    Raises:
        ShapeError: when ``axes`` is no permutation of the axes.

    Example:
        >>> permute_dims([[1, 2, 3]], (1, 0)).shape
        (3, 1)
    """
    x = as_tensor(x)
    order = tuple(normalize_axis("permute_dims", axis, x.ndim) for axis in axes)
    if sorted(order) != list(range(x.ndim)):
        raise ShapeError(f"permute_dims: {tuple(axes)} is no permutation of {x.ndim} axes")
    out: Tensor = _permute_dims(x, axes=order)
    return out


def stack(arrays: Sequence[TensorLike], /, *, axis: int = 0) -> Tensor:
    """Join tensors of one shape along a new axis.

    Raises:
        ShapeError: when there are none, or their shapes differ.

    Example:
        >>> stack([[1, 2], [3, 4]], axis=1).tolist()
        [[1, 3], [2, 4]]
    """
    if len(arrays) == 0:
        raise ShapeError("stack: needs at least one tensor")
    tensors = common_tensors("stack", arrays)
    shapes = {x.shape for x in tensors}
    if len(shapes) > 1:
        raise ShapeError(f"stack: the shapes differ: {sorted(shapes)}")
    out: Tensor = _stack(*tensors, axis=normalize_axis("stack", axis, tensors[0].ndim + 1))
    return out
