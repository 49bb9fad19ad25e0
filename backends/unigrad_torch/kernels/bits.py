"""Bits: shifts, reads as another dtype, and powers of two that are made of them."""

from collections.abc import Callable
from typing import Any

import torch

from unigrad.autodiff.bridge import body_of
from unigrad.core.dtypes import ALL
from unigrad_torch.bridge import by_rule
from unigrad_torch.kernels.values import has_values

DTYPES = {dtype: getattr(torch, dtype.name) for dtype in ALL}
Binary = Callable[[Any, Any], torch.Tensor]


def shift_by(shift: Binary, right: bool) -> Binary:
    """Return a shift that is defined for every distance: all bits go."""

    def run(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        width = torch.iinfo(x.dtype).bits
        if has_values(y) and y.numel():
            low, high = torch.aminmax(y)
            if low.item() >= 0 and high.item() < width:
                return shift(x, y)
        inside = (y >= 0) & (y < width)
        shifted = shift(x, torch.where(inside, y, 0))
        gone = torch.where(x < 0, -1, 0).to(x.dtype) if right and x.dtype.is_signed else 0
        return torch.where(inside, shifted, gone)

    return run


def _read_as(x: torch.Tensor, dtype: Any) -> torch.Tensor:
    """Read the bytes of elements in another dtype."""
    native = DTYPES[dtype]
    if x.itemsize > native.itemsize:
        return x.unsqueeze(-1).contiguous().view(native)
    if x.itemsize < native.itemsize:
        return x.contiguous().view(native).squeeze(-1)
    return x.view(native)


#: torch refuses to differentiate it where the size changes.
bitcast = by_rule("bitcast", _read_as)


def ldexp(x: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    """x · 2ᵏ, rounded once: torch's own power of two leaves the range."""
    if x.dtype is torch.float64:
        return _composed_ldexp(x, exponent)
    # Of double precision the powers are made of bits, and no product leaves its range.
    if exponent.dtype is torch.uint64:
        signed = exponent.view(torch.int64)
        exponent = torch.where(signed < 0, _FAR, signed)
    power = ((exponent.to(torch.int64).clamp(-_FAR, _FAR) + 1023) << 52).view(torch.float64)
    return (x.to(torch.float64) * power).to(x.dtype)


_composed_ldexp = body_of("torch", "ldexp")
#: An exponent that leaves the range of single precision.
_FAR = 300
