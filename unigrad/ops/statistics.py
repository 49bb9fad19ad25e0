"""Variance, deviation, norms, and whether all elements are close."""

from __future__ import annotations

import math

import numpy as np

from unigrad.control import stop_gradient
from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    constant,
    normalize_axes,
    to_floating,
)
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops import reductions
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import (
    equal,
    isclose,
    isfinite,
    logical_and,
    logical_not,
    where,
)
from unigrad.ops.elementary import sqrt
from unigrad.ops.reductions import (
    Axis,
    _max,
    _mean,
    _min,
    _reduced,
    _sum,
    reduced_shape,
    reduced_size,
    widened,
)
from unigrad.ops.shaping import reshape

__all__ = ["allclose", "norm", "std", "var"]


@composite
def _var(x: Tensor, *, axis: tuple[int, ...] | None, correction: float, keepdims: bool) -> Tensor:
    wide = widened(x)
    deviation = wide - _mean(wide, axis=axis, keepdims=True)
    total: Tensor = _sum(deviation * deviation, axis=axis, keepdims=keepdims)
    return cast(total / max(reduced_size(x.shape, axis) - correction, 0.0), x.dtype)


@composite
def _std(x: Tensor, *, axis: tuple[int, ...] | None, correction: float, keepdims: bool) -> Tensor:
    wide = widened(x)
    if reduced_size(x.shape, axis) <= max(correction, 0):
        return cast(sqrt(_var(wide, axis=axis, correction=correction, keepdims=keepdims)), x.dtype)
    # Whether all are equal is asked of the elements: their mean may be rounded.
    constant = equal(*(op(wide, axis=axis, keepdims=True) for op in (_min, _max)))
    scaled, back = in_range(wide - _mean(wide, axis=axis, keepdims=True), axis)
    variance = _var(scaled, axis=axis, correction=correction, keepdims=True)
    out = cast(_unless(constant, variance) * back, x.dtype)
    return reshape(out, reduced_shape(x.shape, axis, keepdims))


def _unless(zero: Tensor, square: Tensor) -> Tensor:
    """Return √square, and 0 with derivative 0 where ``zero`` holds.

    The root is never taken there: its infinite derivative times zero would be NaN.
    """
    safe = where(zero, constant(square, 1), square)
    return where(zero, constant(square, 0), sqrt(safe))


def var(
    x: TensorLike, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Return the variance Σ (x - mean)² / (n - correction) over axes.

    ``correction=1`` makes it the unbiased estimate. Integers are computed in the default float.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> float(var([1.0, 3.0])), float(var([1.0, 3.0], correction=1))
        (1.0, 2.0)
    """
    x, axes, kept = _real("var", x, axis, keepdims)
    out: Tensor = _var(x, axis=axes, correction=float(correction), keepdims=kept)
    return out


def std(
    x: TensorLike, /, *, axis: Axis = None, correction: float = 0.0, keepdims: bool = False
) -> Tensor:
    """Return the standard deviation √var over axes. Of equal elements it has derivative 0.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> float(std([1.0, 3.0]))
        1.0
    """
    x, axes, kept = _real("std", x, axis, keepdims)
    out: Tensor = _std(x, axis=axes, correction=float(correction), keepdims=kept)
    return out


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
    edge, shift = _REACH[x.dtype.itemsize]
    if not reduced_size(x.shape, axis):
        return x, constant(x, 1)
    peak = _max(absolute(stop_gradient(x)), axis=axis, keepdims=True)
    one = constant(x, 1)
    scale = where(peak > 2.0**edge, 2.0**-shift, where(peak < 2.0**-edge, 2.0**shift, one))
    return x * scale, one / scale


@composite
def _norm(x: Tensor, *, ord: float, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    if ord == 2:
        wide, back = in_range(widened(x), axis)
        square = _sum(wide * wide, axis=axis, keepdims=True)
        length = cast(_unless(equal(square, constant(square, 0)), square) * back, x.dtype)
        return reshape(length, reduced_shape(x.shape, axis, keepdims))
    op = _sum if ord == 1 else _max
    out: Tensor = op(absolute(x), axis=axis, keepdims=keepdims)
    return out


@composite
def _power_norm(x: Tensor, *, ord: float, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
    size = absolute(widened(x))
    zero = equal(size, constant(size, 0))
    if ord == 0:
        return cast(
            _sum(cast(logical_not(zero), size.dtype), axis=axis, keepdims=keepdims), x.dtype
        )
    # In units of what weighs most no power leaves the range; no derivative depends on the unit.
    scale: Tensor = constant(size, 1)
    if reduced_size(x.shape, axis):
        peak = (_max if ord > 0 else _min)(stop_gradient(size), axis=axis, keepdims=True)
        scale = where(logical_and(isfinite(peak), peak > 0), peak, scale)
    # The derivative of |x|**ord at 0, infinite for small orders, is taken as 0, as that of |x|.
    powers = where(
        zero, constant(size, 0 if ord > 0 else math.inf), where(zero, 1, size / scale) ** ord
    )
    total = _sum(powers, axis=axis, keepdims=True)
    empty = equal(total, constant(total, 0))
    root = scale * where(empty, 1, total) ** (1 / ord)
    out = cast(where(empty, constant(root, 0 if ord > 0 else math.inf), root), x.dtype)
    return reshape(out, reduced_shape(x.shape, axis, keepdims))


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
    op = _norm if ord in (1, 2, math.inf) else _power_norm
    out: Tensor = op(x, ord=float(ord), axis=axes, keepdims=kept)
    return out


def allclose(
    x1: TensorLike,
    x2: TensorLike,
    /,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> bool:
    """Tell, as a plain bool, whether |x₁ - x₂| ≤ atol + rtol |x₂| for all elements.

    Example:
        >>> allclose([1.0], [1.0 + 1e-7])
        True
    """
    close = isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)
    return bool(reductions.all(close))
