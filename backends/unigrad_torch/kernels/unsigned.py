"""Kernels of uint16, uint32 and uint64, for which torch has few of its own.

Narrow ones are computed in int64, whose low bits are theirs. The bits of uint64 are those of int64:
sums and products are the same, and with the first bit turned over, so is the order.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from unigrad_torch.kernels.sorting import TABLE as SORTING

DTYPES = frozenset((torch.uint16, torch.uint32, torch.uint64))
_WORD, _LEAST = 1 << 64, -(1 << 63)


def _dtype(xs: tuple[Any, ...]) -> torch.dtype:
    found: torch.dtype = next(x.dtype for x in xs if isinstance(x, Tensor) and x.dtype in DTYPES)
    return found


def _bits(x: Any) -> Any:
    """Return the same numbers modulo 2⁶⁴ as int64."""
    if not isinstance(x, Tensor):
        return (x - _LEAST) % _WORD + _LEAST
    return x.view(torch.int64) if x.dtype is torch.uint64 else x.to(torch.int64)


def _ordered(x: Any, wide: bool) -> Any:
    """Return int64 numbers in the same order; those of uint64 (``wide``) are 2⁶³ less."""
    if not isinstance(x, Tensor):
        return x + _LEAST if wide else x
    return _bits(x) ^ _LEAST if wide else x.to(torch.int64)


def _back(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x.view(dtype) if dtype is torch.uint64 else x.to(dtype)


def _of_bits(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a function whose low bits depend on those of its arguments alone."""

    def run(*xs: Any, **settings: Any) -> Tensor:
        dtype = _dtype(xs)
        return _back(function(*map(_bits, xs), **settings), dtype)

    return run


def _of_order(function: Callable[..., Tensor], chooses: bool = False) -> Callable[..., Tensor]:
    """Return a function of the order of numbers, which gives one of them where it ``chooses``."""

    def run(*xs: Any, **settings: Any) -> Tensor:
        dtype = _dtype(xs)
        wide = dtype is torch.uint64
        found = function(*[_ordered(x, wide) for x in xs], **settings)
        if not chooses:
            return found
        return _back(found ^ _LEAST if wide else found, dtype)

    return run


