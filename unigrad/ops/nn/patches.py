"""Patches of images as rows and back, and channels that are exchanged for places. Channels last."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.convolution import (
    Ints,
    Padding,
    Pairs,
    _counts,
    _cropped,
    _spread_out,
    outputs,
    padded,
    paddings,
    places,
    shifted,
)
from unigrad.ops.joining import stack
from unigrad.ops.repeating import pad
from unigrad.ops.shaping import as_integer, permute_dims, reshape

__all__ = ["depth_to_space", "fold", "pixel_shuffle", "space_to_depth", "unfold"]


@composite
def _unfold(x: Tensor, *, window: Ints, strides: Ints, dilation: Ints) -> Tensor:
    lengths = outputs(x.shape, (*window, 1, 1), strides, dilation)
    parts = [shifted(x, place, lengths, strides, dilation) for place in places(window)]
    return reshape(stack(parts, axis=-2), (x.shape[0], *lengths, prod(window) * x.shape[-1]))


@composite
def _fold(g: Tensor, *, lengths: Ints, window: Ints, strides: Ints, dilation: Ints) -> Tensor:
    """The transpose of `_unfold`: patches are added up where they overlap."""
    channels = g.shape[-1] // prod(window)
    terms = []
    for number, place in enumerate(places(window)):
        part = g[..., number * channels : (number + 1) * channels]
        widths = [(0, 0)]
        for axis, (at, stride, inside) in enumerate(zip(place, strides, dilation, strict=True), 1):
            part = _spread_out(part, axis, stride)
            before = at * inside
            widths.append((before, lengths[axis - 1] - before - part.shape[axis]))
        terms.append(pad(part, (*widths, (0, 0))))
    first, *rest = terms
    total: Tensor = sum(rest, first)
    return total


def _plan(
    name: str, axes: Ints, window: Any, strides: Any, padding: Padding, dilation: Any
) -> tuple[Ints, Ints, Ints, Pairs, Ints]:
    """Return window, strides, dilation, paddings, and how many windows fit."""
    rank = len(axes)
    sizes = _counts(name, "window", window, rank)
    steps = _counts(name, "strides", strides, rank)
    inside = _counts(name, "dilation", dilation, rank)
    widths = paddings(name, axes, sizes, steps, padding, inside)
    wide = [n + a + b for n, (a, b) in zip(axes, widths, strict=True)]
    counts = outputs((1, *wide, 1), (*sizes, 1, 1), steps, inside)
    if min(counts) < 1:
        raise ShapeError(f"{name}: a window {sizes} is longer than the padded axes {tuple(wide)}")
    return sizes, steps, inside, widths, counts


def _checked(name: str, x: TensorLike) -> Tensor:
    tensor: Tensor = as_tensor(x)
    if not 3 <= tensor.ndim <= 5:
        raise ShapeError(
            f"{name}: {tensor.shape} is not (batch, …, channels), one to three axes between"
        )
    return tensor


def unfold(
    x: TensorLike,
    /,
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the window at each place of (batch, …, channels) as a row (im2col).

    The result is (batch, …, window · channels), the channels of one element side by side.

    Args:
        x: one to three axes between batch and channels.
        window: the window's lengths, one for all axes or one each.
        strides, padding, dilation: as for `conv`.

    Raises:
        ShapeError: when ``x`` has not these axes, or a window is longer than a padded axis.
        SettingError: for another padding, or lengths below 1.

    Example:
        >>> unfold([[[1.0], [2.0], [3.0]]], 2).tolist()
        [[[1.0, 2.0], [2.0, 3.0]]]
    """
    x = _checked("unfold", x)
    sizes, steps, inside, widths, _ = _plan(
        "unfold", x.shape[1:-1], window, strides, padding, dilation
    )
    out: Tensor = _unfold(padded(x, widths), window=sizes, strides=steps, dilation=inside)
    return out


