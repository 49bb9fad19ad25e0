"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule
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


def _extremum(op: str, name: str) -> Reduction:
    """Return a raw Max or Min, whose own derivative of a NaN is not at the NaNs alone."""
    plain = by_rule(op, _reduction(name))
    of_bools = _reduction("Any" if name == "Max" else "All")

    def run(x: Any, axis: Axis, keepdims: bool) -> Any:
        shape = x.shape.as_list()
        if 0 in shape and (axis is None or 0 in [shape[i] for i in axis]):
            raise ValueError("no elements to choose from")
        if x.dtype == tf.bool:
            return of_bools(x, axis, keepdims)
        return plain(x, axis=axis, keepdims=keepdims)

    return run


def _cumulative_sum(x: Any, axis: int, reverse: bool) -> Any:
    if _half(x):
        return tf.cast(_cumulative_sum(tf.cast(x, tf.float32), axis, reverse), x.dtype)
    return tf.raw_ops.Cumsum(x=x, axis=axis, exclusive=False, reverse=reverse)


def _cumulative_prod(x: Any, axis: int) -> Any:
    if _half(x):
        return tf.cast(_cumulative_prod(tf.cast(x, tf.float32), axis), x.dtype)
    return tf.raw_ops.Cumprod(x=x, axis=axis, exclusive=False, reverse=False)


def _index(name: str) -> Callable[[Any, int], Any]:
    """Return a raw ArgMax or ArgMin that finds the first NaN, which TensorFlow passes over."""
    op = getattr(tf.raw_ops, name)

    def run(x: Any, axis: int) -> Any:
        found = op(input=x, dimension=axis, output_type=tf.int64)
        if not x.dtype.is_floating:
            return found
        # On the host a look at the values is cheaper than three ops.
        if hasattr(x, "numpy") and "CPU" in x.device and not np.isnan(x.numpy()).any():
            return found
        nan = tf.raw_ops.NotEqual(x=x, y=x)
        first = tf.raw_ops.ArgMax(input=nan, dimension=axis, output_type=tf.int64)
        any_nan = tf.raw_ops.Any(input=nan, axis=axes_of(x, (axis,)), keep_dims=False)
        return tf.raw_ops.SelectV2(condition=any_nan, t=first, e=found)

    return run


TABLE = {
    "sum": _sum,
    "mean": _widely("Mean"),
    # TensorFlow's derivatives of these are NaN beside a zero, and not those of complex numbers.
    "prod": by_rule("prod", _widely("Prod")),
    "max": _extremum("max", "Max"),
    "min": _extremum("min", "Min"),
    "any": _reduction("Any"),
    "all": _reduction("All"),
    "argmax": _index("ArgMax"),
    "argmin": _index("ArgMin"),
    "cumulative_sum": _cumulative_sum,
    "cumulative_prod": by_rule("cumulative_prod", _cumulative_prod),
}
