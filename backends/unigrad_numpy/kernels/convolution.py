"""Convolutions as products of matrices: windows are views, copied once into rows."""

import itertools
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad_numpy.kernels.bfloat16 import through_float32

Array = npt.NDArray[Any]
Ints = tuple[int, ...]


def _windows(x: Array, window: Ints, lengths: Ints, strides: Ints, dilation: Ints) -> Array:
    """Return a view (n, *lengths, *window, channels) of a padded array."""
    steps = x.strides[1:-1]
    across = [n * s for n, s in zip(steps, strides, strict=True)]
    inside = [n * d for n, d in zip(steps, dilation, strict=True)]
    return np.lib.stride_tricks.as_strided(
        x,
        (x.shape[0], *lengths, *window, x.shape[-1]),
        (x.strides[0], *across, *inside, x.strides[-1]),
        writeable=False,
    )


def _rows(
    x: Array, window: Ints, lengths: Ints, strides: Ints, dilation: Ints, groups: int
) -> Array:
    """Return the windows as (groups, windows, window · channels of a group)."""
    views = _windows(x, window, lengths, strides, dilation)
    count, inputs = x.shape[0] * prod(lengths), x.shape[-1] // groups
    if groups == 1:
        return views.reshape(1, count, prod(window) * inputs)
    split = views.reshape(count, prod(window), groups, inputs)
    return split.transpose(2, 0, 1, 3).reshape(groups, count, prod(window) * inputs)


def _columns(kernel: Array, groups: int) -> Array:
    """Return a kernel as (groups, window · inputs of a group, outputs of a group)."""
    rows, units = prod(kernel.shape[:-1]), kernel.shape[-1]
    if groups == 1:
        return kernel.reshape(1, rows, units)
    return kernel.reshape(rows, groups, units // groups).transpose(1, 0, 2)


def _by_group(x: Array, groups: int) -> Array:
    """Return (…, channels) as (groups, rows, channels of a group)."""
    rows, channels = prod(x.shape[:-1]), x.shape[-1]
    return x.reshape(rows, groups, channels // groups).transpose(1, 0, 2)


def _outputs(x: Array, window: Ints, strides: Ints, dilation: Ints) -> Ints:
    return tuple(
        [
            (n - (k - 1) * d - 1) // s + 1
            for n, k, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
        ]
    )


def convolution(x: Array, kernel: Array, strides: Ints, dilation: Ints, groups: int) -> Array:
    """One product per group."""
    window = kernel.shape[:-2]
    lengths = _outputs(x, window, strides, dilation)
    product = np.matmul(
        _rows(x, window, lengths, strides, dilation, groups), _columns(kernel, groups)
    )
    out: Array = product.transpose(1, 0, 2).reshape(x.shape[0], *lengths, kernel.shape[-1])
    return out


def convolution_input(
    g: Array, kernel: Array, lengths: Ints, strides: Ints, dilation: Ints, groups: int
) -> Array:
    """One product per group, whose columns are then added where they belong."""
    window = kernel.shape[:-2]
    product = np.matmul(_by_group(g, groups), _columns(kernel, groups).transpose(0, 2, 1))
    inputs = kernel.shape[-2]
    parts = product.transpose(1, 0, 2).reshape(*g.shape[:-1], groups, *window, inputs)
    out = np.zeros((g.shape[0], *lengths, groups, inputs), g.dtype)
    for place in itertools.product(*map(range, window)):
        target = [
            slice(k * d, k * d + (n - 1) * s + 1, s)
            for k, n, s, d in zip(place, g.shape[1:-1], strides, dilation, strict=True)
        ]
        out[(slice(None), *target)] += parts[(..., *place, slice(None))]
    return out.reshape(g.shape[0], *lengths, groups * inputs)


def convolution_kernel(
    x: Array, g: Array, window: Ints, strides: Ints, dilation: Ints, groups: int
) -> Array:
    """One product per group."""
    rows = _rows(x, window, g.shape[1:-1], strides, dilation, groups)
    product = np.matmul(rows.transpose(0, 2, 1), _by_group(g, groups))
    out: Array = product.transpose(1, 0, 2).reshape(*window, x.shape[-1] // groups, g.shape[-1])
    return out


def max_pool(x: Array, window: Ints, strides: Ints) -> Array:
    """The greatest of the shifted arrays, one after the other."""
    ones = (1,) * len(window)
    views = _windows(x, window, _outputs(x, window, strides, ones), strides, ones)
    first, *rest = itertools.product(*map(range, window))
    out: Array = _at(views, first).copy()
    for place in rest:
        np.maximum(out, _at(views, place), out=out)
    return out


def _at(views: Array, place: Ints) -> Array:
    """Return one position of all windows."""
    key: Any = (..., *place, slice(None))
    out: Array = views[key]
    return out


TABLE = {
    "convolution": through_float32(convolution),
    "convolution_input": through_float32(convolution_input),
    "convolution_kernel": through_float32(convolution_kernel),
    "max_pool": max_pool,
}
