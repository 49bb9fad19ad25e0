"""The softmax family, and the one-hot vectors that it is compared with.

Integers and bools are computed in the default floating dtype.
"""

from __future__ import annotations

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    constant,
    normalize_axes,
    normalize_axis,
    to_floating,
    untracked,
)
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import OPS, Op, composite
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal, isfinite, where
from unigrad.ops.elementary import exp, log
from unigrad.ops.identity import identity
from unigrad.ops.reductions import reduced_size, widened
from unigrad.ops.shaping import reshape

__all__ = ["log_softmax", "logsumexp", "one_hot", "softmax"]


def _call(op: Op, x: Tensor, **settings: object) -> Tensor:
    """Run an op on one tensor of real numbers in a floating dtype."""
    out: Tensor = op(_real(op.name, x), **settings)
    return out


def _real(name: str, x: Tensor) -> Tensor:
    """Return integers and bools as floats.

    Raises:
        DTypeError: for complex numbers.
    """
    if x.native.dtype in x.backend.native_reals:
        return x
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({x.dtype.name})")
    tensor: Tensor = to_floating(x)
    return tensor


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
    x = as_tensor(x)
    return _call(OPS["softmax"], x, axis=normalize_axis("softmax", axis, x.ndim))


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
    x = as_tensor(x)
    return _call(OPS["log_softmax"], x, axis=normalize_axis("log_softmax", axis, x.ndim))


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
    x = _real("logsumexp", as_tensor(x))
    axes = normalize_axes("logsumexp", axis, x.ndim)
    # The sum of many in half precision may leave its range when its logarithm does not.
    out: Tensor = OPS["logsumexp"](widened(x), axis=axes, keepdims=bool(keepdims))
    return cast(out, x.dtype)


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
    indices = as_tensor(indices)
    if indices.dtype not in dtypes.INTEGER:
        raise DTypeError(f"one_hot: indices are integers, not {indices.dtype.name}")
    if num_classes < 0:
        raise ShapeError(f"one_hot: num_classes is {num_classes}")
    place = normalize_axis("one_hot", axis, indices.ndim + 1)
    shape = indices.shape
    row = [1] * (indices.ndim + 1)
    row[place] = num_classes
    # Unsigned and narrow integers meet classes that they could not hold.
    wide = cast(indices, dtypes.int64)
    classes = constant(wide, np.arange(num_classes).reshape(row))
    hot = equal(reshape(wide, (*shape[:place], 1, *shape[place:])), classes)
    return cast(hot, dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype))
