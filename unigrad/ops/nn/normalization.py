"""Normalisation as functions: what the layers of these names compute from their weights.

Half precision is normalised in float32, and rows whose squares leave the dtype's range in units in
which they do not. Integers and bools are computed in the default floating dtype. Errors, the same
for all: `DTypeError` for complex numbers, `ShapeError` when shapes do not fit.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.axes import normalize_axes
from unigrad.core.elementwise import real_floating
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.op import composite
from unigrad.core.operands import in_dtype, operand, operands, with_operands
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import maximum, square
from unigrad.ops.elementary import sqrt
from unigrad.ops.identity import stop_gradient
from unigrad.ops.normalization import _normalized
from unigrad.ops.reductions import max as greatest
from unigrad.ops.reductions import mean, widened
from unigrad.ops.repeating import pad
from unigrad.ops.shaping import as_integer, moveaxis, reshape
from unigrad.ops.statistics import norm

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "l2_normalize",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]


def _normal(name: str, rows: Tensor, epsilon: TensorLike) -> Tensor:
    """Return rows with mean 0 and variance 1."""
    out: Tensor = with_operands(_normalized, rows, epsilon=operand(name, epsilon))
    return out


def scaled(normal: Tensor, scale: TensorLike | None, offset: TensorLike | None) -> Tensor:
    """Multiply by γ and add β where there are."""
    if scale is not None:
        normal = normal * scale
    return normal if offset is None else normal + offset


@operands("epsilon")
@whole.as_one_op()
def layer_norm(
    x: TensorLike,
    scale: TensorLike | None = None,
    offset: TensorLike | None = None,
    /,
    *,
    axes: int = 1,
    epsilon: TensorLike = 1e-5,
) -> Tensor:
    """Return γ (x - mean) / √(variance + ε) + β over the last axis, or the last few.

    Source: Ba, Kiros & Hinton, "Layer normalization" (2016).

    Args:
        x: what is normalised.
        scale, offset: γ and β, of the shape of these axes, or None.
        axes: over how many of the last axes.
        epsilon: ε.

    Example:
        >>> layer_norm([[1.0, 3.0]], epsilon=0.0).tolist()
        [[-1.0, 1.0]]
    """
    x = real_floating("layer_norm", x)
    axes = as_integer("layer_norm", axes)
    if not 1 <= axes <= x.ndim:
        raise ShapeError(f"layer_norm: an input {x.shape} has not {axes} axes")
    if axes == 1:
        return scaled(_normal("layer_norm", x, epsilon), scale, offset)
    rows = reshape(x, (*x.shape[:-axes], prod(x.shape[-axes:])))
    return scaled(reshape(_normal("layer_norm", rows, epsilon), x.shape), scale, offset)


@composite
def _rms_normalized(x: Tensor, *, epsilon: TensorLike) -> Tensor:
    wide = widened(x)
    # In a unit of the row's own, a constant that does not show in derivatives.
    root: Any = epsilon**0.5 if isinstance(epsilon, float) else sqrt(in_dtype(epsilon, wide.dtype))
    least = maximum(constant(wide, np.finfo(np.float32).tiny), stop_gradient(as_tensor(root, wide)))
    unit = maximum(greatest(absolute(stop_gradient(wide)), axis=-1, keepdims=True), least)
    within = wide / unit
    size = sqrt(mean(square(within), axis=-1, keepdims=True) + square(root / unit))
    return cast(within / size, x.dtype)


@operands("epsilon")
@whole.as_one_op()
def rms_norm(
    x: TensorLike, scale: TensorLike | None = None, /, *, epsilon: TensorLike = 1e-6
) -> Tensor:
    """Return γ x / √(mean(x²) + ε) over the last axis.

    Source: Zhang & Sennrich, "Root mean square layer normalization" (2019).

    Args:
        x: what is normalised.
        scale: γ, of the length of the last axis, or None.
        epsilon: ε.

    Example:
        >>> rms_norm([[3.0, -3.0]], epsilon=0.0).tolist()
        [[1.0, -1.0]]
    """
    x = real_floating("rms_norm", x)
    if not x.ndim:
        raise ShapeError("rms_norm: a single number has no axis")
    epsilon = operand("rms_norm", epsilon)
    if 0 in x.shape:
        return scaled(x * 1.0, scale, None)
    return scaled(with_operands(_rms_normalized, x, epsilon=epsilon), scale, None)


@operands("epsilon")
def group_norm(
    x: TensorLike,
    scale: TensorLike | None = None,
    offset: TensorLike | None = None,
    /,
    *,
    groups: int,
    epsilon: TensorLike = 1e-5,
) -> Tensor:
    """Normalise (batch, …, channels) over all but the batch, in groups of channels.

    Source: Wu & He, "Group normalization" (2018).

    Args:
        x: what is normalised.
        scale, offset: γ and β, (channels,), or None.
        groups: into how many groups the channels are split.
        epsilon: ε.

    Example:
        >>> group_norm([[[1.0], [3.0]]], groups=1, epsilon=0.0).tolist()
        [[[-1.0], [1.0]]]
    """
    return _grouped("group_norm", x, scale, offset, groups, epsilon)


def _grouped(
    name: str,
    x: TensorLike,
    scale: TensorLike | None,
    offset: TensorLike | None,
    groups: int | None,
    epsilon: TensorLike,
) -> Tensor:
    x = real_floating(name, x)
    if x.ndim < 2:
        raise ShapeError(f"{name}: an input {x.shape} has no channels besides the batch")
    batch, channels, places = x.shape[0], x.shape[-1], prod(x.shape[1:-1])
    count = channels if groups is None else as_integer(name, groups)
    if (count < 1 and channels) or channels % max(count, 1):
        raise ShapeError(f"{name}: {channels} channels are not {count} groups")
    width = channels // max(count, 1)
    parts = reshape(x, (batch, places, count, width))
    rows = reshape(moveaxis(parts, 1, 2), (batch, count, places * width))
    rows = _normal(name, rows, epsilon)
    back = moveaxis(reshape(rows, (batch, count, places, width)), 2, 1)
    return scaled(reshape(back, x.shape), scale, offset)


@operands("epsilon")
def instance_norm(
    x: TensorLike,
    scale: TensorLike | None = None,
    offset: TensorLike | None = None,
    /,
    *,
    epsilon: TensorLike = 1e-5,
) -> Tensor:
    """Normalise each channel of each example of (batch, …, channels): a group for each channel.

    Source: Ulyanov, Vedaldi & Lempitsky, "Instance normalization" (2016). The rest is as for
    `group_norm`.

    Example:
        >>> instance_norm([[[1.0, 5.0], [3.0, 9.0]]], epsilon=0.0)[..., 0].tolist()
        [[-1.0, 1.0]]
    """
    return _grouped("instance_norm", x, scale, offset, None, epsilon)


@operands("epsilon")
def batch_norm(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    scale: TensorLike | None = None,
    offset: TensorLike | None = None,
    /,
    *,
    epsilon: TensorLike = 1e-3,
) -> Tensor:
    """Return γ (x - mean) / √(variance + ε) + β for moments that are given.

    Those of the batch while training, running ones else: `layers.BatchNorm` keeps them.

    Source: Ioffe & Szegedy, "Batch normalization" (2015).

    Args:
        x: (…, channels).
        mean, variance: the moments, (channels,) or what broadcasts.
        scale, offset: γ and β, (channels,), or None.
        epsilon: ε.

    Example:
        >>> batch_norm([[1.0], [3.0]], [2.0], [1.0], epsilon=0.0).tolist()
        [[-1.0], [1.0]]
    """
    x = real_floating("batch_norm", x)
    normal = (widened(x) - mean) / sqrt(as_tensor(variance, x) + operand("batch_norm", epsilon))
    return scaled(cast(normal, x.dtype), scale, offset)


@operands("epsilon")
@whole.as_one_op()
def l2_normalize(
    x: TensorLike,
    /,
    *,
    axis: int | tuple[int, ...] | None = -1,
    epsilon: TensorLike = 1e-12,
) -> Tensor:
    """Return x / max(‖x‖₂, ε) over axes: vectors of length 1, and 0 of zeros.

    Raises:
        ShapeError: for a bad axis.

    Example:
        >>> l2_normalize([0.0, 4.0, 0.0]).tolist()
        [0.0, 1.0, 0.0]
    """
    x = real_floating("l2_normalize", x)
    wide = widened(x)
    axes = normalize_axes("l2_normalize", axis, x.ndim)
    length = norm(wide, axis=axes, keepdims=True)
    return cast(wide / maximum(length, operand("l2_normalize", epsilon)), x.dtype)


@operands("bias", "alpha", "beta")
def local_response_norm(
    x: TensorLike,
    /,
    *,
    radius: int = 2,
    bias: TensorLike = 2.0,
    alpha: TensorLike = 1e-4,
    beta: TensorLike = 0.75,
) -> Tensor:
    """Return x / (k + α Σ x²)ᵝ, the sum over the channels up to a radius away, channels last.

    As the paper and TensorFlow; torch takes the mean for the sum.

    Source: Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural
    networks" (2012).

    Args:
        x: (…, channels).
        radius: how many channels on each side count.
        bias, alpha, beta: k, α and β.

    Raises:
        SettingError: for a negative radius.

    Example:
        >>> local_response_norm([1.0, 2.0], radius=0, bias=0.0, alpha=1.0, beta=0.5).tolist()
        [1.0, 1.0]
    """
    name = "local_response_norm"
    x = real_floating(name, x)
    radius = as_integer(name, radius)
    if radius < 0:
        raise SettingError(f"{name}: a radius is 0 or more, not {radius}")
    if not x.ndim:
        raise ShapeError(f"{name}: a single number has no channels")
    wide, channels = widened(x), x.shape[-1]
    squares = pad(square(wide), ((0, 0),) * (x.ndim - 1) + ((radius, radius),))
    near: Tensor = sum(
        [squares[..., i : i + channels] for i in range(1, 2 * radius + 1)], squares[..., :channels]
    )
    base = near * operand(name, alpha) + operand(name, bias)
    return cast(wide / base ** operand(name, beta), x.dtype)
