"""Elementwise raw ops by the shortest path.

``tf.add`` spends half of its time in argument checks that the front end has done already.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def unary(name: str) -> Callable[[Any], Any]:
    """Return the raw op of one tensor as a function."""
    op = getattr(tf.raw_ops, name)
    return lambda x: op(x=x)


def binary(name: str) -> Callable[[Any, Any], Any]:
    """Return the raw op of two tensors as a function."""
    op = getattr(tf.raw_ops, name)

    def run(x: Any, y: Any) -> Any:
        # Inside a tf.function the first input alone decides the dtype.
        if type(x) is float or type(x) is int:
            x = tf.constant(x, y.dtype)
        return op(x=x, y=y)

    return run
