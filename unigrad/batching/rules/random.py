"""Draws under a batch of keys: bit for bit those under each key alone.

A key that is the same for all examples gives all of them the same numbers, unless what else differs
changes them. The arithmetic is that of int64, which every library has: words are numbers in
[0, 2³²), numbers of 64 bits wrap around.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from unigrad.batching.registry import Batch, batching, widened
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.dtypes import DType, as_dtype, int64, uint64
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import (
    bitwise_left_shift,
    bitwise_right_shift,
    equal,
    greater,
    less,
    logical_and,
    logical_xor,
    where,
)
from unigrad.ops.joining import stack
from unigrad.ops.rounding import floor_divide, remainder
from unigrad.ops.shaping import reshape

Inputs = Sequence[Any]
Settings = Mapping[str, Any]

_WORD = 0xFFFFFFFF
#: By dtype, how many bits are drawn for a uniform number and how many of them are its mantissa.
_UNIFORM = {"bfloat16": (8, 7), "float16": (16, 10), "float32": (32, 23), "float64": (64, 52)}


def _hashed(key: Tensor, counter: Any) -> tuple[Tensor, Tensor]:
    """Return the two words of counters under one key (2,), or under each key of a batch (B, 2)."""
    wide = cast(key, int64)
    halves = [wide[..., i : i + 1] for i in range(2)]
    first, second = OPS["random_hash"](*halves, as_tensor(counter, wide))
    return first, second


def _words(key: Tensor, count: int, bit_width: int) -> Tensor:
    """Return so many words of 8 to 64 bits under each key, as int64."""
    first, second = _hashed(key, np.arange(count))
    if bit_width == 64:
        return bitwise_left_shift(first, 32) | second
    return (first ^ second) & ((1 << bit_width) - 1)


def _bits(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    shape, width = settings["shape"], settings["bit_width"]
    words = cast(_words(inputs[0], prod(shape), width), as_dtype(f"uint{width}"))
    return reshape(words, (batch.size, *shape))


def _split(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    words = _hashed(inputs[0], np.arange(settings["num"]))
    return cast(stack(words, axis=-1), inputs[0].dtype)


def _fold_in(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    key, data = inputs
    if type(data) is Tensor:
        counter = reshape(cast(data, int64), (-1, 1)) & _WORD
    else:
        counter = as_tensor([data & _WORD], cast(key, int64))
    words = _hashed(key, counter)
    return cast(reshape(stack(words, axis=-1), (batch.size, 2)), key.dtype)


def _uniform(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    """Scale random bits, as many as a mantissa has, into [0, 1): exact."""
    shape, dtype = settings["shape"], settings["dtype"]
    drawn, mantissa = _UNIFORM[dtype.name]
    first, second = _hashed(inputs[0], np.arange(prod(shape)))
    if drawn == 64:
        bits = bitwise_left_shift(first, 20) | bitwise_right_shift(second, 12)
    else:
        bits = bitwise_right_shift((first ^ second) & ((1 << drawn) - 1), drawn - mantissa)
    return reshape(cast(bits, dtype) * 2.0**-mantissa, (batch.size, *shape))


def _randint(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    """Take two words of an integer, as one number, modulo the span; a span of 0 is the whole range.

    Source: `jax.random.randint`.
    """
    key, *bounds = inputs
    shape, rank = settings["shape"], len(settings["shape"])
    dtype: DType = bounds[0].dtype
    width = 8 * dtype.itemsize
    low, high, over = [
        widened(x, rank) if has else x for x, has in zip(bounds, batch.axes[1:], strict=True)
    ]
    low, high = cast(low, int64), cast(high, int64)
    rising = _below(low, high) if dtype == uint64 else less(low, high)
    modulo = _remainder if width == 64 else remainder
    mask = -1 if width == 64 else _WORD
    span = (where(rising, high - low, 1) + cast(logical_and(over, rising), int64)) & mask
    divisor = where(equal(span, 0), 1, span)
    multiplier = modulo(where(equal(span, 0), 1, 1 << width // 2), divisor)
    multiplier = modulo((multiplier * multiplier) & mask, divisor)
    upper, words = [
        reshape(_words(one, prod(shape), width), (*one.shape[:-1], *shape)) for one in _halves(key)
    ]
    offset = (modulo(upper, divisor) * multiplier) & mask
    offset = modulo((offset + modulo(words, divisor)) & mask, divisor)
    drawn = cast(low + where(equal(span, 0), words, offset), dtype)
    return OPS["broadcast_to"](drawn, shape=(batch.size, *shape))


def _halves(key: Tensor) -> list[Tensor]:
    """Return the two keys that a key, or each of a batch, splits into."""
    words = stack(_hashed(key, np.arange(2)), axis=-1)
    return [words[..., i, :] for i in range(2)]


def _below(x: Tensor, y: Tensor) -> Tensor:
    """Tell whether x < y, both int64 read as unsigned."""
    return logical_xor(less(x, y), logical_xor(less(x, 0), less(y, 0)))


def _remainder(x: Any, y: Tensor) -> Tensor:
    """Return the remainder of int64 read as unsigned.

    Half of x fits the sign, so the quotient is exact or one too small. A divisor with its highest
    bit set goes once into x or not at all.
    """
    half = floor_divide(bitwise_right_shift(x, 1) & (2**63 - 1), where(greater(y, 0), y, 1))
    rest = x - where(less(y, 0), 0, bitwise_left_shift(half, 1)) * y
    return where(_below(rest, y), rest, rest - y)


batching(_bits, "random_bits")
batching(_split, "random_split")
batching(_fold_in, "random_fold_in")
batching(_uniform, "random_uniform")
batching(_randint, "random_randint")
