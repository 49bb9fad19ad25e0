"""Reductions along axes.

``axis`` is an int, a tuple of ints or ``None`` (all axes); ``keepdims`` keeps reduced axes with
length one. Errors, the same for all: `ShapeError` for a bad axis, `DTypeError` for a dtype that
the op does not take.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, to_floating
from unigrad.core.axes import normalize_axes, normalize_axis
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import Op, composite, primitive
from unigrad.core.plans import planned
from unigrad.core.tensor import Tensor
from unigrad.ops.at_once import at_once
from unigrad.ops.comparison import not_equal
from unigrad.ops.identity import identity
from unigrad.ops.joining import concat
from unigrad.ops.shaping import permute_dims, reshape

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "sum",
]

Axis = int | tuple[int, ...] | None

_HALVES = (dtypes.float16, dtypes.bfloat16)


_sum = primitive("sum")
_max = primitive("max")
_min = primitive("min")
_any = primitive("any")
_all = primitive("all")
_argmax = primitive("argmax")
_argmin = primitive("argmin")


def accumulated(name: str, x: Tensor, dtype: DTypeLike | None) -> Tensor:
    """Return what a sum or product is taken of: bools and integers become (u)int64.

    Raises:
        DTypeError: when it shall be taken in bools.
    """
    if dtype is not None:
        chosen = dtypes.as_dtype(dtype)
        if chosen == dtypes.bool_:
            raise DTypeError(f"{name}: bools are not added or multiplied; use ug.any or ug.all")
        return cast(x, chosen)
    if x._native.dtype in x.backend.native_floats:
        return x
    return cast(x, dtypes.uint64 if x.dtype in dtypes.UNSIGNED else dtypes.int64)


def _reduced(op: Op, x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Run a reduction to which no axis, or a 0-d tensor, leaves nothing to do."""
    if axes == ():
        return identity(x)
    out: Tensor = op(x, axis=axes, keepdims=bool(keepdims))
    return out


def _accumulation(
    op: Op, x: TensorLike, axis: Axis, dtype: DTypeLike | None, keepdims: bool
) -> Tensor:
    x = accumulated(op.name, as_tensor(x), dtype)
    out = _reduced(op, x, normalize_axes(op.name, axis, x.ndim), keepdims)
    # Libraries widen narrow integers, signed or not; the sum in 64 bits has the right low ones.
    return out if out._native.dtype is x._native.dtype else cast(out, x.dtype)


