"""Elementwise kernels."""

import jax
import jax.numpy as jnp

_PURE = {
    "add": jnp.add,
    "subtract": jnp.subtract,
    "multiply": jnp.multiply,
    "divide": jnp.divide,
    "negative": jnp.negative,
    "exp": jnp.exp,
    "log": jnp.log,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tanh": jnp.tanh,
    "greater": jnp.greater,
}

TABLE = {
    **_PURE,
    "astype": lambda x, dtype: jax.lax.convert_element_type(x, dtype),
    "full_like": lambda x, value: jnp.full_like(x, value),
    "to_device": lambda x, device: jax.device_put(
        x, jax.devices(device.partition(":")[0])[int(device.partition(":")[2] or 0)]
    ),
}

WHOLE = frozenset(_PURE)
