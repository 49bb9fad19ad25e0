"""Optimizer steps as one graph each: eager TensorFlow would pay for every small op."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import tensorflow as tf

from unigrad.core.dispatch import wrap
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.optimizers.updates import UPDATES
from unigrad_tensorflow.private import traced_in_silence


def whole(numbers: int, body: Callable[..., Any]) -> Callable[..., Any]:
    """Run a kernel as one graph, or as part of the graph being built.

    After the step it takes so many numbers, in float64 so that another value is another input.
    """
    program = traced_in_silence(tf.function(body, autograph=False))

    def run(step: Any, *rest: Any, **settings: Any) -> Any:
        given = (step, *map(_wide, rest[:numbers]), *rest[numbers:])
        if not tf.executing_eagerly():
            return body(*given, **settings)
        return list(program(*given, **settings))

    return run


def body_of(name: str) -> Callable[..., list[Any]]:
    """Return an op's body as a function of TensorFlow's tensors."""

    def run(*natives: Any, **settings: Any) -> list[Any]:
        backend, body = load_backend("tensorflow"), OPS[name].body
        assert body is not None
        found = body(*[wrap(backend, native) for native in natives], **settings)
        return [one._native for one in found]

    return run


@lru_cache(maxsize=256)
def _constant(number: float) -> Any:
    with tf.init_scope():
        return tf.constant(number, tf.float64)


def _wide(number: Any) -> Any:
    """Return a number in float64."""
    # A Python number would become a float32 first.
    return _constant(number) if type(number) is float else tf.cast(number, tf.float64)


TABLE: dict[str, Callable[..., Any]] = {
    name: whole(numbers, body_of(name)) for name, numbers in UPDATES.items()
}
