"""Reductions. ``axis`` is a tuple of ints counted from the front."""

import tensorflow as tf

TABLE = {
    "sum": lambda x, axis, keepdims: tf.reduce_sum(x, axis, keepdims),
}
