"""Splitting a graph in two: what can be run before some of its inputs are known, and the rest.

What a linear or a backward pass needs of the forward pass is found so: one graph of both is
captured, and the values that cross are the residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unigrad.core.tensor import Tensor
from unigrad.tracing.graph import Graph, Node, Value


def split(graph: Graph, known: int, results: int) -> tuple[Graph, Graph, int]:
    """Split a graph into the part that needs only its first inputs, and the rest.

    Args:
        graph: writes no variables in its rest.
        known: how many of its inputs the first part has.
        results: how many of its outputs, which depend on no others, are the first part's.

    Returns:
        The first part, whose outputs are its results and then the residuals; the rest, whose inputs
        are the residuals and then the other inputs; and how many residuals there are.
    """
    late = set(graph.inputs[known:])
    first: list[Node] = []
    rest: list[Node] = []
    for node in graph.nodes:
        if late.isdisjoint(_values(node.inputs)):
            first.append(node)
        else:
            rest.append(node)
            late.update(node.outputs)
    outputs = graph.outputs[results:]
    needed: dict[Value, None] = {}
    for value in (*[x for node in rest for x in _values(node.inputs)], *outputs):
        if value not in late and value not in graph.constants:
            needed[value] = None
    residuals = tuple(needed)
    before = replace(graph, inputs=graph.inputs[:known], nodes=tuple(first),
                     outputs=(*graph.outputs[:results], *residuals), result=None)  # fmt: skip
    after = replace(graph, inputs=(*residuals, *graph.inputs[known:]), nodes=tuple(rest),
                    outputs=outputs, variables={}, writes=(), result=None)  # fmt: skip
    return before, after, len(residuals)


def _values(inputs: Sequence[object]) -> list[Value]:
    return [one for one in inputs if type(one) is Value]


def closed(graph: Graph) -> tuple[Graph, list[Tensor]]:
    """Return a graph whose constants are further inputs, and the tensors of these.

    Example:
        >>> closed(Graph((), (), ()))[1]
        []
    """
    values = tuple(graph.constants)
    tensors = [graph.constants[one] for one in values]
    return replace(graph, inputs=(*graph.inputs, *values), constants={}), tensors
