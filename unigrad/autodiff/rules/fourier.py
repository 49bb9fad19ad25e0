"""Derivatives of Fourier transforms, which are linear.

A transform's matrix is symmetric: it is its own transpose. That of real numbers leaves half of the
elements out, which stand for themselves and their conjugates; so all but the first, and for an even
length the last, weigh twice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.autodiff.rules.registry import linear
from unigrad.core.arguments import cast, constant
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import conj
from unigrad.ops.fourier import _fft, _ifft, _irfft, _rfft

Axes = tuple[int, ...]

# The cotangent of real numbers is the real part.
linear("fft", lambda g, out, x, *, axes: cast(_fft(g, axes=axes), x.dtype))
linear("ifft", lambda g, out, x, *, axes: cast(_ifft(g, axes=axes), x.dtype))


def _weighted(half: Tensor, n: int, axis: int, inner: float) -> Tensor:
    """Multiply the elements of a half that stand for two by a number."""
    count = n // 2 + 1
    weights = np.full((count, *[1] * (-axis - 1)), inner)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    return half * constant(half, weights)


def _rfft_vjp(g: Tensor, out: Any, x: Tensor, *, axes: Axes) -> Tensor:
    lengths = [x.shape[axis] for axis in axes]
    half = _weighted(conj(g), lengths[-1], axes[-1], 0.5)
    found: Tensor = _irfft(half, axes=axes, n=lengths[-1])
    return found * float(math.prod(lengths))


def _irfft_vjp(g: Tensor, out: Any, x: Tensor, *, axes: Axes, n: int) -> Tensor:
    count = n * math.prod([x.shape[axis] for axis in axes[:-1]])
    half: Tensor = conj(_rfft(g, axes=axes))
    return _weighted(half, n, axes[-1], 2.0) * (1.0 / count)


linear("rfft", _rfft_vjp)
linear("irfft", _irfft_vjp)
