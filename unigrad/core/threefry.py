"""The generator on ndarrays: bits, uniform and normal numbers, in blocks that fit a cache.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11
(Threefry-2x32 with 20 rounds). A key is a uint32 array of shape (2,). Element i of a draw is the
hash, under the key, of the 64-bit counter i, so a draw depends on nothing but the key and the
position. The output conventions are those of `jax.random` with `jax_threefry_partitionable=True`;
the tests compare bit for bit.

It is the NumPy backend's, and that of any other whose arrays lie in the host's memory and which has
no faster way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]
Finish = Callable[[slice, Words, Words, Words], None]

_MASK = 0xFFFFFFFF
_PARITY = 0x1BD11BDA  # Skein's constant: it keeps an all-zero key from giving an all-zero schedule
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
# Two blocks and a scratch of 2**16 words stay in a second-level cache of a mebibyte. The size must
# divide 2**32: then the high word of the counter is constant within a block.
_BLOCK = 2**16
_LINE = 16  # words of a cache line
_APART = 256
_FEW = 8  # up to here Python integers are faster than about a hundred calls of ufuncs
_IOTA: Words = np.arange(_BLOCK, dtype=np.uint32)
# Constants are arrays: a ufunc takes these a quarter faster than scalars.
_SHIFTS: tuple[Words, ...] = tuple(np.array(i, np.uint32) for i in range(33))


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


class _Block:
    """The hash of a block of counters under one key."""

    def __init__(self, keys: tuple[int, int, int]) -> None:
        self.keys = keys
        self.added = [
            [np.array(word & _MASK, np.uint32) for word in words]
            for words in ((keys[i % 3], keys[(i + 1) % 3] + i) for i in range(1, 6))
        ]

    def fill(self, start: int, first: Words, second: Words, scratch: Words) -> None:
        """Fill (first, second) with the hashes of the counters from `start`, a block's start."""
        first.fill((self.keys[0] + (start >> 32)) & _MASK)
        np.add(_IOTA[: second.size], np.uint32((self.keys[1] + start) & _MASK), out=second)
        for step, (to_first, to_second) in enumerate(self.added):
            _mix(first, second, scratch, _ROTATIONS[step % 2])
            np.add(first, to_first, out=first)
            np.add(second, to_second, out=second)


def _hash_few(keys: tuple[int, int, int], count: int) -> Words:
    pairs = [_hash_integers(keys, 0, index) for index in range(count)]
    return np.array(pairs, dtype=np.uint32).reshape(count, 2)


