"""The table: one function per op, on JAX arrays. Each is jitted before it is used."""

from unigrad_jax.kernels import (
    activations,
    control,
    convolution,
    creation,
    elementwise,
    fourier,
    indexing,
    linalg,
    linear,
    normalization,
    random,
    reductions,
    shaping,
    sorting,
    special,
)
from unigrad_jax.pullback import not_jitted, without_settings
from unigrad_jax.settings import operands

TABLE = {
    **activations.TABLE,
    **control.TABLE,
    **convolution.TABLE,
    **creation.TABLE,
    **elementwise.TABLE,
    **fourier.TABLE,
    **indexing.TABLE,
    **linalg.TABLE,
    **linear.TABLE,
    **normalization.TABLE,
    **random.TABLE,
    **reductions.TABLE,
    **shaping.TABLE,
    **sorting.TABLE,
    **special.TABLE,
}
#: Ops that never have settings; they take Python scalars as weak.
WHOLE = elementwise.WHOLE
without_settings(*WHOLE)
not_jitted(*indexing.BY_VALUE, *creation.PLACING)
operands("clip", "low", "high")
operands("leaky_relu", negative_slope=0.01)
operands("elu", alpha=1.0)
operands("celu", alpha=1.0)
operands("allclose", rtol=1e-5, atol=1e-8)
operands("isclose", rtol=1e-5, atol=1e-8)
operands("nan_to_num", "posinf", "neginf", nan=0.0)
operands("pad", "value")
operands("quantile_at", "q", "low", "weight")
operands("roll", "shift")
operands("std", correction=0.0)
operands("tril", k=0)
operands("triu", k=0)
operands("var", correction=0.0)
operands("power_norm", "ord")
operands("normalized", "epsilon")
operands("hard_shrink", threshold=0.5)
operands("soft_shrink", threshold=0.5)
operands("full", "value")
operands("full_like", "value")
