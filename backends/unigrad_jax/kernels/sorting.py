"""Sorting and searching. Always stable; NaN counts as greatest."""

import jax.numpy as jnp

TABLE = {
    "sort": lambda x, axis, descending: jnp.sort(x, axis=axis, stable=True, descending=descending),
    "argsort": lambda x, axis, descending: jnp.argsort(
        x, axis=axis, stable=True, descending=descending
    ).astype(jnp.int64),
    "searchsorted": lambda x1, x2, right: jnp.searchsorted(
        x1, x2, side="right" if right else "left"
    ).astype(jnp.int64),
}
