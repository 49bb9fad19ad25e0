"""Convolutions over one to three axes, channels last, and what their derivatives are made of.

Three ops share one trilinear form Σ y[n, o, j] x[n, s o + d k, i] w[k, i, j], s the stride and d
the dilation: each sums over what two of its tensors have in common. So each is a derivative of the
others, to any order. They know no padding: tensors are padded before and cropped after.
"""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Sequence
from math import prod
from typing import Any

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, common_tensors, to_floating
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.einsum import _einsum
from unigrad.ops.joining import stack
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.repeating import pad
from unigrad.ops.shaping import as_shape, flip, permute_dims, reshape

__all__ = ["conv", "conv_transpose", "depthwise_conv"]

#: "valid", "same", "causal", one width for all, one per axis, or a pair (before, after) per axis.
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]
Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]


@composite
def _convolution(
    x: Tensor, kernel: Tensor, *, strides: Ints, dilation: Ints, groups: int
) -> Tensor:
    """Σₖᵢ x[n, s o + d k, i] w[k, i, j]: (n, …, i), (…, i / groups, j) → (n, …, j)."""
    window, lengths = kernel.shape[:-2], outputs(x.shape, kernel.shape, strides, dilation)
    first, *rest = [
        _of_channels(shifted(x, place, lengths, strides, dilation), kernel[place], groups)
        for place in places(window)
    ]
    total: Tensor = sum(rest, first)
    return reshape(total, (x.shape[0], *lengths, kernel.shape[-1]))


