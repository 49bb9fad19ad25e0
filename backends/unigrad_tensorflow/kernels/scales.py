"""Powers of two that bring matrices to where their squares are numbers, and round nothing."""

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.private import numpy_of

#: Beyond 2^±a of these squares are scaled, by 2^∓b, as in `unigrad.ops.statistics`.
_REACH = {tf.float32: (40, 85), tf.float64: (400, 600)}


def power_into_range(x: tf.Tensor) -> tf.Tensor:
    """Return the power of two to multiply each matrix by, (…, 1, 1) in its dtype: 1 of most."""
    real = x.dtype.real_dtype
    edge, shift = _REACH[real]
    peak = tf.reduce_max(tf.abs(x), (-2, -1), keepdims=True)
    low, high, one = (tf.constant(2.0**k, real) for k in (-shift, shift, 0))
    small = (peak > 0) & (peak < 2.0**-edge)
    return tf.cast(tf.where(peak > 2.0**edge, low, tf.where(small, high, one)), x.dtype)


def is_ordinary(x: tf.Tensor) -> bool:
    """Tell of real numbers that can be read whether their squares are in range, and not all 0."""
    array = np.asarray(numpy_of(x))
    reach = 2.0 ** (2 * _REACH[x.dtype][0])
    return bool(1.0 / reach < np.vdot(array, array) < reach)
