"""Making arrays and placing them."""

import jax
import jax.numpy as jnp

from unigrad_jax.devices import by_name
from unigrad_jax.kernels.widths import held

TABLE = {
    "full": lambda shape, value, dtype: jnp.full(shape, value, held(dtype)),
    "full_like": lambda x, value: jnp.full_like(x, value),
    "to_device": lambda x, device: jax.device_put(x, by_name()[device]),
}
#: Ops that move arrays.
PLACING = frozenset({"to_device"})
