"""Moving elements."""

import tensorflow as tf

TABLE = {
    "identity": tf.identity,
    "stop_gradient": tf.stop_gradient,
    "reshape": lambda x, shape: tf.reshape(x, shape),
    "broadcast_to": lambda x, shape: tf.broadcast_to(x, shape),
    "permute_dims": lambda x, axes: tf.transpose(x, axes),
    "stack": lambda *xs, axis: tf.stack(xs, axis),
}
