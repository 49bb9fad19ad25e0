"""Making arrays and placing them."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.core.errors import UnigradError

Array: TypeAlias = npt.NDArray[Any]


def full(shape: tuple[int, ...], value: Any, dtype: np.dtype[Any]) -> Array:
    """A filled array; zeros come from memory that is zero already."""
    return np.full(shape, value, dtype) if value != 0 else np.zeros(shape, dtype)


def to_device(x: Array, device: str) -> Array:
    """The array itself, on the only device there is."""
    if device not in ("cpu", "cpu:0"):
        raise UnigradError(f"the numpy backend has only the device 'cpu', not {device!r}")
    return x


TABLE = {
    "full": full,
    "full_like": lambda x, value: full(x.shape, value, x.dtype),
    "to_device": to_device,
}