def fold(
    x: TensorLike,
    /,
    lengths: int | Sequence[int],
    window: int | Sequence[int],
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the tensor (batch, \\*lengths, channels) that rows of windows add up to (col2im).

    The transpose of `unfold` with the same settings: where windows overlap, elements are added.

    Raises:
        ShapeError: when the rows are not those that `unfold` gives for these lengths.
        SettingError: as `unfold`.

    Example:
        >>> fold([[[1.0, 2.0], [2.0, 3.0]]], 3, 2).tolist()
        [[[1.0], [4.0], [3.0]]]
    """
    x = _checked("fold", x)
    axes = _counts("fold", "lengths", lengths, x.ndim - 2)
    sizes, steps, inside, widths, counts = _plan("fold", axes, window, strides, padding, dilation)
    if x.shape[1:-1] != counts or x.shape[-1] % prod(sizes):
        raise ShapeError(
            f"fold: {x.shape} is not (batch, {', '.join(map(str, counts))}, {prod(sizes)} · "
            f"channels), as windows {sizes} of {axes} are"
        )
    wide = tuple([n + a + b for n, (a, b) in zip(axes, widths, strict=True)])
    out: Tensor = _fold(x, lengths=wide, window=sizes, strides=steps, dilation=inside)
    return _cropped(out, widths)


def _block(name: str, block: int) -> int:
    block = as_integer(name, block)
    if block < 1:
        raise ShapeError(f"{name}: a block has 1 element along each axis or more, not {block}")
    return block


def space_to_depth(x: TensorLike, /, block: int) -> Tensor:
    """Return blocks of (batch, …, channels) as channels: (batch, … / b, bᵏ · channels), k axes.

    The channels of one place stay side by side, as TensorFlow's.

    Raises:
        ShapeError: when an axis is no multiple of the block.

    Example:
        >>> space_to_depth([[[1.0], [2.0], [3.0], [4.0]]], 2).tolist()
        [[[1.0, 2.0], [3.0, 4.0]]]
    """
    x = _checked("space_to_depth", x)
    block = _block("space_to_depth", block)
    axes, rank = x.shape[1:-1], x.ndim - 2
    if any(n % block for n in axes):
        raise ShapeError(f"space_to_depth: the axes {axes} are no multiples of {block}")
    shape = [n for axis in axes for n in (axis // block, block)]
    parts = reshape(x, (x.shape[0], *shape, x.shape[-1]))
    outer, inner = range(1, 2 * rank, 2), range(2, 2 * rank + 1, 2)
    moved = permute_dims(parts, (0, *outer, *inner, 2 * rank + 1))
    return reshape(moved, (x.shape[0], *[n // block for n in axes], block**rank * x.shape[-1]))


def _spread(name: str, x: TensorLike, block: int, channels_outside: bool) -> Tensor:
    """Make blocks of channels."""
    x = _checked(name, x)
    block = _block(name, block)
    axes, rank = x.shape[1:-1], x.ndim - 2
    if x.shape[-1] % block**rank:
        raise ShapeError(f"{name}: {x.shape[-1]} channels are no blocks of {block}")
    channels, blocks = x.shape[-1] // block**rank, (block,) * rank
    split = (channels, *blocks) if channels_outside else (*blocks, channels)
    parts = reshape(x, (x.shape[0], *axes, *split))
    first = 1 + rank + channels_outside
    pairs = [place for i in range(rank) for place in (1 + i, first + i)]
    moved = permute_dims(parts, (0, *pairs, 1 + rank if channels_outside else 1 + 2 * rank))
    return reshape(moved, (x.shape[0], *[n * block for n in axes], channels))


def depth_to_space(x: TensorLike, /, block: int) -> Tensor:
    """Return channels as blocks of places, the inverse of `space_to_depth`.

    Raises:
        ShapeError: when the channels are no whole blocks.

    Example:
        >>> depth_to_space([[[1.0, 2.0], [3.0, 4.0]]], 2).tolist()
        [[[1.0], [2.0], [3.0], [4.0]]]
    """
    return _spread("depth_to_space", x, block, channels_outside=False)


def pixel_shuffle(x: TensorLike, /, factor: int) -> Tensor:
    """Return (batch, …, channels · rᵏ) as (batch, r …, channels), for r the factor and k axes.

    A channel of the result is made of neighbours, as torch's; `depth_to_space` takes channels that
    lie apart.

    Source: Shi et al., "Real-time single image and video super-resolution using an efficient
    sub-pixel convolutional neural network" (2016).

    Raises:
        ShapeError: when the channels are no multiple of rᵏ.

    Example:
        >>> pixel_shuffle([[[1.0, 2.0, 3.0, 4.0]]], 2).tolist()
        [[[1.0, 3.0], [2.0, 4.0]]]
    """
    return _spread("pixel_shuffle", x, factor, channels_outside=True)
