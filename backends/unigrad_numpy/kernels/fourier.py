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


def _over(of_one: Any, of_several: Any) -> Any:
    """Return a transform over axes, along a single one by NumPy's shorter function."""

    def run(x: Array, axes: tuple[int, ...]) -> Array:
        found: Array = of_one(x, None, axes[0]) if len(axes) == 1 else of_several(x, axes=axes)
        return found

    return run


TABLE = {
    "fft": _over(np.fft.fft, np.fft.fftn),
    "ifft": _over(np.fft.ifft, np.fft.ifftn),
    "rfft": _over(np.fft.rfft, np.fft.rfftn),
    "irfft": irfft,
}
