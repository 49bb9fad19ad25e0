"""Ops that move elements without computing: reshape, permute, broadcast, join.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.axes import normalize_axes, normalize_axis, plain_axes, plain_axis
from unigrad.core.errors import DTypeError, ShapeError, TracingError
from unigrad.core.op import primitive
from unigrad.core.plans import plain_ints, planned
from unigrad.core.tensor import Tensor

__all__ = [
    "broadcast_arrays", "broadcast_shapes", "broadcast_to", "expand_dims", "flip", "moveaxis",
    "permute_dims", "ravel", "reshape", "roll", "squeeze", "swapaxes", "transpose",
]  # fmt: skip

_reshape = primitive("reshape")
_broadcast_to = primitive("broadcast_to")
_permute_dims = primitive("permute_dims")
_flip = primitive("flip")
_roll = primitive("roll")


def as_shape(name: str, shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return a shape given as an int or a sequence of ints as a tuple.

    Raises:
        DTypeError: when an entry is no integer.
    """
    many: Any = shape
    if type(shape) is not tuple and (
        not hasattr(shape, "__iter__") or getattr(shape, "ndim", 1) == 0
    ):
        many = (shape,)
    try:
        return plain_ints(many)
    except TracingError:
        raise
    except TypeError:
        raise DTypeError(f"{name}: needs integers, not {shape!r}") from None


def as_integer(name: str, value: Any) -> int:
    """Return an integer as Python's own.

    Raises:
        DTypeError: when it is none.
    """
    try:
        (number,) = plain_ints((value,))
    except TracingError:
        raise
    except TypeError:
        raise DTypeError(f"{name}: needs an integer, not {value!r}") from None
    return number


