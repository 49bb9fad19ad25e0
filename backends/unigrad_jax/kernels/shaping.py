"""Moving elements."""

import jax
import jax.numpy as jnp

TABLE = {
    "identity": lambda x: x,
    "stop_gradient": jax.lax.stop_gradient,
    "reshape": lambda x, shape: jnp.reshape(x, shape),
    "broadcast_to": lambda x, shape: jnp.broadcast_to(x, shape),
    "permute_dims": lambda x, axes: jnp.transpose(x, axes),
    "stack": lambda *xs, axis: jnp.stack(xs, axis),
}