def _of_truth(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *xs: function(*[x != 0 for x in xs])


def _copy(x: Tensor) -> Tensor:
    return x.clone()


def _sign(x: Tensor) -> Tensor:
    return (x != 0).to(x.dtype)


# -- division of words of 64 bits read as unsigned


def _as_tensors(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    like = x if isinstance(x, Tensor) else y
    first, second = (
        one if isinstance(one, Tensor) else torch.tensor(one, device=like.device) for one in (x, y)
    )
    return torch.broadcast_tensors(first, second)


def _divided(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return quotient and remainder, 0 where y is 0.

    Half the word is divided, which fits the sign, so twice that is the quotient or one less. A
    divisor with its highest bit set goes once into a word or not at all.
    """
    nothing = y == 0
    safe = torch.where(nothing, 1, y)
    half = torch.div(x >> 1 & ~_LEAST, torch.where(safe < 0, 1, safe), rounding_mode="floor")
    quotient = torch.where(safe < 0, 0, half << 1)
    rest = x - quotient * safe
    more = (rest ^ _LEAST) >= (safe ^ _LEAST)
    quotient, rest = quotient + more, torch.where(more, rest - safe, rest)
    return torch.where(nothing, 0, quotient), torch.where(nothing, 0, rest)


def _division(which: int) -> Callable[[Any, Any], Tensor]:
    return lambda x, y: _divided(*_as_tensors(x, y))[which]


def _gcd(x: Tensor, y: Tensor) -> Tensor:
    """Euclid's algorithm, as many steps as any pair takes."""
    x, y = _as_tensors(x, y)
    for _ in range(93):
        x, y = torch.where(y == 0, x, y), torch.where(y == 0, 0, _divided(x, y)[1])
    return x


def _pow(x: Any, y: Any) -> Tensor:
    """x**y by squaring, one bit of the exponent after the other."""
    factor, rest = _as_tensors(x, y)
    power = torch.ones_like(factor)
    for _ in range(64):
        power = torch.where((rest & 1) != 0, power * factor, power)
        factor, rest = factor * factor, rest >> 1 & ~_LEAST
    return power


# -- shifts: all bits go where the distance is the width or more


def _shift(right: bool) -> Callable[[Tensor, Any], Tensor]:
    def run(x: Tensor, y: Any) -> Tensor:
        words, distance = _as_tensors(_bits(x), _bits(y))
        width = torch.iinfo(x.dtype).bits
        inside = (distance >= 0) & (distance < width)
        step = torch.where(inside, distance, 0)
        if right:
            # The sign follows a right shift, and is masked.
            moved = words >> step & torch.where(step == 0, -1, ~(-1 << (64 - step)))
        else:
            moved = words << step
        return _back(torch.where(inside, moved, 0), x.dtype)

    return run


def _extreme(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(x: Tensor, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
        return function(x, tuple(range(x.ndim)) if axis is None else axis, keepdims)

    return _of_order(run, chooses=True)


def _clip(x: Tensor, low: int | None, high: int | None) -> Tensor:
    wide = x.dtype is torch.uint64
    bounds = [None if one is None else _ordered(one, wide) for one in (low, high)]
    found = torch.clamp(_ordered(x, wide), *bounds)
    return _back(found ^ _LEAST if wide else found, x.dtype)


TABLE: dict[str, Callable[..., Any]] = {
    "add": _of_bits(lambda x, y: x + y),
    "subtract": _of_bits(lambda x, y: x - y),
    "multiply": _of_bits(lambda x, y: x * y),
    "negative": _of_bits(torch.neg),
    "square": _of_bits(torch.square),
    "pow": _of_bits(_pow),
    "floor_divide": _of_bits(_division(0)),
    "remainder": _of_bits(_division(1)),
    "gcd": _of_bits(_gcd),
    "bitwise_invert": _of_bits(torch.bitwise_not),
    "matmul": _of_bits(torch.matmul),
    "outer": _of_bits(lambda x1, x2: torch.outer(x1.reshape(-1), x2.reshape(-1))),
    "vecdot": _of_bits(lambda x1, x2, axis: torch.sum(x1 * x2, axis)),
    "tensordot": _of_bits(lambda x1, x2, axes: torch.tensordot(x1, x2, axes)),
    "einsum": _of_bits(lambda *operands, equation: torch.einsum(equation, *operands)),
    "bitwise_left_shift": _shift(right=False),
    "bitwise_right_shift": _shift(right=True),
    "diff": _of_bits(lambda x, axis, n: torch.diff(x, n=n, dim=axis)),
    "tril": _of_bits(lambda x, k: torch.tril(x, k)),
    "triu": _of_bits(lambda x, k: torch.triu(x, k)),
    "abs": _copy,
    "sign": _sign,
    "greater": _of_order(lambda x, y: x > y),
    "greater_equal": _of_order(lambda x, y: x >= y),
    "less": _of_order(lambda x, y: x < y),
    "less_equal": _of_order(lambda x, y: x <= y),
    "maximum": _of_order(lambda x, y: torch.maximum(*_as_tensors(x, y)), chooses=True),
    "minimum": _of_order(lambda x, y: torch.minimum(*_as_tensors(x, y)), chooses=True),
    "max": _extreme(torch.amax),
    "min": _extreme(torch.amin),
    "argmax": _of_order(lambda x, axis: torch.argmax(x, axis)),
    "argmin": _of_order(lambda x, axis: torch.argmin(x, axis)),
    "clip": _clip,
    "sort": _of_order(SORTING["sort"], chooses=True),
    "argsort": _of_order(SORTING["argsort"]),
    "searchsorted": _of_order(SORTING["searchsorted"]),
    "logical_and": _of_truth(torch.logical_and),
    "logical_or": _of_truth(torch.logical_or),
    "logical_xor": _of_truth(torch.logical_xor),
    "logical_not": _of_truth(torch.logical_not),
}
