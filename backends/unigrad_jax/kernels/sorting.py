"""Sorting and searching. Always stable; NaN counts as greatest."""

import jax
import jax.numpy as jnp

from unigrad_jax.kernels.widths import held


def _sort(x: jax.Array, axis: int, descending: bool) -> jax.Array:
    if not descending:
        return jnp.sort(x, axis=axis, stable=True)
    # Reversed twice, so that the derivative keeps the order of equal elements; jnp.sort's own
    # descending order reverses it.
    return jnp.flip(jnp.sort(jnp.flip(x, axis), axis=axis, stable=True), axis)


TABLE = {
    "sort": _sort,
    "argsort": lambda x, axis, descending: jnp.argsort(
        x, axis=axis, stable=True, descending=descending
    ).astype(held(jnp.int64)),
    "searchsorted": lambda x1, x2, right: jnp.searchsorted(
        x1, x2, side="right" if right else "left"
    ).astype(held(jnp.int64)),
}
