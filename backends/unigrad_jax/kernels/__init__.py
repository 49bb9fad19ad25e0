"""The table: one function per op, on JAX arrays. Each is jitted before it is used."""

from unigrad_jax.kernels import elementwise, linear, reductions, shaping
from unigrad_jax.pull import without_settings

TABLE = {**elementwise.TABLE, **linear.TABLE, **reductions.TABLE, **shaping.TABLE}
#: Ops that never have settings; they take Python scalars as weak.
WHOLE = elementwise.WHOLE
without_settings(*WHOLE)
