"""Matrix products."""

import jax.numpy as jnp

from unigrad_jax.pullback import without_settings

TABLE = {
    "matmul": jnp.matmul,
    "einsum": lambda *operands, equation: jnp.einsum(equation, *operands),
}
without_settings("matmul")
