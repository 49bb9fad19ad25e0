"""Activation functions and the softmax family; the rest are their composites, fused by XLA."""

from typing import Any

import jax

from unigrad.autodiff.bridge import body_of
from unigrad_jax.bridge import by_rule


def _logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return jax.nn.logsumexp(x, axis=axis, keepdims=keepdims)


TABLE = {
    "hard_silu": by_rule("hard_silu", body_of("jax", "hard_silu")),
    # JAX's are shorter than the composites.
    "softplus": lambda x: jax.nn.softplus(x),
    "log_sigmoid": lambda x: jax.nn.log_sigmoid(x),
    "softmax": lambda x, axis: jax.nn.softmax(x, axis),
    "log_softmax": lambda x, axis: jax.nn.log_softmax(x, axis),
    # JAX's derivative is NaN where all elements are -∞.
    "logsumexp": by_rule("logsumexp", _logsumexp),
}
