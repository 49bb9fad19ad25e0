"""Making arrays and placing them."""

import jax
import jax.numpy as jnp

TABLE = {
    "full": lambda shape, value, dtype: jnp.full(shape, value, dtype),
    "full_like": lambda x, value: jnp.full_like(x, value),
    "to_device": lambda x, device: jax.device_put(
        x, jax.devices(device.partition(":")[0])[int(device.partition(":")[2] or 0)]
    ),
}
