"""Many ops as one: what is called again and again runs as a graph function, called by its name.

A composite, and a kernel of many of TensorFlow's ops, takes some 10 µs an op in eager mode. A graph
of it takes some 15 µs, and 0.3 more an op. It is made at a later call with inputs of the same
shapes and dtypes and the same settings, and TensorFlow's optimiser is kept from changing its ops:
the values are those of the first calls, bit for bit.

In a graph nobody can look at values. A function that tries to is left as it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from unigrad.core.dtypes import default_dtype
from unigrad.core.plans import Plans
from unigrad_tensorflow.private import (
    could_possibly_record,
    eager_context,
    run_function,
    shape_tuple,
)

#: At which call of a kind a graph is made: tracing takes as long as some ten calls.
CALLS = 12
#: How many kinds of calls of a composite are remembered.
GRAPHS = 256

#: An eager tensor.
_Eager = type(tf.constant(0.0))
_PLAIN = frozenset((int, bool, str, type(None), float, tuple))


def _unchanged() -> bytes:
    """Return the settings of a run that leave a graph's ops as they are."""
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    serialized: bytes = config.SerializeToString()
    return serialized


_ATTRIBUTES = ("config_proto", _unchanged())


class _Trial(threading.local):
    """Whether this thread makes a graph here, and whether that one asked for values."""

    running = False
    looked = False


_trial = _Trial()


def looked() -> None:
    """Hear that somebody would look at a value, and cannot while a graph is made."""
    _trial.looked = True


class Graphs(Plans):
    """Graphs by inputs and settings: how often one was called for, the graph, or ``False``."""

    def keep(self, key: Hashable, plan: Any) -> Any:
        if len(self) >= GRAPHS:
            self.clear()
        return super().keep(key, plan)

    def of(
        self,
        function: Callable[..., Any],
        natives: Sequence[Any],
        settings: Mapping[str, Any],
    ) -> Callable[[Sequence[Any]], Any] | None:
        """Return a graph of ``function(*natives)``; ``None`` where it is to be called itself."""
        if _trial.running or could_possibly_record() or eager_context() is None:
            return None
        # What becomes of integers depends on it.
        key: list[Any] = [default_dtype()]
        for x in natives:
            if type(x) is not _Eager:
                return None
            key += x._datatype_enum(), shape_tuple(x)
        for setting, value in settings.items():
            if type(value) not in _PLAIN:
                return None
            # 1, 1.0 and True are one key to a dictionary, and so are 0.0 and -0.0.
            key += setting, repr(value)
        kept = tuple(key)
        found = self.get(kept, 0)
        if type(found) is int:
            if found < CALLS:
                self.keep(kept, found + 1)
                return None
            found = self.keep(kept, graph_of(function, natives))
        return found or None


def graph_of(function: Callable[..., Any], natives: Sequence[Any]) -> Any:
    """Return a function of tensors as one of its graph; ``False`` where it looks at values."""
    specs = [tf.TensorSpec(x.shape, x.dtype) for x in natives]
    single = True

    def traced(*xs: Any) -> list[Any]:
        nonlocal single
        found = function(*xs)
        single = isinstance(found, tf.Tensor)
        return [found] if single else [*found]

    _trial.running, _trial.looked = True, False
    try:
        concrete = tf.function(traced, autograph=False).get_concrete_function(*specs)
    except Exception:
        # What is wrong with it, or what a graph does not take, is said by the function itself.
        return False
    finally:
        _trial.running = False
    if _trial.looked:
        return False
    count, captured = len(concrete.outputs), list(concrete.captured_inputs)
    name = concrete.inference_fn.name.decode()

    def run(natives: Sequence[Any]) -> Any:
        handle = eager_context()._handle
        given = [*natives, *captured]
        found = run_function(handle, natives[0].device, name, given, _ATTRIBUTES, count)
        return found[0] if single else tuple(found)

    # The function is there as long as this is.
    run.concrete = concrete  # type: ignore[attr-defined]
    return run


def as_graph(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel of many ops that runs as a graph where it can. Tapes do not see inside."""
    graphs = Graphs()

    def run(*natives: Any, **settings: Any) -> Any:
        graph = graphs.of(partial(kernel, **settings), natives, settings)
        return kernel(*natives, **settings) if graph is None else graph(natives)

    return run
