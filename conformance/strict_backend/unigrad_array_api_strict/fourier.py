"""Fourier transforms, without a factor forward and with 1/n back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict as xp


def _complex(x: Any) -> Any:
    """Return an array of complex numbers: the standard transforms no others this way."""
    if xp.isdtype(x.dtype, "complex floating"):
        return x
    return xp.astype(x, xp.complex128 if x.dtype == xp.float64 else xp.complex64)


def _irfft(x: Any, *, axes: tuple[int, ...], n: int) -> Any:
    sizes = [*[x.shape[axis] for axis in axes[:-1]], n]
    return xp.fft.irfftn(_complex(x), s=sizes, axes=axes)


TABLE: dict[str, Callable[..., Any]] = {
    "fft": lambda x, axes: xp.fft.fftn(_complex(x), axes=axes),
    "ifft": lambda x, axes: xp.fft.ifftn(_complex(x), axes=axes),
    "irfft": _irfft,
    "rfft": lambda x, axes: xp.fft.rfftn(x, axes=axes),
}
