"""Matrix products."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def _of_any_integers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a product that TensorFlow has for int32 and int64, for all integers.

    The low bits of sums of products in int64 are those of the narrower dtype.
    """

    def run(*operands: Any, **settings: Any) -> Any:
        dtype = operands[0].dtype
        if not dtype.is_integer or dtype in (tf.int32, tf.int64):
            return function(*operands, **settings)
        wide = [tf.cast(x, tf.int64) for x in operands]
        return tf.cast(function(*wide, **settings), dtype)

    return run


@_of_any_integers
def matmul(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Multiply matrices; a vector gets its missing axis and loses it again."""
    if x.shape.rank == 2 and y.shape.rank == 2:
        return tf.raw_ops.MatMul(a=x, b=y)
    if x.shape.rank == 1 and y.shape.rank == 1:
        return tf.tensordot(x, y, 1)
    if x.shape.rank == 1:
        return tf.squeeze(tf.matmul(x[None, :], y), -2)
    if y.shape.rank == 1:
        return tf.squeeze(tf.matmul(x, y[:, None]), -1)
    return tf.matmul(x, y)


def linear(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """BiasAdd has a cheaper derivative than a sum that broadcasts."""
    if x.shape.rank == 2 and x.dtype.is_floating:
        return tf.raw_ops.BiasAdd(value=tf.raw_ops.MatMul(a=x, b=kernel), bias=bias)
    return matmul(x, kernel) + bias


TABLE = {
    "matmul": matmul,
    "linear": linear,
    "einsum": _of_any_integers(lambda *operands, equation: tf.einsum(equation, *operands)),
}