@composite
def _convolution_input(
    g: Tensor, kernel: Tensor, *, lengths: Ints, strides: Ints, dilation: Ints, groups: int
) -> Tensor:
    """Σₒⱼ g[n, o, j] w[k, i, j] at s o + d k: a convolution of what zeros are put between."""
    window = kernel.shape[:-2]
    for axis, stride in enumerate(strides, 1):
        g = _spread_out(g, axis, stride)
    reach = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]
    widths = [(r, n - have) for r, n, have in zip(reach, lengths, g.shape[1:-1], strict=True)]
    rank = len(window)
    turned = flip(kernel, axis=tuple(range(rank)))
    inputs, units = kernel.shape[-2:]
    turned = reshape(turned, (*window, inputs, groups, units // groups))
    turned = permute_dims(turned, (*range(rank), rank + 2, rank + 1, rank))
    turned = reshape(turned, (*window, units // groups, groups * inputs))
    out: Tensor = _convolution(
        pad(g, ((0, 0), *widths, (0, 0))),
        turned,
        strides=(1,) * rank,
        dilation=dilation,
        groups=groups,
    )
    return out


@composite
def _convolution_kernel(
    x: Tensor, g: Tensor, *, window: Ints, strides: Ints, dilation: Ints, groups: int
) -> Tensor:
    """Σₙₒ x[n, s o + d k, i] g[n, o, j]: what a kernel of this window is multiplied by."""
    lengths, units = g.shape[1:-1], g.shape[-1]
    inputs, count = x.shape[-1] // groups, x.shape[0] * prod(lengths)
    found = []
    right = reshape(g, (count, units))
    for place in places(window):
        part = reshape(shifted(x, place, lengths, strides, dilation), (count, x.shape[-1]))
        if groups == 1:
            found.append(matmul(matrix_transpose(part), right))
            continue
        left = reshape(part, (count, groups, inputs))
        gates = reshape(right, (count, groups, units // groups))
        product = _einsum(left, gates, equation="mgi,mgj->igj")
        found.append(reshape(product, (inputs, units)))
    return reshape(stack(found), (*window, inputs, units))


def places(window: Ints) -> list[Ints]:
    """Return the positions of a window, the last axis fastest."""
    return list(itertools.product(*map(range, window)))


def outputs(shape: Ints, kernel: Ints, strides: Ints, dilation: Ints) -> Ints:
    """Return the lengths that windows inside of a tensor's spatial axes give."""
    return tuple(
        [
            (n - (k - 1) * d - 1) // s + 1
            for n, k, s, d in zip(shape[1:-1], kernel[:-2], strides, dilation, strict=True)
        ]
    )


def shifted(x: Tensor, place: Ints, lengths: Ints, strides: Ints, dilation: Ints) -> Tensor:
    """Return the elements that one position of the window meets."""
    key: list[Any] = [builtins.slice(None)]
    for k, n, s, d in zip(place, lengths, strides, dilation, strict=True):
        key.append(builtins.slice(k * d, k * d + (n - 1) * s + 1, s))
    out: Tensor = x[tuple(key)]
    return out


def _of_channels(part: Tensor, kernel: Tensor, groups: int) -> Tensor:
    """Return the product over the channels, group by group, as rows."""
    rows, inputs = prod(part.shape[:-1]), part.shape[-1] // groups
    if groups == 1:
        return matmul(reshape(part, (rows, inputs)), kernel)
    product = _einsum(
        reshape(part, (rows, groups, inputs)),
        reshape(kernel, (inputs, groups, -1)),
        equation="mgi,igj->mgj",
    )
    return reshape(product, (rows, kernel.shape[-1]))


def _spread_out(x: Tensor, axis: int, stride: int) -> Tensor:
    """Put stride - 1 zeros between the elements along an axis."""
    if stride == 1:
        return x
    before, length, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    wide = reshape(x, (*before, length, 1, *after))
    widths = [(0, 0)] * wide.ndim
    widths[axis + 1] = (0, stride - 1)
    joined = reshape(pad(wide, widths), (*before, length * stride, *after))
    key = [builtins.slice(None)] * axis + [builtins.slice(0, (length - 1) * stride + 1)]
    out: Tensor = joined[tuple(key)]
    return out


def conv(
    x: TensorLike,
    kernel: TensorLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the convolution y[n, o, j] = Σₖᵢ x[n, s o + d k, i] w[k, i, j], the kernel not turned.

    Channels are last: ``x`` is (batch, …, inputs) with one to three axes between, the kernel
    (…, inputs / groups, outputs), the result (batch, …, outputs). Half precision is rounded as the
    library does.

    Args:
        x: the inputs.
        kernel: the weights w.
        strides: steps between windows, one for all axes or one each.
        padding: zeros around: "valid" for none; "same" for as many outputs as ⌈inputs / stride⌉,
            the odd zero behind, as TensorFlow; "causal" for all before, one axis only; a width
            for all axes, or each; or a pair (before, after) for each.
        dilation: steps inside of a window.
        groups: into how many groups both channels are split, each with a kernel of its own; as
            many as inputs make it depthwise.

    Raises:
        ShapeError: when shapes do not fit, or a window is longer than the padded axis.
        DTypeError: for complex numbers.
        SettingError: for another padding, or a stride, dilation or number of groups below 1.

    Example:
        >>> conv([[[1.0], [2.0], [4.0]]], [[[1.0]], [[10.0]]]).tolist()
        [[[21.0], [42.0]]]
    """
    x, kernel = _operands("conv", x, kernel)
    rank = x.ndim - 2
    steps, inside = (
        _counts("conv", "strides", strides, rank),
        _counts("conv", "dilation", dilation, rank),
    )
    _check_groups("conv", x.shape[-1], kernel.shape, groups)
    widths = paddings("conv", x.shape[1:-1], kernel.shape[:-2], steps, padding, inside)
    x = padded(x, widths)
    lengths = outputs(x.shape, kernel.shape, steps, inside)
    if min(lengths) < 1:
        raise ShapeError(
            f"conv: a window {kernel.shape[:-2]} is longer than the padded axes {x.shape[1:-1]}"
        )
    out: Tensor = _convolution(x, kernel, strides=steps, dilation=inside, groups=groups)
    return out


def depthwise_conv(
    x: TensorLike,
    kernel: TensorLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    dilation: int | Sequence[int] = 1,
) -> Tensor:
    """Return the convolution of each channel with kernels of its own.

    The kernel is (…, inputs, multiplier), the result (batch, …, inputs · multiplier). The rest is
    as for `conv`, of which it is the case of as many groups as inputs.

    Example:
        >>> depthwise_conv([[[1.0, 2.0], [3.0, 4.0]]], [[[1.0], [1.0]], [[1.0], [10.0]]]).tolist()
        [[[4.0, 42.0]]]
    """
    x, kernel = _operands("depthwise_conv", x, kernel)
    inputs = x.shape[-1]
    if kernel.shape[-2] != inputs:
        raise ShapeError(f"depthwise_conv: x {x.shape} and kernel {kernel.shape} do not fit")
    kernel = reshape(kernel, (*kernel.shape[:-2], 1, inputs * kernel.shape[-1]))
    return conv(x, kernel, strides=strides, padding=padding, dilation=dilation, groups=inputs)


def conv_transpose(
    x: TensorLike,
    kernel: TensorLike,
    /,
    *,
    strides: int | Sequence[int] = 1,
    padding: Padding = "valid",
    output_padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Tensor:
    """Return the transposed convolution: the derivative of `conv` by its input, as an op.

    ``x`` is (batch, …, inputs), the kernel that of the convolution it belongs to, (…, outputs /
    groups, inputs), the result (batch, …, outputs).

    Args:
        x: the inputs.
        kernel: the weights.
        strides: of the convolution: the result is longer by so much.
        padding: of the convolution, to be cut off. "same" gives stride times the input's length,
            "valid" no less than that, as Keras; numbers give (n - 1) stride + window - before -
            after, as torch.
        output_padding: further elements behind, fewer than the stride or the dilation.
        dilation, groups: as for `conv`.

    Raises:
        ShapeError, DTypeError, SettingError: as `conv`.

    Example:
        >>> conv_transpose([[[1.0], [2.0]]], [[[1.0]], [[10.0]]], strides=2).tolist()
        [[[1.0], [10.0], [2.0], [20.0]]]
    """
    name = "conv_transpose"
    x, kernel = _operands(name, x, kernel)
    rank = x.ndim - 2
    steps, inside = (
        _counts(name, "strides", strides, rank),
        _counts(name, "dilation", dilation, rank),
    )
    extra = _counts(name, "output_padding", output_padding, rank, least=0)
    if x.shape[-1] != kernel.shape[-1] or groups < 1 or x.shape[-1] % groups:
        raise ShapeError(
            f"{name}: x {x.shape} and kernel {kernel.shape} do not fit {groups} groups"
        )
    spans = [(k - 1) * d + 1 for k, d in zip(kernel.shape, inside, strict=False)]
    full = [(n - 1) * s + r for n, s, r in zip(x.shape[1:-1], steps, spans, strict=True)]
    whole = [n * s for n, s in zip(x.shape[1:-1], steps, strict=True)]
    if padding == "valid":
        widths: Pairs = ((0, 0),) * rank
        lengths = [max(n, m) + e for n, m, e in zip(full, whole, extra, strict=True)]
    elif padding == "same":
        widths = tuple([_halves(max(r - s, 0)) for r, s in zip(spans, steps, strict=True)])
        lengths = [m + a + b + e for m, (a, b), e in zip(whole, widths, extra, strict=True)]
    else:
        widths = paddings(name, x.shape[1:-1], kernel.shape[:-2], steps, padding, inside)
        lengths = [n + e for n, e in zip(full, extra, strict=True)]
    if any(e and e >= max(s, d) for e, s, d in zip(extra, steps, inside, strict=True)):
        raise SettingError(
            f"{name}: the output padding {extra} is not less than the strides {steps}"
        )
    # What no window reaches is zero: `convolution_input` knows fewer such elements than a stride.
    fitting = [
        n + (m - n) % s if m > n else m for m, n, s in zip(lengths, full, steps, strict=True)
    ]
    out: Tensor = _convolution_input(
        x, kernel, lengths=tuple(fitting), strides=steps, dilation=inside, groups=groups
    )
    missing = [(0, m - f) for m, f in zip(lengths, fitting, strict=True)]
    out = padded(out, tuple(missing))
    if any(a + b >= n for n, (a, b) in zip(lengths, widths, strict=True)):
        raise ShapeError(f"{name}: the padding {widths} leaves nothing of {tuple(lengths)}")
    return _cropped(out, widths)


def _cropped(x: Tensor, widths: Pairs) -> Tensor:
    """Cut off elements before and after along the spatial axes."""
    if not any(map(any, widths)):
        return x
    pairs = zip(x.shape[1:], widths, strict=False)
    out: Tensor = x[(builtins.slice(None), *[builtins.slice(a, n - b) for n, (a, b) in pairs])]
    return out


def padded(x: Tensor, widths: Pairs, value: float = 0) -> Tensor:
    """Put a value before and after along the spatial axes."""
    if not any(map(any, widths)):
        return x
    return pad(x, ((0, 0), *widths, (0, 0)), constant_values=value)


def _operands(name: str, x: TensorLike, kernel: TensorLike) -> tuple[Tensor, Tensor]:
    """Return two floating tensors of one dtype and fitting ranks."""
    x, kernel = common_tensors(name, (x, kernel))
    x, kernel = to_floating(x), to_floating(kernel)
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: takes real numbers, not {x.dtype.name}")
    if x.ndim != kernel.ndim or not 3 <= x.ndim <= 5:
        raise ShapeError(
            f"{name}: x {x.shape} and kernel {kernel.shape} are not (batch, …, channels) and "
            "(…, channels, channels) with one to three axes between"
        )
    if 0 in kernel.shape or 0 in x.shape[1:]:
        raise ShapeError(f"{name}: x {x.shape} or kernel {kernel.shape} has an axis of length 0")
    return x, kernel


def _check_groups(name: str, inputs: int, kernel: Ints, groups: int) -> None:
    if not isinstance(groups, int) or groups < 1:
        raise SettingError(f"{name}: groups is a positive integer, not {groups!r}")
    if kernel[-2] * groups != inputs or kernel[-1] % groups:
        raise ShapeError(
            f"{name}: a kernel {kernel} does not fit {inputs} channels in {groups} groups"
        )


def _counts(name: str, what: str, value: Any, rank: int, least: int = 1) -> Ints:
    """Return a number per spatial axis."""
    found = as_shape(f"{name}, {what}", value)
    found = found * rank if isinstance(value, int) else found
    if len(found) != rank or min(found) < least:
        raise SettingError(f"{name}: {what}={value!r} is not {rank} integers of {least} or more")
    return found


def _halves(total: int) -> tuple[int, int]:
    return total // 2, total - total // 2


def paddings(
    name: str, lengths: Ints, window: Ints, strides: Ints, padding: Padding, dilation: Ints
) -> Pairs:
    """Return a pair (before, after) per spatial axis."""
    rank = len(lengths)
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "same":
        return tuple(
            [
                _halves(max((-(-n // s) - 1) * s + r - n, 0))
                for n, s, r in zip(lengths, strides, spans, strict=True)
            ]
        )
    if padding == "causal" and rank == 1:
        return ((spans[0] - 1, 0),)
    if isinstance(padding, str):
        raise SettingError(f"{name}: no padding of {rank} axes is called {padding!r}")
    if isinstance(padding, Sequence) and any(isinstance(one, Sequence) for one in padding):
        pairs = tuple([as_shape(f"{name}, padding", one) for one in padding])  # type: ignore[arg-type]
    else:
        pairs = tuple([(n, n) for n in _counts(name, "padding", padding, rank, least=0)])
    if len(pairs) != rank or any(len(one) != 2 or min(one) < 0 for one in pairs):
        raise SettingError(f"{name}: the padding {padding!r} is not a pair for each of {rank} axes")
    return tuple([(one[0], one[1]) for one in pairs])
