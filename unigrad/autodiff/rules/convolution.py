"""Derivatives of convolutions: the three ops of one trilinear form, each in terms of the others."""

from typing import Any

from unigrad.autodiff.rules.registry import bilinear
from unigrad.core.tensor import Tensor
from unigrad.ops.convolution import _convolution, _convolution_input, _convolution_kernel


def _by_input(g: Tensor, kernel: Tensor, lengths: Any, rest: Any) -> Tensor:
    out: Tensor = _convolution_input(g, kernel, lengths=tuple(lengths), **rest)
    return out


def _by_kernel(x: Tensor, g: Tensor, window: Any, rest: Any) -> Tensor:
    out: Tensor = _convolution_kernel(x, g, window=tuple(window), **rest)
    return out


bilinear(
    "convolution",
    lambda g, out, x, kernel, **rest: _by_input(g, kernel, x.shape[1:-1], rest),
    lambda g, out, x, kernel, **rest: _by_kernel(x, g, kernel.shape[:-2], rest),
)
bilinear(
    "convolution_input",
    lambda u, out, g, kernel, lengths, **rest: _convolution(u, kernel, **rest),
    lambda u, out, g, kernel, lengths, **rest: _by_kernel(u, g, kernel.shape[:-2], rest),
)
bilinear(
    "convolution_kernel",
    lambda u, out, x, g, window, **rest: _by_input(g, u, x.shape[1:-1], rest),
    lambda u, out, x, g, window, **rest: _convolution(x, u, **rest),
)
