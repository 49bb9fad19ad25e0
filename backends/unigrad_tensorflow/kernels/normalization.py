"""Rows of zero mean and unit variance."""

from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.kernels.reductions import axes_of

#: Between these a variance has lost nothing that counts.
_SAFE = {np.dtype("f4"): (2.0**-80, 2.0**120), np.dtype("f8"): (2.0**-800, 2.0**1000)}
_in_units = body_of("tensorflow", "normalized")
_raw = tf.raw_ops


def _is_ordinary(mean: Any, variance: Any) -> bool:
    """Tell whether variances are in range, and beyond what the rounding of means can make."""
    if not mean.size:
        return False
    low, high = _SAFE[mean.dtype]
    rounding = 64.0 * float(np.finfo(mean.dtype).eps) * float(np.abs(mean).max())
    return bool(
        max(low, rounding * rounding) < variance.min().item() and variance.max().item() < high
    )


def _normalized(x: Any, epsilon: float) -> Any:
    """The formula as it is, where there are values to tell that it keeps to the range."""
    if x.dtype in (tf.float32, tf.float64) and hasattr(x, "numpy") and "CPU" in x.device:
        last = axes_of(x, (x.shape.rank - 1,))
        mean = _raw.Mean(input=x, axis=last, keep_dims=True)
        deviation = x - mean
        variance = _raw.Mean(input=_raw.Square(x=deviation), axis=last, keep_dims=True) + epsilon
        if _is_ordinary(mean.numpy(), variance.numpy()):
            return deviation * _raw.Rsqrt(x=variance)
    return _in_units(x, epsilon=epsilon)


TABLE = {"normalized": _normalized}
