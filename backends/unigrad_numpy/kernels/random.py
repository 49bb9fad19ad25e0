"""Random kernels for NumPy: bits and uniform numbers from a counter-based generator.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11
(Threefry-2x32 with 20 rounds). A key is a uint32 array of shape (2,). Element i of a draw is the
hash, under the key, of the 64-bit counter i, so a draw depends on nothing but the key and the
position. The output conventions are those of `jax.random` with `jax_threefry_partitionable=True`;
the tests compare bit for bit. Distributions other than the uniform ones are the front end's.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

_MASK = 0xFFFFFFFF
_PARITY = 0x1BD11BDA  # Skein's constant: it keeps an all-zero key from giving an all-zero schedule
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
# Two blocks and a scratch of 2**15 words stay in the second-level cache. The size must divide
# 2**32: then the high word of the counter is constant within a block.
_BLOCK = 2**15
_FEW = 8  # up to here Python integers are faster than about a hundred calls of ufuncs
_IOTA: Words = np.arange(_BLOCK, dtype=np.uint32)
_SHIFTS: tuple[np.uint32, ...] = tuple(np.uint32(i) for i in range(33))


class _Format(NamedTuple):
    """How a uniform number is made: the bits drawn, the mantissa's width, the storing integer."""

    drawn: int
    mantissa: int
    storage: np.dtype[Any]


_FORMATS = {
    # JAX draws only 8 bits for the 7 of bfloat16's mantissa.
    "bfloat16": _Format(8, 7, np.dtype(np.uint16)),
    "float16": _Format(16, 10, np.dtype(np.uint16)),
    "float32": _Format(32, 23, np.dtype(np.uint32)),
    "float64": _Format(64, 52, np.dtype(np.uint64)),
}


def _schedule(key: Words) -> tuple[int, int, int]:
    first, second = key.tolist()
    return first, second, first ^ second ^ _PARITY


def _hash_integers(keys: tuple[int, int, int], first: int, second: int) -> tuple[int, int]:
    """Threefry-2x32 of one counter (first, second)."""
    first, second = (first + keys[0]) & _MASK, (second + keys[1]) & _MASK
    for step in range(1, 6):
        for rotation in _ROTATIONS[(step - 1) % 2]:
            first = (first + second) & _MASK
            second = first ^ ((second << rotation) & _MASK | second >> (32 - rotation))
        first = (first + keys[step % 3]) & _MASK
        second = (second + keys[(step + 1) % 3] + step) & _MASK
    return first, second


def _mix(first: Words, second: Words, scratch: Words, rotations: tuple[int, ...]) -> None:
    for rotation in rotations:
        np.add(first, second, out=first)
        np.left_shift(second, _SHIFTS[rotation], out=scratch)
        np.right_shift(second, _SHIFTS[32 - rotation], out=second)
        np.bitwise_or(second, scratch, out=second)
        np.bitwise_xor(second, first, out=second)


def _hash_block(
    keys: tuple[int, int, int], start: int, first: Words, second: Words, scratch: Words
) -> None:
    """Fill (first, second) with the hashes of the counters from `start`; it is a block's start."""
    first.fill((keys[0] + (start >> 32)) & _MASK)
    np.add(_IOTA[: second.size], np.uint32((keys[1] + start) & _MASK), out=second)
    for step in range(1, 6):
        _mix(first, second, scratch, _ROTATIONS[(step - 1) % 2])
        np.add(first, np.uint32(keys[step % 3]), out=first)
        np.add(second, np.uint32((keys[(step + 1) % 3] + step) & _MASK), out=second)


def _hash_few(keys: tuple[int, int, int], count: int) -> Words:
    pairs = [_hash_integers(keys, 0, index) for index in range(count)]
    return np.array(pairs, dtype=np.uint32).reshape(count, 2)


def _hashes(key: Words, count: int) -> Iterator[tuple[slice, Words, Words]]:
    """Yield (where, first, second) for the counters below `count`; valid until the next step."""
    keys = _schedule(key)
    if count <= _FEW:
        few = _hash_few(keys, count)
        yield slice(0, count), few[:, 0], few[:, 1]
        return
    buffers = np.empty((3, min(count, _BLOCK)), dtype=np.uint32)
    for start in range(0, count, _BLOCK):
        first, second, scratch = buffers[:, : count - start]
        _hash_block(keys, start, first, second, scratch)
        yield slice(start, start + first.size), first, second


