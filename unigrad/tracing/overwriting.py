"""Which updates of a program may write into the values that they replace.

An optimizer's update op gives new parameters and slots for old ones. Where nobody but the variables
holds the old ones, it may write over them: that saves copies of all weights at every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unigrad.core.backend import Backend
from unigrad.functions.function_op import FunctionOp
from unigrad.tracing.graph import Graph, Node, Value


class Over(NamedTuple):
    """What an update may write over, and the values that are needed then or later.

    One of those may be the very array, or a view of it: that is seen when the program runs.
    """

    #: In the order of the outputs.
    values: Sequence[Value]
    needed: Sequence[Value]


def written_over(graph: Graph, backend: Backend, replaced: Sequence[Value]) -> Mapping[Node, Over]:
    """Return the updates that may write over their inputs.

    Args:
        graph: a program, ready to be lowered.
        backend: where it runs.
        replaced: inputs of the program that nobody needs after it.
    """
    if not _is_closed(graph):
        return {}
    # Where an update writes into given arrays, those of values replaced earlier are given.
    updates = backend.in_place.keys() - backend.into.keys()
    found = {}
    needed = dict.fromkeys((*graph.outputs, *(one for _, one in graph.writes)))
    for node in reversed(graph.nodes):
        for one in node.outputs:
            needed.pop(one, None)
        if node.op.name in updates:
            over = _of_outputs(node, set(replaced) - set(needed))
            given = [one for one in node.inputs if type(one) is Value and one not in over]
            if over:
                found[node] = Over(over, [*dict.fromkeys((*given, *needed))])
        needed.update(dict.fromkeys(one for one in node.inputs if type(one) is Value))
    return found


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
