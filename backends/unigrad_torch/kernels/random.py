"""Random kernels for torch: bits and uniform numbers from a counter-based generator.

Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11
(Threefry-2x32 with 20 rounds). A key is a uint32 tensor of shape (2,); results live on its
device. torch has no uint32 addition or shift on the CPU, so words are int32: addition wraps
around, and a mask makes the arithmetic right shift a logical one. Everything is out of place and
nothing looks at values, so the kernels pass through make_fx, fake tensors and torch.func.vmap;
only an eager call on the CPU goes to `unigrad.core.threefry`, on the same memory, to the same
numbers. The output conventions are those of `jax.random` with
`jax_threefry_partitionable=True`; the tests compare bit for bit. Distributions other than the
uniform ones are the front end's.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from unigrad.core import threefry
from unigrad_torch.bridge import by_rule
from unigrad_torch.private import are_transforms_active, current_dispatch_mode

Pair = tuple[torch.Tensor, torch.Tensor]
Finish = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

_MASK = 0xFFFFFFFF
_PARITY = 0x1BD11BDA  # Skein's constant: it keeps an all-zero key from giving an all-zero schedule
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_SIGN = -(2**63)


class _Format(NamedTuple):
    """How a uniform number is made: the bits drawn, the mantissa's width, types, the bits of 1."""

    drawn: int
    mantissa: int
    storage: torch.dtype
    result: torch.dtype
    one: int


_FORMATS = {
    # JAX draws only 8 bits for the 7 of bfloat16's mantissa.
    "bfloat16": _Format(8, 7, torch.int16, torch.bfloat16, 0x3F80),
    "float16": _Format(16, 10, torch.int16, torch.float16, 0x3C00),
    "float32": _Format(32, 23, torch.int32, torch.float32, 0x3F800000),
    "float64": _Format(64, 52, torch.int64, torch.float64, 0x3FF << 52),
}


def _is_eager_on_cpu(key: torch.Tensor) -> bool:
    """Whether nothing records or transforms this call, so that it may look at the key's value."""
    return (
        type(key) is torch.Tensor
        and key.device.type == "cpu"
        and not torch.compiler.is_compiling()
        and not are_transforms_active()
        and current_dispatch_mode() is None
    )


def _rotate(words: torch.Tensor, rotation: int) -> torch.Tensor:
    return words << rotation | words >> (32 - rotation) & ((1 << rotation) - 1)


