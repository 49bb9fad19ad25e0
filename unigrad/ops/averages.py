"""Weighted averages, moments, ranges, covariances.

Integers and bools are computed in the default float, half precision in float32 and rounded once.

Errors, the same for all: `ShapeError` for shapes and axes that do not fit, `DTypeError` for a dtype
that the op does not take.
"""

from __future__ import annotations

import math
from typing import Any

from unigrad.core import dtypes, whole
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    common_tensors,
    constant,
    to_floating,
)
from unigrad.core.axes import normalize_axes
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.operands import in_dtype, operands, single
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import conj, maximum
from unigrad.ops.at_once import whole_reduction
from unigrad.ops.elementary import sqrt
from unigrad.ops.joining import concat
from unigrad.ops.limits import clip
from unigrad.ops.linear import matmul
from unigrad.ops.parts import imag, part_dtype, real
from unigrad.ops.reductions import Axis, max, mean, min, sum, widened
from unigrad.ops.repeating import diag
from unigrad.ops.shaping import broadcast_to, expand_dims, reshape, swapaxes
from unigrad.ops.statistics import var

__all__ = ["average", "corrcoef", "cov", "moments", "ptp"]


@whole_reduction
def ptp(x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the greatest element less the least one over axes ("peak to peak").

    The gradient goes to the elements at both ends, in equal parts where several are equal.

    Raises:
        ShapeError: when there are no elements.
        DTypeError: for bools and complex numbers.

    Example:
        >>> ptp([[1, 5], [3, 4]], axis=1).tolist()
        [4, 1]
    """
    x = as_tensor(x)
    if x.dtype == dtypes.bool_ or x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"ptp: not for {x.dtype.name}; cast it with ug.astype")
    settings: Any = {"axis": normalize_axes("ptp", axis, x.ndim), "keepdims": keepdims}
    return max(x, **settings) - min(x, **settings)


@whole.as_one_op()
def moments(
    x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False
) -> tuple[Tensor, Tensor]:
    """Return the mean and the variance (of n, not n - 1) over axes.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> [float(one) for one in moments([1.0, 3.0])]
        [2.0, 1.0]
    """
    x = to_floating(as_tensor(x))
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"moments: complex numbers ({x.dtype.name}) are not taken")
    settings: Any = {"axis": normalize_axes("moments", axis, x.ndim), "keepdims": keepdims}
    return mean(x, **settings), var(x, **settings)


@whole.as_one_op()
def average(
    x: TensorLike,
    /,
    *,
    axis: Axis = None,
    weights: TensorLike | None = None,
    returned: bool = False,
    keepdims: bool = False,
) -> Any:
    """Return the weighted average Σ w x / Σ w over axes, the mean without weights.

    ``weights`` have the shape of ``x``, or that of the axes alone, in the order in which ``axis``
    names them. ``returned`` also returns Σ w. Weights whose sum is 0 give what IEEE's division
    gives: NaN or an infinity.

    Raises:
        ShapeError: when the weights have another shape.

    Example:
        >>> float(average([1.0, 4.0], weights=[2.0, 1.0]))
        2.0
    """
    if weights is None:
        x = to_floating(as_tensor(x))
        axes = normalize_axes("average", axis, x.ndim)
        found = mean(x, axis=axes, keepdims=keepdims)
        if not returned:
            return found
        count = math.prod(x.shape[i] for i in axes)
        return found, broadcast_to(constant(found, count), found.shape)
    x, weights = (to_floating(one) for one in common_tensors("average", (x, weights)))
    dtype = x.dtype
    x, weights = widened(x), _beside("average", widened(weights), x.shape, axis)
    total = broadcast_to(weights, x.shape)
    total = sum(total, axis=axis, keepdims=keepdims)
    found = cast(sum(x * weights, axis=axis, keepdims=keepdims) / total, dtype)
    return (found, cast(total, dtype)) if returned else found


def _beside(name: str, weights: Tensor, shape: tuple[int, ...], axis: Axis) -> Tensor:
    """Return weights of all elements, or of the axes alone, so that they broadcast."""
    if weights.shape == shape:
        return weights
    ndim = len(shape)
    given = () if axis is None else axis if isinstance(axis, tuple) else (axis,)
    # Checked together, they are kept in the order in which they are named.
    normalize_axes(name, given, ndim)
    axes = [one % ndim for one in given]
    if weights.shape != tuple(shape[i] for i in axes) or axis is None:
        raise ShapeError(
            f"{name}: weights of shape {weights.shape} are neither those of all elements, {shape}, "
            f"nor those along axis {axis}"
        )
    for step, place in enumerate(sorted(axes)):
        found = axes.index(place)
        if found != step:
            weights = swapaxes(weights, step, found)
            axes[step], axes[found] = axes[found], axes[step]
    return reshape(weights, tuple(n if i in axes else 1 for i, n in enumerate(shape)))


@operands("correction")
@whole.as_one_op()
def cov(
    x: TensorLike,
    y: TensorLike | None = None,
    /,
    *,
    rowvar: bool = True,
    bias: bool = False,
    correction: TensorLike | None = None,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
) -> Tensor:
    """Return the covariances of variables: Σ w (xᵢ - x̄ᵢ) conj(xⱼ - x̄ⱼ) / f over observations.

    The rows of ``x`` (one or two axes) are variables and its columns observations, the other way
    round with ``rowvar=False``; the variables of ``y`` are appended. Without weights f is
    n - correction, and ``correction`` 1, or 0 with ``bias``. ``fweights`` say how often each
    observation counts, ``aweights`` how much: w is their product, V₁ = Σ w, and f is
    V₁ - correction · Σ w a / V₁. Where f is not positive the result is that of a division by 0.

    Raises:
        ShapeError: when there are more than two axes, or shapes do not fit.

    Example:
        >>> cov([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    given = [x] if y is None else [x, y]
    extra = [one for one in (fweights, aweights) if one is not None]
    tensors = [to_floating(one) for one in common_tensors("cov", given)]
    rows = concat([_variables("cov", one, rowvar) for one in tensors])
    dtype = rows.dtype
    wide = widened(rows)
    free = _correction("cov", correction, bias, wide)
    count = wide.shape[1]
    weights = [_of_observations("cov", one, wide) for one in extra]
    if not weights:
        deviation = wide - mean(wide, axis=1, keepdims=True)
        factor: Any = maximum(constant(wide, count, part_dtype(wide.dtype)) - free, 0)
        weighted = deviation
    else:
        w = weights[0] if len(weights) == 1 else weights[0] * weights[1]
        total = sum(w)
        deviation = wide - sum(wide * w, axis=1, keepdims=True) / total
        spread = total if aweights is None else sum(w * weights[-1])
        factor = maximum(total - free * spread / total, 0)
        weighted = deviation * w
    found = matmul(weighted, conj(swapaxes(deviation, 0, 1))) / factor
    size = found.shape[0]
    return cast(reshape(found, ()) if size == 1 else found, dtype)


def _correction(name: str, correction: TensorLike | None, bias: bool, x: Tensor) -> Any:
    """Return what degrees of freedom are fewer than observations."""
    if correction is None:
        return 0.0 if bias else 1.0
    found = single(name, correction)
    return in_dtype(found, part_dtype(x.dtype)) if isinstance(found, Tensor) else found


def _variables(name: str, x: Tensor, rowvar: bool) -> Tensor:
    """Return variables as rows."""
    if x.ndim > 2:
        raise ShapeError(f"{name}: shape {x.shape} has more than two axes")
    if x.ndim < 2:
        return reshape(x, (1, -1) if x.size else (1, 0))
    return x if rowvar or x.shape[0] == 1 else swapaxes(x, 0, 1)


def _of_observations(name: str, weights: TensorLike, x: Tensor) -> Tensor:
    """Return one weight per observation, in the dtype of magnitudes."""
    found = cast(as_tensor(weights, x), part_dtype(x.dtype))
    if found.shape != x.shape[1:]:
        raise ShapeError(f"{name}: weights of shape {found.shape} for {x.shape[1]} observations")
    return found


@whole.as_one_op()
def corrcoef(x: TensorLike, y: TensorLike | None = None, /, *, rowvar: bool = True) -> Tensor:
    """Return Pearson's correlations: covariances divided by the deviations of both variables.

    They are limited to [-1, 1], of complex numbers both parts. Of a constant variable they are NaN.
    Arguments and errors as of `cov`.

    Example:
        >>> corrcoef([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]).tolist()
        [[1.0, -1.0], [-1.0, 1.0]]
    """
    given = [x] if y is None else [x, y]
    tensors = [to_floating(one) for one in common_tensors("corrcoef", given)]
    dtype = tensors[0].dtype
    found = cov(*[widened(_variables("corrcoef", one, rowvar)) for one in tensors])
    if found.ndim == 0:
        return cast(found / found, dtype)
    deviation = sqrt(real(diag(found)))
    found = found / expand_dims(deviation, axis=1) / deviation
    if dtype in dtypes.COMPLEX:
        return clip(real(found), -1.0, 1.0) + clip(imag(found), -1.0, 1.0) * 1j
    return cast(clip(found, -1.0, 1.0), dtype)
