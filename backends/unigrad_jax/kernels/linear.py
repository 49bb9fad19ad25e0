"""Matrix products."""

import jax.numpy as jnp

TABLE = {
    "matmul": jnp.matmul,
}
