"""Matrix products."""

import tensorflow as tf


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
    "einsum": lambda *operands, equation: tf.einsum(equation, *operands),
}
