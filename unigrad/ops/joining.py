"""Ops that join tensors, take them apart or repeat their elements.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from unigrad.core.arguments import TensorLike, alike, as_tensor, common_tensors
from unigrad.core.axes import normalize_axis, plain_axis
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import ShapeError
from unigrad.core.op import Op, primitive
from unigrad.core.plans import Planned, Plans, planned
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
    tensors = tuple(arrays)
    natives = alike(tensors)
    if natives is None:
        tensors = tuple(common_tensors(op.name, arrays))
        natives = tuple([x._native for x in tensors])
    backend = tensors[0].backend
    place = axis if type(axis) is int else plain_axis(op.name, axis)
    key = (op, place, *map(backend.shape_key, natives))
    try:
        found = _plans[key]
    except KeyError:
        shapes = [backend.shape(native) for native in natives]
        found = _plans.keep(key, Planned(op, plan(shapes, axis)))
    out: Tensor = dispatch(found, backend, tensors, natives)
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
    if type(x) is Tensor and type(indices_or_sections) is int and type(axis) is int:
        pieces: Any = _split_along(x, indices_or_sections, axis)
        return list(pieces)
    numbers = as_shape("split", indices_or_sections)
    is_count = isinstance(indices_or_sections, int) or not getattr(indices_or_sections, "ndim", 1)
    # An int stands for itself: (2,) is another key, and other pieces.
    wanted = numbers[0] if is_count else numbers
    out: Any = _split_along(as_tensor(x), wanted, plain_axis("split", axis))
    return list(out)


def _plan_split(
    shape: tuple[int, ...], wanted: int | tuple[int, ...], axis: int
) -> Mapping[str, Any]:
    place = normalize_axis("split", axis, len(shape))
    length = shape[place]
    if isinstance(wanted, int):
        count = wanted
        if count < 1 or length % count:
            raise ShapeError(f"split: length {length} does not make {count} equal pieces")
        sizes = [length // count] * count
    else:
        bounds = [0]
        for bound in wanted:
            bounds.append(min(max(bound + length if bound < 0 else bound, 0), length))
        bounds.append(length)
        sizes = [end - start for start, end in pairwise(bounds)]
        if min(sizes) < 0:
            raise ShapeError(f"split: the bounds {wanted} do not ascend")
    return {"axis": place, "sizes": tuple(sizes)}


_split_along = planned(_split, _plan_split)


def unstack(x: TensorLike, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return the slices of a tensor along an axis, which they lose.

    Example:
        >>> [one.tolist() for one in unstack([[1, 2], [3, 4]], axis=1)]
        [[1, 3], [2, 4]]
    """
    if type(x) is not Tensor or type(axis) is not int:
        x, axis = as_tensor(x), plain_axis("unstack", axis)
    backend, native = x.backend, x._native
    key = (backend.shape_key(native), axis)
    found = _slices.get(key)
    if found is None:
        shape = x.shape
        place = normalize_axis("unstack", axis, len(shape))
        if shape[place] == 0:
            return ()
        found = _slices.keep(key, Planned(_unstack, {"axis": place}))
    out: tuple[Tensor, ...] = dispatch(found, backend, (x,), (native,))
    return out


_slices = Plans()
