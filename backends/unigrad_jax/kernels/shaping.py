"""Moving elements."""

import jax
import jax.numpy as jnp
from jax import lax


def _above(x: jax.Array) -> jax.Array:
    """Return the diagonals that the elements of matrices are on. Which are kept may be traced."""
    rows, columns = x.shape[-2:]
    return jnp.arange(columns) - jnp.arange(rows)[:, None]


TABLE = {
    "identity": lambda x: x,
    "stop_gradient": jax.lax.stop_gradient,
    "reshape": lambda x, shape: jnp.reshape(x, shape),
    "broadcast_to": lambda x, shape: jnp.broadcast_to(x, shape),
    "permute_dims": lambda x, axes: jnp.transpose(x, axes),
    "stack": lambda *xs, axis: jnp.stack(xs, axis),
    "flip": lambda x, axis: jnp.flip(x, axis),
    # Shifts may be traced.
    "roll": lambda x, shift, axis: jnp.roll(x, shift, axis) if axis else x,
    "concat": lambda *xs, axis: jnp.concatenate(xs, axis),
    "split": lambda x, axis, sizes: tuple(lax.split(x, sizes, axis)),
    "pad": lambda x, widths, value: jnp.pad(x, widths, constant_values=value),
    "tril": lambda x, k: jnp.where(_above(x) <= k, x, jnp.zeros_like(x)),
    "triu": lambda x, k: jnp.where(_above(x) >= k, x, jnp.zeros_like(x)),
    "tile": lambda x, repetitions: jnp.tile(x, repetitions),
    "repeat": lambda x, times, axis: jnp.repeat(x, times, axis),
    "unstack": lambda x, axis: jnp.unstack(x, axis=axis),
}
