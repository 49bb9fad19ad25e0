"""Reading and writing by index.

Specs and starts are those of `unigrad.ops.keys`; starts may be traced. Reads out of bounds give
NaN or 0, writes are dropped.
"""

from math import prod
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from unigrad_jax.bridge import by_rule

Spec: TypeAlias = tuple[Any, ...]
Array: TypeAlias = jax.Array

_WHOLE = slice(None)


def _window(
    spec: Spec, starts: tuple[Any, ...], shape: tuple[int, ...]
) -> tuple[list[Any], list[int], list[Any], tuple[int, ...]]:
    """Return the smallest window that a key reads from, what to read in it, and the result's shape.

    The window is (first indices, lengths); the rest of the key is static.
    """
    rest = iter(starts)
    first: list[Any] = []
    lengths: list[int] = []
    inside: list[Any] = []
    out: list[int] = []
    for one in spec:
        if one is None:
            out.append(1)
            continue
        if one == "all":
            first.append(0)
            lengths.append(shape[len(lengths)])
            inside.append(_WHOLE)
            out.append(lengths[-1])
        elif one == "int":
            first.append(next(rest))
            lengths.append(1)
            inside.append(_WHOLE)
        else:
            count, step = one
            span = (count - 1) * abs(step) + 1 if count else 0
            start = next(rest)
            first.append(start - (span - 1) if step < 0 else start)
            lengths.append(span)
            inside.append(slice(None, None, step))
            out.append(count)
    return first, lengths, inside, tuple(out)


def getitem(x: Array, *starts: Any, spec: Spec) -> Array:
    """Basic indexing."""
    first, lengths, inside, shape = _window(spec, starts, x.shape)
    window = lax.dynamic_slice(x, first, lengths) if lengths else x
    return window[tuple(inside)].reshape(shape)


def slice_update(x: Array, v: Array, *starts: Any, spec: Spec) -> Array:
    """``x`` with ``v`` where `getitem` reads."""
    first, lengths, inside, _ = _window(spec, starts, x.shape)
    if not lengths:
        return v.reshape(x.shape)
    counts = [len(range(n)[key]) for n, key in zip(lengths, inside, strict=True)]
    v = v.reshape(counts)
    if counts == lengths:
        v = v[tuple(inside)]
    else:
        v = lax.dynamic_slice(x, first, lengths).at[tuple(inside)].set(v)
    return lax.dynamic_update_slice(x, v, first)


def place_slice(v: Array, *starts: Any, spec: Spec, shape: tuple[int, ...]) -> Array:
    """Zeros of a shape, with ``v`` where `getitem` reads."""
    return slice_update(jnp.zeros(shape, v.dtype), v, *starts, spec=spec)


def _nothing(x: Array) -> Any:
    """What a read out of bounds gives."""
    return jnp.nan if jnp.issubdtype(x.dtype, jnp.inexact) else 0


def _within(index: Array, length: int) -> Array:
    """Return indices from the front; what is out of bounds is behind the end."""
    wrapped = jnp.where(index < 0, index + length, index)
    return jnp.where((wrapped < 0) | (wrapped >= length), length, wrapped)


def take(x: Array, index: Array, axis: int) -> Array:
    """Slices at indices along an axis."""
    if not x.shape[axis]:
        # JAX's own gives the shape of the axis, not that of the indices.
        shape = (*x.shape[:axis], *index.shape, *x.shape[axis + 1 :])
        return jnp.full(shape, _nothing(x), x.dtype)
    return jnp.take(x, _within(index, x.shape[axis]), axis, mode="fill", fill_value=_nothing(x))


def _at(x: Array, index: Array, axis: int) -> Any:
    return x.at[(*[_WHOLE] * axis, index)]


def scatter_add(v: Array, index: Array, axis: int, length: int) -> Array:
    """Zeros, with the slices of ``v`` added at indices along an axis."""
    shape = (*v.shape[:axis], length, *v.shape[axis + index.ndim :])
    return at_add(jnp.zeros(shape, v.dtype), v, index, axis)


def at_add(x: Array, v: Array, index: Array, axis: int) -> Array:
    """``x`` with the slices of ``v`` added at indices along an axis."""
    out: Array = _at(x, _within(index, x.shape[axis]), axis).add(v, mode="drop")
    return out


def last_of_each(index: Array, length: int) -> Array:
    """True where no later index is the same."""
    flat = _within(index, length).reshape(-1)
    order = jnp.arange(flat.shape[0])
    last = jnp.full(length + 1, -1).at[flat].max(order)
    return ((last[flat] == order) & (flat < length)).reshape(index.shape)


def scatter_set(x: Array, v: Array, index: Array, axis: int) -> Array:
    """``x`` with slices replaced; the last one of each place wins, the others are dropped."""
    length = x.shape[axis]
    index = jnp.where(last_of_each(index, length), _within(index, length), length)
    out: Array = _at(x, index, axis).set(v, mode="drop")
    return out


def _extreme(name: str) -> Any:
    """Return a write of the smaller or greater."""

    def kernel(x: Array, v: Array, index: Array, axis: int) -> Array:
        # One axis first, so that an index array alone says where.
        rows = jnp.moveaxis(x, axis, 0)
        k = index.ndim
        v = jnp.moveaxis(v, tuple(range(axis, axis + k)), tuple(range(k)))
        place = _within(index, x.shape[axis])
        return jnp.moveaxis(getattr(rows.at[place], name)(v, mode="drop"), 0, axis)

    # JAX's derivative is not shared evenly by what is equal.
    return by_rule(f"scatter_{name}", kernel)


def take_along_axis(x: Array, index: Array, axis: int) -> Array:
    """One choice per place along an axis."""
    return jnp.take_along_axis(
        x, _within(index, x.shape[axis]), axis, mode="fill", fill_value=_nothing(x)
    )


def add_along_axis(v: Array, index: Array, axis: int, length: int) -> Array:
    """Zeros, with every element of ``v`` added at its index along an axis."""
    grid: list[Any] = list(jnp.indices(index.shape, sparse=True))
    grid[axis] = _within(index, length)
    zeros = jnp.zeros((*v.shape[:axis], length, *v.shape[axis + 1 :]), v.dtype)
    return zeros.at[tuple(grid)].add(v, mode="drop")


def ravel_index(*indices: Array, dims: tuple[int, ...]) -> Array:
    """Indices along several axes as one, negative ones counted from the end.

    What is out of bounds on an axis is so for the result.
    """
    total: Any = 0
    good: Any = True
    for index, length in zip(indices, dims, strict=True):
        inside = _within(index, length)
        good = good & (inside < length)
        total = total * length + inside
    return jnp.where(good, total, prod(dims))


def masked(x: Array, mask: Array) -> Array:
    """Elements by one mask of the first axes: JAX's own looks for them in compiled programs."""
    places = np.flatnonzero(np.asarray(mask))
    return jnp.take(x.reshape((mask.size, *x.shape[mask.ndim :])), places, 0)


TABLE = {
    "getitem": getitem,
    "place_slice": place_slice,
    "slice_update": slice_update,
    "masked": masked,
    "take": take,
    "scatter_add": scatter_add,
    "scatter_set": scatter_set,
    "scatter_min": _extreme("min"),
    "scatter_max": _extreme("max"),
    "at_add": at_add,
    "last_of_each": last_of_each,
    "take_along_axis": take_along_axis,
    "add_along_axis": add_along_axis,
    "ravel_index": ravel_index,
    "nonzero": lambda x: jnp.nonzero(x),
}

#: Ops whose result's shape depends on values.
BY_VALUE = frozenset({"masked", "nonzero"})
