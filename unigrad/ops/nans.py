"""Reductions that leave NaNs out, in value and in derivative.

``axis`` and ``keepdims`` as in `unigrad.ops.reductions`. Where only NaNs are left, a sum is 0, a
product 1, and everything else NaN. Integers and bools have no NaN.

Errors, the same for all: `ShapeError` for a bad axis, `DTypeError` for a dtype that the op does
not take.
"""

from __future__ import annotations

import math
from typing import Any

import numpy.typing as npt

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, checked, to_floating
from unigrad.core.axes import normalize_axes, normalize_axis
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import SettingError
from unigrad.core.op import composite
from unigrad.core.operands import in_dtype, operands, single
from unigrad.core.tensor import Tensor
from unigrad.ops.at_once import whole_reduction
from unigrad.ops.comparison import equal, greater, isnan, logical_and, logical_not, where
from unigrad.ops.reductions import (
    Axis,
    _ordered,
    argmax,
    count_nonzero,
    max,
    min,
    prod,
    reduced_shape,
    reduced_size,
    sum,
    widened,
)
from unigrad.ops.shaping import reshape
from unigrad.ops.statistics import _real, in_range, root_unless

__all__ = [
    "nanargmax", "nanargmin", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum",
    "nanvar",
]  # fmt: skip


