"""The generator behind `ug.random` once more, in Python's integers: slow and plain, an oracle.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
Threefry-2x32 with 20 rounds: the counter is the place of an element, the key is the draw's. How
words become numbers is the convention of `jax.random` with ``jax_threefry_partitionable``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from unigrad_conformance.sample import Array

_WORD = 2**32
_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)

#: Two words: a pair of ints or an ndarray.
Key: TypeAlias = Any


def block(key: Key, counter: int) -> tuple[int, int]:
    """Return the two words of one 64-bit counter under a key of two words."""
    k = [int(key[0]), int(key[1])]
    k.append(0x1BD11BDA ^ k[0] ^ k[1])
    x, y = (counter // _WORD + k[0]) % _WORD, (counter + k[1]) % _WORD
    for step in range(20):
        x = (x + y) % _WORD
        turn = _ROTATIONS[step % 8]
        y = (y << turn | y >> 32 - turn) % _WORD ^ x
        if step % 4 == 3:
            injection = step // 4 + 1
            x = (x + k[injection % 3]) % _WORD
            y = (y + k[(injection + 1) % 3] + injection) % _WORD
    return x, y


def split(key: Key, num: int = 2) -> list[tuple[int, int]]:
    """Return new keys: both words of the first counters."""
    return [block(key, i) for i in range(num)]


def words(key: Key, count: int, width: int) -> list[int]:
    """Return unsigned integers of a width in bits."""
    pairs = [block(key, i) for i in range(count)]
    if width == 64:
        return [x * _WORD + y for x, y in pairs]
    return [(x ^ y) % 2**width for x, y in pairs]


#: By dtype how many bits are drawn, and how many of them are the mantissa.
_UNIFORM = {"float16": (16, 10), "float32": (32, 23), "float64": (64, 52)}


def unit(key: Key, shape: Sequence[int], dtype: str) -> Array:
    """Return floats in [0, 1): as many random bits as the mantissa has."""
    width, mantissa = _UNIFORM[dtype]
    drawn = words(key, math.prod(shape), width)
    floats = [(one >> width - mantissa) / 2**mantissa for one in drawn]
    return np.array(floats, np.float64).reshape(shape)


def between(key: Key, shape: Sequence[int], dtype: str, low: float, high: float) -> Array:
    """Return floats in [low, high), rounded to the dtype once; bounds are rounded before.

    In half precision the product is rounded as well.
    """
    kind = np.dtype(dtype).type
    first, span = kind(low), kind(high) - kind(low)
    if dtype == "float16":
        product = unit(key, shape, dtype).astype(kind) * span
        return np.asarray(np.maximum(product + first, first), np.float64)
    # Wider than both dtypes, where the machine has such floats.
    exact = unit(key, shape, dtype).astype(np.longdouble) * np.longdouble(span) + first
    floats: Array = np.maximum(exact.astype(kind), first).astype(np.float64)
    return floats


def integers(key: Key, shape: Sequence[int], low: int, high: int, width: int) -> Array:
    """Return integers in [low, high): two words of a width modulo the length of the range."""
    upper, lower = split(key)
    count, span = math.prod(shape), high - low
    # Products wrap around: beyond half the width this is 0, and the lower word alone counts.
    square = (2 ** (width // 2) % span) ** 2 % 2**width % span
    pairs = zip(words(upper, count, width), words(lower, count, width), strict=True)
    drawn = [low + ((x % span * square) % 2**width + y % span) % 2**width % span for x, y in pairs]
    return np.array(drawn, np.int64).reshape(shape)


def order(key: Key, size: int) -> list[int]:
    """Return the integers below a size, sorted by random words as often as equal words demand."""
    found = list(range(size))
    for _ in range(math.ceil(3 * math.log(max(1, size)) / math.log(_WORD - 1))):
        key, subkey = split(key)
        drawn = words(subkey, size, 32)
        ranks = sorted(range(size), key=drawn.__getitem__)
        found = [found[i] for i in ranks]
    return found


def seeded(seed: int) -> Any:
    """Return the key of a seed as an ndarray."""
    return np.array([seed // _WORD % _WORD, seed % _WORD], np.uint32)
