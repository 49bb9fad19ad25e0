"""In JAX: with and without `jax.jit`; Adam written out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.native_mlp.setup import (
    BETA1,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    Array,
    Candidate,
    Labels,
    Weights,
)


def jax_loss(weights: Any, x: Any, y: Any) -> Any:
    """The loss on JAX arrays."""
    import jax
    import jax.numpy as jnp

    h = jax.nn.relu(x @ weights[0] + weights[1])
    h = jax.nn.relu(h @ weights[2] + weights[3])
    log_probabilities = jax.nn.log_softmax(h @ weights[4] + weights[5])
    return -jnp.take_along_axis(log_probabilities, y[:, None], axis=1).mean()


def jax_arguments(weights: Weights, x: Array, y: Labels) -> tuple[Any, Any, Any]:
    """Copies as JAX arrays; labels as int32, JAX's default."""
    import jax.numpy as jnp

    return [jnp.array(w) for w in weights], jnp.array(x), jnp.array(y.astype(np.int32))


def jax_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """jax.value_and_grad without jit."""
    import jax

    arguments = jax_arguments(weights, x, y)
    function = jax.value_and_grad(jax_loss)
    return lambda: jax.block_until_ready(function(*arguments))


def jax_jit_gradient(weights: Weights, x: Array, y: Labels) -> Candidate:
    """jax.jit of jax.value_and_grad."""
    import jax

    arguments = jax_arguments(weights, x, y)
    function = jax.jit(jax.value_and_grad(jax_loss))
    return lambda: jax.block_until_ready(function(*arguments))


def jax_adam(state: Any, x: Any, y: Any) -> Any:
    """Gradient and Adam update; the state is (weights, first, second moments, step number)."""
    import jax
    import jax.numpy as jnp

    weights, first, second, count = state
    loss, gradient = jax.value_and_grad(jax_loss)(weights, x, y)
    count = count + 1
    first = [BETA1 * m + (1 - BETA1) * g for m, g in zip(first, gradient, strict=True)]
    second = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(second, gradient, strict=True)]
    # 1 - beta**count would cancel in float32; expm1 keeps its digits.
    rate = LEARNING_RATE / -jnp.expm1(count * math.log(BETA1))
    correction = jnp.sqrt(-jnp.expm1(count * math.log(BETA2)))
    moments = zip(weights, first, second, strict=True)
    weights = [w - rate * m / (jnp.sqrt(v) / correction + EPSILON) for w, m, v in moments]
    return (weights, first, second, count), loss


def jax_jit_step(weights: Weights, x: Array, y: Labels) -> Candidate:
    """The whole step in one jitted function that may reuse the old state's memory."""
    import jax
    import jax.numpy as jnp

    w, images, labels = jax_arguments(weights, x, y)
    step = jax.jit(jax_adam, donate_argnums=0)
    first, second = ([jnp.zeros_like(value) for value in w] for _ in range(2))
    state = (w, first, second, jnp.float32(0))

    def run() -> Any:
        nonlocal state
        state, loss = step(state, images, labels)
        jax.block_until_ready(state)
        return jax.block_until_ready(loss)

    return run