def _rows(count: int) -> list[Words]:
    """Return three arrays, each at a start of a cache line.

    NumPy starts large ones 16 bytes behind one, where the hash takes a third longer. Distances of
    powers of two, in which places of a cache collide, cost 4 % more.
    """
    apart = -(-count // _LINE) * _LINE + _APART
    room = np.empty(3 * apart + _LINE, np.uint32)
    start = -(room.ctypes.data // room.itemsize) % _LINE
    return [room[start + i * apart :][:count] for i in range(3)]


def _draw(key: Words, count: int, finish: Finish) -> None:
    """Call `finish(where, first, second, scratch)` for every block of the counters below `count`.

    The arrays are both words of each hash and room for as many; `finish` may write into all three.
    """
    keys = _schedule(key)
    if count <= _FEW:
        few = _hash_few(keys, count)
        finish(slice(0, count), few[:, 0], few[:, 1], np.empty(count, np.uint32))
        return
    block = _Block(keys)
    rows = _rows(min(count, _BLOCK))
    for start in range(0, count, _BLOCK):
        first, second, scratch = [row[: count - start] for row in rows]
        block.fill(start, first, second, scratch)
        finish(slice(start, start + first.size), first, second, scratch)


def random_bits(key: Words, *, shape: tuple[int, ...], bit_width: int) -> npt.NDArray[Any]:
    """Uniform unsigned integers of 8, 16, 32 or 64 bits; narrow ones are a word's low bits."""
    out: npt.NDArray[Any] = np.empty(math.prod(shape), dtype=f"uint{bit_width}")

    def finish(where: slice, first: Words, second: Words, scratch: Words) -> None:
        part = out[where]
        if bit_width == 64:
            np.left_shift(first, np.uint64(32), out=part, dtype=np.uint64)
            np.bitwise_or(part, second, out=part)
        else:
            np.bitwise_xor(first, second, out=part, casting="unsafe")

    _draw(key, out.size, finish)
    return out.reshape(shape)


def random_split(key: Words, *, num: int) -> Words:
    """`num` new keys, shape (num, 2): both result words of the counters 0, 1, ..."""
    out: Words = np.empty((num, 2), dtype=np.uint32)

    def finish(where: slice, first: Words, second: Words, scratch: Words) -> None:
        out[where, 0] = first
        out[where, 1] = second

    _draw(key, num, finish)
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


def random_hash(
    first_key: npt.NDArray[np.int64], second_key: npt.NDArray[np.int64], counter: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Both words of every counter under a key of its own; words are int64, which broadcast."""
    low = np.asarray(counter).astype(np.uint32)
    high = np.right_shift(counter, 32).astype(np.uint32)
    keys = [np.asarray(one).astype(np.uint32) for one in (first_key, second_key)]
    keys.append(keys[0] ^ keys[1] ^ np.uint32(_PARITY))
    # Arrays of one element at least: of numbers NumPy would warn as they wrap around.
    first, second = np.atleast_1d(*np.broadcast_arrays(high + keys[0], low + keys[1]))
    first, second = first.copy(), second.copy()
    scratch = np.empty_like(first)
    for step in range(1, 6):
        _mix(first, second, scratch, _ROTATIONS[(step - 1) % 2])
        np.add(first, keys[step % 3], out=first)
        np.add(second, keys[(step + 1) % 3], out=second)
        np.add(second, np.uint32(step), out=second)
    shape = np.broadcast_shapes(first_key.shape, second_key.shape, np.shape(counter))
    return first.astype(np.int64).reshape(shape), second.astype(np.int64).reshape(shape)


#: √2, and the coefficients of erf⁻¹(x) / x in powers of w - 5/2 and of √w - 3, w = -log(1 - x²).
#: Source: M. Giles, "Approximating the erfinv function", GPU Computing Gems, 2011: what XLA has.
SQRT_2 = np.float32(math.sqrt(2))
MIDDLE = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
TAIL = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip
_Floats = npt.NDArray[np.float32]
_MIDDLE, _TAIL = ([np.array(c, np.float32) for c in row] for row in (MIDDLE, TAIL))
_ONE, _TWO, _CENTRE = (np.array(c, np.float32) for c in (1, 2, -2.5))
_LOWEST = np.array(np.nextafter(np.float32(-1), np.float32(0)))
_EXPONENT = np.array(0x40000000, np.uint32)


def erfinv_single(x: _Floats) -> _Floats:
    """Return the inverse error function of float32 in (-1, 1), to the digits that XLA gives."""
    total = np.empty_like(x)
    far, logs = _put_middle(x, np.empty_like(x), total)
    total[far] = _tail(x[far], logs)
    return total


def _put_middle(x: _Floats, w: _Floats, total: _Floats) -> tuple[Any, _Floats]:
    """Put the inverse error functions of `x` into `total`, but for tails; `w` is room.

    Return where the tails are, and log(1 - x²) there.
    """
    # Where 1 - x² rounds, only the absolute error of its logarithm counts.
    np.multiply(x, x, out=w)
    np.log(np.subtract(_ONE, w, out=w), out=w)
    far = np.nonzero(w <= -5)
    logs = w[far]
    np.subtract(_CENTRE, w, out=w)
    np.multiply(_horner(_MIDDLE, w, total), x, out=total)
    return far, logs


def _tail(x: _Floats, logs: _Floats) -> _Floats:
    """Return the inverse error functions of `x` near ±1."""
    rest = np.sqrt(-logs) - np.float32(3)
    total: _Floats = _horner(_TAIL, rest, np.empty_like(rest)) * x
    return total


def _horner(coefficients: Sequence[_Floats], x: _Floats, total: _Floats) -> _Floats:
    np.multiply(x, coefficients[0], out=total)
    np.add(total, coefficients[1], out=total)
    for one in coefficients[2:]:
        np.multiply(total, x, out=total)
        np.add(total, one, out=total)
    return total


def random_normal(key: Words, *, shape: tuple[int, ...]) -> _Floats:
    """Standard normal float32: √2 · erf⁻¹(u) of uniform u in (-1, 1)."""
    out: _Floats = np.empty(math.prod(shape), np.float32)
    tails = []

    def finish(where: slice, first: Words, second: Words, scratch: Words) -> None:
        words = np.bitwise_xor(first, second, out=first)
        np.right_shift(words, _SHIFTS[9], out=words)
        # Under the exponent of two, less two: twice the fraction, exactly, so no sum is below -1.
        np.bitwise_or(words, _EXPONENT, out=words)
        u = words.view(np.float32)
        np.subtract(u, _TWO, out=u)
        np.add(u, _LOWEST, out=u)
        total = scratch.view(np.float32)
        (far,), logs = _put_middle(u, second.view(np.float32), total)
        np.multiply(total, SQRT_2, out=out[where])
        tails.append((far + where.start, u[far], logs))

    _draw(key, out.size, finish)
    if tails:
        # Those of all blocks at once: 3 % of a million draws.
        far, u, logs = [np.concatenate(parts) for parts in zip(*tails, strict=True)]
        out[far] = _tail(u, logs) * SQRT_2
    return out.reshape(shape)
