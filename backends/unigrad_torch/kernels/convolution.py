"""Convolutions and pooling by torch's own, whose channels come before the spatial axes."""

from typing import Any

import torch
from torch.nn import functional

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import by_rule

Ints = tuple[int, ...]

_by_places = body_of("torch", "max_pool")
_sum_by_places = body_of("torch", "sum_pool")

_CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_TRANSPOSED = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}
_BY_WEIGHT = {
    1: torch.nn.grad.conv1d_weight,
    2: torch.nn.grad.conv2d_weight,
    3: torch.nn.grad.conv3d_weight,
}
_GREATEST: dict[int, Any] = {
    1: functional.max_pool1d,
    2: functional.max_pool2d,
    3: functional.max_pool3d,
}


def _weight(kernel: torch.Tensor) -> torch.Tensor:
    """Return a kernel (…, inputs, outputs) as (outputs, inputs, …)."""
    return torch.movedim(kernel, (-1, -2), (0, 1))


def _first(x: torch.Tensor) -> torch.Tensor:
    """Return the tensor with its channels before the spatial axes."""
    return torch.movedim(x, -1, 1)


def _last(x: torch.Tensor) -> torch.Tensor:
    return torch.movedim(x, 1, -1)


def convolution(
    x: torch.Tensor, kernel: torch.Tensor, strides: Ints, dilation: Ints, groups: int
) -> torch.Tensor:
    """Run the library's."""
    run = _CONVOLUTIONS[len(strides)]
    return _last(run(_first(x), _weight(kernel), None, strides, 0, dilation, groups))


def convolution_input(
    g: torch.Tensor, kernel: torch.Tensor, lengths: Ints, strides: Ints, dilation: Ints, groups: int
) -> torch.Tensor:
    """Run the library's transposed convolution; it counts what no window reaches as padding."""
    extra = [
        m - (n - 1) * s - (k - 1) * d - 1
        for m, n, k, s, d in zip(
            lengths, g.shape[1:-1], kernel.shape[:-2], strides, dilation, strict=True
        )
    ]
    run = _TRANSPOSED[len(strides)]
    return _last(run(_first(g), _weight(kernel), None, strides, 0, extra, groups, dilation))


def convolution_kernel(
    x: torch.Tensor, g: torch.Tensor, window: Ints, strides: Ints, dilation: Ints, groups: int
) -> torch.Tensor:
    """Run the library's derivative by a weight."""
    size = (g.shape[-1], x.shape[-1] // groups, *window)
    run = _BY_WEIGHT[len(strides)]
    weight = run(_first(x), size, _first(g), strides, 0, dilation, groups)
    return torch.movedim(weight, (0, 1), (-1, -2))


def _max_pool(x: torch.Tensor, window: Ints, strides: Ints) -> torch.Tensor:
    """Run the library's, which knows no integers and no empty batch."""
    if not x.is_floating_point() or not x.numel():
        return _by_places(x, window=window, strides=strides)
    return _last(_GREATEST[len(window)](_first(x), window, strides))


def _sum_pool(x: torch.Tensor, window: Ints, strides: Ints) -> torch.Tensor:
    """Run the library's mean of windows with 1 in place of their size; it has none of one axis."""
    if len(window) == 1 or not x.numel():
        return _sum_by_places(x, window=window, strides=strides)
    run = functional.avg_pool2d if len(window) == 2 else functional.avg_pool3d
    return _last(run(_first(x), window, strides, divisor_override=1))


TABLE = {
    "convolution": convolution,
    "convolution_input": convolution_input,
    "convolution_kernel": convolution_kernel,
    # torch gives the gradient to the first of equal elements.
    "max_pool": by_rule("max_pool", _max_pool),
    "sum_pool": _sum_pool,
}
