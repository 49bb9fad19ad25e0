"""Raw ops by the shortest path.

``tf.add`` spends half of its time in argument checks that the front end has done already, and
``tf.raw_ops.AddV2`` a microsecond in wrappers. In eager mode ops are therefore handed to the
runtime directly; what it does not take, and everything in graphs, goes to ``tf.raw_ops``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.private import eager_context, execute, not_at_once
from unigrad_tensorflow.settings import kept


def _at_length(
    name: str, inputs: Sequence[str], given: Sequence[Any], attributes: Mapping[str, Any]
) -> Any:
    """Run an op by ``tf.raw_ops``, which builds graphs and says what is wrong."""
    return getattr(tf.raw_ops, name)(**dict(zip(inputs, given, strict=True)), **attributes)


def unary(name: str, input: str = "x") -> Callable[[Any], Any]:
    """Return the raw op of one tensor, whose parameter has this name, as a function."""

    def run(x: Any) -> Any:
        context = eager_context()
        if context is not None:
            try:
                return execute(context, name, None, x)
            except not_at_once:
                pass
        return _at_length(name, (input,), (x,), {})

    return run


def binary(
    name: str,
    first: str = "x",
    second: str = "y",
    of_bools: Callable[[Any, Any], Any] | None = None,
    **attributes: Any,
) -> Callable[[Any, Any], Any]:
    """Return the raw op of two tensors, or a tensor and a Python scalar, as a function.

    ``of_bools`` is what takes its place for two tensors of bools.
    """
    flat = _flat(attributes)

    def now(context: Any, x: Any, y: Any) -> Any:
        # The first input alone decides the dtype.
        if type(x) is float or type(x) is int:
            x = tf.constant(x, y.dtype)
        if context is not None:
            try:
                return execute(context, name, None, x, y, *flat)
            except not_at_once:
                pass
        if of_bools is not None and _are_bools(x, y):
            return of_bools(x, y)
        return _at_length(name, (first, second), (x, y), attributes)

    def run(x: Any, y: Any) -> Any:
        return now(eager_context(), x, y)

    AT_ONCE[run] = now
    return run


def _are_bools(x: Any, y: Any) -> bool:
    return getattr(x, "dtype", None) == tf.bool and getattr(y, "dtype", None) == tf.bool


def raw(name: str, *inputs: str, keeps: int = 0, **attributes: Any) -> Callable[..., Any]:
    """Return a raw op as a function of its inputs, in the order of these parameters.

    The last ``keeps`` inputs are Python ints or tuples of ints. ``attributes`` are fixed.
    """
    flat = _flat(attributes)
    tensors = len(inputs) - keeps

    def run(*given: Any) -> Any:
        context = eager_context()
        if keeps:
            # Without a dtype an empty tuple would be one of floats.
            fixed = map(_constant if context is None else kept, given[tensors:])
            given = (*given[:tensors], *fixed)
        if context is not None:
            try:
                return execute(context, name, None, *given, *flat)
            except not_at_once:
                pass
        return _at_length(name, inputs, given, attributes)

    return run


def _constant(values: int | tuple[int, ...]) -> Any:
    return np.array(values, np.int32)


def _flat(attributes: Mapping[str, Any]) -> list[Any]:
    return [part for pair in attributes.items() for part in pair]


#: For some of the functions made here, what they do once it is known in which context.
AT_ONCE: dict[Callable[..., Any], Callable[..., Any]] = {}
