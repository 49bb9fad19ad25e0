"""TensorFlow's own derivatives of a function of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from unigrad_tensorflow.bridge import conj

_Function = Callable[..., Sequence[Any]]


def vjp(
    function: _Function, primals: Sequence[Any]
) -> tuple[Sequence[Any], Callable[[Sequence[Any]], list[Any]]]:
    """Run a function; return its results and their pullback. See `Backend.vjp`."""
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        inputs = [tf.identity(x) for x in primals]
        sources = [x for x in inputs if _is_inexact(x)]
        tape.watch(sources)
        results = [tf.convert_to_tensor(one) for one in function(*inputs)]

    def pullback(cotangents: Sequence[Any]) -> list[Any]:
        pairs = [
            (result, conj(one))
            for result, one in zip(results, cotangents, strict=True)
            if one is not None and _is_inexact(result)
        ]
        if not pairs:
            return [None] * len(inputs)
        found = iter(
            tape.gradient(
                [result for result, _ in pairs],
                sources,
                output_gradients=[one for _, one in pairs],
            )
        )
        return [_dense(next(found)) if _is_inexact(x) else None for x in inputs]

    return results, pullback


def jvp(
    function: _Function, primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Sequence[Any], list[Any]]:
    """Run a function; return its results and their tangents. See `Backend.jvp`."""
    inputs = [tf.identity(x) for x in primals]
    moving = [i for i, one in enumerate(tangents) if one is not None]
    with tf.autodiff.ForwardAccumulator(
        [inputs[i] for i in moving], [tangents[i] for i in moving]
    ) as accumulator:
        results = [tf.convert_to_tensor(one) for one in function(*inputs)]
    return results, [accumulator.jvp(one) if _is_inexact(one) else None for one in results]


def _is_inexact(x: Any) -> bool:
    return bool(x.dtype.is_floating or x.dtype.is_complex)


def _dense(gradient: Any) -> Any:
    """Return a gradient as a tensor that carries what the rules carry."""
    return None if gradient is None else conj(tf.convert_to_tensor(gradient))