def _schedule(key: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    first, second = key.view(torch.int32).unbind()
    return first, second, first ^ second ^ _PARITY


def _hash(
    keys: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    first: torch.Tensor | int,
    second: torch.Tensor,
) -> Pair:
    """Threefry-2x32 of the counters (first, second), all int32."""
    first, second = keys[0] + first, keys[1] + second
    for step in range(1, 6):
        for rotation in _ROTATIONS[(step - 1) % 2]:
            first = first + second
            second = first ^ _rotate(second, rotation)
        first = first + keys[step % 3]
        second = second + (keys[(step + 1) % 3] + step)
    return first, second


def _counters(
    start: int, stop: int, device: torch.device
) -> tuple[torch.Tensor | int, torch.Tensor]:
    """The high and low words of the 64-bit counters from `start` to `stop`."""
    if stop <= 2**31:
        return 0, torch.arange(start, stop, dtype=torch.int32, device=device)
    index = torch.arange(start, stop, dtype=torch.int64, device=device)
    return (index >> 32).to(torch.int32), index.to(torch.int32)


def _draw(key: torch.Tensor, count: int, finish: Finish) -> torch.Tensor:
    """`finish` of the two words of each counter below `count`, along one axis."""
    return finish(*_hash(_schedule(key), *_counters(0, count, key.device)))


def _on_host(kernel: Callable[..., Any], key: torch.Tensor, **settings: Any) -> torch.Tensor:
    """Run a kernel of ndarrays, whose blocks fit the cache, on the memory of an eager key."""
    array = kernel(key.numpy(), **settings)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def _join(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return first.to(torch.int64) << 32 | second.to(torch.int64) & _MASK


_FINISH: dict[int, Finish] = {
    8: lambda first, second: (first ^ second).to(torch.uint8),
    16: lambda first, second: (first ^ second).to(torch.int16),
    32: lambda first, second: first ^ second,
    64: _join,
}
_UNSIGNED = {8: torch.uint8, 16: torch.uint16, 32: torch.uint32, 64: torch.uint64}


def random_bits(key: torch.Tensor, *, shape: tuple[int, ...], bit_width: int) -> torch.Tensor:
    """Uniform unsigned integers of 8, 16, 32 or 64 bits; narrow ones are a word's low bits."""
    if _is_eager_on_cpu(key):
        return _on_host(threefry.random_bits, key, shape=shape, bit_width=bit_width)
    words = _draw(key, math.prod(shape), _FINISH[bit_width])
    return words.view(_UNSIGNED[bit_width]).reshape(shape)


def random_split(key: torch.Tensor, *, num: int) -> torch.Tensor:
    """`num` new keys, shape (num, 2): both result words of the counters 0, 1, ..."""
    if _is_eager_on_cpu(key):
        return _on_host(threefry.random_split, key, num=num)
    words = _draw(key, num, lambda first, second: torch.stack((first, second), dim=-1))
    return words.view(torch.uint32)


def random_fold_in(key: torch.Tensor, data: Any) -> torch.Tensor:
    """A new key from a key and an integer, which counts modulo 2**32."""
    counter = data if isinstance(data, torch.Tensor) else int(data) & _MASK
    if isinstance(counter, int) and _is_eager_on_cpu(key):
        return _on_host(lambda words: threefry.random_fold_in(words, counter), key)
    low = torch.as_tensor(counter, device=key.device).to(torch.int64).to(torch.int32)
    return torch.stack(_hash(_schedule(key), 0, low)).view(torch.uint32)


def random_uniform(
    key: torch.Tensor, *, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> torch.Tensor:
    """Floats in [0, 1): random mantissa bits under the exponent of one, minus one (exact)."""
    if _is_eager_on_cpu(key):
        return _on_host(threefry.random_uniform, key, shape=shape, dtype=dtype)
    drawn, mantissa, storage, result, one = _FORMATS[np.dtype(dtype).name]
    shift, mask = drawn - mantissa, (1 << mantissa) - 1

    def finish(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        # Masking the mantissa out of the whole word spares narrowing it to the bits drawn first.
        word = _join(first, second) if drawn == 64 else first ^ second
        return (word >> shift & mask | one).to(storage).view(result) - 1

    return _draw(key, math.prod(shape), finish).reshape(shape)


def _uniform_around_zero(
    key: torch.Tensor, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> torch.Tensor:
    """Floats in (-1, 1)."""
    lowest = float(np.nextafter(dtype.type(-1), dtype.type(0)))
    return torch.clamp_min(random_uniform(key, shape=shape, dtype=dtype) * 2 + lowest, lowest)


def _erfinv_single(x: torch.Tensor) -> torch.Tensor:
    """The inverse error function of float32 by `threefry`'s polynomials."""
    w = -torch.log1p(-(x * x))
    middle, tail = w - 2.5, torch.sqrt(w) - 3
    near, far = (torch.full_like(x, one[0]) for one in (threefry.MIDDLE, threefry.TAIL))
    for first, second in zip(threefry.MIDDLE[1:], threefry.TAIL[1:], strict=True):
        near, far = near * middle + first, far * tail + second
    return torch.where(w < 5, near, far) * x


def random_normal(
    key: torch.Tensor, *, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> torch.Tensor:
    """Standard normal floats: √2 · erf⁻¹(u) of uniform u in (-1, 1)."""
    if dtype == np.float32 and _is_eager_on_cpu(key):
        return _on_host(threefry.random_normal, key, shape=shape)
    u = _uniform_around_zero(key, shape, dtype)
    if dtype == np.float64:
        return torch.erfinv(u) * math.sqrt(2)
    return (_erfinv_single(u.to(torch.float32)) * float(threefry.SQRT_2)).to(u.dtype)


def _is_below(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Whether first < second, both read as unsigned."""
    return (first ^ _SIGN) < (second ^ _SIGN)


def _remainder(words: torch.Tensor, divisor: torch.Tensor) -> torch.Tensor:
    """The remainder of int64 words read as unsigned.

    Half the word is divided, which fits the sign, so the quotient is exact or one too small. A
    divisor with its highest bit set goes once into a word or not at all.
    """
    half = torch.div(words >> 1 & ~_SIGN, divisor.clamp_min(1), rounding_mode="trunc")
    rest = words - torch.where(divisor < 0, 0, half << 1) * divisor
    return torch.where(_is_below(rest, divisor), rest, rest - divisor)


def random_randint(
    key: torch.Tensor,
    low: torch.Tensor,
    high: torch.Tensor,
    over: torch.Tensor,
    *,
    shape: tuple[int, ...],
) -> torch.Tensor:
    """Integers from `low` on, below `high` or, where `over` says so, up to it.

    The two words of an integer are one number modulo the span, as in `jax.random`. A span of
    zero is the whole range of the dtype. Everything is computed in int64, which wraps around.
    """
    wide = low.dtype in (torch.int64, torch.uint64)
    mask, remainder = (-1, _remainder) if wide else (_MASK, torch.remainder)
    start, stop = (x.view(torch.int64) if wide else x.to(torch.int64) for x in (low, high))
    rising = _is_below(start, stop) if low.dtype == torch.uint64 else start < stop
    span = torch.where(rising, stop - start, 1) + (over & rising).to(torch.int64) & mask
    divisor = torch.where(span == 0, 1, span)
    multiplier = remainder(torch.full_like(divisor, 1 << (32 if wide else 16)), divisor)
    multiplier = remainder(multiplier * multiplier & mask, divisor)
    finish: Finish = (
        _join if wide else lambda first, second: (first ^ second).to(torch.int64) & mask
    )
    upper, words = (
        _draw(one, math.prod(shape), finish).reshape(shape)
        for one in random_split(key, num=2).unbind()
    )
    offset = remainder(upper, divisor) * multiplier & mask
    offset = remainder(offset + remainder(words, divisor) & mask, divisor)
    result = start + torch.where(span == 0, words, offset)
    return result.view(low.dtype) if wide else (result & mask).to(low.dtype)


def random_hash(first_key: torch.Tensor, second_key: torch.Tensor, counter: torch.Tensor) -> Pair:
    """Both words of every counter under a key of its own; words are int64, which broadcast."""
    first, second = first_key.to(torch.int32), second_key.to(torch.int32)
    keys = (first, second, first ^ second ^ _PARITY)
    words = _hash(keys, (counter >> 32).to(torch.int32), counter.to(torch.int32))
    first, second = (one.to(torch.int64) & _MASK for one in words)
    return first, second


def random_orthonormal(z: torch.Tensor) -> torch.Tensor:
    """Q of the decomposition of z whose R has a positive diagonal."""
    q, r = torch.linalg.qr(z)
    negative = torch.diagonal(r, dim1=-2, dim2=-1) < 0
    return torch.where(negative.unsqueeze(-2), -q, q)


TABLE: dict[str, Callable[..., Any]] = {
    "random_bits": random_bits,
    "random_split": random_split,
    "random_fold_in": random_fold_in,
    "random_hash": random_hash,
    "random_uniform": random_uniform,
    "random_randint": random_randint,
    "random_normal": random_normal,
    "random_gamma_sample": by_rule("random_gamma_sample", lambda alpha, sample: sample.clone()),
    "random_orthonormal": random_orthonormal,
}
