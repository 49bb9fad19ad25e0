"""Optimizer steps as one graph each: eager TensorFlow would pay for every small op."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import tensorflow as tf

from unigrad.optimizers.updates import columns


def whole(numbers: int, body: Callable[..., Any]) -> Callable[..., Any]:
    """Run a kernel as one graph, or as part of the graph being built.

    After the step it takes so many numbers, in float64 so that another value is another input.
    """
    program = tf.function(body)

    def run(step: Any, *rest: Any) -> Any:
        given = (step, *map(_wide, rest[:numbers]), *rest[numbers:])
        if not tf.executing_eagerly():
            return body(*given)
        return list(program(*given))

    return run


@lru_cache(maxsize=256)
def _constant(number: float) -> Any:
    with tf.init_scope():
        return tf.constant(number, tf.float64)


def _wide(number: Any) -> Any:
    """Return a number in float64."""
    # A Python number would become a float32 first.
    return _constant(number) if type(number) is float else tf.cast(number, tf.float64)


def adam_update(
    step: Any, rate: Any, beta1: Any, beta2: Any, epsilon: Any, *tensors: Any
) -> list[Any]:
    """The formula of `unigrad.optimizers.updates`, its scalars in float64."""
    parameters, gradients, first, second = columns(tensors, 2)
    time = tf.cast(step, tf.float64)
    correction = tf.sqrt(-tf.math.expm1(time * tf.math.log(beta2)))
    dtype = parameters[0].dtype
    scale = tf.cast(correction / -tf.math.expm1(time * tf.math.log(beta1)) * rate, dtype)
    floor = tf.cast(correction * epsilon, dtype)
    past1, now1, past2, now2 = (tf.cast(x, dtype) for x in (beta1, 1 - beta1, beta2, 1 - beta2))
    m = [past1 * m + now1 * g for m, g in zip(first, gradients, strict=True)]
    v = [past2 * v + now2 * (g * g) for v, g in zip(second, gradients, strict=True)]
    moved = [
        p - scale * mean / (tf.sqrt(square) + floor)
        for p, mean, square in zip(parameters, m, v, strict=True)
    ]
    return [*moved, *m, *v]


TABLE: dict[str, Callable[..., Any]] = {"adam_update": whole(4, adam_update)}
