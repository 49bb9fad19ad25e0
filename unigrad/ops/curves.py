"""Functions known at points: areas, slopes and interpolation.

Integers and bools are computed in the default float, half precision in float32 and rounded once.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes, whole
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    checked,
    common_tensors,
    to_floating,
)
from unigrad.core.axes import normalize_axis
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import OPS
from unigrad.core.operands import beside, operands, single
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum
from unigrad.ops.comparison import equal, greater, less, logical_or, where
from unigrad.ops.cumulative import diff
from unigrad.ops.indexing import take
from unigrad.ops.joining import concat
from unigrad.ops.reductions import sum, widened
from unigrad.ops.rounding import remainder
from unigrad.ops.shaping import reshape
from unigrad.ops.sorting import argsort, searchsorted

__all__ = ["gradient", "interp", "trapezoid"]


def _slice(x: Tensor, axis: int, start: int | None, stop: int | None) -> Tensor:
    """Return the elements from start to stop along an axis."""
    out: Tensor = x[(*[slice(None)] * axis, slice(start, stop))]
    return out


@operands("dx")
@whole.as_one_op()
def trapezoid(
    y: TensorLike,
    x: TensorLike | None = None,
    /,
    *,
    dx: TensorLike = 1.0,
    axis: int = -1,
) -> Tensor:
    """Return the area under points by the trapezoidal rule, Σ (xᵢ₊₁ - xᵢ)(yᵢ + yᵢ₊₁) / 2.

    ``x`` has one axis, or broadcasts against ``y``; without it neighbours are ``dx`` apart.

    Example:
        >>> float(trapezoid([1.0, 2.0, 3.0])), float(trapezoid([1.0, 3.0], [0.0, 4.0]))
        (4.0, 8.0)
    """
    if x is None:
        y = to_floating(as_tensor(y))
        step: Any = single("trapezoid", dx)
        if isinstance(step, Tensor) and step.dtype in dtypes.FLOATING:
            y, step = common_tensors("trapezoid", (y, step))
    else:
        y, x = (to_floating(one) for one in common_tensors("trapezoid", (y, x)))
    along = normalize_axis("trapezoid", axis, y.ndim)
    dtype, wide = y.dtype, widened(y)
    if x is not None:
        if x.ndim == 1:
            if x.shape[0] != y.shape[along]:
                raise ShapeError(
                    f"trapezoid: {x.shape[0]} places for {y.shape[along]} points along axis {axis}"
                )
            step = reshape(diff(widened(x)), (-1, *[1] * (y.ndim - along - 1)))
        else:
            step = diff(widened(x), axis=along - y.ndim)
    # Half of the sum, not the sum of halves: nothing is rounded by it.
    pairs = _slice(wide, along, 1, None) + _slice(wide, along, None, -1)
    return cast(sum(pairs * step, axis=along - pairs.ndim) * 0.5, dtype)


@whole.as_one_op()
def gradient(
    f: TensorLike,
    /,
    *spacing: TensorLike,
    axis: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> Any:
    """Return the slopes of points along axes, by differences of second order at inner points.

    One tensor for one axis, else a tuple. ``spacing`` is nothing (1), one distance for all axes, or
    for each axis a distance or the places of its points (one axis of increasing or decreasing
    numbers). At both ends differences are of order ``edge_order``, 1 or 2.

    Raises:
        ShapeError: when an axis has no more points than the order, or spacings do not fit.
        SettingError: for another order.

    Example:
        >>> gradient([1.0, 2.0, 4.0, 7.0]).tolist()
        [1.0, 1.5, 2.5, 3.0]

    Source: Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids" (1988).
    """
    if edge_order not in (1, 2):
        raise SettingError(f"gradient: edge_order is 1 or 2, not {edge_order!r}")
    f = to_floating(as_tensor(f))
    given = range(f.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = [normalize_axis("gradient", one, f.ndim) for one in given]
    if len(set(axes)) != len(axes):
        raise ShapeError(f"gradient: axis {axis} names a dimension twice")
    apart = list(spacing) or [1.0]
    if len(apart) == 1:
        apart = apart * len(axes)
    if len(apart) != len(axes):
        raise ShapeError(f"gradient: {len(apart)} spacings for {len(axes)} axes")
    found = [_slopes(f, one, place, edge_order) for one, place in zip(apart, axes, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _slopes(f: Tensor, apart: TensorLike, axis: int, edge_order: int) -> Tensor:
    length = f.shape[axis]
    if length < edge_order + 1:
        raise ShapeError(f"gradient: {length} points along axis {axis} for order {edge_order}")
    if not isinstance(apart, (int, float)):
        f, apart = (to_floating(one) for one in common_tensors("gradient", (f, apart)))
        if apart.ndim > 1 or (apart.ndim == 1 and apart.shape[0] != length):
            raise ShapeError(
                f"gradient: places of shape {apart.shape} for {length} points along axis {axis}"
            )
    wide = widened(f)
    along = isinstance(apart, Tensor) and apart.ndim == 1
    steps: Any = widened(apart) if isinstance(apart, Tensor) else float(apart)
    h1 = h2 = first = last = second = before = steps
    if along:
        steps = reshape(diff(steps), (-1, *[1] * (f.ndim - axis - 1)))
        h1, h2 = _slice(steps, 0, None, -1), _slice(steps, 0, 1, None)
        first, last = _slice(steps, 0, None, 1), _slice(steps, 0, -1, None)
        second, before = _slice(steps, 0, 1, 2), _slice(steps, 0, -2, -1)
    # Quotients of neighbours, which all formulas are made of.
    slopes = diff(wide, axis=axis)
    if along:
        slopes = slopes / steps
        left, right = _slice(slopes, axis, None, -1), _slice(slopes, axis, 1, None)
        inner = (left * h2 + right * h1) / (h1 + h2)
    else:
        inner = (_slice(wide, axis, 2, None) - _slice(wide, axis, None, -2)) / (h1 * 2.0)
        slopes = slopes / h1
    start, end = _slice(slopes, axis, None, 1), _slice(slopes, axis, -1, None)
    if edge_order == 2:
        # Of the parabola through three points.
        bend = (_slice(slopes, axis, 1, 2) - start) / (first + second)
        start, bend = start - bend * first, (end - _slice(slopes, axis, -2, -1)) / (last + before)
        end = end + bend * last
    parts = [start, inner, end] if length > 2 else [start, end]
    return cast(concat(parts, axis=axis), f.dtype)


@operands("left", "right", "period")
@whole.as_one_op(looks=True)
def interp(
    x: TensorLike,
    xp: TensorLike,
    fp: TensorLike,
    /,
    *,
    left: TensorLike | None = None,
    right: TensorLike | None = None,
    period: TensorLike | None = None,
) -> Tensor:
    """Return the values at ``x`` of the broken line through the points (xp, fp).

    ``xp`` increases. Outside of it the value is ``left`` (by default the first of ``fp``) or
    ``right`` (the last). With ``period`` the line goes on periodically, and ``xp`` need not be
    sorted. ``fp`` may be complex. It is differentiable by ``x``, ``xp`` and ``fp``: at an inner
    point, where two pieces meet, by the mean of their slopes; at both ends by that of the line.

    Raises:
        ShapeError: when ``xp`` and ``fp`` are no vectors of one length above 0.
        SettingError: when ``xp`` is seen not to increase, or ``period`` is seen to be 0.
        DTypeError: when ``x`` or ``xp`` is complex.

    Example:
        >>> interp([0.5, 1.5, 9.0], [0.0, 1.0, 2.0], [0.0, 10.0, 30.0]).tolist()
        [5.0, 20.0, 30.0]
    """
    x, xp = (to_floating(one) for one in common_tensors("interp", (x, xp)))
    fp = to_floating(as_tensor(fp, x))
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"interp: places are real numbers, not {x.dtype.name}")
    if xp.ndim != 1 or fp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(f"interp: xp of shape {xp.shape} and fp of shape {fp.shape}")
    dtype = dtypes.result_dtype(x.dtype, fp.dtype)
    place, xp, fp = widened(x), widened(xp), widened(fp)
    common = dtypes.result_dtype(place.dtype, fp.dtype)
    fp = cast(fp, common)
    if common not in dtypes.COMPLEX:
        place, xp = cast(place, common), cast(xp, common)
    if period is not None:
        place, xp, fp = _periodic(place, xp, fp, period)
        left = right = None
    checked(_check_increase, xp)
    return cast(_broken_line(place, xp, fp, left, right), dtype)


def _check_increase(places: npt.NDArray[Any]) -> None:
    if places.ndim == 1 and not (places[1:] > places[:-1]).all():
        raise SettingError("interp: xp does not increase")


def _check_period(period: Any) -> None:
    if np.any(period == 0):
        raise SettingError("interp: the period is not 0")


def _periodic(
    x: Tensor, xp: Tensor, fp: Tensor, period: TensorLike
) -> tuple[Tensor, Tensor, Tensor]:
    """Bring all places into one period, sorted, with one more point on either side."""
    found: Any = single("interp", period)
    if isinstance(found, Tensor):
        checked(_check_period, found)
    else:
        _check_period(found)
    length = abs(beside(found, x, x.dtype))
    x, xp = remainder(x, length), remainder(xp, length)
    order = argsort(xp)
    xp, fp = take(xp, order, axis=0), take(fp, order, axis=0)
    xp = concat([xp[-1:] - length, xp, xp[:1] + length])
    return x, xp, concat([fp[-1:], fp, fp[:1]])


def _read(x: Tensor, places: Tensor) -> Tensor:
    """Return `take` of places that are known to be inside: nobody looks at them."""
    out: Tensor = OPS["take"](x, places, axis=0)
    return out


def _broken_line(
    x: Tensor, xp: Tensor, fp: Tensor, left: TensorLike | None, right: TensorLike | None
) -> Tensor:
    count = xp.shape[0]
    if count > 1:
        slopes = diff(fp) / diff(xp)
        # One piece more on either side, so that a mean of two is there at the ends, too.
        slopes = concat([slopes[:1], slopes, slopes[-1:]])
    else:
        slopes = concat([fp * 0, fp * 0])
    piece = searchsorted(xp, x, side="right")
    below, above = less(x, xp[0]), greater(x, xp[-1])
    point = maximum(piece - 1, 0)
    at, value = _read(xp, point), _read(fp, point)
    slope = _read(slopes, piece)
    # Places outside are none: infinite ones would make slopes NaN.
    inside = where(logical_or(below, above), at, x)
    before = _read(slopes, point)
    slope = where(equal(inside, at), (slope + before) * 0.5, slope)
    found = value + (inside - at) * slope
    first, last = (
        fp[i] if given is None else beside(given, x, fp.dtype)
        for i, given in ((0, left), (-1, right))
    )
    return where(below, first, where(above, last, found))
