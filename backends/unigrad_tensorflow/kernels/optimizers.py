"""Optimizer steps as one graph each: eager TensorFlow would pay for every small op."""

from collections.abc import Callable
from functools import cache
from typing import Any

import tensorflow as tf

from unigrad.optimizers.updates import columns, log_of


def whole(body: Callable[..., Any]) -> Callable[..., Any]:
    """Run a kernel as one graph per settings, or as part of the graph being built."""

    @cache
    def program(settings: tuple[tuple[str, Any], ...]) -> Any:
        return tf.function(lambda *tensors: body(*tensors, **dict(settings)))

    def run(*tensors: Any, **settings: Any) -> Any:
        if not tf.executing_eagerly():
            return body(*tensors, **settings)
        return list(program(tuple(settings.items()))(*tensors))

    return run


def adam_update(
    step: Any,
    *tensors: Any,
    learning_rate: float | None,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> list[Any]:
    """The formula of `unigrad.optimizers.updates`, its scalars in float64."""
    rate, (parameters, gradients, first, second) = columns(tensors, 2, learning_rate)
    time = tf.cast(step, tf.float64)
    correction = tf.sqrt(-tf.math.expm1(time * log_of(beta2)))
    dtype = parameters[0].dtype
    factor = correction / -tf.math.expm1(time * log_of(beta1))
    # A Python number would become a float32 first.
    scale = tf.cast(
        factor * (rate if learning_rate is not None else tf.cast(rate, tf.float64)), dtype
    )
    floor = tf.cast(correction * epsilon, dtype)
    m = [beta1 * m + (1 - beta1) * g for m, g in zip(first, gradients, strict=True)]
    v = [beta2 * v + (1 - beta2) * (g * g) for v, g in zip(second, gradients, strict=True)]
    moved = [
        p - scale * mean / (tf.sqrt(square) + floor)
        for p, mean, square in zip(parameters, m, v, strict=True)
    ]
    return [*moved, *m, *v]


TABLE: dict[str, Callable[..., Any]] = {"adam_update": whole(adam_update)}
