"""Pooling: the greatest element, or the mean, of each window, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, to_floating
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.convolution import (
    Ints,
    Padding,
    _counts,
    outputs,
    padded,
    paddings,
    places,
    shifted,
)
from unigrad.ops.joining import stack
from unigrad.ops.reductions import _max, widened

__all__ = ["average_pool", "max_pool"]


@composite
def _max_pool(x: Tensor, *, window: Ints, strides: Ints) -> Tensor:
    """The greatest element of each window of a padded tensor."""
    out: Tensor = _max(_windows(x, window, strides), axis=(0,), keepdims=False)
    return out


@composite
def _sum_pool(x: Tensor, *, window: Ints, strides: Ints) -> Tensor:
    """The sum of each window of a padded tensor."""
    ones = (1,) * len(window)
    lengths = outputs(x.shape, (*window, 1, 1), strides, ones)
    first, *rest = [shifted(x, place, lengths, strides, ones) for place in places(window)]
    total: Tensor = sum(rest, first)
    return total


def _windows(x: Tensor, window: Ints, strides: Ints) -> Tensor:
    ones = (1,) * len(window)
    lengths = outputs(x.shape, (*window, 1, 1), strides, ones)
    return stack([shifted(x, place, lengths, strides, ones) for place in places(window)])


@whole.as_one_op(name="pooling.max_pool")
def max_pool(
    x: TensorLike,
    /,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "valid",
) -> Tensor:
    """Return the greatest element of each window of (batch, …, channels), channel by channel.

    Padding never wins, a NaN does. Equal elements share the gradient evenly, as in `max`; the
    libraries' own functions give all of it to the first.

    Args:
        x: one to three axes between batch and channels.
        window: the window's lengths, one for all axes or one each.
        strides: steps between windows; the window's lengths by default.
        padding: as for `conv`.

    Raises:
        ShapeError: when ``x`` has not these axes, or a window is longer than a padded axis.
        DTypeError: for complex numbers and bools.
        SettingError: for another padding, or lengths below 1.

    Example:
        >>> max_pool([[[1.0], [3.0], [2.0], [5.0]]], 2).tolist()
        [[[3.0], [5.0]]]
    """
    x = _real("max_pool", as_tensor(x))
    lengths, steps, widths = _plan("max_pool", x, window, strides, padding)
    out: Tensor = _max_pool(padded(x, widths, _least(x.dtype)), window=lengths, strides=steps)
    return out


@whole.as_one_op(name="pooling.average_pool")
def average_pool(
    x: TensorLike,
    /,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] | None = None,
    padding: Padding = "valid",
    count_padding: bool = False,
) -> Tensor:
    """Return the mean of each window of (batch, …, channels), channel by channel.

    Half precision is summed in float32.

    Args:
        x, window, strides, padding: as for `max_pool`.
        count_padding: whether the zeros of the padding count, as in torch by default.

    Raises:
        ShapeError, DTypeError, SettingError: as `max_pool`.

    Example:
        >>> average_pool([[[1.0], [3.0], [2.0], [5.0]]], 2).tolist()
        [[[2.0], [3.5]]]
    """
    x = _real("average_pool", to_floating(as_tensor(x)))
    lengths, steps, widths = _plan("average_pool", x, window, strides, padding)
    total = _sum_pool(padded(widened(x), widths), window=lengths, strides=steps)
    if count_padding or not any(map(any, widths)):
        return cast(total / float(np.prod(lengths)), x.dtype)
    counts = _counted(x.shape[1:-1], widths, lengths, steps)
    return cast(total / constant(total, counts), x.dtype)


def _real(name: str, x: Tensor) -> Tensor:
    if x.dtype in dtypes.COMPLEX or x.dtype == np.bool_:
        raise DTypeError(f"{name}: takes real numbers, not {x.dtype.name}")
    return x


def _counted(shape: Ints, widths: Any, window: Ints, strides: Ints) -> Any:
    """Return how many elements of each window are no padding, (…, 1)."""
    inside = np.pad(np.ones(shape), widths)
    views = np.lib.stride_tricks.sliding_window_view(inside, window)
    counts = views.sum(tuple(range(-len(window), 0)))
    return counts[tuple([slice(None, None, s) for s in strides])][..., None]


def _plan(name: str, x: Tensor, window: Any, strides: Any, padding: Padding) -> Any:
    """Return the window's lengths, the strides and the paddings per axis."""
    rank = x.ndim - 2
    if not 1 <= rank <= 3:
        raise ShapeError(
            f"{name}: {x.shape} is not (batch, …, channels), one to three axes between"
        )
    lengths = _counts(name, "window", window, rank)
    steps = lengths if strides is None else _counts(name, "strides", strides, rank)
    widths = paddings(name, x.shape[1:-1], lengths, steps, padding, (1,) * rank)
    axes = [n + a + b for n, (a, b) in zip(x.shape[1:-1], widths, strict=True)]
    if any(n < k for n, k in zip(axes, lengths, strict=True)):
        raise ShapeError(f"{name}: a window {lengths} is longer than the padded axes {tuple(axes)}")
    return lengths, steps, widths


def _least(dtype: Any) -> float:
    """Return what no element is less than."""
    return int(np.iinfo(dtype).min) if dtype in dtypes.INTEGER else -float("inf")
