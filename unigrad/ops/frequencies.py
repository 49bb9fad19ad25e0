"""Frequencies of Fourier transforms, and the order of their elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.axes import normalize_axes, plain_axis
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.operands import in_dtype, operands, single
from unigrad.core.tensor import Tensor
from unigrad.ops.creation import from_host, to_device
from unigrad.ops.identity import identity
from unigrad.ops.shaping import as_integer, roll

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]


@operands("d")
def fftfreq(
    n: int,
    /,
    *,
    d: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return the frequencies of the elements of `fft`, for samples ``d`` apart.

    Raises:
        ShapeError: when ``n`` is less than 1.
        DTypeError: for a dtype that is no real floating one.

    Example:
        >>> fftfreq(4).tolist()
        [0.0, 0.25, -0.5, -0.25]
    """
    return _frequencies("fftfreq", np.fft.fftfreq, n, d, dtype, device)


@operands("d")
def rfftfreq(
    n: int,
    /,
    *,
    d: TensorLike = 1.0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return the frequencies of the elements of `rfft`, for samples ``d`` apart.

    Raises:
        ShapeError: when ``n`` is less than 1.
        DTypeError: for a dtype that is no real floating one.

    Example:
        >>> rfftfreq(4).tolist()
        [0.0, 0.25, 0.5]
    """
    return _frequencies("rfftfreq", np.fft.rfftfreq, n, d, dtype, device)


def _frequencies(
    name: str,
    function: Callable[[int, float], Any],
    n: int,
    d: TensorLike,
    dtype: DTypeLike | None,
    device: str | None,
) -> Tensor:
    count = as_integer(name, n)
    if count < 1:
        raise ShapeError(f"{name}: a transform has one element or more, not {count}")
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if chosen not in dtypes.INEXACT or chosen in dtypes.COMPLEX:
        raise DTypeError(f"{name}: frequencies are real floats, not {chosen.name}")
    spacing = single(name, d)
    if isinstance(spacing, Tensor):
        wide = in_dtype(spacing, dtypes.float64 if chosen == dtypes.float64 else dtypes.float32)
        found = cast(constant(wide, function(count, 1.0)) / wide, chosen)
        return found if device is None else to_device(found, device)
    return from_host(function(count, spacing), chosen, device)


def fftshift(x: TensorLike, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Return a transform with the zero frequency in the middle of the axes, by default of all.

    Raises:
        ShapeError: for a bad axis.

    Example:
        >>> fftshift([0, 1, 2, -2, -1]).tolist()
        [-2, -1, 0, 1, 2]
    """
    return _shifted("fftshift", x, axes, 1)


def ifftshift(x: TensorLike, /, *, axes: int | Sequence[int] | None = None) -> Tensor:
    """Return what `fftshift` shifted, back in the order of `fft`.

    Raises:
        ShapeError: for a bad axis.

    Example:
        >>> ifftshift([-2, -1, 0, 1, 2]).tolist()
        [0, 1, 2, -2, -1]
    """
    return _shifted("ifftshift", x, axes, -1)


def _shifted(name: str, x: TensorLike, axes: int | Sequence[int] | None, sign: int) -> Tensor:
    tensor = as_tensor(x)
    wanted = tuple(range(tensor.ndim)) if axes is None else plain_axis(name, axes)
    found = normalize_axes(name, wanted, tensor.ndim) or ()
    if not found:
        return identity(tensor)
    # Half of the length, rounded down one way and up the other.
    shifts = tuple([sign * (tensor.shape[axis] // 2) for axis in found])
    return roll(tensor, shifts, axis=found)
