"""Adaptive pooling: as many windows as the result is to have elements, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, to_floating
from unigrad.core.errors import ShapeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.convolution import Ints, _counts
from unigrad.ops.indexing import take
from unigrad.ops.pooling import _least, _real
from unigrad.ops.reductions import _max, widened
from unigrad.ops.reductions import sum as total
from unigrad.ops.shaping import reshape

__all__ = ["adaptive_average_pool", "adaptive_max_pool"]

Indices = npt.NDArray[Any]


def _spans(length: int, count: int) -> tuple[Indices, npt.NDArray[Any]]:
    """Return each window's indices, the last repeated up to the widest, and which are repeats."""
    places = np.arange(count)
    starts, ends = places * length // count, -(-(places + 1) * length // count)
    found = starts[:, None] + np.arange((ends - starts).max())
    return np.minimum(found, ends[:, None] - 1), found < ends[:, None]


def _windows(x: Tensor, axis: int, indices: Indices) -> Tensor:
    """Return a tensor with an axis replaced by windows and their elements."""
    taken = take(x, constant(x, indices.ravel(), np.dtype(np.int64)), axis=axis)
    return reshape(taken, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))


@composite
def _adaptive_average_pool(x: Tensor, *, lengths: Ints) -> Tensor:
    wide = widened(x)
    for axis, count in enumerate(lengths, 1):
        indices, real = _spans(wide.shape[axis], count)
        beside = (-1,) + (1,) * (wide.ndim - axis - 1)
        shown = constant(wide, real.reshape(*real.shape, *beside[1:]), np.dtype(np.bool_))
        sums = total(where(shown, _windows(wide, axis, indices), 0.0), axis=axis + 1)
        wide = sums / constant(wide, real.sum(1).reshape(beside))
    return cast(wide, x.dtype)


@composite
def _adaptive_max_pool(x: Tensor, *, lengths: Ints) -> Tensor:
    # All axes at once: shares of shares would not be even.
    flat, real = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
    for length, count in zip(x.shape[1:-1], lengths, strict=True):
        indices, some = _spans(length, count)
        flat = _crossed(np.add, flat * length, indices)
        real = _crossed(np.logical_and, real, some)
    rows = reshape(x, (x.shape[0], math.prod(x.shape[1:-1]), x.shape[-1]))
    windows = _windows(rows, 1, flat)
    if not real.all():
        # An element that is there twice would have two shares.
        shown = constant(x, real[:, :, None], np.dtype(np.bool_))
        windows = where(shown, windows, _least(x.dtype))
    greatest: Tensor = _max(windows, axis=(2,), keepdims=False)
    return reshape(greatest, (x.shape[0], *lengths, x.shape[-1]))


def _crossed(function: Any, first: Indices, second: Indices) -> Indices:
    """Return a function of all pairs of rows and of columns."""
    found = function(first[:, None, :, None], second[None, :, None, :])
    out: Indices = found.reshape(len(first) * len(second), -1)
    return out


def _plan(name: str, x: Tensor, lengths: int | Sequence[int]) -> Ints:
    rank = x.ndim - 2
    if not 1 <= rank <= 3 or 0 in x.shape[1:-1]:
        raise ShapeError(
            f"{name}: {x.shape} is not (batch, …, channels), one to three axes of one element or "
            "more between"
        )
    return _counts(name, "lengths", lengths, rank)


def adaptive_average_pool(x: TensorLike, /, lengths: int | Sequence[int]) -> Tensor:
    """Return the means of windows of (batch, …, channels), so many along each axis.

    Window i of m over n elements begins at ⌊i n / m⌋ and ends before ⌈(i + 1) n / m⌉, as torch's:
    windows may overlap. Half precision is summed in float32.

    Args:
        x: one to three axes between batch and channels.
        lengths: how many windows, for all axes or each.

    Raises:
        ShapeError: when ``x`` has not these axes.
        DTypeError: for complex numbers and bools.
        SettingError: for lengths below 1.

    Example:
        >>> adaptive_average_pool([[[1.0], [3.0], [5.0]]], 2).tolist()
        [[[2.0], [4.0]]]
    """
    x = to_floating(_real("adaptive_average_pool", as_tensor(x)))
    out: Tensor = _adaptive_average_pool(x, lengths=_plan("adaptive_average_pool", x, lengths))
    return out


def adaptive_max_pool(x: TensorLike, /, lengths: int | Sequence[int]) -> Tensor:
    """Return the greatest elements of the windows of `adaptive_average_pool`.

    Equal elements share the gradient evenly, and a NaN wins, as in `max_pool`.

    Raises:
        ShapeError, DTypeError, SettingError: as `adaptive_average_pool`.

    Example:
        >>> adaptive_max_pool([[[1.0], [3.0], [5.0]]], 2).tolist()
        [[[3.0], [5.0]]]
    """
    x = _real("adaptive_max_pool", as_tensor(x))
    out: Tensor = _adaptive_max_pool(x, lengths=_plan("adaptive_max_pool", x, lengths))
    return out
