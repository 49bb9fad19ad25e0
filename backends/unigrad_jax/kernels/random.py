"""Random kernels for JAX: bits, split, fold_in and uniform, which are `jax.random`'s own.

Source of the generator: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as
1, 2, 3", SC'11. A key is a uint32 array of shape (2,). Both choices on which the numbers depend,
the generator and the layout of its counters, are fixed here, so that a user's own settings
(`jax_default_prng_impl`, `jax_threefry_partitionable`) cannot make JAX's numbers differ from
those of the other backends.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def _wrap(key: jax.Array) -> jax.Array:
    return jax.random.wrap_key_data(key, impl="threefry2x32")


def random_bits(key: jax.Array, *, shape: tuple[int, ...], bit_width: int) -> jax.Array:
    """Uniform unsigned integers of 8, 16, 32 or 64 bits."""
    with jax.threefry_partitionable(True):
        return jax.random.bits(_wrap(key), shape, np.dtype(f"uint{bit_width}"))


def random_split(key: jax.Array, *, num: int) -> jax.Array:
    """`num` new keys, shape (num, 2)."""
    with jax.threefry_partitionable(True):
        return jax.random.key_data(jax.random.split(_wrap(key), num))


def random_fold_in(key: jax.Array, data: Any) -> jax.Array:
    """A new key from a key and an integer, which counts modulo 2**32."""
    if isinstance(data, int):  # JAX would reject what uint32 cannot hold; arrays wrap around
        data = np.uint32(data & 0xFFFFFFFF)
    folded = jax.random.fold_in(_wrap(key), jnp.asarray(data).astype(jnp.uint32))
    return jax.random.key_data(folded)


def random_uniform(key: jax.Array, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> jax.Array:
    """Floats in [0, 1): random mantissa bits under the exponent of one, minus one (exact)."""
    with jax.threefry_partitionable(True):
        return jax.random.uniform(_wrap(key), shape, dtype)


TABLE: dict[str, Callable[..., Any]] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "random_fold_in": random_fold_in,
    "random_uniform": random_uniform,
}
