"""`ug.jit` on TensorFlow: one graph function of the inputs that matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from unigrad.core.backend import Program


class TensorflowProgram(Program):
    """A concrete function of all possible inputs."""

    def __init__(self, concrete: Any, specs: Sequence[tf.TensorSpec], xla: bool) -> None:
        self._concrete = concrete
        self._specs = specs
        self._xla = xla

    def compile(self, used: Sequence[int]) -> Callable[..., Sequence[Any]]:
        places = {position: i for i, position in enumerate(used)}

        def run(*natives: Any) -> Any:
            # The other inputs are read by nothing; the graph optimizer drops them.
            full = [
                natives[places[i]] if i in places else tf.zeros(spec.shape, spec.dtype)
                for i, spec in enumerate(self._specs)
            ]
            return self._concrete(*full)

        graph = tf.function(run, autograph=False, jit_compile=self._xla)
        compiled: Callable[..., Sequence[Any]] = graph.get_concrete_function(
            *[self._specs[i] for i in used]
        )
        return compiled


def trace(
    function: Callable[..., Sequence[Any]], examples: Sequence[Any], options: Mapping[str, Any]
) -> Program:
    """Trace a function of tensors to a graph, once.

    Option ``jit_compile``: compile with XLA (default False: XLA takes seconds to compile).
    """
    specs = [tf.TensorSpec(one.shape, one.dtype) for one in examples]
    graph = tf.function(function, autograph=False)
    return TensorflowProgram(
        graph.get_concrete_function(*specs), specs, bool(options.get("jit_compile", False))
    )
