"""The table: one kernel per op, on torch tensors."""

from unigrad_torch.kernels import elementwise, linear, reductions, shaping

TABLE = {**elementwise.TABLE, **linear.TABLE, **reductions.TABLE, **shaping.TABLE}
SCALAR_OPS = elementwise.SCALAR_OPS
