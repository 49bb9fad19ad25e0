"""Moving elements."""

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.settings import setting

_raw = tf.raw_ops


def _triangle(x: tf.Tensor, k: int, lower: bool) -> tf.Tensor:
    """Zeros outside of a triangle; band_part has no triangles beside the main diagonal."""
    rows, columns = x.shape[-2:]
    below = np.tri(rows, columns, k, dtype=np.bool_)
    return tf.where(tf.constant(below if lower else ~below), x, tf.zeros((), x.dtype))


TABLE = {
    "identity": tf.identity,
    "stop_gradient": tf.stop_gradient,
    "reshape": lambda x, shape: _raw.Reshape(tensor=x, shape=setting(shape)),
    "broadcast_to": lambda x, shape: _raw.BroadcastTo(input=x, shape=setting(shape)),
    "permute_dims": lambda x, axes: _raw.Transpose(x=x, perm=setting(axes)) if axes else x,
    "stack": lambda *xs, axis: _raw.Pack(values=xs, axis=axis),
    "flip": lambda x, axis: tf.reverse(x, axis) if axis else x,
    "roll": lambda x, shift, axis: tf.roll(x, shift, axis) if shift else x,
    "concat": lambda *xs, axis: (
        _raw.ConcatV2(values=xs, axis=setting(axis)) if len(xs) > 1 else xs[0]
    ),
    "split": lambda x, axis, sizes: tf.split(x, sizes, axis),
    "pad": lambda x, widths, value: tf.pad(x, widths, constant_values=value),
    "tril": lambda x, k: _triangle(x, k, True),
    "triu": lambda x, k: _triangle(x, k - 1, False),
    "tile": lambda x, repetitions: (
        _raw.Tile(input=x, multiples=setting(repetitions)) if repetitions else x
    ),
    "unstack": lambda x, axis: tf.unstack(x, axis=axis),
}
