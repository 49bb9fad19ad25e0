"""Moving elements."""

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.private import executing_eagerly
from unigrad_tensorflow.settings import long_setting as _long
from unigrad_tensorflow.settings import setting

_raw = tf.raw_ops


def _reshape(x: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    if 0 in shape and not executing_eagerly():
        # TensorFlow's optimiser of graphs divides by the length of such a reshaped array: SIGFPE.
        return tf.zeros(shape, x.dtype)
    return _raw.Reshape(tensor=x, shape=setting(shape))


def _tril(x: tf.Tensor, k: int) -> tf.Tensor:
    """Zeros above the k-th diagonal; the library has no such triangle below the main one."""
    if k >= 0:
        return _raw.MatrixBandPart(
            input=x, num_lower=_long(-1), num_upper=_long(min(k, x.shape[-1]))
        )
    return _triangle(x, k, True)


def _triu(x: tf.Tensor, k: int) -> tf.Tensor:
    """Zeros below the k-th diagonal."""
    if k <= 0:
        return _raw.MatrixBandPart(
            input=x, num_lower=_long(min(-k, x.shape[-2])), num_upper=_long(-1)
        )
    return _triangle(x, k - 1, False)


def _triangle(x: tf.Tensor, k: int, lower: bool) -> tf.Tensor:
    """Zeros outside of a triangle that does not reach the main diagonal."""
    rows, columns = x.shape[-2:]
    below = np.tri(rows, columns, k, dtype=np.bool_)
    return tf.where(tf.constant(below if lower else ~below), x, tf.zeros((), x.dtype))


def _roll(x: tf.Tensor, shift: tuple[int, ...], axis: tuple[int, ...]) -> tf.Tensor:
    return _raw.Roll(input=x, shift=setting(shift), axis=setting(axis)) if shift else x


TABLE = {
    "identity": tf.identity,
    "stop_gradient": tf.stop_gradient,
    "reshape": _reshape,
    "broadcast_to": lambda x, shape: _raw.BroadcastTo(input=x, shape=setting(shape)),
    "permute_dims": lambda x, axes: _raw.Transpose(x=x, perm=setting(axes)) if axes else x,
    "stack": lambda *xs, axis: _raw.Pack(values=xs, axis=axis),
    "flip": lambda x, axis: tf.reverse(x, axis) if axis else x,
    "roll": _roll,
    "concat": lambda *xs, axis: (
        _raw.ConcatV2(values=xs, axis=setting(axis)) if len(xs) > 1 else xs[0]
    ),
    "split": lambda x, axis, sizes: list(
        _raw.SplitV(value=x, size_splits=setting(sizes), axis=setting(axis), num_split=len(sizes))
    ),
    "pad": lambda x, widths, value: tf.pad(x, widths, constant_values=value),
    "tril": _tril,
    "triu": _triu,
    "tile": lambda x, repetitions: (
        _raw.Tile(input=x, multiples=setting(repetitions)) if repetitions else x
    ),
    "unstack": lambda x, axis: tf.unstack(x, axis=axis),
}