def _plan_reshape(shape: tuple[int, ...], wanted: tuple[int, ...]) -> Mapping[str, Any]:
    size = prod(shape)
    if -1 in wanted:
        known = prod([n for n in wanted if n != -1])
        if wanted.count(-1) > 1 or known == 0 or size % known:
            raise ShapeError(f"reshape: {shape} does not fit {wanted}")
        wanted = tuple(size // known if n == -1 else n for n in wanted)
    if prod(wanted) != size or (wanted and min(wanted) < 0):
        raise ShapeError(f"reshape: {shape} has {size} elements, {wanted} has another number")
    return {"shape": wanted}


_reshaped = planned(_reshape, _plan_reshape)


def reshape(x: TensorLike, /, shape: int | Sequence[int], *, copy: bool | None = None) -> Tensor:
    """Return the same elements, in row-major order, in another shape.

    One length may be -1: it follows from the others. ``copy`` makes no difference: a tensor is a
    value, and nobody can tell a copy of it from a view.

    Raises:
        ShapeError: when the sizes differ, or nothing follows from the others since one is 0.

    Example:
        >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
        [[1, 2], [3, 4]]
    """
    return _reshaped(as_tensor(x), as_shape("reshape", shape))


def _plan_broadcast(shape: tuple[int, ...], wanted: tuple[int, ...]) -> Mapping[str, Any]:
    try:
        fits = np.broadcast_shapes(shape, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"broadcast_to: {shape} does not broadcast to {wanted}")
    return {"shape": wanted}


_broadcast = planned(_broadcast_to, _plan_broadcast)


def broadcast_to(x: TensorLike, /, shape: int | Sequence[int]) -> Tensor:
    """Return ``x`` repeated along new axes and axes of length one.

    Raises:
        ShapeError: when the shape is not one that ``x`` broadcasts to.

    Example:
        >>> broadcast_to([1, 2], (2, 2)).tolist()
        [[1, 2], [1, 2]]
    """
    return _broadcast(as_tensor(x), as_shape("broadcast_to", shape))


def _plan_permutation(shape: tuple[int, ...], axes: tuple[int, ...]) -> Mapping[str, Any]:
    ndim = len(shape)
    order = tuple([normalize_axis("permute_dims", axis, ndim) for axis in axes])
    if sorted(order) != list(range(ndim)):
        raise ShapeError(f"permute_dims: {axes} is no permutation of {ndim} axes")
    return {"axes": order}


_permuted = planned(_permute_dims, _plan_permutation)


def permute_dims(x: TensorLike, /, axes: Sequence[int]) -> Tensor:
    """Return ``x`` with its axes in another order.

    Raises:
        ShapeError: when ``axes`` is no permutation of the axes.

    Example:
        >>> permute_dims([[1, 2, 3]], (1, 0)).shape
        (3, 1)
    """
    return _permuted(as_tensor(x), plain_axes("permute_dims", axes))


def broadcast_shapes(*shapes: int | Sequence[int]) -> tuple[int, ...]:
    """Return the shape that shapes broadcast to.

    Example:
        >>> broadcast_shapes((2, 1), (3,))
        (2, 3)
    """
    tuples = [as_shape("broadcast_shapes", shape) for shape in shapes]
    try:
        return np.broadcast_shapes(*tuples)
    except ValueError:
        raise ShapeError(f"broadcast_shapes: {tuples} do not broadcast") from None


@whole.as_one_op("native_dtypes")
def broadcast_arrays(*arrays: TensorLike) -> tuple[Tensor, ...]:
    """Return tensors broadcast to their common shape; each keeps its dtype.

    Example:
        >>> [x.shape for x in broadcast_arrays([[1], [2]], [1, 2, 3])]
        [(2, 3), (2, 3)]
    """
    like = next((x for x in arrays if type(x) is Tensor), None)
    tensors = [as_tensor(x, like) for x in arrays]
    try:
        shape = np.broadcast_shapes(*[x.shape for x in tensors])
    except ValueError:
        shapes = [x.shape for x in tensors]
        raise ShapeError(f"broadcast_arrays: {shapes} do not broadcast") from None
    return tuple([_broadcast_to(x, shape=shape) for x in tensors])


def _plan_expansion(shape: tuple[int, ...], axis: int | tuple[int, ...]) -> Mapping[str, Any]:
    many = axis if isinstance(axis, tuple) else (axis,)
    ndim = len(shape) + len(many)
    added = normalize_axes("expand_dims", many, ndim)
    old = iter(shape)
    return {"shape": tuple([1 if i in added else next(old) for i in range(ndim)])}


_expanded = planned(_reshape, _plan_expansion)


def expand_dims(x: TensorLike, /, axis: int | tuple[int, ...] = 0) -> Tensor:
    """Return ``x`` with axes of length one inserted where the result shall have them.

    Example:
        >>> expand_dims([1, 2], axis=(0, -1)).shape
        (1, 2, 1)
    """
    return _expanded(as_tensor(x), plain_axis("expand_dims", axis))


def _plan_squeeze(shape: tuple[int, ...], axis: int | tuple[int, ...] | None) -> Mapping[str, Any]:
    if axis is None:
        gone = tuple([i for i, length in enumerate(shape) if length == 1])
    else:
        gone = normalize_axes("squeeze", axis, len(shape))
        if any(shape[i] != 1 for i in gone):
            raise ShapeError(f"squeeze: axis {axis} of shape {shape} has not length one")
    return {"shape": tuple([n for i, n in enumerate(shape) if i not in gone])}


_squeezed = planned(_reshape, _plan_squeeze)


def squeeze(x: TensorLike, /, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Return ``x`` without axes of length one: these, or all such (``None``).

    Raises:
        ShapeError: when a named axis has another length.

    Example:
        >>> squeeze([[[1], [2]]], axis=0).shape
        (2, 1)
    """
    return _squeezed(as_tensor(x), plain_axis("squeeze", axis))


def ravel(x: TensorLike, /) -> Tensor:
    """Return the elements in row-major order along one axis.

    Example:
        >>> ravel([[1, 2], [3, 4]]).tolist()
        [1, 2, 3, 4]
    """
    return _flat(as_tensor(x))


_flat = planned(_reshape, lambda shape: {"shape": (prod(shape),)})


def transpose(x: TensorLike, /, axes: Sequence[int] | None = None) -> Tensor:
    """Return ``x`` with its axes reversed, or in the order given.

    Example:
        >>> transpose([[1, 2, 3]]).shape
        (3, 1)
    """
    x = as_tensor(x)
    return reverse_axes(x) if axes is None else permute_dims(x, axes)


#: ``x.T`` of a tensor.
reverse_axes = planned(_permute_dims, lambda shape: {"axes": tuple(range(len(shape) - 1, -1, -1))})


def moveaxis(
    x: TensorLike,
    source: int | tuple[int, ...],
    destination: int | tuple[int, ...],
    /,
) -> Tensor:
    """Return ``x`` with axes moved to other places; the rest keep their order.

    Example:
        >>> moveaxis([[[1, 2, 3]]], -1, 0).shape
        (3, 1, 1)
    """
    return _moved(as_tensor(x), plain_axis("moveaxis", source), plain_axis("moveaxis", destination))


def _plan_move(shape: tuple[int, ...], source: Any, destination: Any) -> Mapping[str, Any]:
    ndim = len(shape)
    sources = source if isinstance(source, tuple) else (source,)
    targets = destination if isinstance(destination, tuple) else (destination,)
    taken = [normalize_axis("moveaxis", axis, ndim) for axis in sources]
    places = [normalize_axis("moveaxis", axis, ndim) for axis in targets]
    if len(taken) != len(places) or len(set(taken)) < len(taken) or len(set(places)) < len(places):
        raise ShapeError(f"moveaxis: cannot move axes {source} to {destination}")
    order = [axis for axis in range(ndim) if axis not in taken]
    for place, axis in sorted(zip(places, taken, strict=True)):
        order.insert(place, axis)
    return {"axes": tuple(order)}


_moved = planned(_permute_dims, _plan_move)


def swapaxes(x: TensorLike, axis1: int, axis2: int, /) -> Tensor:
    """Return ``x`` with two axes exchanged.

    Example:
        >>> swapaxes([[1, 2, 3]], 0, 1).shape
        (3, 1)
    """
    if not (type(x) is Tensor and type(axis1) is type(axis2) is int):
        x, axis1, axis2 = as_tensor(x), *(plain_axis("swapaxes", one) for one in (axis1, axis2))
    return _swapped(x, axis1, axis2)


def _plan_swap(shape: tuple[int, ...], axis1: Any, axis2: Any) -> Mapping[str, Any]:
    order = list(range(len(shape)))
    first = normalize_axis("swapaxes", axis1, len(shape))
    second = normalize_axis("swapaxes", axis2, len(shape))
    order[first], order[second] = second, first
    return {"axes": tuple(order)}


_swapped = planned(_permute_dims, _plan_swap)


def flip(x: TensorLike, /, *, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """Return ``x`` with the order of the elements along axes (``None``: all) reversed.

    Example:
        >>> flip([1, 2, 3]).tolist()
        [3, 2, 1]
    """
    if type(x) is not Tensor or type(axis) is not int:
        x, axis = as_tensor(x), plain_axis("flip", axis)
    return _flipped(x, axis)


_flipped = planned(_flip, lambda shape, axis: {"axis": normalize_axes("flip", axis, len(shape))})


def roll(
    x: TensorLike,
    /,
    shift: int | tuple[int, ...],
    *,
    axis: int | tuple[int, ...] | None = None,
) -> Tensor:
    """Return ``x`` with its elements moved along axes; what leaves at one end enters at the other.

    ``axis=None`` rolls the flattened elements. One shift may serve several axes; an axis that
    comes twice is rolled by the sum.

    Raises:
        ShapeError: when the numbers of shifts and axes differ.

    Example:
        >>> roll([1, 2, 3], 1).tolist()
        [3, 1, 2]
    """
    x = as_tensor(x)
    shifts = as_shape("roll", shift)
    if axis is None:
        if isinstance(shift, (tuple, list)):
            raise ShapeError(f"roll: the shifts {shift} need an axis each")
        return reshape(_rolled(ravel(x), shifts, (0,)), x.shape)
    axes = plain_axes("roll", axis if isinstance(axis, (tuple, list)) else (axis,))
    if not isinstance(shift, (tuple, list)):
        shifts *= len(axes)
    return _rolled(x, shifts, axes)


def _plan_roll(
    shape: tuple[int, ...], shifts: tuple[int, ...], axes: tuple[int, ...]
) -> Mapping[str, Any]:
    if len(axes) != len(shifts):
        raise ShapeError(f"roll: {len(shifts)} shifts for {len(axes)} axes")
    by_axis: dict[int, int] = {}
    for one, by in zip(axes, shifts, strict=True):
        place = normalize_axis("roll", one, len(shape))
        # Libraries take a shift in 32 or in 64 bits.
        by_axis[place] = (by_axis.get(place, 0) + by) % max(shape[place], 1)
    return {"shift": tuple(by_axis.values()), "axis": tuple(by_axis)}


_rolled = planned(_roll, _plan_roll)
