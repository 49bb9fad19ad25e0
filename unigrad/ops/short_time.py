"""Short-time Fourier transforms: spectra of overlapping frames of a signal, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.filling import zeros_like
from unigrad.ops.fourier import irfft, rfft
from unigrad.ops.indexing import take
from unigrad.ops.linalg.matrices import complex_dtype, floating, real_dtype
from unigrad.ops.repeating import pad
from unigrad.ops.shaping import as_integer, broadcast_to, reshape
from unigrad.ops.updating import at_add

__all__ = ["istft", "stft"]


def _lengths(name: str, frame: int, hop: int | None, fft: int | None) -> tuple[int, int, int]:
    """Return the lengths of a frame, of a step and of a transform."""
    frame = as_integer(name, frame)
    step = frame // 4 if hop is None else as_integer(name, hop)
    count = frame if fft is None else as_integer(name, fft)
    if frame < 1 or not 1 <= step <= frame or count < frame:
        raise SettingError(
            f"{name}: a frame of {frame}, a hop of {step} and a transform of {count} elements: "
            "1 ≤ hop ≤ frame ≤ transform"
        )
    return frame, step, count


def _window(name: str, window: TensorLike | None, frame: int, like: Tensor) -> Tensor:
    """Return what a frame is multiplied by: Hann's window, or what is given."""
    if window is None:
        # Periodic: half a period of the squared sine.
        return constant(like, np.sin(np.pi * np.arange(frame) / frame) ** 2)
    given: Tensor = cast(as_tensor(window, like), like.dtype)
    if given.shape != (frame,):
        raise ShapeError(f"{name}: a window of shape {given.shape} for frames of {frame}")
    return given


def _places(count: int, frame: int, step: int) -> npt.NDArray[Any]:
    return np.arange(count)[:, None] * step + np.arange(frame)


def stft(
    x: TensorLike,
    /,
    frame_length: int,
    *,
    hop: int | None = None,
    fft_length: int | None = None,
    window: TensorLike | None = None,
    center: bool = True,
) -> Tensor:
    """Return the spectra (…, frames, bins) of overlapping frames of signals (…, time).

    There are fft_length // 2 + 1 bins. Frame t is the `rfft` of the window times the frame_length
    elements from t hop on.

    Args:
        x: real signals, time last.
        frame_length: the length of a frame.
        hop: the steps between frames; a quarter of a frame by default.
        fft_length: the length of the transform; the frame's by default, zeros behind if longer.
        window: (frame_length,); Hann's, periodic, by default.
        center: put half a frame of the mirrored signal before and after it, so that frame t is
            centred at t hop, as torch's and Keras's.

    Raises:
        ShapeError: when a signal is shorter than a frame, or the window does not fit.
        DTypeError: for complex numbers.
        SettingError: unless 1 ≤ hop ≤ frame_length ≤ fft_length.

    Source: Allen & Rabiner, "A unified approach to short-time Fourier analysis and synthesis"
    (1977).

    Example:
        >>> stft([1.0] * 8, 4, center=False).shape
        (5, 3)
    """
    frame, step, count = _lengths("stft", frame_length, hop, fft_length)
    wide, dtype = floating(x)
    if dtype in dtypes.COMPLEX:
        raise DTypeError(f"stft: real signals are transformed, not {dtype.name}")
    half = frame // 2 if center else 0
    if not wide.ndim or wide.shape[-1] + 2 * half < frame or (half and wide.shape[-1] <= half):
        raise ShapeError(f"stft: a signal {wide.shape} is shorter than a frame of {frame} needs")
    factors = _window("stft", window, frame, wide)
    if half:
        wide = pad(wide, ((0, 0),) * (wide.ndim - 1) + ((half, half),), "reflect")
    places = _places((wide.shape[-1] - frame) // step + 1, frame, step)
    index = constant(wide, places.ravel(), dtypes.int64)
    frames = reshape(take(wide, index, axis=-1), (*wide.shape[:-1], *places.shape))
    return rfft(frames * factors, n=count)


def istft(
    x: TensorLike,
    /,
    frame_length: int,
    *,
    hop: int | None = None,
    fft_length: int | None = None,
    window: TensorLike | None = None,
    center: bool = True,
    length: int | None = None,
) -> Tensor:
    """Return the signals (…, time) whose `stft` is nearest to spectra (…, frames, bins).

    Frames, transformed back, are multiplied by the window, added up, and divided by the sum of
    squared windows, which is the least squares estimate; where that sum is 0 the signal is 0.

    Args:
        x: spectra, as `stft` gives them.
        frame_length, hop, fft_length, window, center: those of `stft`.
        length: of the signals, which are cut off or filled with zeros; by default all that there
            is, less half a frame at both ends where ``center`` put it.

    Raises:
        ShapeError: when there are not fft_length // 2 + 1 bins, or no frame.
        SettingError: as `stft`.

    Source: Griffin & Lim, "Signal estimation from modified short-time Fourier transform" (1984).

    Example:
        >>> signal = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
        >>> istft(stft(signal, 4, hop=1), 4, hop=1).numpy().round(4).tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    """
    frame, step, count = _lengths("istft", frame_length, hop, fft_length)
    wide, _ = floating(x)
    wide = cast(wide, complex_dtype(wide.dtype))
    if wide.ndim < 2 or wide.shape[-1] != count // 2 + 1 or not wide.shape[-2]:
        raise ShapeError(
            f"istft: spectra {wide.shape} are not (…, frames, {count // 2 + 1}) of a frame or more"
        )
    frames = irfft(wide, n=count)[..., :frame]
    assert frames.dtype == real_dtype(wide)
    factors = _window("istft", window, frame, frames)
    places = _places(wide.shape[-2], frame, step)
    total = int(places[-1, -1]) + 1
    sums = _added(frames * factors, places, total)
    squares = _added(broadcast_to(factors * factors, places.shape), places, total)
    covered = squares > float(np.finfo(squares.dtype).tiny)
    out = where(covered, sums / where(covered, squares, 1.0), 0.0)
    begin = frame // 2 if center else 0
    end = total - begin if length is None else begin + as_integer("istft", length)
    if end > total:
        out = pad(out, ((0, 0),) * (out.ndim - 1) + ((0, end - total),))
    return out[..., begin : max(begin, end)]


def _added(frames: Tensor, places: npt.NDArray[Any], total: int) -> Tensor:
    """Add up frames (…, frames, frame) at their places in time."""
    flat = reshape(frames, (*frames.shape[:-2], places.size))
    empty = broadcast_to(zeros_like(flat[..., :1]), (*flat.shape[:-1], total))
    return at_add(empty, (..., constant(frames, places.ravel(), dtypes.int64)), flat)
