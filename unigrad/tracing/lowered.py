"""What `jit` has compiled, to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from unigrad.tracing import straight
from unigrad.tracing.graph import Graph
from unigrad.tracing.passes import simplified
from unigrad.tracing.program import Program, Trace
from unigrad.tracing.signature import Call, given_value, is_input, number_kind


@dataclass(frozen=True, slots=True)
class Lowered:
    """A compiled function for one signature. Printed, it is both of its texts.

    Attributes:
        graph: its ops, as unigrad records them, with the variables that it reads and writes.
        text: the program in the library's own language: a jaxpr with its StableHLO, the code of an
            fx graph, a TensorFlow graph; on NumPy the ops that are run, fused ones among them.
    """

    graph: Graph
    text: str
    #: The arguments' structure, and of each leaf its kind and what it must be: a "tensor", a
    #: "number" of a type's name, or "static" and its value.
    arguments: tuple[Any, Sequence[tuple[str, Any]]] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.graph}\n\n{self.text}"


def lowered(program: Program, function: Callable[..., Any], call: Call) -> Lowered:
    """Return the texts of a program that was compiled for a call."""
    trace = Trace(call.signature[0], function, call)
    found = straight.trace(trace.backend, trace.run, [one._native for one in call.inputs]).graph
    count, written = len(call.inputs), len(trace.writes)
    kept = [None if place else (x,) for place, x in trace.leaves]
    graph = replace(
        found,
        result=(trace.structure, kept),
        inputs=found.inputs[:count],
        outputs=found.outputs[written:],
        variables=dict(zip(found.inputs[count:], trace.reads, strict=True)),
        writes=list(zip(trace.writes.values(), found.outputs[:written], strict=True)),
    )
    leaves = [_argument(one) for one in call.leaves]
    return Lowered(simplified(graph), program.show(), (call.structure, leaves))


def _argument(leaf: Any) -> tuple[str, Any]:
    kind = number_kind(leaf)
    if kind is not None:
        return "number", kind.__name__
    return ("tensor", None) if is_input(leaf) else ("static", given_value(leaf))
