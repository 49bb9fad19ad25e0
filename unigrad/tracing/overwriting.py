"""Which updates of a program may write into the values that they replace.

An optimizer's update op gives new parameters and slots for old ones. Where nobody but the variables
holds the old ones, it may write over them: that saves copies of all weights at every step. Whether
a view of one is left is asked of the library while the program runs (`Backend.may_be_written`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unigrad.core.backend import Backend
from unigrad.functions.function_op import FunctionOp
from unigrad.tracing.graph import Graph, Node, Value


def written_over(
    graph: Graph, backend: Backend, replaced: Sequence[Value]
) -> Mapping[Node, Sequence[Value]]:
    """Return for each update that may write over its inputs these, in the order of its outputs.

    Args:
        graph: a program, ready to be lowered.
        backend: where it runs.
        replaced: inputs of the program that nobody needs after it.
    """
    # Where programs write into given arrays, those of values replaced earlier are given.
    if backend.into or not _is_closed(graph):
        return {}
    free = set(replaced)
    return {
        node: over
        for place, node in enumerate(graph.nodes)
        if node.op.name in backend.in_place
        and (over := _of_outputs(node, free))
        and all(_dies(one, place, graph) for one in over)
    }


def _is_closed(graph: Graph) -> bool:
    """Tell whether no code of a user's runs, which could raise half-way, or look on."""
    return not any(
        isinstance(node.op, FunctionOp)
        or any(map(callable, node.settings.values()))
        or not all(map(_is_closed, node.graphs))
        for node in graph.nodes
    )


def _of_outputs(node: Node, free: set[Value]) -> list[Value]:
    """Return the inputs in whose place the outputs come: as many as these, and of their kind."""
    over = [one for one in node.inputs if type(one) is Value and one in free]
    kinds = [(one.shape, one.dtype) for one in over]
    same = kinds == [(one.shape, one.dtype) for one in node.outputs]
    return over if same and len({*over}) == len(over) else []


def _dies(value: Value, place: int, graph: Graph) -> bool:
    """Tell whether a value, and what may be the very same array, is not needed after a node."""
    same = {value}
    for node in graph.nodes[:place]:
        computes = node.op.broadcasts and len(node.inputs) > 1
        if not computes and not same.isdisjoint(node.inputs):
            same.update(one for one in node.outputs if one.shape == value.shape)
    last = (*graph.outputs, *(one for _, one in graph.writes))
    later = [one for node in graph.nodes[place + 1 :] for one in node.inputs]
    here = [one for one in graph.nodes[place].inputs if one is not value]
    return not any(type(one) is Value and one in same for one in (*here, *later, *last))
