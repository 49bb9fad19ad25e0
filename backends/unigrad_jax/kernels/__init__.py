"""The table: one function per op, on JAX arrays. Each is jitted before it is used."""

from unigrad_jax.kernels import (
    activations,
    creation,
    elementwise,
    indexing,
    linear,
    random,
    reductions,
    shaping,
    sorting,
)
from unigrad_jax.pullback import not_jitted, operands, without_settings

TABLE = {
    **activations.TABLE,
    **creation.TABLE,
    **elementwise.TABLE,
    **indexing.TABLE,
    **linear.TABLE,
    **random.TABLE,
    **reductions.TABLE,
    **shaping.TABLE,
    **sorting.TABLE,
}
#: Ops that never have settings; they take Python scalars as weak.
WHOLE = elementwise.WHOLE
without_settings(*WHOLE)
not_jitted(*indexing.BY_VALUE, *creation.PLACING)
operands("clip", "low", "high")
operands("leaky_relu", "negative_slope")
operands("elu", "alpha")
operands("celu", "alpha")
operands("pad", "value")
operands("full", "value")
operands("full_like", "value")
