"""Variance, deviation and norms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, to_floating
from unigrad.core.axes import normalize_axes
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import Op, composite
from unigrad.core.operands import in_dtype, operands, single, with_operands
from unigrad.core.plans import planned
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import (
    equal,
    greater_equal,
    isfinite,
    logical_and,
    not_equal,
    where,
)
from unigrad.ops.elementary import sqrt
from unigrad.ops.identity import stop_gradient
from unigrad.ops.reductions import (
    Axis,
    _max,
    _mean,
    _min,
    _reduced,
    _sum,
    reduced_shape,
    reduced_size,
    undefined,
    widened,
)
from unigrad.ops.shaping import reshape

__all__ = ["norm", "std", "var"]


@composite
def _var(
    x: Tensor, *, axis: tuple[int, ...] | None, correction: TensorLike, keepdims: bool
) -> Tensor:
    wide = widened(x)
    deviation = wide - _mean(wide, axis=axis, keepdims=True)
    total: Tensor = _sum(deviation * deviation, axis=axis, keepdims=keepdims)
    if not reduced_size(x.shape, axis):
        return cast(undefined(total), x.dtype)
    count = reduced_size(x.shape, axis)
    if isinstance(correction, Tensor):
        return cast(total / maximum(count - in_dtype(correction, wide.dtype), 0.0), x.dtype)
    return cast(total / max(count - correction, 0.0), x.dtype)


@composite
def _std(
    x: Tensor, *, axis: tuple[int, ...] | None, correction: TensorLike, keepdims: bool
) -> Tensor:
    wide = widened(x)
    if not reduced_size(x.shape, axis):
        none: Tensor = _var(x, axis=axis, correction=correction, keepdims=keepdims)
        return none
    computed = isinstance(correction, Tensor)
    if not computed and reduced_size(x.shape, axis) <= max(correction, 0):
        return cast(sqrt(_var(wide, axis=axis, correction=correction, keepdims=keepdims)), x.dtype)
    # Whether all are equal is asked of the elements: their mean may be rounded.
    constant = equal(*(op(wide, axis=axis, keepdims=True) for op in (_min, _max)))
    scaled, back = in_range(wide - _mean(wide, axis=axis, keepdims=True), axis)
    variance = with_operands(_var, scaled, axis=axis, correction=correction, keepdims=True)
    out = cast(root_unless(constant, variance) * back, x.dtype)
    if computed:
        none = cast(where(constant, math.nan, math.inf), x.dtype)
        out = where(greater_equal(correction, reduced_size(x.shape, axis)), none, out)
    return reshape(out, reduced_shape(x.shape, axis, keepdims))


def root_unless(zero: Tensor, square: Tensor) -> Tensor:
    """Return √square, and 0 with derivative 0 where ``zero`` holds.

    The root is never taken there: its infinite derivative times zero would be NaN.
    """
    safe = where(zero, constant(square, 1), square)
    return where(zero, constant(square, 0), sqrt(safe))


@operands("correction")
def var(
    x: TensorLike, /, *, axis: Axis = None, correction: TensorLike = 0.0, keepdims: bool = False
) -> Tensor:
    """Return the variance Σ (x - mean)² / (n - correction) over axes.

    ``correction=1`` makes it the unbiased estimate. Integers are computed in the default float.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> float(var([1.0, 3.0])), float(var([1.0, 3.0], correction=1))
        (1.0, 2.0)
    """
    if type(correction) is not float:
        correction = float(correction) if type(correction) is int else single("var", correction)
    if _is_short(x, axis) and type(correction) is float:
        return _var_along(x, axis, correction, bool(keepdims))
    x, axes, kept = _real("var", x, axis, keepdims)
    return with_operands(_var, x, axis=axes, correction=correction, keepdims=kept)


@operands("correction")
def std(
    x: TensorLike, /, *, axis: Axis = None, correction: TensorLike = 0.0, keepdims: bool = False
) -> Tensor:
    """Return the standard deviation √var over axes. Of equal elements it has derivative 0.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> float(std([1.0, 3.0]))
        1.0
    """
    if type(correction) is not float:
        correction = float(correction) if type(correction) is int else single("std", correction)
    if _is_short(x, axis) and type(correction) is float:
        return _std_along(x, axis, correction, bool(keepdims))
    x, axes, kept = _real("std", x, axis, keepdims)
    return with_operands(_std, x, axis=axes, correction=correction, keepdims=kept)


def _is_short(x: TensorLike, axis: Axis) -> bool:
    """Tell whether an argument is a tensor of real numbers, and its axis one or all."""
    return (
        type(x) is Tensor
        and (axis is None or type(axis) is int)
        and x._native.dtype in x.backend.native_reals
    )


def _planned(op: Op) -> Callable[..., Tensor]:
    """Return the function of a tensor, an axis (or ``None``), a correction and keepdims."""

    def plan(
        shape: tuple[int, ...], axis: int | None, correction: float, keepdims: bool
    ) -> Mapping[str, Any]:
        axes = normalize_axes(op.name, axis, len(shape))
        return {"axis": axes, "correction": correction, "keepdims": keepdims}

    return planned(op, plan)


_var_along, _std_along = _planned(_var), _planned(_std)


def _real(
    name: str, x: TensorLike, axis: Axis, keepdims: bool
) -> tuple[Tensor, tuple[int, ...], bool]:
    x = to_floating(as_tensor(x))
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers ({x.dtype.name}) are not taken")
    return _some_axes(name, x, axis, keepdims)


def _some_axes(
    name: str, x: Tensor, axis: Axis, keepdims: bool
) -> tuple[Tensor, tuple[int, ...], bool]:
    """Normalise the axes; no axis at all becomes one of length one, since kernels may not tell
    no axes from all."""
    axes = normalize_axes(name, axis, x.ndim)
    if axes == () and x.ndim:
        return reshape(x, (*x.shape, 1)), (x.ndim,), False
    return x, axes, bool(keepdims)


#: By the size of a dtype in bytes: beyond 2^±a of these squares are scaled, by 2^±b.
_REACH = {4: (40, 85), 8: (400, 600)}


def in_range(x: Tensor, axis: tuple[int, ...] | None) -> tuple[Tensor, Tensor]:
    """Return x times a power of two, one along ``axis``, and the inverse of that power.

    The squares of what is returned, and sums of them, neither overflow nor vanish: the power is 1
    unless the largest element is very large or very small. It rounds nothing, and as a constant it
    does not show in derivatives. Half precision is to be widened before.

    Source: Blue, "A portable Fortran program to find the Euclidean norm of a vector" (1978).
    """
    if not reduced_size(x.shape, axis):
        return x, constant(x, 1)
    scale = power_of(_max(absolute(stop_gradient(x)), axis=axis, keepdims=True))
    return x * scale, 1.0 / scale


def power_of(peak: Tensor) -> Tensor:
    """Return the power of two that brings numbers up to a peak where their squares are in range."""
    edge, shift = _REACH[peak.dtype.itemsize]
    one = constant(peak, 1)
    # Not of 0: XLA makes (x s)² of constants x² s², which is 0 · ∞.
    small = logical_and(peak > 0.0, peak < 2.0**-edge)
    return where(peak > 2.0**edge, 2.0**-shift, where(small, 2.0**shift, one))


@composite
def _norm(x: Tensor, *, ord: float, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    if ord == 2:
        wide, back = in_range(widened(x), axis)
        square = _sum(wide * wide, axis=axis, keepdims=True)
        length = cast(root_unless(equal(square, constant(square, 0)), square) * back, x.dtype)
        return reshape(length, reduced_shape(x.shape, axis, keepdims))
    op = _sum if ord == 1 else _max
    out: Tensor = op(absolute(x), axis=axis, keepdims=keepdims)
    return out


@composite
def _power_norm(
    x: Tensor, *, ord: float, grows: bool, axis: tuple[int, ...] | None, keepdims: bool
) -> Tensor:
    """(Σ |x|**ord)**(1/ord), not of half precision; ``grows`` for a positive order.

    A compiler may have the order as a tensor, of which no sign is known.
    """
    size = absolute(x)
    zero = equal(size, constant(size, 0))
    # In units of what weighs most no power leaves the range; no derivative depends on the unit.
    scale: Tensor = constant(size, 1)
    if reduced_size(x.shape, axis):
        peak = (_max if grows else _min)(stop_gradient(size), axis=axis, keepdims=True)
        scale = where(logical_and(isfinite(peak), peak > 0), peak, scale)
    # Compilers multiply by the reciprocal, which of the largest numbers is 0 to many.
    part = where(scale > 1, 0.25, 1.0)
    # The derivative of |x|**ord at 0, infinite for small orders, is taken as 0, as that of |x|.
    powers = where(
        zero,
        constant(size, 0 if grows else math.inf),
        where(zero, 1, (size * part) / (scale * part)) ** ord,
    )
    total = _sum(powers, axis=axis, keepdims=True)
    empty = equal(total, constant(total, 0))
    root = scale * where(empty, 1, total) ** (1 / ord)
    out = where(empty, constant(root, 0 if grows else math.inf), root)
    return reshape(out, reduced_shape(x.shape, axis, keepdims))


def _count(x: Tensor, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    """Return how many elements are not 0, as floats: the norm of order 0."""
    found = cast(not_equal(x, constant(x, 0)), widened(x).dtype)
    return cast(_sum(found, axis=axis, keepdims=keepdims), x.dtype)


def norm(x: TensorLike, /, *, ord: float = 2, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the norm over axes, of all elements as one vector by default.

    ``ord`` p is (Σ |x|ᵖ)^(1/p), for any number: 1 is Σ |x|, 2 is √Σ |x|². ``math.inf`` is max |x|,
    ``-math.inf`` min |x|, and 0 counts the elements that are not 0 (no norm, nor are negative p).
    Derivative 0 at 0; at a tie of the greatest (least) in equal parts. Integers are computed in the
    default float, half precision in float32.

    Raises:
        SettingError: when ``ord`` is no number.
        ShapeError: when ``ord`` is infinite and there are no elements.

    Example:
        >>> float(norm([3.0, -4.0])), float(norm([3.0, -4.0], ord=1))
        (5.0, 7.0)
    """
    if (
        type(x) is Tensor
        and (axis is None or type(axis) is int)
        and (type(ord) is int or type(ord) is float)
        and ord in _COMMON
        and type(keepdims) is bool
        and x._native.dtype in x.backend.native_reals
    ):
        return _norms(x, axis, ord, keepdims)
    if not isinstance(ord, (int, float, np.number)) or ord != ord:
        raise SettingError(f"norm: ord is a number, inf or -inf, not {ord!r}")
    x = to_floating(as_tensor(x))
    if x.dtype in dtypes.COMPLEX:
        x = absolute(x)
    x, axes, kept = _some_axes("norm", x, axis, keepdims)
    if abs(ord) == math.inf and reduced_size(x.shape, axes) == 0:
        raise ShapeError(f"norm: no elements to choose from in {x.shape} along {axes}")
    if ord == -math.inf:
        return _reduced(_min, absolute(x), axes, kept)
    if ord == 0:
        return _count(x, axes, kept)
    out: Tensor
    if ord in _COMMON:
        out = _norm(x, ord=float(ord), axis=axes, keepdims=kept)
        return out
    out = _power_norm(widened(x), ord=float(ord), grows=ord > 0, axis=axes, keepdims=kept)
    return cast(out, x.dtype)


#: Orders that have a kernel.
_COMMON = (1, 2, math.inf)


def _plan_norm(
    shape: tuple[int, ...], axis: int | None, ord: float, keepdims: bool
) -> Mapping[str, Any]:
    axes = normalize_axes("norm", axis, len(shape))
    if ord == math.inf and reduced_size(shape, axes) == 0:
        raise ShapeError(f"norm: no elements to choose from in {shape} along {axes}")
    return {"ord": float(ord), "axis": axes, "keepdims": keepdims}


_norms = planned(_norm, _plan_norm)
