"""Sorting, searching and quantiles. Always stable; NaN counts as greatest."""

from math import prod
from typing import Any

import jax
import jax.numpy as jnp

from unigrad.autodiff.bridge import body_of
from unigrad_jax.kernels.widths import held


def _sort(x: jax.Array, axis: int, descending: bool) -> jax.Array:
    if not descending:
        return jnp.sort(x, axis=axis, stable=True)
    # Reversed twice, so that the derivative keeps the order of equal elements; jnp.sort's own
    # descending order reverses it.
    return jnp.flip(jnp.sort(jnp.flip(x, axis), axis=axis, stable=True), axis)


_quantile_by_body = body_of("jax", "quantile_at")


def quantile_at(
    x: jax.Array,
    *,
    q: Any,
    method: str,
    low: Any,
    weight: Any,
    axis: tuple[int, ...],
    keepdims: bool,
    skips: bool,
) -> jax.Array:
    """The front end's formula for one number, which is an input: all numbers are one program."""
    count = prod(x.shape[i] for i in axis)
    if not count:
        return _quantile_by_body(
            x, q=q, method=method, low=low, weight=weight, axis=axis, keepdims=keepdims, skips=skips
        )
    rest = [i for i in range(x.ndim) if i not in axis]
    rows = jnp.transpose(x, (*rest, *axis)).reshape(*[x.shape[i] for i in rest], count)
    order = jnp.argsort(rows, axis=-1, stable=True)
    half = x.dtype in (jnp.float16, jnp.bfloat16)

    def at(place: Any) -> jax.Array:
        place = jnp.broadcast_to(place, (*rows.shape[:-1], 1))
        found = jnp.take_along_axis(rows, jnp.take_along_axis(order, place, -1), -1)
        return found.astype(jnp.float32) if half else found

    many: Any = None
    last: Any = count - 1
    if skips:
        many = (~jnp.isnan(rows)).sum(-1, keepdims=True)
        last = jnp.maximum(many - 1, 0)
        place = q * jax.lax.stop_gradient(last).astype(held(jnp.float64))
        low = jnp.minimum(jnp.floor(place).astype(last.dtype), last)
        weight = _weight(method, place - jnp.floor(place), low)
    first, second = at(low), at(jnp.minimum(low + 1, last))
    found = _between(first, second, jnp.asarray(weight).astype(first.dtype))
    if skips:
        found = jnp.where(many == 0, jnp.nan, found)
    else:
        end = at(count - 1)
        found = jnp.where(jnp.isnan(end), end, found)
    kept = [1 if i in axis else n for i, n in enumerate(x.shape)]
    return found.reshape(kept if keepdims else found.shape[:-1]).astype(x.dtype)


def _weight(method: str, part: jax.Array, low: jax.Array) -> jax.Array:
    """Return the weight of the element above a place."""
    if method == "linear":
        return part
    if method == "nearest":
        return ((part > 0.5) | ((part == 0.5) & (low % 2 == 1))).astype(part.dtype)
    above = {"lower": 0.0, "higher": 1.0, "midpoint": 0.5}[method]
    return jnp.where(part > 0.0, above, 0.0).astype(part.dtype)


def _between(first: jax.Array, second: jax.Array, weight: jax.Array) -> jax.Array:
    """Return (1 - w) a + w b; a where w is 0, if b is infinite too."""
    mixed = first * (1.0 - weight) + second * weight
    odd = jnp.isinf(first) | jnp.isinf(second)
    chosen = jnp.where(weight == 0.0, first, jnp.where(weight == 1.0, second, mixed))
    return jnp.where(odd, chosen, mixed)


TABLE = {
    "quantile_at": quantile_at,
    "sort": _sort,
    "argsort": lambda x, axis, descending: jnp.argsort(
        x, axis=axis, stable=True, descending=descending
    ).astype(held(jnp.int64)),
    "searchsorted": lambda x1, x2, right: jnp.searchsorted(
        x1, x2, side="right" if right else "left"
    ).astype(held(jnp.int64)),
}
