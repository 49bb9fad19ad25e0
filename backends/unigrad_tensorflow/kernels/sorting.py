"""Sorting and searching. Always stable; NaN counts as greatest.

TensorFlow's ``top_k`` is stable but has no place for NaN, and sorts in descending order only. It is
given integers in the elements' order instead, which can be neither NaN nor beyond negation.
"""

from typing import Any

import tensorflow as tf

_INTEGERS = {2: tf.int16, 4: tf.int32, 8: tf.int64}
_SIGNED = {tf.uint8: tf.int16, tf.uint16: tf.int32, tf.uint32: tf.int64, tf.bool: tf.int8}


def _key(x: Any) -> Any:
    """Return signed integers in the order of the elements.

    The bits of a float, read as an integer, are ordered as the float is when it is positive; those
    of a negative one are turned round. Adding 0 makes one zero of two, and all NaNs are made one.
    """
    dtype = x.dtype
    if dtype.is_floating:
        x = tf.where(tf.raw_ops.NotEqual(x=x, y=x), tf.constant(float("nan"), dtype), x + 0)
        bits = tf.bitcast(x, _INTEGERS[dtype.size])
        turned = tf.bitwise.bitwise_xor(bits, bits.dtype.max)
        return tf.where(bits < 0, turned, bits)
    if dtype == tf.uint64:
        return tf.bitwise.bitwise_xor(tf.bitcast(x, tf.int64), tf.int64.min)
    return tf.cast(x, _SIGNED[dtype]) if dtype in _SIGNED else x


def _order(x: Any, k: int, axis: int, descending: bool) -> Any:
    """Return the indices of the first ``k`` in order along an axis."""
    key = _key(x)
    if not descending:
        key = tf.bitwise.invert(key)
    last = x.shape.rank - 1
    if axis != last:
        axes = [*range(last + 1)]
        axes[axis], axes[last] = last, axis
        found = tf.raw_ops.TopKV2(input=tf.transpose(key, axes), k=k, index_type=tf.int64)
        return tf.transpose(found.indices, axes)
    return tf.raw_ops.TopKV2(input=key, k=k, index_type=tf.int64).indices


def _searchsorted(x1: Any, x2: Any, right: bool) -> Any:
    first, second = _key(x1), _key(x2)
    if first.dtype not in (tf.int32, tf.int64):
        first, second = tf.cast(first, tf.int32), tf.cast(second, tf.int32)
    op = tf.raw_ops.UpperBound if right else tf.raw_ops.LowerBound
    found = op(sorted_inputs=first[None, :], values=tf.reshape(second, [1, -1]), out_type=tf.int64)
    return tf.reshape(found, tf.shape(x2))


TABLE = {
    "argsort": lambda x, axis, descending: _order(x, x.shape[axis], axis, descending),
    "top_k_indices": lambda x, k, axis: _order(x, k, axis, True),
    "searchsorted": _searchsorted,
}
