"""Making arrays and placing them."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def full(shape: tuple[int, ...], value: Any, dtype: np.dtype[Any]) -> Array:
    """A filled array; zeros come from memory that is zero already."""
    return np.full(shape, value, dtype) if value != 0 else np.zeros(shape, dtype)


TABLE = {
    "full": full,
    "full_like": lambda x, value: full(x.shape, value, x.dtype),
    # There is only the one device.
    "to_device": lambda x, device: x,
}
