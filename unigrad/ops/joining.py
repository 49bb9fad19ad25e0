"""Ops that join tensors, take them apart or repeat their elements.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from unigrad.core.arguments import TensorLike, as_tensor, common_tensors, normalize_axis
from unigrad.core.errors import ShapeError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.shaping import as_shape, ravel

__all__ = ["concat", "split", "stack", "unstack"]

_concat = primitive("concat")
_split = primitive("split")
_stack = primitive("stack")
_unstack = primitive("unstack")


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


def concat(arrays: Sequence[TensorLike], /, *, axis: int | None = 0) -> Tensor:
    """Join tensors along an axis; ``None`` flattens them first.

    Raises:
        ShapeError: when there are none, or they differ on another axis.

    Example:
        >>> concat([[1, 2], [3]]).tolist()
        [1, 2, 3]
    """
    if len(arrays) == 0:
        raise ShapeError("concat: needs at least one tensor")
    tensors = common_tensors("concat", arrays)
    if axis is None:
        tensors, axis = [ravel(x) for x in tensors], 0
    shapes = [x.shape for x in tensors]
    place = normalize_axis("concat", axis, len(shapes[0]))
    if (
        len({shape[:place] + shape[place + 1 :] for shape in shapes}) > 1
        or len({len(shape) for shape in shapes}) > 1
    ):
        raise ShapeError(f"concat: shapes {shapes} differ on more than axis {axis}")
    out: Tensor = _concat(*tensors, axis=place)
    return out


def split(
    x: TensorLike, /, indices_or_sections: int | Sequence[int], *, axis: int = 0
) -> list[Tensor]:
    """Return consecutive pieces along an axis.

    An int asks for that many equal pieces; a sequence of ints says where the pieces after the
    first begin, in ascending order.

    Raises:
        ShapeError: when equal pieces do not come out even, or the bounds do not ascend.

    Example:
        >>> [one.tolist() for one in split([1, 2, 3], [1])]
        [[1], [2, 3]]
    """
    x = as_tensor(x)
    place = normalize_axis("split", axis, x.ndim)
    length = x.shape[place]
    numbers = as_shape("split", indices_or_sections)
    if isinstance(indices_or_sections, int) or not getattr(indices_or_sections, "ndim", 1):
        (count,) = numbers
        if count < 1 or length % count:
            raise ShapeError(f"split: length {length} does not make {count} equal pieces")
        sizes = [length // count] * count
    else:
        bounds = [0]
        for bound in numbers:
            bounds.append(min(max(bound + length if bound < 0 else bound, 0), length))
        bounds.append(length)
        sizes = [end - start for start, end in pairwise(bounds)]
        if min(sizes) < 0:
            raise ShapeError(f"split: the bounds {numbers} do not ascend")
    return list(_split(x, axis=place, sizes=tuple(sizes)))


def unstack(x: TensorLike, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices of a tensor along an axis, which they lose.

    Example:
        >>> [one.tolist() for one in unstack([[1, 2], [3, 4]], axis=1)]
        [[1, 3], [2, 4]]
    """
    x = as_tensor(x)
    place = normalize_axis("unstack", axis, x.ndim)
    if x.shape[place] == 0:
        return ()
    out: tuple[Tensor, ...] = _unstack(x, axis=place)
    return out
