"""Matrix products."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad_tensorflow.kernels.elementwise import multiply
from unigrad_tensorflow.kernels.shaping import reshape


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
    if not (x.shape.rank and y.shape.rank):
        raise ValueError("a 0-d tensor is no matrix")
    if x.shape.rank == 1 and y.shape.rank == 1:
        return tf.tensordot(x, y, 1)
    if x.shape.rank == 1:
        return tf.squeeze(tf.matmul(x[None, :], y), -2)
    if y.shape.rank == 1:
        return tf.squeeze(matmul(x, y[:, None]), -1)
    if y.shape.rank == 2 and x.shape.is_fully_defined():
        rows, inner = math.prod(x.shape[:-1]), x.shape[-1]
        flat = tf.raw_ops.MatMul(a=tf.reshape(x, (rows, inner)), b=y)
        return tf.reshape(flat, (*x.shape[:-1], y.shape[-1]))
    if x.shape.is_fully_defined() and y.shape.is_fully_defined():
        x, y = _of_one_batch(x, y)
    return tf.matmul(x, y)


def _of_one_batch(x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return stacks of matrices of one shape.

    TensorFlow's own broadcast writes beyond its memory where an axis of both has length one
    (2.21: (64, 1, 5, 32) @ (1, 1, 32, 1)).
    """
    if x.shape[:-2] == y.shape[:-2]:
        return x, y
    batch = tf.broadcast_static_shape(x.shape[:-2], y.shape[:-2])
    return (
        tf.broadcast_to(x, batch + x.shape[-2:]),
        tf.broadcast_to(y, batch + y.shape[-2:]),
    )


def linear(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """BiasAdd has a cheaper derivative than a sum that broadcasts."""
    if x.shape.rank == 2 and x.dtype.is_floating:
        return tf.raw_ops.BiasAdd(value=tf.raw_ops.MatMul(a=x, b=kernel), bias=bias)
    return matmul(x, kernel) + bias


def einsum(*operands: tf.Tensor, equation: str) -> tf.Tensor:
    """Sum products; ``tf.einsum`` seeks an order for more than two operands."""
    if len(operands) > 2:
        return tf.einsum(equation, *operands)
    return tf.raw_ops.Einsum(inputs=operands, equation=equation)


def outer(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """A column times a row."""
    column, row = x.shape.num_elements(), y.shape.num_elements()
    return multiply(reshape(x, (column, 1)), y if y.shape.rank == 1 else reshape(y, (row,)))


TABLE = {
    "matmul": matmul,
    "outer": outer,
    "linear": linear,
    "einsum": _of_any_integers(einsum),
}
