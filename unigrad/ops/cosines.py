"""Discrete cosine transforms of types 1 to 4, by Fourier transforms of the same length or twice it.

Real numbers, computed in float32 or float64; half precision in float32. The sums are SciPy's, with
a factor of 2; ``norm`` is as for `fft`, with ``"ortho"`` making the matrices orthogonal.

Source of the formulas: Rao & Yip, "Discrete cosine transform" (1990), chapters 2 and 4; Makhoul, "A
fast cosine transform in one and two dimensions" (1980).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, constant
from unigrad.core.axes import normalize_axis
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.fourier import FFTNorm, _factor, _fitted, fft, ifft, rfft
from unigrad.ops.joining import concat
from unigrad.ops.linalg.matrices import complex_dtype, floating, real_part
from unigrad.ops.shaping import as_integer, flip, moveaxis, reshape

__all__ = ["dct", "idct"]

#: By type: the type of the inverse.
_INVERSES = {1: 1, 2: 3, 3: 2, 4: 4}


def _turns(like: Tensor, angles: npt.NDArray[Any]) -> Tensor:
    """Return e^(iφ) as complex constants."""
    return constant(like, np.exp(1j * angles), complex_dtype(like.dtype))


def _first(x: Tensor) -> Tensor:
    mirrored = concat([x, flip(x[..., 1:-1], axis=-1)], axis=-1)
    return real_part(rfft(mirrored))


def _second(x: Tensor) -> Tensor:
    n = x.shape[-1]
    order = concat([x[..., ::2], flip(x[..., 1::2], axis=-1)], axis=-1)
    return real_part(fft(order) * _turns(x, np.arange(n) * (-math.pi / (2 * n)))) * 2.0


def _third(x: Tensor) -> Tensor:
    n = x.shape[-1]
    # Of the spectrum whose turned real parts are x: its imaginary parts are x from the end.
    behind = concat([x[..., :1] * 0.0, flip(x[..., 1:], axis=-1)], axis=-1)
    spectrum = cast(x, complex_dtype(x.dtype)) - cast(behind, complex_dtype(x.dtype)) * 1j
    order = real_part(ifft(spectrum * _turns(x, np.arange(n) * (math.pi / (2 * n))))) * float(n)
    half = (n + 1) // 2
    ahead, back = order[..., :half], flip(order[..., half:], axis=-1)
    if n % 2:
        back = concat([back, back[..., :1] * 0.0 if n > 1 else order * 0.0], axis=-1)
    pairs = concat([reshape(one, (*one.shape, 1)) for one in (ahead, back)], axis=-1)
    return reshape(pairs, (*x.shape[:-1], 2 * half))[..., :n]


def _fourth(x: Tensor) -> Tensor:
    n = x.shape[-1]
    places = np.arange(n)
    turned = cast(x, complex_dtype(x.dtype)) * _turns(x, places * (-math.pi / (2 * n)))
    found = fft(turned, n=2 * n)[..., :n]
    return real_part(found * _turns(x, (2 * places + 1) * (-math.pi / (4 * n)))) * 2.0


_SUMS = {1: _first, 2: _second, 3: _third, 4: _fourth}


@composite
def _cosines(x: Tensor, *, type: int, orthogonal: bool) -> Tensor:
    """Over the last axis. Orthogonal ones have the roots of 2 at the ends, but no other factor."""
    n = x.shape[-1]
    ends = np.ones(n)
    if orthogonal and type == 1:
        ends[[0, -1]] = math.sqrt(2.0)
    if orthogonal and type in (2, 3):
        ends[0] = math.sqrt(2.0)
    scales = constant(x, ends)
    if orthogonal and type in (1, 3):
        x = x * scales
    found = _SUMS[type](x)
    if orthogonal and type in (1, 2):
        found = found / scales
    return found


def _transformed(
    name: str, x: TensorLike, type: int, n: int | None, axis: int, norm: FFTNorm, inverse: bool
) -> Tensor:
    if type not in _INVERSES or isinstance(type, bool):
        raise SettingError(f"{name}: a type is 1, 2, 3 or 4, not {type!r}")
    wide, dtype = floating(x)
    if dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: real numbers are transformed, not {dtype.name}")
    place = normalize_axis(name, as_integer(name, axis), wide.ndim) - wide.ndim
    length = wide.shape[place] if n is None else as_integer(name, n)
    wide = _fitted(name, wide, place, length)
    if type == 1 and length < 2:
        raise ShapeError(f"{name}: type 1 takes two elements or more, not {length}")
    period = 2 * (length - 1 if type == 1 else length)
    factor = _factor(name, norm, period, False)
    if inverse:
        factor = {"backward": 1.0 / period, "forward": 1.0}.get(norm, factor)
    kind = _INVERSES[type] if inverse else type
    found = _cosines(moveaxis(wide, place, -1), type=kind, orthogonal=norm == "ortho")
    found = found if factor == 1.0 else found * factor
    return cast(moveaxis(found, -1, place), dtype)


def dct(
    x: TensorLike,
    /,
    *,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the discrete cosine transform of real numbers along an axis.

    For N elements and without a factor, type 2 is 2 Σⱼ xⱼ cos(π k (2j + 1) / 2N), type 3 is
    x₀ + 2 Σⱼ xⱼ cos(π j (2k + 1) / 2N), summed from 1, type 4 is 2 Σⱼ xⱼ cos(π (2j + 1) (2k + 1) /
    4N) and type 1 is x₀ + (-1)ᵏ xₙ₋₁ + 2 Σⱼ xⱼ cos(π k j / (N - 1)), summed over what is between.

    Args:
        x: real numbers.
        type: which of the four.
        n: the length, to which the axis is cut off or filled with zeros.
        axis: along which axis.
        norm: "backward" for no factor, "forward" for 1 / 2N (type 1: 1 / (2N - 2)), "ortho" for an
            orthogonal matrix.

    Raises:
        DTypeError: for complex numbers.
        ShapeError: for a bad axis or length; type 1 has two elements or more.
        SettingError: for another type or ``norm``.

    Example:
        >>> dct([1.0, 1.0]).tolist()
        [4.0, 0.0]
    """
    return _transformed("dct", x, type, n, axis, norm, False)


def idct(
    x: TensorLike,
    /,
    *,
    type: int = 2,
    n: int | None = None,
    axis: int = -1,
    norm: FFTNorm = "backward",
) -> Tensor:
    """Return the inverse of `dct` with the same type and ``norm``. Arguments and errors are its.

    Example:
        >>> idct([4.0, 0.0]).tolist()
        [1.0, 1.0]
    """
    return _transformed("idct", x, type, n, axis, norm, True)
