"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from unigrad_jax.pullback import reductions

Axis = tuple[int, ...] | None


def _extremum(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """Return jnp.max or jnp.min with the derivative of a NaN at the NaNs alone."""

    @partial(jax.custom_jvp, nondiff_argnums=(1, 2))
    def run(x: jax.Array, axis: Axis, keepdims: bool) -> jax.Array:
        return function(x, axis=axis, keepdims=keepdims)

    @run.defjvp
    def jvp(axis: Axis, keepdims: bool, primals: Any, tangents: Any) -> Any:
        (x,), (tangent,) = primals, tangents
        out = run(x, axis, True)
        shares = ((x == out) | (x != x)).astype(x.dtype)
        shares = shares / jnp.sum(shares, axis=axis, keepdims=True)
        return (
            out if keepdims else run(x, axis, False),
            jnp.sum(tangent * shares, axis=axis, keepdims=keepdims),
        )

    return lambda x, axis, keepdims: run(x, axis, keepdims)


def _cumulative_prod(x: jax.Array, axis: int) -> jax.Array:
    """Multiply half precision in float32 and round once, as JAX's sums do by themselves."""
    half = x.dtype in (jnp.float16, jnp.bfloat16)
    return jax.lax.cumprod(x.astype(jnp.float32) if half else x, axis).astype(x.dtype)


TABLE = {
    "sum": lambda x, axis, keepdims: jnp.sum(x, axis=axis, keepdims=keepdims),
    "mean": lambda x, axis, keepdims: jnp.mean(x, axis=axis, keepdims=keepdims),
    "prod": lambda x, axis, keepdims: jnp.prod(x, axis=axis, keepdims=keepdims),
    "max": _extremum(jnp.max),
    "min": _extremum(jnp.min),
    "any": lambda x, axis, keepdims: jnp.any(x, axis=axis, keepdims=keepdims),
    "all": lambda x, axis, keepdims: jnp.all(x, axis=axis, keepdims=keepdims),
    "argmax": lambda x, axis: jnp.argmax(x, axis=axis).astype(jnp.int64),
    "argmin": lambda x, axis: jnp.argmin(x, axis=axis).astype(jnp.int64),
    "cumulative_sum": lambda x, axis, reverse: jax.lax.cumsum(x, axis, reverse=reverse),
    "cumulative_prod": _cumulative_prod,
}
reductions("sum", "mean", "prod", "max", "min", "any", "all")
