"""Planning a program's arrays: which op writes into what, and when a value can be let go.

Two values share a *storage* where one may be a view of the other. A storage is the program's own
if an op that writes into arrays made it. It is then used again

* by an elementwise op whose input of the same shape and dtype dies there: it writes in place,
* from call to call, in a workspace, if no result can be a view of it.

What a program returns lies in arrays of their own. Old values of variables that nobody holds any
more come back as such (see `program.Program`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypeAlias

from unigrad.core.backend import Backend
from unigrad.tracing.graph import Graph, Node, Value

#: What a result is written into: a buffer of the workspace, by number, an input, or ``None`` for an
#: array that is to leave.
Target: TypeAlias = int | Value | None


@dataclass(slots=True)
class Step:
    """How one node runs, and what dies then.

    For an op that writes into arrays there is a target beside each of its results.
    """

    targets: list[tuple[Target, Value]] = field(default_factory=list)
    dies: list[Value] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, and what the buffers of the workspace are like."""

    steps: dict[Node, Step]
    buffers: list[Value]


def plan_of(graph: Graph, backend: Backend) -> Plan:
    """Plan a graph's arrays."""
    steps = {node: Step() for node in graph.nodes}
    last = _last_uses(graph)
    for value, place in last.items():
        if place < len(graph.nodes):
            steps[graph.nodes[place]].dies.append(value)
    buffers: list[Value] = []
    if backend.into:
        storages = _Memory(graph, backend, last)
        for node in graph.nodes:
            if writes(node, backend):
                steps[node].targets = [(None, one) for one in node.outputs]
        storages.write_in_place(steps)
        buffers = storages.write_in_workspace(steps)
    return Plan(steps, buffers)


def _last_uses(graph: Graph) -> dict[Value, int]:
    """Return the place of the node after which a value, made by a node, is not used any more."""
    last = {value: place for place, node in enumerate(graph.nodes) for value in node.outputs}
    for place, node in enumerate(graph.nodes):
        for one in node.inputs:
            if type(one) is Value and one in last:
                last[one] = place
    for value in (*graph.outputs, *(one for _, one in graph.writes)):
        if value in last:
            last[value] = len(graph.nodes)
    return last


class _Memory:
    """The storages of a graph's values while they are being planned.

    A storage stands for itself or, once two are known to be shared, for another.
    """

    def __init__(self, graph: Graph, backend: Backend, last: dict[Value, int]) -> None:
        self._graph = graph
        self._backend = backend
        self._of: dict[Value, int] = {}
        self._same: list[int] = []
        #: Of the program's own storages, the value that fills the whole of it now.
        self._root: dict[int, Value] = {}
        for value in (*graph.inputs, *graph.constants, *graph.variables):
            self._of[value] = self._fresh()
        for node in graph.nodes:
            self._place(node)
        self._ends: dict[int, int] = {}
        for value, place in last.items():
            storage = self._storage(value)
            self._ends[storage] = max(place, self._ends.get(storage, 0))

    def _fresh(self) -> int:
        self._same.append(len(self._same))
        return len(self._same) - 1

    def _storage(self, value: Value) -> int:
        """Return the storage that a value lies in."""
        same, found = self._same, self._of[value]
        while same[found] != found:
            same[found] = same[same[found]]
            found = same[found]
        return found

    def _place(self, node: Node) -> None:
        """Say where a node's results lie: views where their inputs do."""
        backend = self._backend
        for value in node.outputs:
            self._of[value] = self._fresh()
        if writes(node, backend):
            for value in node.outputs:
                self._root[self._storage(value)] = value
        elif node.op.name in backend.views or node.op.name not in backend.kernels:
            self._share(node)

    def _share(self, node: Node) -> None:
        """Join the storages of a node's inputs and outputs."""
        inputs = [self._storage(one) for one in node.inputs if type(one) is Value]
        roots = [self._root.pop(one, None) for one in dict.fromkeys(inputs)]
        first = self._storage(node.outputs[0])
        for one in (*inputs, *map(self._storage, node.outputs)):
            self._same[one] = first
        if len(roots) == 1 and roots[0] is not None:
            self._root[first] = roots[0]

    def write_in_place(self, steps: dict[Node, Step]) -> None:
        """Let elementwise ops write into an input that dies there."""
        for place, node in enumerate(self._graph.nodes):
            least = self._backend.least_written_over
            if (
                writes(node, self._backend)
                and node.op.broadcasts
                and size(node.outputs[0]) >= least
            ):
                dying = self._dying(node, place)
                if dying is not None:
                    steps[node].targets = [(dying, node.outputs[0])]
                    self._merge(node.outputs[0], dying)

    def _dying(self, node: Node, place: int) -> Value | None:
        """Return an input that fills an own storage which nobody needs after a node."""
        out = node.outputs[0]
        given = [one for one in node.inputs if type(one) is Value]
        for one in given:
            storage = self._storage(one)
            if (
                (one.shape, one.dtype) == (out.shape, out.dtype)
                and self._root.get(storage) is one
                and self._ends[storage] == place
                and all(other is one or self._storage(other) != storage for other in given)
            ):
                return one
        return None

    def _merge(self, out: Value, dying: Value) -> None:
        """Put a result, and what may be a view of it, into the storage of an input."""
        new, old = self._storage(out), self._storage(dying)
        self._same[old] = new
        self._root.pop(old, None)

    def write_in_workspace(self, steps: dict[Node, Step]) -> list[Value]:
        """Give buffers to the storages that no result can be a view of; return the buffers."""
        kept = len(self._graph.nodes)
        buffers: list[Value] = []
        free: dict[tuple[object, ...], list[int]] = {}
        ends: dict[int, list[int]] = {}
        for place, node in enumerate(self._graph.nodes):
            for i, (target, out) in enumerate(steps[node].targets):
                storage = self._storage(out)
                if (
                    target is None
                    and size(out) >= self._backend.least_kept
                    and self._ends[storage] < kept
                ):
                    waiting = free.setdefault((out.shape, out.dtype), [])
                    if not waiting:
                        waiting.append(len(buffers))
                        buffers.append(out)
                    number = waiting.pop()
                    steps[node].targets[i] = number, out
                    ends.setdefault(self._ends[storage], []).append(number)
            for number in ends.pop(place, ()):
                free[buffers[number].shape, buffers[number].dtype].append(number)
        return buffers


def writes(node: Node, backend: Backend) -> bool:
    """Tell whether a node can write into an array that it is given."""
    return node.op.name in backend.into and (node.multiple or bool(node.outputs[0].shape))


def size(value: Value) -> int:
    """Return how many bytes an array takes."""
    return math.prod(value.shape) * value.dtype.itemsize
