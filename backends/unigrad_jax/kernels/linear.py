"""Matrix products."""

import jax
import jax.numpy as jnp

from unigrad_jax.pullback import without_settings


def vecdot(x1: jax.Array, x2: jax.Array, axis: int) -> jax.Array:
    """Σ x̄₁ x₂ by parts: complex products, fused, round as what is beside them wants."""
    if not jnp.iscomplexobj(x1):
        return _sum(x1 * x2, axis)
    a, b, c, d = x1.real, x1.imag, x2.real, x2.imag
    real = _sum(a * c, axis) + _sum(b * d, axis)
    return jax.lax.complex(real, _sum(a * d, axis) - _sum(b * c, axis))


def _sum(x: jax.Array, axis: int) -> jax.Array:
    return jnp.sum(x, axis, dtype=x.dtype)


TABLE = {
    "matmul": jnp.matmul,
    "vecdot": vecdot,
    "einsum": lambda *operands, equation: jnp.einsum(equation, *operands),
}
without_settings("matmul")
