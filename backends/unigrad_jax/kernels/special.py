"""Special functions: JAX's, in unigrad's domains, with the textbook's derivatives."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from unigrad.autodiff.bridge import body_of
from unigrad_jax.bridge import by_rule


def digamma(x: jax.Array) -> jax.Array:
    """JAX's, but NaN at the poles."""
    return jnp.where((x <= 0) & (x == jnp.floor(x)), jnp.nan, jax.lax.digamma(x))


def zeta(s: jax.Array, q: jax.Array) -> jax.Array:
    """JAX's, but NaN for negative q, where it has values for some s."""
    found = jnp.where(q == 0, jnp.inf, jax.scipy.special.zeta(s, q))
    found = jnp.where(jnp.isposinf(q) & (s > 1), 0, found)
    return jnp.where((q < 0) | (s < 1), jnp.nan, found)


def _incomplete(kernel: Callable[..., jax.Array], upper: bool) -> Callable[..., jax.Array]:
    """JAX's; Γ(0) has all its mass at 0, Γ(∞) has it at ∞."""

    def run(a: jax.Array, x: jax.Array) -> jax.Array:
        one = (x > 0) & (a >= 0) & jnp.isfinite(a) & ((a == 0) | jnp.isinf(x))
        none = jnp.isposinf(a) & (x >= 0) & jnp.isfinite(x)
        inside = (a > 0) & (x >= 0) & jnp.isfinite(a) & jnp.isfinite(x)
        found = kernel(jnp.where(inside, a, 1), jnp.where(inside, x, 1))
        outside = jnp.where(one, not upper, jnp.where(none, upper, jnp.nan))
        return jnp.where(inside, found, outside.astype(found.dtype))

    return run


TABLE = {
    name: by_rule(name, kernel)
    for name, kernel in {
        "digamma": digamma,
        "gammainc": _incomplete(jax.scipy.special.gammainc, False),
        "gammaincc": _incomplete(jax.scipy.special.gammaincc, True),
        "i0e": jax.lax.bessel_i0e,
        "i1e": jax.lax.bessel_i1e,
        "lgamma": jax.lax.lgamma,
        "zeta": zeta,
    }.items()
} | {
    # Made of ops, and differentiated by rules.
    name: by_rule(name, body_of("jax", name))
    for name in ("j0", "j1", "log_ndtr", "ndtri", "owens_t", "xlog1py", "xlogy", "y0", "y1")
}