def random_bits(key: Words, *, shape: tuple[int, ...], bit_width: int) -> npt.NDArray[Any]:
    """Uniform unsigned integers of 8, 16, 32 or 64 bits; narrow ones are a word's low bits."""
    out: npt.NDArray[Any] = np.empty(math.prod(shape), dtype=f"uint{bit_width}")
    for where, first, second in _hashes(key, out.size):
        if bit_width == 64:
            part = out[where]
            np.left_shift(first, np.uint64(32), out=part, dtype=np.uint64)
            np.bitwise_or(part, second, out=part)
        else:
            np.bitwise_xor(first, second, out=out[where], casting="unsafe")
    return out.reshape(shape)


def random_split(key: Words, *, num: int) -> Words:
    """`num` new keys, shape (num, 2): both result words of the counters 0, 1, ..."""
    out: Words = np.empty((num, 2), dtype=np.uint32)
    for where, first, second in _hashes(key, num):
        out[where, 0] = first
        out[where, 1] = second
    return out


def random_fold_in(key: Words, data: Any) -> Words:
    """A new key from a key and an integer, which counts modulo 2**32."""
    return np.array(_hash_integers(_schedule(key), 0, int(data) & _MASK), dtype=np.uint32)


def random_uniform(key: Words, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Floats in [0, 1): random mantissa bits under the exponent of one, minus one (exact)."""
    drawn, mantissa, storage = _FORMATS[np.dtype(dtype).name]
    bits = random_bits(key, shape=(math.prod(shape),), bit_width=drawn)
    bits = bits.astype(storage, copy=False)
    np.right_shift(bits, storage.type(drawn - mantissa), out=bits)
    np.bitwise_or(bits, np.ones(1, dtype=dtype).view(storage), out=bits)
    floats = bits.view(dtype)
    np.subtract(floats, np.ones((), dtype=dtype), out=floats)
    return floats.reshape(shape)


def random_randint(
    key: Words,
    low: npt.NDArray[Any],
    high: npt.NDArray[Any],
    over: npt.NDArray[Any],
    *,
    shape: tuple[int, ...],
) -> npt.NDArray[Any]:
    """Integers from `low` on, below `high` or, where `over` says so, up to it.

    The two words of an integer are one number modulo the span, as in `jax.random`. A span of
    zero is the whole range of the dtype.
    """
    bit_width = 8 * low.dtype.itemsize
    unsigned = np.dtype(f"uint{bit_width}")
    upper_key, lower_key = random_split(key, num=2)
    # Ufuncs throughout: unlike the operators of scalars they wrap around without a warning.
    span = np.where(high > low, np.subtract(high, low).astype(unsigned), unsigned.type(1))
    span = np.add(span, np.logical_and(over, high > low).astype(unsigned))
    divisor = np.maximum(span, unsigned.type(1))
    multiplier = np.remainder(unsigned.type(1 << bit_width // 2), divisor)
    multiplier = np.remainder(np.multiply(multiplier, multiplier), divisor)
    words = random_bits(lower_key, shape=shape, bit_width=bit_width)
    offset = np.remainder(words, divisor)
    if multiplier.any():
        upper = np.remainder(random_bits(upper_key, shape=shape, bit_width=bit_width), divisor)
        offset = np.remainder(np.add(np.multiply(upper, multiplier), offset), divisor)
    if not span.all():
        offset = np.where(span == 0, words, offset)
    result: npt.NDArray[Any] = np.add(low, offset.astype(low.dtype))
    return result


def random_order(key: Words, *, size: int, rounds: int) -> npt.NDArray[np.int64]:
    """The integers below `size`, sorted `rounds` times by random words.

    A word and the position behind it are one integer: such integers are distinct, so that the
    fastest sort there is does what a stable one would.
    """
    order = np.arange(size)
    positions = np.arange(size, dtype=np.uint64)
    for _ in range(rounds):
        key, subkey = random_split(key, num=2)
        words = random_bits(subkey, shape=(size,), bit_width=32)
        tagged = np.left_shift(words, np.uint64(32), dtype=np.uint64) | positions
        tagged.sort()
        order = order[(tagged & np.uint64(_MASK)).view(np.int64)]
    return order


TABLE: dict[str, Callable[..., Any]] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "random_fold_in": random_fold_in,
    "random_uniform": random_uniform,
    "random_randint": random_randint,
    "random_order": random_order,
}
