"""The table: one kernel per op, on ndarrays."""

from unigrad_numpy.kernels import elementwise, linear, reductions, shaping

TABLE = {**elementwise.TABLE, **linear.TABLE, **reductions.TABLE, **shaping.TABLE}
SCALAR_OPS = elementwise.SCALAR_OPS
