"""Convolutions of a given number of axes, and separable ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.convolution import Padding, conv, depthwise_conv

__all__ = ["conv1d", "conv2d", "conv3d", "separable_conv"]


def _of_rank(name: str, rank: int, x: TensorLike, kernel: TensorLike, **settings: Any) -> Tensor:
    x = as_tensor(x)
    if x.ndim != rank + 2:
        raise ShapeError(
            f"{name}: expected (batch, …, channels) with {rank + 2} axes, not {x.shape}"
        )
    return conv(x, kernel, **settings)


def conv1d(
    x: TensorLike,
    kernel: TensorLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of (batch, time, inputs) with a kernel (window, inputs, outputs).

    Settings and errors are those of `conv`.

    Example:
        >>> conv1d([[[1.0], [2.0], [4.0]]], [[[1.0]], [[10.0]]]).tolist()
        [[[21.0], [42.0]]]
    """
    return _of_rank(
        "conv1d", 1, x, kernel, strides=strides, padding=padding, dilation=dilation, groups=groups
    )


def conv2d(
    x: TensorLike,
    kernel: TensorLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of (batch, rows, columns, inputs) with (…, inputs, outputs).

    Settings and errors are those of `conv`.

    Example:
        >>> conv2d([[[[1.0], [2.0]]]], [[[[10.0]]]]).tolist()
        [[[[10.0], [20.0]]]]
    """
    return _of_rank(
        "conv2d", 2, x, kernel, strides=strides, padding=padding, dilation=dilation, groups=groups
    )


def conv3d(
    x: TensorLike,
    kernel: TensorLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution of tensors with three axes between batch and channels.

    Settings and errors are those of `conv`.

    Example:
        >>> conv3d([[[[[1.0], [2.0]]]]], [[[[[10.0]]]]]).tolist()
        [[[[[10.0], [20.0]]]]]
    """
    return _of_rank(
        "conv3d", 3, x, kernel, strides=strides, padding=padding, dilation=dilation, groups=groups
    )


def separable_conv(
    x: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return a depthwise convolution, then one of window 1 that mixes the channels.

    Shapes: x (batch, …, inputs), the depthwise kernel (…, inputs, multiplier), the pointwise one
    (1, …, inputs · multiplier, outputs). Settings and errors are those of `conv`.

    Source: Chollet, "Xception: deep learning with depthwise separable convolutions" (2017).

    Example:
        >>> separable_conv([[[1.0, 2.0]]], [[[1.0], [10.0]]], [[[1.0], [1.0]]]).tolist()
        [[[21.0]]]
    """
    mixing = as_tensor(pointwise_kernel)
    if set(mixing.shape[:-2]) - {1}:
        raise ShapeError(f"separable_conv: the window of {mixing.shape} is not 1")
    inner = depthwise_conv(x, depthwise_kernel, strides=strides, padding=padding, dilation=dilation)
    return conv(inner, pointwise_kernel)
