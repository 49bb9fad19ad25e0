"""Making tensors and placing them."""

from typing import Any

import tensorflow as tf

from unigrad.core.dtypes import ALL

_DTYPES = {dtype: getattr(tf, dtype.name) for dtype in ALL}


def to_device(x: tf.Tensor, device: str) -> tf.Tensor:
    """The tensor on another device."""
    kind, _, index = device.partition(":")
    with tf.device(f"/{kind.upper()}:{index or 0}"):
        return tf.identity(x)


def full(shape: tuple[int, ...], value: Any, dtype: Any) -> tf.Tensor:
    """A filled tensor."""
    return tf.fill(shape, tf.constant(value, _DTYPES[dtype]))


TABLE = {
    "full": full,
    "full_like": lambda x, value: tf.fill(
        tf.shape(x), tf.constant(bool(value) if x.dtype == tf.bool else value, x.dtype)
    ),
    "to_device": to_device,
}
