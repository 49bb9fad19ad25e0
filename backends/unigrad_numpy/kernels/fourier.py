"""Fourier transforms, without a factor forward and with 1/n back."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def irfft(x: Array, *, axes: tuple[int, ...], n: int) -> Array:
    """NumPy's."""
    if len(axes) == 1:
        return np.fft.irfft(x, n, axes[0])
    return np.fft.irfftn(x, [*[x.shape[axis] for axis in axes[:-1]], n], axes)


TABLE = {
    "fft": lambda x, axes: np.fft.fftn(x, axes=axes),
    "ifft": lambda x, axes: np.fft.ifftn(x, axes=axes),
    "rfft": lambda x, axes: np.fft.rfftn(x, axes=axes),
    "irfft": irfft,
}
