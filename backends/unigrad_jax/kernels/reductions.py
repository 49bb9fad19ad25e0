"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

import jax
import jax.numpy as jnp

from unigrad_jax.bridge import by_rule
from unigrad_jax.pullback import reductions


def _cumulative_prod(x: jax.Array, axis: int) -> jax.Array:
    """Multiply half precision in float32 and round once, as JAX's sums do by themselves."""
    half = x.dtype in (jnp.float16, jnp.bfloat16)
    return jax.lax.cumprod(x.astype(jnp.float32) if half else x, axis).astype(x.dtype)


TABLE = {
    "sum": lambda x, axis, keepdims: jnp.sum(x, axis=axis, keepdims=keepdims),
    "mean": lambda x, axis, keepdims: jnp.mean(x, axis=axis, keepdims=keepdims),
    # Recorded, JAX multiplies in another order.
    "prod": by_rule("prod", jnp.prod),
    # JAX's derivative of a NaN is not at the NaNs alone.
    "max": by_rule("max", jnp.max),
    "min": by_rule("min", jnp.min),
    "any": lambda x, axis, keepdims: jnp.any(x, axis=axis, keepdims=keepdims),
    "all": lambda x, axis, keepdims: jnp.all(x, axis=axis, keepdims=keepdims),
    "argmax": lambda x, axis: jnp.argmax(x, axis=axis).astype(jnp.int64),
    "argmin": lambda x, axis: jnp.argmin(x, axis=axis).astype(jnp.int64),
    "cumulative_sum": lambda x, axis, reverse: jax.lax.cumsum(x, axis, reverse=reverse),
    "cumulative_prod": by_rule("cumulative_prod", _cumulative_prod),
}
reductions("sum", "mean", "prod", "max", "min", "any", "all")
