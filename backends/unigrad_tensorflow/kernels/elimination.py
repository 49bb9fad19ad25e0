"""LU factors of any matrices, column by column: TensorFlow's are of square ones that have no zero
among their pivots."""

from typing import Any

import tensorflow as tf


def eliminated(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Eliminate column by column, the row of the largest pivot first (Doolittle)."""
    shape = x.shape
    m, n = shape[-2:]
    packed = tf.reshape(x, (-1, m, n))
    places = tf.range(m, dtype=tf.int64)
    order = tf.zeros(packed.shape[:-1], tf.int64) + places

    def step(k: Any, packed: Any, order: Any) -> Any:
        k64 = tf.cast(k, tf.int64)
        size = tf.abs(packed[:, :, k])
        # What is no number is the pivot: TensorFlow's maximum passes over it.
        size = tf.where(size != size, tf.cast(float("inf"), size.dtype), size)
        size = tf.where(places < k64, tf.cast(-1, size.dtype), size)
        pivot = tf.argmax(size, -1)[:, None]
        rows = tf.where(places == k64, pivot, tf.where(places == pivot, k64, places))
        packed = tf.gather(packed, rows, batch_dims=1)
        order = tf.gather(order, rows, batch_dims=1)
        head, column = packed[:, k, k][:, None, None], packed[:, :, k][:, :, None]
        factor = column / tf.where(head == 0, tf.ones_like(head), head)
        # Elsewhere nothing is added, nor 0 times what is no number.
        below, columns = (places > k64)[:, None], tf.range(n)
        rest = packed - factor * packed[:, k, :][:, None, :]
        packed = tf.where(below & (columns > k), rest, packed)
        packed = tf.where(below & (columns == k), factor, packed)
        return k + 1, packed, order

    _, packed, order = tf.while_loop(
        lambda k, *_: k < min(m, n), step, (tf.constant(0), packed, order)
    )
    return tf.reshape(packed, shape), tf.reshape(order, shape[:-1])
