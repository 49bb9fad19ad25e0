"""Special functions: JAX's, in unigrad's domains, with the textbook's derivatives."""

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
    return jnp.where((q < 0) | (s < 1), jnp.nan, found)


TABLE = {
    name: by_rule(name, kernel)
    for name, kernel in {
        "digamma": digamma,
        "gammainc": jax.scipy.special.gammainc,
        "gammaincc": jax.scipy.special.gammaincc,
        "i0e": jax.lax.bessel_i0e,
        "i1e": jax.lax.bessel_i1e,
        "lgamma": jax.lax.lgamma,
        "zeta": zeta,
    }.items()
} | {
    # Made of ops, and differentiated by rules.
    name: by_rule(name, body_of("jax", name))
    for name in ("j0", "j1", "ndtri", "owens_t", "y0", "y1")
}
