"""Convolutions by XLA's own; its derivatives are transposes of a linear function."""

from typing import Any

import jax

Ints = tuple[int, ...]

_LAYOUTS = {
    1: ("NWC", "WIO", "NWC"),
    2: ("NHWC", "HWIO", "NHWC"),
    3: ("NDHWC", "DHWIO", "NDHWC"),
}


def convolution(
    x: jax.Array, kernel: jax.Array, strides: Ints, dilation: Ints, groups: int
) -> jax.Array:
    """Run XLA's."""
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        strides,
        "VALID",
        rhs_dilation=dilation,
        dimension_numbers=_LAYOUTS[len(strides)],
        feature_group_count=groups,
    )


def convolution_input(g: jax.Array, kernel: jax.Array, lengths: Ints, **settings: Any) -> jax.Array:
    """Transpose by the input."""
    groups = settings["groups"]
    example = jax.ShapeDtypeStruct((g.shape[0], *lengths, kernel.shape[-2] * groups), g.dtype)
    back = jax.linear_transpose(lambda x: convolution(x, kernel, **settings), example)
    (out,) = back(g)
    return out


def convolution_kernel(x: jax.Array, g: jax.Array, window: Ints, **settings: Any) -> jax.Array:
    """Transpose by the kernel."""
    shape = (*window, x.shape[-1] // settings["groups"], g.shape[-1])
    example = jax.ShapeDtypeStruct(shape, x.dtype)
    back = jax.linear_transpose(lambda kernel: convolution(x, kernel, **settings), example)
    (out,) = back(g)
    return out


TABLE = {
    "convolution": convolution,
    "convolution_input": convolution_input,
    "convolution_kernel": convolution_kernel,
}
