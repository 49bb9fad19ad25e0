"""A compiled function that is called while somebody records: compiled there too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from unigrad.core import recorders, tree
from unigrad.core.backend import Backend
from unigrad.core.copying import own_handles
from unigrad.core.exchanging import exchange
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.functions.closures import is_followed, told_of_closures
from unigrad.functions.function_op import FunctionOp
from unigrad.tracing import straight
from unigrad.tracing.graph_function import GraphFunction, stand_in
from unigrad.tracing.program import MOST_TRACES, Closing, Trace, makes_variables
from unigrad.tracing.signature import Call


class RecordedTrace(Trace):
    """The trace of a function whose callers differentiate it: assignments have no derivative.

    A variable that is read after an assignment holds the value assigned, and is the variable itself
    to whoever differentiates by it, as it is where nothing is compiled.
    """

    def write(self, variable: Variable, tensor: Tensor) -> None:
        """Take the traced value that a variable is assigned."""
        if variable.inexact:
            with recorders.only([]):
                (tensor,) = _assigned(tensor, self.read(variable))
        super().write(variable, tensor)


#: The first of two tensors, with the derivative of the second: a value and the variable it is in.
_assigned = FunctionOp(
    "assigned",
    lambda value, variable: (value,),
    lambda cotangents, outputs, inputs: (None, cotangents[0]),
    lambda tangents, outputs, inputs: (tangents[1],),
)
_assigned.cut = (0,)


class RecordedProgram:
    """What one trace was captured to, as a function that recorders see as one op."""

    def __init__(
        self,
        function: GraphFunction,
        trace: RecordedTrace,
        backend: Backend,
        outside: Sequence[Tensor],
    ) -> None:
        self.dependencies = trace.dependencies
        self.limits = trace.limits
        self._function = function
        self._reads = trace.reads
        self._writes = list(trace.writes.values())
        self._structure = trace.structure
        self._leaves = trace.leaves
        self._outside = [*outside, *trace.dependencies.tensors]

    @property
    def closes(self) -> bool:
        """Whether a tensor that it has as a constant is one that somebody follows now."""
        return any(map(is_followed, self._outside))

    def __call__(self, inputs: Sequence[Tensor]) -> Any:
        """Run on the function's inputs and on what its variables hold; return its result."""

        def compute(_: Sequence[Tensor] = ()) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
            values = [variable.__unigrad_tensor__() for variable in self._reads]
            outputs = self._function([*inputs, *values])
            return outputs[: len(self._writes)], outputs

        outputs = exchange(self._writes, compute) if self._writes else compute()[1]
        found = [outputs[x] if place else x for place, x in self._leaves]
        return own_handles(tree.unflatten(self._structure, found))


def recorded(
    function: Callable[..., Any], call: Call, options: Mapping[str, Any]
) -> RecordedProgram | Closing:
    """Capture a function, again if it made variables.

    Raises:
        TracingError: when the function makes new variables however often it is traced.
    """
    backend: Backend = call.signature[0]
    examples = [tensor._native for tensor in call.inputs]
    name = getattr(function, "__name__", "jit")
    for _ in range(MOST_TRACES):
        trace = RecordedTrace(backend, function, call)
        taken: list[str] = []
        # What is made on the way must be real: a program of the library's may be being traced.
        with told_of_closures(taken.append), backend.init_scope():
            stand_ins = [stand_in(backend, one) for one in examples]
            traced = straight.trace(backend, trace.run, stand_ins)
        if trace.made_variables:
            continue
        trace.dependencies.settle()
        outside = [*traced.outside, *trace.passed]
        if taken or any(map(is_followed, outside)):
            return Closing(trace)
        made = GraphFunction(traced.graph, backend, options, name)
        return RecordedProgram(made, trace, backend, outside)
    raise makes_variables()
