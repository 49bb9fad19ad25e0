"""Elementwise kernels: raw ops where they are faster than the public function and equal to it."""

import tensorflow as tf

from unigrad.core.dtypes import ALL
from unigrad_tensorflow.raw import binary, unary

_DTYPES = {d: getattr(tf, d.name) for d in ALL}


def _device(name: str) -> str:
    kind, _, index = name.partition(":")
    return f"/{kind.upper()}:{index or 0}"


def _to_device(x: tf.Tensor, device: str) -> tf.Tensor:
    with tf.device(_device(device)):
        return tf.identity(x)


TABLE = {
    "add": binary("AddV2"),
    "subtract": binary("Sub"),
    "multiply": binary("Mul"),
    "divide": binary("RealDiv"),
    "negative": unary("Neg"),
    "exp": unary("Exp"),
    "log": unary("Log"),
    "sin": unary("Sin"),
    "cos": unary("Cos"),
    "tanh": unary("Tanh"),
    "greater": binary("Greater"),
    "astype": lambda x, dtype: tf.cast(x, _DTYPES[dtype]),
    "full_like": lambda x, value: tf.fill(tf.shape(x), tf.constant(value, x.dtype)),
    "to_device": _to_device,
}

SCALAR_OPS = frozenset({"add", "subtract", "multiply", "divide", "greater"})
