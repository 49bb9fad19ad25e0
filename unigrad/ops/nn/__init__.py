"""Ops of neural networks that are public in ``ug.nn`` alone, by family."""

from unigrad.ops.nn import (
    activations,
    attention,
    convolution,
    labels,
    normalization,
    patches,
    pooling,
    sparse,
)

__all__ = [
    "activations",
    "attention",
    "convolution",
    "labels",
    "normalization",
    "patches",
    "pooling",
    "sparse",
]
