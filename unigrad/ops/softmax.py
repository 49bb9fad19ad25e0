"""The softmax family, and the one-hot vectors that it is compared with.

Integers and bools are computed in the default floating dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, to_floating, untracked
from unigrad.core.axes import normalize_axes, normalize_axis, plain_axis
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import OPS, Op, composite
from unigrad.core.plans import planned
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal, isfinite, where
from unigrad.ops.elementary import exp, log
from unigrad.ops.identity import identity
from unigrad.ops.reductions import reduced_size, widened
from unigrad.ops.shaping import as_integer, reshape

__all__ = ["log_softmax", "logsumexp", "one_hot", "softmax"]


def _real(name: str, x: TensorLike) -> Tensor:
    """Return a tensor of real numbers; integers and bools as floats.

    Raises:
        DTypeError: for complex numbers.
    """
    if type(x) is not Tensor:
        x = as_tensor(x)
    real: Tensor = x
    if x._native.dtype in x.backend.native_reals:
        return real
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({x.dtype.name})")
    real = to_floating(x)
    return real


def _peak(x: Tensor, axis: tuple[int, ...]) -> Tensor:
    """Return the largest element along axes as a constant; 0 where that is infinite."""
    if reduced_size(x.shape, axis) == 0:
        return constant(x, 0)
    peak = OPS["max"](untracked(x), axis=axis, keepdims=True)
    return where(isfinite(peak), peak, 0.0)


@composite
def _softmax(x: Tensor, *, axis: int) -> Tensor:
    if 0 in x.shape:
        return identity(x)
    wide = widened(x)
    shifted = exp(wide - OPS["max"](untracked(wide), axis=(axis,), keepdims=True))
    total: Tensor = OPS["sum"](shifted, axis=(axis,), keepdims=True)
    return cast(shifted / total, x.dtype)


def softmax(x: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return exp(x) / Σ exp(x) along an axis, without overflow.

    An element of -∞ gets 0; if all are, the result is NaN. Of no elements there is no result.

    Raises:
        ShapeError: for a bad axis.

    Example:
        >>> softmax([1.0, 1.0]).tolist()
        [0.5, 0.5]
    """
    if type(x) is not Tensor or x._native.dtype not in x.backend.native_reals:
        x = _real("softmax", x)
    return _softmax_along(x, axis if type(axis) is int else plain_axis("softmax", axis))


def _plan(op: Op) -> Callable[..., Mapping[str, Any]]:
    return lambda shape, axis: {"axis": normalize_axis(op.name, axis, len(shape))}


_softmax_along = planned(_softmax, _plan(_softmax))


@composite
def _log_softmax(x: Tensor, *, axis: int) -> Tensor:
    if 0 in x.shape:
        return identity(x)
    wide = widened(x)
    shifted: Tensor = wide - OPS["max"](untracked(wide), axis=(axis,), keepdims=True)
    return cast(shifted - log(OPS["sum"](exp(shifted), axis=(axis,), keepdims=True)), x.dtype)


def log_softmax(x: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return x - log Σ exp(x) along an axis, without overflow.

    An element of -∞ stays; if all are, the result is NaN.

    Raises:
        ShapeError: for a bad axis.

    Example:
        >>> log_softmax([0.0, float("-inf")]).tolist()
        [0.0, -inf]
    """
    if type(x) is not Tensor or x._native.dtype not in x.backend.native_reals:
        x = _real("log_softmax", x)
    return _log_softmax_along(x, axis if type(axis) is int else plain_axis("log_softmax", axis))


_log_softmax_along = planned(_log_softmax, _plan(_log_softmax))


@composite
def _logsumexp(x: Tensor, *, axis: tuple[int, ...], keepdims: bool) -> Tensor:
    peak = _peak(x, axis)
    total = OPS["sum"](exp(x - peak), axis=axis, keepdims=True)
    # log(0) would be right, its derivative would not.
    empty = equal(total, 0.0)
    out = where(empty, float("-inf"), log(where(empty, 1.0, total)) + peak)
    if keepdims:
        return out
    return reshape(out, tuple(n for i, n in enumerate(x.shape) if i not in axis))


def logsumexp(
    x: TensorLike, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False
) -> Tensor:
    """Return log Σ exp(x) over axes, without overflow.

    Where all elements are -∞, or there are none, the result is -∞ and its derivative 0.

    Raises:
        ShapeError: for a bad axis.

    Example:
        >>> logsumexp([0.0, float("-inf")]).item()
        0.0
    """
    x = _real("logsumexp", x)
    # The sum of many in half precision may leave its range when its logarithm does not.
    wide = widened(x)
    out = _logsumexp_along(wide, plain_axis("logsumexp", axis), bool(keepdims))
    return out if wide is x else cast(out, x.dtype)


def _plan_logsumexp(shape: tuple[int, ...], axis: Any, keepdims: bool) -> Mapping[str, Any]:
    return {"axis": normalize_axes("logsumexp", axis, len(shape)), "keepdims": keepdims}


_logsumexp_along = planned(_logsumexp, _plan_logsumexp)


def one_hot(
    indices: TensorLike, /, num_classes: int, *, axis: int = -1, dtype: DTypeLike | None = None
) -> Tensor:
    """Return 1 at each index along a new axis of length ``num_classes``, and 0 elsewhere.

    An index out of range gives zeros alone. ``dtype`` is the default floating one unless given.

    Raises:
        DTypeError: when the indices are no integers.
        ShapeError: for a bad axis or a negative ``num_classes``.

    Example:
        >>> one_hot([1, 3], 3, dtype="int64").tolist()
        [[0, 1, 0], [0, 0, 0]]
    """
    if type(indices) is not Tensor:
        indices = as_tensor(indices)
    if indices._native.dtype not in indices.backend.native_integers:
        raise DTypeError(f"one_hot: indices are integers, not {indices.dtype.name}")
    if type(num_classes) is not int:
        num_classes = as_integer("one_hot", num_classes)
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    return _one_hots(indices, num_classes, plain_axis("one_hot", axis), chosen)


@composite
def _one_hot(indices: Tensor, *, num_classes: int, axis: int, dtype: dtypes.DType) -> Tensor:
    shape = indices.shape
    row = [1] * (len(shape) + 1)
    row[axis] = num_classes
    # Unsigned and narrow integers meet classes that they could not hold.
    wide = cast(indices, dtypes.int64)
    classes = constant(wide, np.arange(num_classes).reshape(row))
    return cast(equal(reshape(wide, (*shape[:axis], 1, *shape[axis:])), classes), dtype)


def _plan_one_hot(
    shape: tuple[int, ...], num_classes: int, axis: int, dtype: dtypes.DType
) -> Mapping[str, Any]:
    if num_classes < 0:
        raise ShapeError(f"one_hot: num_classes is {num_classes}")
    place = normalize_axis("one_hot", axis, len(shape) + 1)
    return {"num_classes": num_classes, "axis": place, "dtype": dtype}


_one_hots = planned(_one_hot, _plan_one_hot)
