"""bfloat16, which NumPy itself does not know: ``ml_dtypes`` brings the dtype and its arithmetic.

What that does not have (products of matrices, an order with NaN in it), or only beside float64
(Python's floats), is computed in float32 and rounded once.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import ml_dtypes
import numpy as np

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def through_float32(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel for all dtypes; the last array's tells which it is."""

    @wraps(kernel)
    def run(*arrays: Any, **settings: Any) -> Any:
        if arrays[-1].dtype != BFLOAT16:
            return kernel(*arrays, **settings)
        result = kernel(*[_wide(one) for one in arrays], **settings)
        return [_narrow(one) for one in result] if type(result) is list else _narrow(result)

    return run


def _wide(array: Any) -> Any:
    return array.astype(np.float32) if getattr(array, "dtype", None) == BFLOAT16 else array


def _narrow(array: Any) -> Any:
    return array.astype(BFLOAT16) if array.dtype == np.float32 else array
