"""The error function, its complement and its inverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad.core import inverse_error_function
from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.raw import of_dtypes, unary
from unigrad_tensorflow.whole import as_graph

#: Dtypes in which TensorFlow's functions know of all squares that they need.
_NARROW = (tf.float32, tf.float16, tf.bfloat16)


def _of_any(name: str) -> Callable[[Any], Any]:
    """Return TensorFlow's erf or erfc.

    They are NaN in double precision where x² is beyond it; from 28 on they are constant.
    """
    plain = unary(name)

    def of_others(x: Any) -> Any:
        if x.dtype is tf.float64:
            x = tf.raw_ops.ClipByValue(t=x, clip_value_min=-30.0, clip_value_max=30.0)
        return plain(x)

    return of_dtypes(_NARROW, name, of_others)


def _erfinv(x: Any) -> Any:
    """The inverse of erf, computed in double precision: TensorFlow's own is wrong around 0."""
    if x.dtype.is_complex:
        raise TypeError("complex numbers are not taken")
    wide = tf.cast(x, tf.float64)
    found = inverse_error_function.erfinv(wide, tf.math.log, tf.sqrt, tf.where)
    return tf.cast(found, x.dtype)


TABLE = {
    "erf": by_rule("erf", _of_any("Erf")),
    "erfc": by_rule("erfc", _of_any("Erfc")),
    "erfinv": by_rule("erfinv", as_graph(_erfinv)),
}
