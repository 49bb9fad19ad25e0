"""Making tensors and placing them."""

from math import copysign
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.core.dtypes import ALL
from unigrad_tensorflow.raw import unary
from unigrad_tensorflow.settings import setting

_DTYPES = {dtype: getattr(tf, dtype.name) for dtype in ALL}


def device_of(name: str) -> str:
    """TensorFlow's own name of a device whose name `Backend.place` gave."""
    return "/CPU:0" if name == "cpu" else f"/{name.upper()}"


def to_device(x: tf.Tensor, device: str) -> tf.Tensor:
    """The tensor on another device."""
    with tf.device(device_of(device)):
        return tf.identity(x)


def _constant(value: Any, dtype: Any) -> tf.Tensor:
    """A scalar. TensorFlow keeps one tensor for the numbers 0.0 and -0.0, but not for arrays."""
    return tf.constant(np.asarray(value, dtype.as_numpy_dtype) if value == 0 else value, dtype)


def full(shape: tuple[int, ...], value: Any, dtype: Any) -> tf.Tensor:
    """A filled tensor."""
    return tf.raw_ops.Fill(dims=setting(shape), value=_constant(value, _DTYPES[dtype]))


def full_like(x: tf.Tensor, value: Any) -> tf.Tensor:
    """A filled tensor of another's shape and dtype."""
    if value == 0 and not isinstance(value, complex) and copysign(1.0, value) > 0.0:
        return _zeros_like(x)
    if value == 1 and not isinstance(value, complex):
        return _ones_like(x)
    shape = setting(tuple(x.shape)) if x.shape.is_fully_defined() else tf.shape(x)
    return tf.fill(shape, _constant(bool(value) if x.dtype == tf.bool else value, x.dtype))


_zeros_like, _ones_like = unary("ZerosLike"), unary("OnesLike")

TABLE = {
    "full": full,
    "full_like": full_like,
    "to_device": to_device,
}