@whole_reduction
def nansum(
    x: TensorLike, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Return the sum Σ x over axes of what is no NaN. Dtypes as in `sum`.

    Example:
        >>> float(nansum([1.0, float("nan"), 2.0]))
        3.0
    """
    x = as_tensor(x)
    axes = normalize_axes("nansum", axis, x.ndim)
    return sum(_replaced(x, 0), axis=axes, dtype=dtype, keepdims=keepdims)


@whole_reduction
def nanprod(
    x: TensorLike, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Return the product Π x over axes of what is no NaN. Dtypes and derivative as in `prod`.

    Example:
        >>> float(nanprod([2.0, float("nan"), 3.0]))
        6.0
    """
    x = as_tensor(x)
    axes = normalize_axes("nanprod", axis, x.ndim)
    return prod(_replaced(x, 1), axis=axes, dtype=dtype, keepdims=keepdims)


def _replaced(x: Tensor, value: float) -> Tensor:
    """Return x with a number in place of NaNs."""
    return where(isnan(x), value, x) if x.dtype in dtypes.INEXACT else x


@whole_reduction
def nanmean(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean Σ x / n over axes of the n elements that are no NaN.

    Integers in the default float, half precision in float32.

    Example:
        >>> float(nanmean([1.0, float("nan"), 2.0]))
        1.5
    """
    x = to_floating(as_tensor(x))
    wide, axes = widened(x), normalize_axes("nanmean", axis, x.ndim)
    count = count_nonzero(logical_not(isnan(wide)), axis=axes, keepdims=keepdims)
    total = sum(_replaced(wide, 0), axis=axes, keepdims=keepdims)
    return cast(_divided(total, count), x.dtype)


def _divided(total: Tensor, count: Tensor) -> Tensor:
    """Return total / count, NaN where the count is not positive; its derivative is 0 there."""
    some = count > 0
    return where(some, total / cast(where(some, count, 1), total.dtype), math.nan)


@whole_reduction
def nanmax(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the greatest element over axes that is no NaN.

    The gradient goes to the greatest elements in equal parts.

    Raises:
        ShapeError: when there are no elements.

    Example:
        >>> nanmax([[1.0, float("nan")], [3.0, 4.0]], axis=1).tolist()
        [1.0, 4.0]
    """
    return _extremum("nanmax", max, -math.inf, x, axis, keepdims)


@whole_reduction
def nanmin(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the least element over axes that is no NaN. Gradient as of `nanmax`.

    Raises:
        ShapeError: when there are no elements.

    Example:
        >>> nanmin([[1.0, float("nan")], [3.0, 4.0]], axis=1).tolist()
        [1.0, 3.0]
    """
    return _extremum("nanmin", min, math.inf, x, axis, keepdims)


def _extremum(
    name: str, reduce: Any, worst: float, x: TensorLike, axis: Axis, keepdims: bool
) -> Tensor:
    x = _ordered(name, as_tensor(x))
    axes = normalize_axes(name, axis, x.ndim)
    settings: dict[str, Any] = {"axis": axes, "keepdims": keepdims}
    out: Tensor
    if x.dtype not in dtypes.INEXACT:
        out = reduce(x, **settings)
        return out
    missing = isnan(x)
    out = reduce(where(missing, worst, x), **settings)
    # NaNs would have a part in what is equal to the number in their place. The mean is NaN where
    # they are alone.
    total = sum(where(missing, 0, x), **settings)
    mean = _divided(total, count_nonzero(logical_not(missing), **settings))
    return where(equal(out, worst), mean, out)


@operands("correction")
@whole_reduction
def nanvar(
    x: TensorLike, /, *, axis: Axis = None, correction: TensorLike = 0.0, keepdims: bool = False
) -> Tensor:
    """Return the variance Σ (x - mean)² / (n - correction) of the n elements that are no NaN.

    NaN where n - correction is not positive. Integers are computed in the default float.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> float(nanvar([1.0, float("nan"), 3.0]))
        1.0
    """
    x, axes, kept = _real("nanvar", x, axis, keepdims)
    deviation, free = _deviations("nanvar", widened(x), axes, correction)
    total = sum(deviation * deviation, axis=axes, keepdims=True)
    return reshape(cast(_divided(total, free), x.dtype), reduced_shape(x.shape, axes, kept))


@operands("correction")
@whole_reduction
def nanstd(
    x: TensorLike, /, *, axis: Axis = None, correction: TensorLike = 0.0, keepdims: bool = False
) -> Tensor:
    """Return the standard deviation √nanvar over axes. Of equal elements it has derivative 0.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> float(nanstd([1.0, float("nan"), 3.0]))
        1.0
    """
    x, axes, kept = _real("nanstd", x, axis, keepdims)
    wide = widened(x)
    deviation, free = _deviations("nanstd", wide, axes, correction)
    if not reduced_size(x.shape, axes):
        variance = _divided(sum(deviation * deviation, axis=axes, keepdims=True), free)
        return reshape(cast(variance, x.dtype), reduced_shape(x.shape, axes, kept))
    # Whether all are equal is asked of the elements: their mean may be rounded, or be NaN.
    least, greatest = (one(wide, axis=axes, keepdims=True) for one in (nanmin, nanmax))
    equals = logical_and(equal(least, greatest), greater(free, 0.0))
    scaled, back = in_range(where(equals, 0.0, deviation), axes)
    variance = _divided(sum(scaled * scaled, axis=axes, keepdims=True), free)
    out = root_unless(equals, variance) * back
    return reshape(cast(out, x.dtype), reduced_shape(x.shape, axes, kept))


def _deviations(
    name: str, x: Tensor, axes: tuple[int, ...], correction: TensorLike
) -> tuple[Tensor, Tensor]:
    """Return what elements differ from their mean, 0 for a NaN, and the degrees of freedom."""
    given = single(name, correction)
    missing = isnan(x)
    deviation = where(missing, 0, x - nanmean(x, axis=axes, keepdims=True))
    count = cast(count_nonzero(logical_not(missing), axis=axes, keepdims=True), x.dtype)
    return deviation, count - (in_dtype(given, x.dtype) if isinstance(given, Tensor) else given)


@whole.as_one_op("native_dtypes", looks=True)
def nanargmax(x: TensorLike, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index (int64) of the greatest element that is no NaN; the first of equal ones.

    Without an axis it counts in row-major order. Derivative zero.

    Raises:
        ShapeError: when there are no elements.
        SettingError: when there are only NaNs, which gives -1 where nobody can look at values.

    Example:
        >>> nanargmax([1.0, float("nan"), 3.0]).item()
        2
    """
    return _place("nanargmax", x, axis, keepdims)


@whole.as_one_op("native_dtypes", looks=True)
def nanargmin(x: TensorLike, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index (int64) of the least element that is no NaN; the first of equal ones.

    Raises: as `nanargmax`.

    Example:
        >>> nanargmin([2.0, float("nan"), 1.0]).item()
        2
    """
    return _place("nanargmin", x, axis, keepdims)


@composite
def _place_of(x: Tensor, *, least: bool, axis: int | None, keepdims: bool) -> tuple[Tensor, Tensor]:
    """Return where the extremum is that is no NaN, and whether there are only NaNs."""
    best = (nanmin if least else nanmax)(x, axis=axis, keepdims=True)
    found = argmax(cast(equal(x, best), dtypes.int8), axis=axis, keepdims=keepdims)
    return found, reshape(isnan(best), found.shape)


def _place(name: str, x: TensorLike, axis: int | None, keepdims: bool) -> Tensor:
    x = _ordered(name, as_tensor(x))
    if not x.size:
        return argmax(x, axis=axis, keepdims=keepdims)
    kept = None if axis is None else normalize_axis(name, axis, x.ndim)
    found: Tensor
    found, alone = _place_of(x, least=name == "nanargmin", axis=kept, keepdims=bool(keepdims))
    if x.dtype not in dtypes.INEXACT:
        return found
    problem = f"{name}: only NaNs to choose from in {x.shape} along axis {axis}"

    def check(values: npt.NDArray[Any]) -> None:
        if values.any():
            raise SettingError(problem)

    return found if checked(check, alone) else where(alone, -1, found)
