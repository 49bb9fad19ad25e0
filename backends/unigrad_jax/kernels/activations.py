"""Activation functions and the softmax family; the rest are their composites, fused by XLA."""

from typing import Any

import jax
import jax.numpy as jnp


def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """JAX's own, with derivative 0 instead of NaN where all elements are -∞."""
    empty = jnp.all(x == -jnp.inf, axis=axis, keepdims=True)
    out = jax.nn.logsumexp(jnp.where(empty, 0, x), axis=axis, keepdims=True)
    out = jnp.where(empty, -jnp.inf, out)
    return out if keepdims else jnp.squeeze(out, axis)


TABLE = {
    # JAX's are shorter than the composites.
    "softplus": lambda x: jax.nn.softplus(x),
    "log_sigmoid": lambda x: jax.nn.log_sigmoid(x),
    "softmax": lambda x, axis: jax.nn.softmax(x, axis),
    "log_softmax": lambda x, axis: jax.nn.log_softmax(x, axis),
    "logsumexp": _logsumexp,
}
