"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.gradients import differentiated, recording
from unigrad_tensorflow.private import executing_eagerly

Axis = tuple[int, ...] | None
Reduction = Callable[[Any, Axis, bool], Any]

_constants: dict[tuple[int, ...], Any] = {}


def axes_of(x: Any, axis: Axis) -> Any:
    """Return axes as TensorFlow takes them soonest: a tensor that is kept, outside of graphs."""
    if axis is None:
        axis = tuple(range(x.shape.rank))
    if not executing_eagerly():
        return np.array(axis, np.int32)
    try:
        return _constants[axis]
    except KeyError:
        kept = _constants[axis] = tf.constant(axis, tf.int32, (len(axis),))
        return kept


def _reduction(name: str) -> Reduction:
    """Return a raw reduction."""
    op = getattr(tf.raw_ops, name)
    return lambda x, axis, keepdims: op(input=x, axis=axes_of(x, axis), keep_dims=keepdims)


def _half(x: Any) -> bool:
    """Tell whether a dtype is too coarse to add or multiply many numbers in."""
    dtype = x.dtype
    return dtype is tf.float16 or dtype is tf.bfloat16


def _widely(name: str) -> Reduction:
    """Return a raw reduction that computes half precision in float32 and rounds once."""
    plain = _reduction(name)

    def run(x: Any, axis: Axis, keepdims: bool) -> Any:
        if _half(x):
            return tf.cast(plain(tf.cast(x, tf.float32), axis, keepdims), x.dtype)
        return plain(x, axis, keepdims)

    return run


_sum = _widely("Sum")
_prod = _widely("Prod")


def _extremum(name: str) -> Reduction:
    """Return a raw Max or Min with the derivative of a NaN at the NaNs alone."""
    plain = _reduction(name)
    of_bools = _reduction("Any" if name == "Max" else "All")

    def run(x: Any, axis: Axis, keepdims: bool) -> Any:
        shape = x.shape.as_list()
        if 0 in shape and (axis is None or 0 in [shape[i] for i in axis]):
            raise ValueError("no elements to choose from")
        if x.dtype == tf.bool:
            return of_bools(x, axis, keepdims)
        if not recording() or not x.dtype.is_floating:
            return plain(x, axis, keepdims)

        def gradient(g: Any, out: Any, x: Any) -> Any:
            if not keepdims:
                kept = tf.shape(plain(x, axis, True))
                g, out = tf.reshape(g, kept), tf.reshape(out, kept)
            shares = tf.cast((x == out) | tf.raw_ops.NotEqual(x=x, y=x), x.dtype)
            return g * (shares / _sum(shares, axis, True))

        return differentiated(lambda x: plain(x, axis, keepdims), gradient, x)

    return run


def _mended_prod(x: Any, axis: Axis, keepdims: bool) -> Any:
    """Multiply halves when recorded: TensorFlow's second derivative is NaN beside a zero.

    Nor are its derivatives those of complex numbers.
    """
    if _half(x):
        return tf.cast(_mended_prod(tf.cast(x, tf.float32), axis, keepdims), x.dtype)
    if not recording() or x.dtype.is_integer:
        return _prod(x, axis, keepdims)
    wanted = tf.shape(_prod(x, axis, keepdims))
    axes = [*range(x.shape.rank)] if axis is None else [i % x.shape.rank for i in axis]
    rest = [i for i in range(x.shape.rank) if i not in axes]
    size = int(np.prod([x.shape[i] for i in axes]))
    x = tf.reshape(tf.transpose(x, axes + rest), [size, *[x.shape[i] for i in rest]])
    if size == 0:
        return tf.reshape(_sum(x, (0,), False) + 1, wanted)
    while size > 1:
        half = size // 2
        first, second, *odd = tf.split(x, [half, half, 1] if size % 2 else [half, half])
        x = tf.concat([first * second, *odd], 0)
        size -= half
    return tf.reshape(x, wanted)


def _cumulative_sum(x: Any, axis: int, reverse: bool) -> Any:
    if _half(x):
        return tf.cast(_cumulative_sum(tf.cast(x, tf.float32), axis, reverse), x.dtype)
    return tf.raw_ops.Cumsum(x=x, axis=axis, exclusive=False, reverse=reverse)


def _cumulative_prod(x: Any, axis: int) -> Any:
    """Multiply doubling windows when recorded: TensorFlow's derivative is NaN at a zero.

    Nor is it that of complex numbers.
    """
    if _half(x):
        return tf.cast(_cumulative_prod(tf.cast(x, tf.float32), axis), x.dtype)
    if not recording() or x.dtype.is_integer:
        return tf.raw_ops.Cumprod(x=x, axis=axis, exclusive=False, reverse=False)
    length = x.shape[axis]
    window = 1
    while window < length:
        first, rest = tf.split(x, [window, length - window], axis)
        shifted, _ = tf.split(x, [length - window, window], axis)
        x = tf.concat([first, rest * shifted], axis)
        window *= 2
    return x


def _index(name: str) -> Callable[[Any, int], Any]:
    """Return a raw ArgMax or ArgMin that finds the first NaN, which TensorFlow passes over."""
    op = getattr(tf.raw_ops, name)

    def run(x: Any, axis: int) -> Any:
        found = op(input=x, dimension=axis, output_type=tf.int64)
        if not x.dtype.is_floating:
            return found
        nan = tf.raw_ops.NotEqual(x=x, y=x)
        first = tf.raw_ops.ArgMax(input=nan, dimension=axis, output_type=tf.int64)
        any_nan = tf.raw_ops.Any(input=nan, axis=axes_of(x, (axis,)), keep_dims=False)
        return tf.raw_ops.SelectV2(condition=any_nan, t=first, e=found)

    return run


TABLE = {
    "sum": _sum,
    "mean": _widely("Mean"),
    "prod": _mended_prod,
    "max": _extremum("Max"),
    "min": _extremum("Min"),
    "any": _reduction("Any"),
    "all": _reduction("All"),
    "argmax": _index("ArgMax"),
    "argmin": _index("ArgMin"),
    "cumulative_sum": _cumulative_sum,
    "cumulative_prod": _cumulative_prod,
}
