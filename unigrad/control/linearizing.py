"""A loop's body split for reverse mode: what a step leaves behind, and what the way back does.

The body and the pullback at its inputs are captured together as one graph. Its nodes that depend
on a cotangent belong to the backward pass, all others to the forward pass. What the former need of
the latter are the residuals: each step stacks them, and the reversed loop takes them row by row.
Constants and rows are there anyway; views and what depends on constants alone are computed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unigrad.autodiff.rules.composites import BodyRule
from unigrad.autodiff.tape import GradientTape
from unigrad.control.bodies import captured, example_of, needed
from unigrad.core.dtypes import INEXACT
from unigrad.core.op import OPS, another_handle
from unigrad.core.running import apply
from unigrad.core.tensor import Tensor
from unigrad.tracing.graph import Graph, Node, Value
from unigrad.tracing.grounded import first_of, grounded

#: Ops that cost next to nothing: they are run again rather than that their results are kept.
_VIEWS = frozenset(
    ("reshape", "permute_dims", "broadcast_to", "expand_dims", "squeeze", "identity")
)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a loop is differentiated in reverse mode."""

    #: The body with the residuals behind its results, of (carries, rows, constants, extra).
    forward: Graph
    #: The body of the reversed loop: (cotangents of the carry, sums for constants, cotangents of
    #: results, rows, residuals, constants) → (cotangents, sums, cotangents of rows).
    backward: Graph
    #: Inputs of the loop that it gives cotangents of.
    active: tuple[int, ...]
    #: The carries and the results that are floats.
    carries: tuple[int, ...]
    results: tuple[int, ...]
    #: Positions among the loop's inputs of the rows and the constants that the way back needs.
    rows: tuple[int, ...]
    constants: tuple[int, ...]
    #: Positions among the loop's results of the residuals.
    residuals: tuple[int, ...]
    #: How many results were added, and the constants that were.
    added: int
    extra: Sequence[Tensor]


def linearized(
    settings: Mapping[str, Any], inputs: Sequence[Tensor], wanted: Sequence[int]
) -> Plan:
    """Return the plan for a loop's derivative by some of its inputs.

    Args:
        settings: those of `scan`.
        inputs: the loop's.
        wanted: positions; carries that are floats always count.
    """
    body: Graph = settings["body"]
    n, end = settings["carries"], settings["carries"] + settings["rows"]
    active = [
        i
        for i, value in enumerate(body.inputs)
        if value.dtype in INEXACT and (i < n or i in wanted)
    ]
    outputs = [i for i, value in enumerate(body.outputs) if value.dtype in INEXACT]
    examples = [
        first_of(grounded(x)) if n <= i < end else grounded(x) for i, x in enumerate(inputs)
    ]
    seeds = [example_of(body.outputs[i], inputs[0]) for i in outputs]

    def joint(*given: Tensor) -> list[Tensor]:
        primals, cotangents = list(given[: len(inputs)]), given[len(inputs) :]
        for i in active:
            primals[i] = another_handle(primals[i])
        sources = [primals[i] for i in active]
        with GradientTape(watch_accessed_variables=False, reference=True) as tape:
            tape.watch(sources)
            found = _evaluated_by_primitives(body, primals)
        gradients = tape.gradient(
            [found[i] for i in outputs], sources, list(cotangents), unconnected_gradients="zero"
        )
        return [*found, *gradients]

    graph, extra = captured(joint, [*examples, *seeds])
    return _Split(settings, graph, active, outputs, extra).plan()


