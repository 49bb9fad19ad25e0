"""The table: one kernel per op, on TensorFlow tensors."""

from unigrad_tensorflow.kernels import elementwise, linear, reductions, shaping

TABLE = {**elementwise.TABLE, **linear.TABLE, **reductions.TABLE, **shaping.TABLE}
SCALAR_OPS = elementwise.SCALAR_OPS
