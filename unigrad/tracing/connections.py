"""Which results of a graph have a derivative by which of its inputs, as a tape would know it."""

from __future__ import annotations

from unigrad.core.dtypes import INEXACT
from unigrad.tracing.graph import Graph, Value


def connections(graph: Graph) -> list[frozenset[int]]:
    """Return, for each output, the places of the inputs that a tape finds it computed from.

    Example:
        >>> value = Value((), next(iter(INEXACT)))
        >>> connections(Graph((value,), (), (value,)))
        [frozenset({0})]
    """
    none: frozenset[int] = frozenset()
    known: dict[Value, frozenset[int]] = {
        one: frozenset((i,)) if one.dtype in INEXACT else none for i, one in enumerate(graph.inputs)
    }
    for node in graph.nodes:
        found = none.union(*[
            known.get(one, none)
            for i, one in enumerate(node.inputs)
            if type(one) is Value and i not in node.op.cut
        ])  # fmt: skip
        for one in node.outputs:
            known[one] = found if one.dtype in INEXACT else none
    return [known.get(one, none) for one in graph.outputs]
