"""Softmax cross-entropy from integer labels."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_LABELS = (tf.int32, tf.int64)


def crossentropy(logits: Any, labels: Any) -> Any:
    """TensorFlow's fused op, which takes matrices of logits and signed labels."""
    if labels.dtype not in _LABELS:
        labels = tf.cast(labels, tf.int64)
    if logits.shape.rank == 2:
        return _raw(features=logits, labels=labels)[0]
    rows = tf.reshape(logits, (-1, logits.shape[-1]))
    return tf.reshape(_raw(features=rows, labels=tf.reshape(labels, (-1,)))[0], labels.shape)


_raw = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits

TABLE: dict[str, Callable[..., Any]] = {"sparse_softmax_crossentropy": crossentropy}
