"""Moving elements."""

import numpy as np
import tensorflow as tf


def _triangle(x: tf.Tensor, k: int, lower: bool) -> tf.Tensor:
    """Zeros outside of a triangle; band_part has no triangles beside the main diagonal."""
    rows, columns = x.shape[-2:]
    below = np.tri(rows, columns, k, dtype=np.bool_)
    return tf.where(tf.constant(below if lower else ~below), x, tf.zeros((), x.dtype))


TABLE = {
    "identity": tf.identity,
    "stop_gradient": tf.stop_gradient,
    "reshape": lambda x, shape: tf.reshape(x, shape),
    "broadcast_to": lambda x, shape: tf.broadcast_to(x, shape),
    "permute_dims": lambda x, axes: tf.transpose(x, axes),
    "stack": lambda *xs, axis: tf.stack(xs, axis),
    "flip": lambda x, axis: tf.reverse(x, axis) if axis else x,
    "roll": lambda x, shift, axis: tf.roll(x, shift, axis) if shift else x,
    "concat": lambda *xs, axis: tf.concat(xs, axis),
    "split": lambda x, axis, sizes: tf.split(x, sizes, axis),
    "pad": lambda x, widths, value: tf.pad(x, widths, constant_values=value),
    "tril": lambda x, k: _triangle(x, k, True),
    "triu": lambda x, k: _triangle(x, k - 1, False),
    "tile": lambda x, repetitions: tf.tile(x, repetitions),
    "unstack": lambda x, axis: tf.unstack(x, axis=axis),
}
