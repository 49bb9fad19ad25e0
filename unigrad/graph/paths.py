"""Edges and paths of a graph: the chain rule as a sum over paths.

∂z/∂x is the sum, over all paths from x to z, of the product of the local derivatives on the path's
edges. There may be exponentially many; counting them, and adding them up in factored form as
forward and reverse mode do, takes linear time.

Source: C. Olah, Calculus on Computational Graphs: Backpropagation (2015).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from unigrad.core.dtypes import INEXACT
from unigrad.core.running import apply
from unigrad.core.tensor import Tensor
from unigrad.tracing.graph import Graph, Node, Value
from unigrad.transforms.jacobians import jacobian

if TYPE_CHECKING:
    from unigrad.graph.captured import CapturedGraph

#: A number, or a matrix of the sizes of two values.
Derivative: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Edge:
    """One input of one node: from the value that goes in to one that comes out."""

    source: Value
    target: Value
    node: Node
    #: Which input of the node it is, and which result.
    position: int
    result: int = 0

    def derivative(self, example: Callable[[Value], Tensor]) -> Derivative:
        """Return the derivative of the result by the input, the node's other inputs held."""
        node = self.node

        def of_one(x: Tensor) -> Tensor:
            inputs = [example(one) if type(one) is Value else one for one in node.inputs]
            inputs[self.position] = x
            found = apply(node.op, inputs, node.settings)
            out: Tensor = found[self.result] if node.multiple else found
            return out

        found = jacobian(of_one, mode="reverse")(example(self.source)).numpy()
        if not self.source.shape and not self.target.shape:
            return float(found)
        return found.reshape(_size(self.target), _size(self.source))


@dataclass(frozen=True, slots=True)
class Path:
    """One path: its values, the local derivatives on its edges, and their product."""

    values: tuple[Value, ...]
    names: tuple[str, ...]
    derivatives: tuple[Derivative, ...]
    product: Derivative

    def __str__(self) -> str:
        factors = " · ".join(map(shown, self.derivatives))
        return f"{' → '.join(self.names)}: {factors} = {shown(self.product)}"


def shown(x: Derivative) -> str:
    """Return a number, or a matrix's shape, as text.

    Example:
        >>> shown(2.0), shown(1 / 3), shown(np.ones((2, 3)))
        ('2', '0.3333', '[2×3]')
    """
    if np.ndim(x):
        return f"[{'×'.join(map(str, np.shape(x)))}]"
    return f"{float(x):.4g}"


def _size(value: Value) -> int:
    return int(np.prod(value.shape, dtype=np.int64))


def edges_of(graph: Graph) -> tuple[Edge, ...]:
    """Return the edges between floats, in the order of the nodes."""
    return tuple(
        [
            Edge(one, out, node, position, result)
            for node in graph.nodes
            for position, one in enumerate(node.inputs)
            if type(one) is Value and one.dtype in INEXACT
            for result, out in enumerate(node.outputs)
            if out.dtype in INEXACT
        ]
    )


def ways(edges: Iterable[Edge], starts: Collection[Value]) -> dict[Value, int]:
    """Return, for every value, the number of paths that lead to it from some."""
    count: dict[Value, int] = defaultdict(int)
    for one in starts:
        count[one] = 1
    for edge in edges:
        count[edge.target] += count[edge.source]
    return count


def paths_between(captured: CapturedGraph, start: Value, end: Value) -> list[Path]:
    """Return all paths between two values, in the order of the nodes."""
    leading: dict[Value, bool] = defaultdict(bool)
    leading[end] = True
    leaving: dict[Value, list[Edge]] = defaultdict(list)
    for edge in reversed(captured.edges):
        if leading[edge.target]:
            leading[edge.source] = True
            leaving[edge.source].append(edge)
    known: dict[int, Derivative] = {}

    def derivative(edge: Edge) -> Derivative:
        if id(edge) not in known:
            known[id(edge)] = captured.derivative(edge)
        return known[id(edge)]

    found: list[Path] = []
    waiting: list[tuple[Edge, ...]] = [(edge,) for edge in leaving[start]]
    while waiting:
        walked = waiting.pop()
        last = walked[-1].target
        if last is end:
            found.append(_path(captured, walked, [derivative(edge) for edge in walked]))
        waiting += [(*walked, edge) for edge in leaving[last]]
    return found


def _path(captured: CapturedGraph, edges: Sequence[Edge], factors: Sequence[Derivative]) -> Path:
    values = (edges[0].source, *[edge.target for edge in edges])
    product = factors[0]
    for one in factors[1:]:
        product = times(one, product)
    names = tuple([captured.names[one] for one in values])
    return Path(values, names, tuple(factors), product)


def times(later: Derivative, earlier: Derivative) -> Derivative:
    """Return the product of two derivatives, the later step first.

    Example:
        >>> times(2.0, 3.0)
        6.0
    """
    if np.ndim(later) and np.ndim(earlier):
        product: npt.NDArray[Any] = np.asarray(later) @ np.asarray(earlier)
        return product
    return later * earlier


def reduced_edges(edges: Sequence[Edge], starts: set[Value], ends: set[Value]) -> int:
    """Return how many edges are left when every value with one way in or out is contracted.

    To contract a value with i ways in and o ways out leaves i · o edges in place of i + o, which is
    fewer exactly if i or o is 1.
    """
    into: dict[Value, dict[Value, int]] = defaultdict(lambda: defaultdict(int))
    out: dict[Value, dict[Value, int]] = defaultdict(lambda: defaultdict(int))
    reached = ways(edges, starts)
    leading: dict[Value, bool] = defaultdict(bool)
    leading.update(dict.fromkeys(ends, True))
    for edge in reversed(edges):
        if leading[edge.target] and reached[edge.source]:
            leading[edge.source] = True
            into[edge.target][edge.source] += 1
            out[edge.source][edge.target] += 1
    waiting = [one for one in into if one in out]
    while waiting:
        value = waiting.pop()
        if value in starts or value in ends or value not in into:
            continue
        before, after = into[value], out[value]
        if min(sum(before.values()), sum(after.values())) != 1:
            continue
        for source, first in before.items():
            del out[source][value]
            for target, second in after.items():
                into[target].pop(value, None)
                into[target][source] += first * second
                out[source][target] += first * second
        del into[value], out[value]
        waiting += [one for one in (*before, *after) if one in into and one in out]
    return sum(sum(one.values()) for one in into.values())
