"""`ug.jit` on TensorFlow: one graph function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from unigrad.core.backend import Lift
from unigrad.core.programs import Program
from unigrad_tensorflow.private import could_possibly_record, executing_eagerly


class TensorflowProgram(Program):
    """A concrete function, and the inputs that it was given on the way."""

    def __init__(
        self,
        concrete: Any,
        examples: Sequence[tf.TensorSpec],
        lifted: Sequence[tf.TensorSpec],
        xla: bool,
    ) -> None:
        self._concrete = concrete
        self._examples = examples
        self._lifted = lifted
        self._xla = xla
        self._compiled: Any = None

    def compile(self) -> Callable[..., Sequence[Any]]:
        count = len(self._examples)
        constants = self._concrete.graph.external_captures

        def run(*natives: Any) -> Any:
            self._concrete.set_external_captures([*constants, *natives[count:]])
            return self._concrete(*natives[:count])

        graph = tf.function(run, autograph=False, jit_compile=self._xla)
        self._compiled = graph.get_concrete_function(*self._examples, *self._lifted)
        return _quick_call(self._compiled)

    def show(self) -> str:
        return str(self._compiled.graph.as_graph_def())


def _quick_call(compiled: Any) -> Callable[..., Sequence[Any]]:
    """Return a concrete function as one op: its own call looks at every argument in Python.

    Where somebody else records or traces, TensorFlow's own call tells them; it also says what is
    wrong with an array of a trace that is over.
    """
    eager = {type(tf.constant(0.0))}
    captured = list(compiled.captured_inputs)
    dtypes = [one.dtype for one in compiled.outputs]
    call = tf.raw_ops.StatefulPartitionedCall

    def run(*natives: Any) -> Sequence[Any]:
        found: Sequence[Any]
        given = [*natives, *captured]
        plain = eager.issuperset(map(type, given)) and executing_eagerly()
        if not plain or not dtypes or could_possibly_record():
            found = compiled(*natives)
        else:
            found = call(args=given, Tout=dtypes, f=compiled)
        return found

    return run


def trace(
    function: Callable[..., Sequence[Any]], examples: Sequence[Any], options: Mapping[str, Any]
) -> Program:
    """Trace a function of tensors to a graph, once.

    Option ``jit_compile``: compile with XLA (default False: XLA takes seconds to compile).
    """
    specs = [tf.TensorSpec(one.shape, one.dtype) for one in examples]
    lifted: list[tf.TensorSpec] = []

    def run(*natives: Any) -> Any:
        lifted.clear()
        return function(_lift_into(tf.compat.v1.get_default_graph(), lifted), *natives)

    concrete = tf.function(run, autograph=False).get_concrete_function(*specs)
    return TensorflowProgram(concrete, specs, lifted, bool(options.get("jit_compile", False)))


def _lift_into(graph: Any, lifted: list[tf.TensorSpec]) -> Lift:
    """Return a function that gives a graph one more input; it keeps what these are like."""

    def lift(native: Any) -> Any:
        spec = tf.TensorSpec(native.shape, native.dtype)
        lifted.append(spec)
        return graph.capture_call_time_value(_no_value, spec)

    return lift


def _no_value() -> Any:
    """Stand for an input that is given only where the graph is put into a program."""
    raise AssertionError("a graph was called without its inputs")
