"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from unigrad.autodiff.bridge import body_of
from unigrad_jax.bridge import by_rule
from unigrad_jax.kernels.widths import held
from unigrad_jax.pullback import reductions


def _cumulative_prod(x: jax.Array, axis: int) -> jax.Array:
    """Multiply half precision in float32 and round once, as JAX's sums do by themselves."""
    half = x.dtype in (jnp.float16, jnp.bfloat16)
    return jax.lax.cumprod(x.astype(jnp.float32) if half else x, axis).astype(x.dtype)


def _extremes(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """Return running extremes, of bools as of integers."""

    def run(x: jax.Array, axis: int) -> jax.Array:
        if x.dtype == jnp.bool_:
            return function(x.astype(jnp.uint8), axis).astype(x.dtype)
        return function(x, axis)

    return run


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
    "argmax": lambda x, axis: jnp.argmax(x, axis=axis).astype(held(jnp.int64)),
    "argmin": lambda x, axis: jnp.argmin(x, axis=axis).astype(held(jnp.int64)),
    # In forward mode, and where elements are infinite, a body's derivative is not the rule's.
    "var": by_rule("var", body_of("jax", "var")),
    "std": by_rule("std", body_of("jax", "std")),
    "norm": by_rule("norm", body_of("jax", "norm")),
    "cumulative_max": by_rule("cumulative_max", _extremes(jax.lax.cummax)),
    "cumulative_min": by_rule("cumulative_min", _extremes(jax.lax.cummin)),
    "cumulative_sum": lambda x, axis, reverse: jax.lax.cumsum(x, axis, reverse=reverse),
    "cumulative_prod": by_rule("cumulative_prod", _cumulative_prod),
}
reductions("sum", "mean", "prod", "max", "min", "any", "all")
