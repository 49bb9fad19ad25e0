"""Functions of complex numbers at infinities, at 0 and on branch cuts, where torch's own go astray.

Sources: C99, annex G.6; Python array API standard 2025.12 (for ``expm1`` and ``log1p``).
"""

import math

import torch

from unigrad_torch.bridge import by_rule


def expm1(x: torch.Tensor) -> torch.Tensor:
    """eˣ - 1. Of a complex number torch's own is NaN at infinities."""
    found = torch.expm1(x)
    if not x.is_complex():
        return found
    a, b = x.real, x.imag
    aimless = ~torch.isfinite(b)
    real = torch.where(torch.isposinf(a) & aimless, math.inf, found.real)
    imaginary = torch.where(torch.isneginf(a) & aimless, 0.0, found.imag)
    return torch.complex(
        torch.where(torch.isneginf(a), -1.0, real), torch.where(b == 0, b, imaginary)
    )


def log1p(x: torch.Tensor) -> torch.Tensor:
    """log(1 + x). Of a complex infinity beside a NaN torch's own is NaN."""
    found = torch.log1p(x)
    if not x.is_complex():
        return found
    a, b = x.real, x.imag
    real = torch.where(torch.isinf(a) | torch.isinf(b), math.inf, found.real)
    # Of an infinite imaginary part torch's own angle is NaN near the imaginary axis.
    upright = torch.isinf(b) & torch.isfinite(a)
    angle = torch.copysign(torch.full_like(b, math.pi / 2), b)
    return torch.complex(real, torch.where(upright, angle, found.imag))


def _acos(x: torch.Tensor) -> torch.Tensor:
    """The arc cosine; the imaginary part of torch's own has the other sign on the real axis."""
    found = torch.acos(x)
    return torch.complex(found.real, -torch.asin(x).imag)


_complex_acos = by_rule("acos", _acos)


def _inverse(x: torch.Tensor) -> torch.Tensor:
    """1 / x; torch's own of complex infinities is NaN."""
    endless = torch.isinf(x.real) | torch.isinf(x.imag)
    return torch.where(endless, 0.0, torch.reciprocal(x))


_complex_inverse = by_rule("reciprocal", _inverse)


def reciprocal(x: torch.Tensor) -> torch.Tensor:
    return _complex_inverse(x) if x.is_complex() else x.reciprocal()


def rsqrt(x: torch.Tensor) -> torch.Tensor:
    return _inverse(torch.sqrt(x)) if x.is_complex() else x.rsqrt()


def acos(x: torch.Tensor) -> torch.Tensor:
    """The arc cosine."""
    return _complex_acos(x) if x.is_complex() else x.acos()