@at_once(_sum)
def sum(
    x: TensorLike, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Return the sum Σ x over axes.

    ``dtype`` is what to sum in, and the result's. By default bools and integers are summed in
    int64, unsigned ones in uint64. Half precision is added up in float32 and rounded once.

    Raises:
        DTypeError: for a ``dtype`` of bool.

    Example:
        >>> sum([[1, 2], [3, 4]], axis=0).tolist()
        [4, 6]
    """
    return _accumulation(_sum, x, axis, dtype, keepdims)


def widened(x: Tensor) -> Tensor:
    """Return half precision as float32: its sums and squares leave its range and precision."""
    return cast(x, dtypes.float32) if x.dtype in _HALVES else x


def reduced_shape(
    shape: tuple[int, ...], axis: tuple[int, ...] | None, keepdims: bool
) -> tuple[int, ...]:
    """Return the shape after a reduction."""
    axes = range(len(shape)) if axis is None else [i % len(shape) for i in axis]
    if keepdims:
        return tuple([1 if i in axes else n for i, n in enumerate(shape)])
    return tuple([n for i, n in enumerate(shape) if i not in axes])


def reduced_size(shape: tuple[int, ...], axis: tuple[int, ...] | None) -> int:
    """Return how many elements each element of the result is made of."""
    return math.prod(shape if axis is None else [shape[i] for i in axis])


@composite
def _prod(x: Tensor, *, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    # Half of the factors times the other half, again and again: made of products alone, its
    # derivative is exact where factors are zero, to any order.
    shape = x.shape
    wanted = reduced_shape(shape, axis, keepdims)
    size = reduced_size(shape, axis)
    axes = normalize_axes("prod", axis, len(shape))
    rest = [i for i in range(len(shape)) if i not in axes]
    dtype = x.dtype
    x = reshape(permute_dims(widened(x), [*axes, *rest]), (size, *[shape[i] for i in rest]))
    if size == 0:
        return cast(reshape(_sum(x, axis=(0,), keepdims=False) + 1, wanted), dtype)
    while size > 1:
        half = size // 2
        product = x[:half] * x[half : 2 * half]
        x = concat([product, x[2 * half :]]) if size % 2 else product
        size -= half
    return cast(reshape(x, wanted), dtype)


@at_once(_prod)
def prod(
    x: TensorLike, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Return the product Π x over axes, 1 for no elements. Integers as in `sum`.

    The derivative by one factor is the product of the others, exact also where factors are zero.

    Example:
        >>> prod([[1, 2], [3, 4]], axis=0).tolist()
        [3, 8]
    """
    return _accumulation(_prod, x, axis, dtype, keepdims)


@composite
def _mean(x: Tensor, *, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    total: Tensor = _sum(x, axis=axis, keepdims=keepdims)
    size = reduced_size(x.shape, axis)
    return total / size if size else undefined(total)


def undefined(total: Tensor) -> Tensor:
    """Return NaN in place of a sum of no elements; its derivative is that of the sum, 0."""
    return total * 0.0 + math.nan


@at_once(_mean)
def mean(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean Σ x / n over axes, NaN for no elements. Integers in the default float.

    Example:
        >>> float(mean([1, 2, 6]))
        3.0
    """
    x = to_floating(as_tensor(x))
    axes = normalize_axes("mean", axis, x.ndim)
    return _reduced(_mean, x, axes, keepdims)


def _extremum(op: Op, x: TensorLike, axis: Axis, keepdims: bool) -> Tensor:
    x = _ordered(op.name, as_tensor(x))
    axes = normalize_axes(op.name, axis, x.ndim)
    if reduced_size(x.shape, axes) == 0:
        raise ShapeError(f"{op.name}: no elements to choose from in {x.shape} along {axes}")
    return _reduced(op, x, axes, keepdims)


def _ordered(name: str, x: Tensor) -> Tensor:
    """Refuse complex numbers, which have no order."""
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({x.dtype.name})")
    return x


@at_once(_max)
def max(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the greatest element over axes; NaN when there is one.

    The gradient goes to the greatest elements in equal parts, to the NaNs when there are any.

    Raises:
        ShapeError: when there are no elements.

    Example:
        >>> max([[1, 5], [3, 4]], axis=1).tolist()
        [5, 4]
    """
    return _extremum(_max, x, axis, keepdims)


@at_once(_min)
def min(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the least element over axes; NaN when there is one. Gradient as of `max`.

    Raises:
        ShapeError: when there are no elements.

    Example:
        >>> min([[1, 5], [3, 4]], axis=1).tolist()
        [1, 3]
    """
    return _extremum(_min, x, axis, keepdims)


@at_once(_any, "native_bools")
def any(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Tell whether any element is true (not zero; NaN counts as true); false for none.

    Example:
        >>> any([[0, 1], [0, 0]], axis=1).tolist()
        [True, False]
    """
    return _of_truths(_any, x, axis, keepdims)


@at_once(_all, "native_bools")
def all(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Tell whether all elements are true (not zero; NaN counts as true); true for none.

    Example:
        >>> all([[1, 1], [0, 1]], axis=1).tolist()
        [True, False]
    """
    return _of_truths(_all, x, axis, keepdims)


def _truths(x: Tensor) -> Tensor:
    """Return where elements are not zero: by a comparison, whose derivative is zero."""
    return x if x.dtype == dtypes.bool_ else not_equal(x, 0)


def _of_truths(op: Op, x: TensorLike, axis: Axis, keepdims: bool) -> Tensor:
    x = _truths(as_tensor(x))
    return _reduced(op, x, normalize_axes(op.name, axis, x.ndim), keepdims)


def argmax(x: TensorLike, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index (int64) of the greatest element along an axis, or of all in row-major order.

    The lowest index at a tie; that of the first NaN when there is one. Derivative zero.

    Raises:
        ShapeError: when there are no elements.

    Example:
        >>> argmax([[1, 5], [4, 4]], axis=1).tolist()
        [1, 0]
    """
    return _index_of_extremum(_argmax, x, axis, keepdims)


def argmin(x: TensorLike, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index (int64) of the least element; otherwise as `argmax`.

    Raises:
        ShapeError: when there are no elements.

    Example:
        >>> argmin([[5, 1], [4, 4]], axis=1).tolist()
        [1, 0]
    """
    return _index_of_extremum(_argmin, x, axis, keepdims)


def _index_of_extremum(op: Op, x: TensorLike, axis: int | None, keepdims: bool) -> Tensor:
    if (
        type(x) is Tensor
        and type(axis) is int
        and not keepdims
        and x._native.dtype in x.backend.native_reals
    ):
        return _along[op](x, axis)
    x = _ordered(op.name, as_tensor(x))
    if x.dtype == dtypes.bool_:
        x = cast(x, dtypes.uint8)
    shape = x.shape
    if axis is None or not shape:
        along = 0
        if axis is not None:
            normalize_axis(op.name, axis, 0)
        x = reshape(x, (-1,))
    else:
        along = normalize_axis(op.name, axis, len(shape))
    if x.shape[along] == 0:
        raise ShapeError(f"{op.name}: no elements to choose from in {shape} along {axis}")
    index: Tensor = op(x, axis=along)
    if not keepdims:
        return index
    return reshape(index, reduced_shape(shape, None if axis is None else (along,), True))


def _plan_index(name: str, shape: tuple[int, ...], axis: int) -> Mapping[str, Any]:
    place = normalize_axis(name, axis, len(shape))
    if shape[place] == 0:
        raise ShapeError(f"{name}: no elements to choose from in {shape} along {place}")
    return {"axis": place}


#: The commonest call of each.
_along = {op: planned(op, partial(_plan_index, op.name)) for op in (_argmax, _argmin)}


@composite
def _count_nonzero(x: Tensor, *, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    out: Tensor = _sum(cast(_truths(x), dtypes.int64), axis=axis, keepdims=keepdims)
    return out


@at_once(_count_nonzero, "native_dtypes")
def count_nonzero(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return how many elements are not zero (int64). Derivative zero.

    Example:
        >>> count_nonzero([[0, 1], [2, 3]], axis=1).tolist()
        [1, 2]
    """
    x = as_tensor(x)
    axes = normalize_axes("count_nonzero", axis, x.ndim)
    if axes == ():
        return cast(_truths(x), dtypes.int64)
    out: Tensor = _count_nonzero(x, axis=axes, keepdims=bool(keepdims))
    return out
