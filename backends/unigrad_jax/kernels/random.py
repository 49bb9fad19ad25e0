"""Random kernels for JAX: bits and uniform numbers, which are those of `jax.random`.

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
from jax.extend.random import threefry2x32_p

from unigrad_jax.bridge import by_rule
from unigrad_jax.kernels.elementwise import erfinv


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


def random_randint(
    key: jax.Array, low: jax.Array, high: jax.Array, over: jax.Array, *, shape: tuple[int, ...]
) -> jax.Array:
    """Integers from `low` on, below `high` or, where `over` says so, up to it.

    `jax.random.randint` itself cannot be asked for the whole range of 64 bits; the formula is
    its own. A span of zero is the whole range of the dtype.
    """
    bit_width = 8 * low.dtype.itemsize
    unsigned = np.dtype(f"uint{bit_width}")
    upper_key, lower_key = random_split(key, num=2)
    span = jnp.where(high > low, (high - low).astype(unsigned), unsigned.type(1))
    span = span + (over & (high > low)).astype(unsigned)
    divisor = jnp.maximum(span, unsigned.type(1))
    multiplier = unsigned.type(1 << bit_width // 2) % divisor
    multiplier = multiplier * multiplier % divisor
    words = random_bits(lower_key, shape=shape, bit_width=bit_width)
    upper = random_bits(upper_key, shape=shape, bit_width=bit_width)
    offset = (upper % divisor * multiplier + words % divisor) % divisor
    return low + jnp.where(span == 0, words, offset).astype(low.dtype)


def random_uniform_between(
    key: jax.Array,
    low: jax.Array,
    high: jax.Array,
    *,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    exact: bool,
) -> jax.Array:
    """Floats in [low, high). XLA fuses the product and the sum, and so do the other backends."""
    # Where XLA sees the bounds as constants it may fold them into the draw and round otherwise.
    low, high = jax.lax.optimization_barrier((low, high))
    if dtype == jnp.float16:
        unit = random_uniform(key, shape=shape, dtype=dtype)
        return jnp.maximum(low, random_in_halves(unit, high - low, low))
    with jax.threefry_partitionable(True):
        return jax.random.uniform(_wrap(key), shape, dtype, low, high)


def random_in_halves(unit: jax.Array, span: jax.Array, low: jax.Array) -> jax.Array:
    """unit · span + low of half precision with two roundings, whatever the processor.

    `jax.random.uniform` has one of float16 where there is arithmetic of half precision
    (AVX512-FP16), since XLA fuses the two operations there.
    """
    if unit.dtype != jnp.float16:
        return unit * span + low
    x, y, z = (one.astype(jnp.float32) for one in (unit, span, low))
    product = x * y
    # In float32 the product is exact. Its rounding is said in full: a cast there and back is left
    # out, and `reduce_precision` has no subnormal numbers.
    rounded = jax.lax.reduce_precision(product, exponent_bits=8, mantissa_bits=10)
    small = jnp.round(product * 2.0**24) * 2.0**-24
    rounded = jnp.where(jnp.abs(product) < 2.0**-14, small, rounded)
    # A rounding has no derivative of its own.
    rounded = product + jax.lax.stop_gradient(rounded - product)
    return (rounded + z).astype(jnp.float16)


def random_hash(
    first_key: jax.Array, second_key: jax.Array, counter: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Both words of every counter under a key of its own; words are int64, which broadcast."""
    high, low = ((counter >> shift).astype(jnp.uint32) for shift in (32, 0))
    given = jnp.broadcast_arrays(
        first_key.astype(jnp.uint32), second_key.astype(jnp.uint32), high, low
    )
    first, second = threefry2x32_p.bind(*given)
    return first.astype(jnp.int64), second.astype(jnp.int64)


def random_normal(key: jax.Array, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> jax.Array:
    """Standard normal floats: √2 · erf⁻¹(u) of uniform u in (-1, 1).

    Of float32 they are `jax.random.normal`'s; its last digits of float64 are mended.
    """
    lowest = np.nextafter(dtype.type(-1), dtype.type(0))
    with jax.threefry_partitionable(True):
        u = jax.random.uniform(_wrap(key), shape, dtype, lowest, 1.0)
    if dtype == jnp.float64:
        return erfinv(u) * np.sqrt(2)
    wide = jax.lax.erf_inv(u.astype(jnp.float32)) * np.float32(np.sqrt(2))
    return wide.astype(dtype)


def random_orthonormal(z: jax.Array) -> jax.Array:
    """Q of the decomposition of z whose R has a positive diagonal."""
    q, r = jnp.linalg.qr(z)
    negative = jnp.diagonal(r, axis1=-2, axis2=-1) < 0
    return jnp.where(negative[..., None, :], -q, q)


TABLE: dict[str, Callable[..., Any]] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "random_fold_in": random_fold_in,
    "random_hash": random_hash,
    "random_uniform": random_uniform,
    "random_randint": random_randint,
    "random_uniform_between": random_uniform_between,
    "random_in_halves": random_in_halves,
    "random_normal": random_normal,
    "random_gamma_sample": by_rule("random_gamma_sample", lambda alpha, sample: sample),
    "random_orthonormal": random_orthonormal,
}
