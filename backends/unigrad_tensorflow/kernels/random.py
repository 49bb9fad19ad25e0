"""Random kernels for TensorFlow: bits and uniform numbers from a counter-based generator.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11
(Threefry-2x32 with 20 rounds). A key is a uint32 tensor of shape (2,). TensorFlow has all uint32
kernels that it takes, eagerly, in graphs and under XLA. The output conventions are those of
`jax.random` with `jax_threefry_partitionable=True`; the tests compare bit for bit. Distributions
other than the uniform ones are the front end's.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule

_MASK = 0xFFFFFFFF
_PARITY = 0x1BD11BDA  # Skein's constant: it keeps an all-zero key from giving an all-zero schedule
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


class _Format(NamedTuple):
    """How a uniform number is made: the bits drawn, those of the mantissa, and the type."""

    drawn: int
    mantissa: int
    result: tf.DType


_FORMATS = {
    # JAX draws only 8 bits for the 7 of bfloat16's mantissa.
    "bfloat16": _Format(8, 7, tf.bfloat16),
    "float16": _Format(16, 10, tf.float16),
    "float32": _Format(32, 23, tf.float32),
    "float64": _Format(64, 52, tf.float64),
}
_UNSIGNED = {8: tf.uint8, 16: tf.uint16, 32: tf.uint32, 64: tf.uint64}


def _rotate(words: tf.Tensor, rotation: int) -> tf.Tensor:
    left = tf.bitwise.left_shift(words, tf.constant(rotation, tf.uint32))
    right = tf.bitwise.right_shift(words, tf.constant(32 - rotation, tf.uint32))
    return tf.bitwise.bitwise_or(left, right)


# One traced graph serves every eager call: op by op, the twenty rounds would cost a hundred
# dispatches. Inside a user's tf.function or XLA program the call is inlined.
@tf.function(input_signature=[tf.TensorSpec(None, tf.uint32)] * 4, autograph=False)
def _threefry(
    first_key: tf.Tensor, second_key: tf.Tensor, first: tf.Tensor, second: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Threefry-2x32 of the counters (first, second); all broadcast."""
    parity = tf.constant(_PARITY, tf.uint32)
    both = tf.bitwise.bitwise_xor(first_key, second_key)
    keys = (first_key, second_key, tf.bitwise.bitwise_xor(both, parity))
    first, second = first + keys[0], second + keys[1]
    for step in range(1, 6):
        for rotation in _ROTATIONS[(step - 1) % 2]:
            first = first + second
            second = tf.bitwise.bitwise_xor(first, _rotate(second, rotation))
        first = first + keys[step % 3]
        second = second + (keys[(step + 1) % 3] + tf.constant(step, tf.uint32))
    return first, second


