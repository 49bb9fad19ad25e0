"""Raw ops by the shortest path.

``tf.add`` spends half of its time in argument checks that the front end has done already, and
``tf.raw_ops.AddV2`` a microsecond in wrappers. In eager mode ops are therefore handed to the
runtime directly; what it does not take, and everything in graphs, goes to ``tf.raw_ops``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.private import eager_context, execute, not_at_once
from unigrad_tensorflow.settings import kept, kept_number, width


def _at_length(
    name: str, inputs: Sequence[str], given: Sequence[Any], attributes: Mapping[str, Any]
) -> Any:
    """Run an op by ``tf.raw_ops``, which builds graphs and says what is wrong."""
    return getattr(tf.raw_ops, name)(**dict(zip(inputs, given, strict=True)), **attributes)


#: Makes a function that runs an op at once, unless the first of its arguments says that something
#: records; that, and what the runtime does not take, goes to the second.
Maker: TypeAlias = Callable[[Callable[[], bool], Callable[..., Any]], Callable[..., Any]]

#: Of the functions made here, for those who ask who records: one call is faster than two.
MAKERS: dict[Callable[..., Any], Maker] = {}


def _made(make: Maker, long_way: Callable[..., Any]) -> Callable[..., Any]:
    """Return a raw op, which tells tapes of itself: ``bool()`` is the quickest way to say no."""
    run = make(bool, long_way)
    MAKERS[run] = make
    return run


def unary(name: str, input: str = "x") -> Callable[[Any], Any]:
    """Return the raw op of one tensor, whose parameter has this name, as a function."""

    def long_way(x: Any) -> Any:
        return _at_length(name, (input,), (x,), {})

    def make(records: Callable[[], bool], otherwise: Callable[..., Any]) -> Callable[..., Any]:
        def run(x: Any) -> Any:
            context = eager_context()
            if context is not None and not records():
                try:
                    return execute(context, name, None, x)
                except not_at_once:
                    pass
            return otherwise(x)

        return run

    return _made(make, long_way)


def of_floats(name: str, of_others: Callable[[Any], Any], input: str = "x") -> Callable[[Any], Any]:
    """Return the raw op of one tensor for real floating ones; all others go elsewhere."""
    return of_dtypes(_FLOATS, name, of_others, input)


def of_dtypes(
    dtypes: Sequence[Any], name: str, of_others: Callable[[Any], Any], input: str = "x"
) -> Callable[[Any], Any]:
    """Return the raw op of one tensor for those of these dtypes; all others go elsewhere."""
    commonest, taken = dtypes[0], dict.fromkeys(dtypes, True)

    def long_way(x: Any) -> Any:
        return _at_length(name, (input,), (x,), {}) if x.dtype in taken else of_others(x)

    def make(records: Callable[[], bool], otherwise: Callable[..., Any]) -> Callable[..., Any]:
        def run(x: Any) -> Any:
            dtype = x.dtype
            # To hash a dtype takes longer than to compare the commonest.
            if dtype is commonest or dtype in taken:
                context = eager_context()
                if context is not None and not records():
                    try:
                        return execute(context, name, None, x)
                    except not_at_once:
                        pass
            return otherwise(x)

        return run

    return _made(make, long_way)


_FLOATS = (tf.float32, tf.float64, tf.float16, tf.bfloat16)


def binary(
    name: str,
    first: str = "x",
    second: str = "y",
    of_others: Callable[[Any, Any], Any] | None = None,
    **attributes: Any,
) -> Callable[[Any, Any], Any]:
    """Return the raw op of two tensors, or a tensor and a Python scalar, as a function.

    ``of_others`` is asked in graphs, and where the op refuses: it gives the result for dtypes that
    the op does not take, and ``None`` for those that it takes.
    """
    flat = _flat(attributes)

    def long_way(x: Any, y: Any) -> Any:
        if of_others is not None:
            found = of_others(x, y)
            if found is not None:
                return found
        return _at_length(name, (first, second), (_beside(x, y), y), attributes)

    def make(records: Callable[[], bool], otherwise: Callable[..., Any]) -> Callable[..., Any]:
        def run(x: Any, y: Any) -> Any:
            context = eager_context()
            if context is not None and not records():
                if type(x) is float or type(x) is int:
                    # The first input alone decides the dtype.
                    x = kept_number(x, y.dtype)
                try:
                    if flat:
                        return execute(context, name, None, x, y, *flat)
                    return execute(context, name, None, x, y)
                except not_at_once:
                    pass
            return otherwise(x, y)

        return run

    return _made(make, long_way)


def _beside(x: Any, y: Any) -> Any:
    """Return a Python scalar as a tensor of another one's dtype."""
    return tf.constant(x, y.dtype) if type(x) is float or type(x) is int else x


def for_bools(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a function of bools as an ``of_others`` of `binary`."""
    return lambda x, y: function(x, y) if _are_bools(x, y) else None


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

    _RAW[run] = name, flat
    return run


#: The names and attributes of what `raw` made.
_RAW: dict[Callable[..., Any], tuple[str, list[Any]]] = {}


def settled(op: Callable[..., Any], *values: Any) -> Callable[[Any], Any]:
    """Return a function that `raw` made, of one tensor and these settings, as one of the tensor.

    The settings are Python's, ints and tuples of ints, and turned into tensors here, once: one made
    before might belong to a graph that is traced just now.
    """
    name, flat = _RAW[op]
    if any(isinstance(one, tf.Tensor) for one in values):
        raise TypeError(f"{name}: settings that are kept are Python's, not tensors")
    tail = [kept(one) if type(one) in (int, tuple) else one for one in values] + flat

    def run(x: Any) -> Any:
        context = eager_context()
        if context is not None:
            try:
                return execute(context, name, None, x, *tail)
            except not_at_once:
                pass
        return op(x, *values)

    return run


#: From kernels to functions that take their settings and give a kernel for just these.
BINDERS: dict[Callable[..., Any], Callable[..., Callable[..., Any]]] = {}


def _constant(values: int | tuple[int, ...]) -> Any:
    dtype = width((values,) if isinstance(values, int) else values)
    return np.array(values, dtype.as_numpy_dtype)


def _flat(attributes: Mapping[str, Any]) -> list[Any]:
    return [part for pair in attributes.items() for part in pair]
