"""Making arrays and placing them."""

from math import copysign
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def full(shape: tuple[int, ...], value: Any, dtype: np.dtype[Any]) -> Array:
    """A filled array; zeros come from memory that is zero already."""
    if value == 0 and not isinstance(value, complex) and copysign(1.0, value) > 0:
        return np.zeros(shape, dtype)
    return np.full(shape, value, dtype)


TABLE = {
    "full": full,
    "full_like": lambda x, value: full(x.shape, value, x.dtype),
    # There is only the one device.
    "to_device": lambda x, device: x,
}
