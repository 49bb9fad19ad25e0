"""Sorting and searching. Always stable; NaN counts as greatest.

TensorFlow's ``top_k`` is stable but has no place for NaN, and sorts in descending order only. It is
given integers in the elements' order instead, which can be neither NaN nor beyond negation.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule, without_derivative
from unigrad_tensorflow.kernels.indexing import take_along_axis
from unigrad_tensorflow.kernels.values import are_finite, has_no_nan, may_be_read
from unigrad_tensorflow.private import numpy_of
from unigrad_tensorflow.raw import raw, unary
from unigrad_tensorflow.settings import long_setting, setting
from unigrad_tensorflow.short import short

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


_raw_top = raw("TopKV2", "input", "k", sorted=True, index_type=tf.int64)


def _top(x: Any, k: int) -> Any:
    return _raw_top(x, setting(k))


_negative = unary("Neg")


def _falling(x: Any, descending: bool) -> Any:
    """Return what falls in the order of the elements."""
    if x.dtype.is_floating and has_no_nan(x):
        return x if descending else _negative(x)
    key = _key(x)
    return key if descending else tf.bitwise.invert(key)


def _sort(x: Any, axis: int, descending: bool) -> Any:
    length = x.shape[axis]
    if axis == x.shape.rank - 1 and x.dtype.is_floating and has_no_nan(x):
        found = _top(_falling(x, descending), length)[0]
        return found if descending else _negative(found)
    return take_along_axis(x, _order(x, length, axis, descending), axis)


def _order(x: Any, k: int, axis: int, descending: bool) -> Any:
    """Return the indices of the first ``k`` in order along an axis."""
    key = _falling(x, descending)
    last = x.shape.rank - 1
    if axis != last:
        axes = [*range(last + 1)]
        axes[axis], axes[last] = last, axis
        return tf.transpose(_top(tf.transpose(key, axes), k)[1], axes)
    return _top(key, k)[1]


def _top_k(x: Any, k: int, axis: int) -> Any:
    """The greatest elements and their places."""
    if axis == x.shape.rank - 1 and x.dtype.is_floating and has_no_nan(x):
        return _top(x, k)
    places = _order(x, k, axis, True)
    return take_along_axis(x, places, axis), places


def _searchsorted(x1: Any, x2: Any, right: bool) -> Any:
    if x1.dtype in _FLOATS and has_no_nan(x1) and has_no_nan(x2):
        found = _bounds[right](_reshape(x1, (1, -1)), _reshape(x2, (1, -1)))
        return _reshape(found, tuple(x2.shape.as_list()))
    first, second = _key(x1), _key(x2)
    if first.dtype not in (tf.int32, tf.int64):
        first, second = tf.cast(first, tf.int32), tf.cast(second, tf.int32)
    op = tf.raw_ops.UpperBound if right else tf.raw_ops.LowerBound
    found = op(sorted_inputs=first[None, :], values=tf.reshape(second, [1, -1]), out_type=tf.int64)
    return tf.reshape(found, tf.shape(x2))


_reshape = raw("Reshape", "tensor", "shape", keeps=1)
_bounds = [
    raw(name, "sorted_inputs", "values", out_type=tf.int64) for name in ("LowerBound", "UpperBound")
]
_FLOATS = (tf.float32, tf.float64)


def _in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """TensorFlow's, of classes that there are: other places are not told apart there."""
    if predictions.dtype is not tf.float32 or predictions.shape.rank != 2 or k < 1:
        return None
    unsigned = _UNSIGNED.get(targets.dtype)
    if unsigned is None or not (may_be_read(targets) and are_finite(predictions)):
        return None
    known = np.asarray(numpy_of(targets)).view(unsigned)
    if not known.size or known.max() >= predictions.shape[1]:
        return None
    # Among as many as there are, all are: a greater number need not fit.
    most = (long_setting if targets.dtype is tf.int64 else setting)(min(k, predictions.shape[1]))
    return _raw_in_top_k(predictions, targets, most)


_raw_in_top_k = raw("InTopKV2", "predictions", "targets", "k")
#: Negative classes, read as unsigned, are beyond any count.
_UNSIGNED = {tf.int64: np.uint64, tf.int32: np.uint32}


TABLE = {
    "sorting.in_top_k": short("sorting.in_top_k", _in_top_k),
    "sort": by_rule("sort", _sort),
    "argsort": without_derivative(
        lambda x, axis, descending: _order(x, x.shape[axis], axis, descending)
    ),
    "top_k": by_rule("top_k", _top_k),
    "top_k_indices": without_derivative(lambda x, k, axis: _order(x, k, axis, True)),
    "searchsorted": _searchsorted,
}