def _hash(key: tf.Tensor, first: tf.Tensor, second: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Threefry-2x32 of the counters (first, second) under one key."""
    words: tuple[tf.Tensor, tf.Tensor] = _threefry(key[0], key[1], first, second)
    return words


def random_hash(
    first_key: tf.Tensor, second_key: tf.Tensor, counter: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Both words of every counter under a key of its own; words are int64, which broadcast."""
    high = tf.bitwise.right_shift(counter, tf.constant(32, tf.int64))
    given = [tf.cast(one, tf.uint32) for one in (first_key, second_key, high, counter)]
    shape = tf.broadcast_static_shape(first_key.shape, second_key.shape)
    shape = tf.broadcast_static_shape(shape, counter.shape)
    first, second = (tf.ensure_shape(tf.cast(one, tf.int64), shape) for one in _threefry(*given))
    return first, second


def _hashes(key: tf.Tensor, count: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Both result words of each 64-bit counter below `count`."""
    index = tf.range(tf.constant(count, tf.int64))
    high = tf.bitwise.right_shift(index, tf.constant(32, tf.int64)) if count > _MASK else 0
    first, second = _hash(key, tf.cast(high, tf.uint32), tf.cast(index, tf.uint32))
    return tf.ensure_shape(first, (count,)), tf.ensure_shape(second, (count,))


def random_bits(key: tf.Tensor, *, shape: tuple[int, ...], bit_width: int) -> tf.Tensor:
    """Uniform unsigned integers of 8, 16, 32 or 64 bits; narrow ones are a word's low bits."""
    first, second = _hashes(key, math.prod(shape))
    if bit_width == 64:
        high = tf.bitwise.left_shift(tf.cast(first, tf.uint64), tf.constant(32, tf.uint64))
        words = tf.bitwise.bitwise_or(high, tf.cast(second, tf.uint64))
    else:
        words = tf.cast(tf.bitwise.bitwise_xor(first, second), _UNSIGNED[bit_width])
    return tf.reshape(words, shape)


def random_split(key: tf.Tensor, *, num: int) -> tf.Tensor:
    """`num` new keys, shape (num, 2): both result words of the counters 0, 1, ..."""
    return tf.stack(_hashes(key, num), axis=-1)


def random_fold_in(key: tf.Tensor, data: Any) -> tf.Tensor:
    """A new key from a key and an integer, which counts modulo 2**32."""
    if not tf.is_tensor(data):
        data = tf.constant(int(data) & _MASK, tf.uint32)
    words = _hash(key, tf.constant(0, tf.uint32), tf.cast(data, tf.uint32))
    return tf.ensure_shape(tf.stack(words), (2,))


def random_uniform(key: tf.Tensor, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tf.Tensor:
    """Floats in [0, 1): as many random bits as a mantissa has, scaled down (exact).

    Subtracting one from a float with random mantissa gives the same, but grappler and XLA fold
    that one into a constant added later, which then rounds otherwise than eagerly.
    """
    drawn, mantissa, result = _FORMATS[np.dtype(dtype).name]
    bits = random_bits(key, shape=shape, bit_width=drawn)
    bits = tf.bitwise.right_shift(bits, tf.constant(drawn - mantissa, _UNSIGNED[drawn]))
    return tf.cast(bits, result) * tf.constant(2.0**-mantissa, result)


def random_randint(
    key: tf.Tensor, low: tf.Tensor, high: tf.Tensor, over: tf.Tensor, *, shape: tuple[int, ...]
) -> tf.Tensor:
    """Integers from `low` on, below `high` or, where `over` says so, up to it.

    The two words of an integer are one number modulo the span, as in `jax.random`. A span of
    zero is the whole range of the dtype.
    """
    bit_width = 8 * low.dtype.size
    unsigned = _UNSIGNED[bit_width]
    upper_key, lower_key = tf.unstack(random_split(key, num=2))
    one = tf.constant(1, unsigned)
    span = tf.where(high > low, tf.cast(high - low, unsigned), one)
    span = span + tf.cast(over & (high > low), unsigned)
    divisor = tf.where(tf.equal(span, 0), one, span)
    multiplier = tf.math.floormod(tf.constant(1 << bit_width // 2, unsigned), divisor)
    multiplier = tf.math.floormod(multiplier * multiplier, divisor)
    words = random_bits(lower_key, shape=shape, bit_width=bit_width)
    upper = random_bits(upper_key, shape=shape, bit_width=bit_width)
    offset = tf.math.floormod(upper, divisor) * multiplier + tf.math.floormod(words, divisor)
    offset = tf.math.floormod(offset, divisor)
    return low + tf.cast(tf.where(tf.equal(span, 0), words, offset), low.dtype)


# Of any shape, since each trace for one of its own would count as one too many (TensorFlow warns).
@tf.function(
    input_signature=[tf.TensorSpec(None, tf.float64)] * 3, jit_compile=True, autograph=False
)
def _fused(unit: tf.Tensor, span: tf.Tensor, low: tf.Tensor) -> tf.Tensor:
    return unit * span + low


def random_fused(unit: tf.Tensor, span: tf.Tensor, low: tf.Tensor) -> tf.Tensor:
    """unit · span + low of float64 with one rounding.

    XLA makes it a fused multiply-add. The front end's formula would lose its corrections to
    grappler, which takes sums apart and adds them up in another order.
    """
    out = _fused(unit, span, low)
    shape = tf.broadcast_static_shape(span.shape, low.shape)
    out.set_shape(tf.broadcast_static_shape(unit.shape, shape))
    return out


def random_orthonormal(z: tf.Tensor) -> tf.Tensor:
    """Q of the decomposition of z whose R has a positive diagonal."""
    q, r = tf.linalg.qr(z)
    negative = tf.linalg.diag_part(r) < 0
    return tf.where(negative[..., tf.newaxis, :], -q, q)


TABLE: dict[str, Callable[..., Any]] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "random_fold_in": random_fold_in,
    "random_hash": random_hash,
    "random_uniform": random_uniform,
    # Under a tape XLA would compile another function, which rounds otherwise.
    "random_fused": by_rule("random_fused", random_fused),
    "random_randint": random_randint,
    "random_gamma_sample": by_rule(
        "random_gamma_sample", lambda alpha, sample: tf.identity(sample)
    ),
    "random_orthonormal": random_orthonormal,
}