def _evaluated_by_primitives(body: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Run a graph, taking composites apart whose derivative is that of their body."""
    values: dict[Any, Any] = dict(zip(body.inputs, inputs, strict=True))
    for node in body.nodes:
        given = [values[one] if type(one) is Value else one for one in node.inputs]
        if isinstance(node.op.rule, BodyRule):
            assert node.op.body is not None
            found = node.op.body(*given, **node.settings)
        else:
            found = apply(node.op, given, node.settings)
        values.update(zip(node.outputs, found if node.multiple else (found,), strict=True))
    return [values[one] for one in body.outputs]


@dataclass
class _Split:
    """The joint graph, while it is being split."""

    settings: Mapping[str, Any]
    joint: Graph
    active: list[int]
    outputs: list[int]
    extra: Sequence[Tensor]
    again: set[Node] = field(default_factory=set)
    residuals: list[Value] = field(default_factory=list)

    def plan(self) -> Plan:
        joint, body = self.joint, self.settings["body"]
        n, end = self.settings["carries"], self.settings["carries"] + self.settings["rows"]
        count, total = len(body.inputs), len(body.outputs)
        seeds = joint.inputs[count : count + len(self.outputs)]
        constants = [*joint.inputs[end:count], *joint.inputs[count + len(seeds) :]]
        found, gradients = joint.outputs[:total], joint.outputs[total:]
        rows = joint.inputs[n:end]
        self.maker = {value: node for node in joint.nodes for value in node.outputs}
        self.free = {*rows, *constants, *seeds}
        self.fixed = {*constants}
        self.late = {*seeds}
        nodes = self._backward_nodes(gradients)
        by_input = dict(zip(self.active, gradients, strict=True))
        sums, adding, totals = self._sums([i for i in self.active if i >= end], by_input)
        before = [by_input[i] for i in self.active if i < n]
        of_rows = [by_input[i] for i in self.active if n <= i < end]
        used = {x for node in nodes for x in node.inputs if type(x) is Value} | {*gradients}
        rows_used = [i for i, value in enumerate(rows) if value in used]
        constants_used = [i for i, value in enumerate(constants) if value in used]
        stacked = [*found, *[one for one in self.residuals if one not in found[n:]]]
        backward = Graph(
            inputs=(
                *[seeds[i] for i, at in enumerate(self.outputs) if at < n],
                *sums,
                *[seeds[i] for i, at in enumerate(self.outputs) if at >= n],
                *[rows[i] for i in rows_used],
                *self.residuals,
                *[constants[i] for i in constants_used],
            ),
            nodes=(*nodes, *adding),
            outputs=(*before, *totals, *of_rows),
        )
        forward = Graph(
            inputs=(*joint.inputs[:end], *constants),
            nodes=needed(joint.nodes, stacked),
            outputs=tuple(stacked),
        )
        places = [n + stacked[n:].index(one) for one in self.residuals]
        return Plan(
            forward=forward,
            backward=backward,
            active=tuple(self.active),
            carries=tuple([i for i in self.outputs if i < n]),
            results=tuple([i for i in self.outputs if i >= n]),
            rows=tuple([n + i for i in rows_used]),
            constants=tuple([end + i for i in constants_used]),
            residuals=tuple(places),
            added=len(stacked) - total,
            extra=self.extra,
        )

    def _backward_nodes(self, gradients: Sequence[Value]) -> list[Node]:
        """Return the nodes of the way back, and find out what it needs."""
        for node in self.joint.nodes:
            values = [x for x in node.inputs if type(x) is Value]
            if any(x in self.late for x in values):
                self.late.update(node.outputs)
            elif all(x in self.fixed for x in values):
                self.fixed.update(node.outputs)
        late = [one for one in self.joint.nodes if one.outputs[0] in self.late]
        kept = [one for one in needed(self.joint.nodes, gradients) if one in {*late}]
        for node in kept:
            for x in node.inputs:
                if type(x) is Value and x not in self.late:
                    self._require(x)
        for x in gradients:
            if x not in self.late:
                self._require(x)
        chosen = {*kept, *self.again}
        return [one for one in self.joint.nodes if one in chosen]

    def _require(self, value: Value) -> None:
        """Make a value of the forward pass known on the way back."""
        waiting = [value]
        while waiting:
            one = waiting.pop()
            node = self.maker.get(one)
            if one in self.free or node in self.again or one in self.residuals:
                continue
            if node is not None and (one in self.fixed or node.op.name in _VIEWS):
                self.again.add(node)
                waiting += [x for x in node.inputs if type(x) is Value]
            else:
                self.residuals.append(one)

    def _sums(
        self, places: list[int], by_input: Mapping[int, Value]
    ) -> tuple[list[Value], list[Node], list[Value]]:
        """Return what sums up the cotangents of constants: inputs, nodes, outputs."""
        before, nodes, after = [], [], []
        for i in places:
            old, new = (Value(by_input[i].shape, by_input[i].dtype) for _ in range(2))
            nodes.append(Node(OPS["add"], (old, by_input[i]), {}, (new,)))
            before.append(old)
            after.append(new)
        return before, nodes, after
