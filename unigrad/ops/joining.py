"""Ops that join tensors, take them apart or repeat their elements.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from unigrad.core.arguments import (
    TensorLike,
    alike,
    as_tensor,
    common_tensors,
    normalize_axis,
    plain_axis,
)
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import ShapeError
from unigrad.core.op import Op, primitive
from unigrad.core.plans import Plans
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
    return _joined(_stack, arrays, axis, _plan_stack)


def _plan_stack(shapes: Sequence[tuple[int, ...]], axis: int) -> Mapping[str, Any]:
    if len(set(shapes)) > 1:
        raise ShapeError(f"stack: the shapes differ: {sorted(set(shapes))}")
    return {"axis": normalize_axis("stack", axis, len(shapes[0]) + 1)}


def _joined(
    op: Op,
    arrays: Sequence[TensorLike],
    axis: int,
    plan: Callable[[Sequence[tuple[int, ...]], int], Mapping[str, Any]],
) -> Tensor:
    """Run an op of several tensors with settings that follow from their shapes and an axis."""
    if len(arrays) == 0:
        raise ShapeError(f"{op.name}: needs at least one tensor")
    tensors = alike(arrays) or tuple(common_tensors(op.name, arrays))
    backend = tensors[0].backend
    natives = tuple([x.native for x in tensors])
    key = (op, *map(backend.shape, natives), plain_axis(op.name, axis))
    try:
        settings = _plans[key]
    except KeyError:
        settings = _plans.keep(key, plan(key[1:-1], axis))
    out: Tensor = dispatch(op, backend, tensors, natives, settings)
    return out


_plans = Plans()


def concat(arrays: Sequence[TensorLike], /, *, axis: int | None = 0) -> Tensor:
    """Join tensors along an axis; ``None`` flattens them first.

    Raises:
        ShapeError: when there are none, or they differ on another axis.

    Example:
        >>> concat([[1, 2], [3]]).tolist()
        [1, 2, 3]
    """
    if axis is None:
        # Tensors first: a list beside one is made where that lives.
        tensors = common_tensors("concat", arrays) if len(arrays) else []
        arrays, axis = [ravel(x) for x in tensors], 0
    return _joined(_concat, arrays, axis, _plan_concat)


def _plan_concat(shapes: Sequence[tuple[int, ...]], axis: int) -> Mapping[str, Any]:
    place = normalize_axis("concat", axis, len(shapes[0]))
    if (
        len({shape[:place] + shape[place + 1 :] for shape in shapes}) > 1
        or len({len(shape) for shape in shapes}) > 1
    ):
        raise ShapeError(f"concat: shapes {[*shapes]} differ on more than axis {axis}")
    return {"axis": place}


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
