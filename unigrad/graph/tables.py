"""What forward and reverse mode propagate, step by step, as tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigrad.core.dtypes import INEXACT
from unigrad.graph.paths import Derivative, Edge, shown, times
from unigrad.graph.wording import formula
from unigrad.tracing.graph import Value

if TYPE_CHECKING:
    from unigrad.graph.captured import CapturedGraph


@dataclass(frozen=True, slots=True)
class Step:
    """One row: a value, what it is computed from, and its derivative with the terms it sums."""

    name: str
    formula: str
    value: Derivative
    #: A local derivative and what it is multiplied with, for each edge that carries something.
    terms: tuple[tuple[Derivative, Derivative], ...]
    derivative: Derivative

    @property
    def sum(self) -> str:
        """The terms as text."""
        return " + ".join([f"{shown(local)} · {shown(rest)}" for local, rest in self.terms])


class Table(Sequence[Step]):
    """The steps of one mode, in the order in which they are taken; prints as a table."""

    def __init__(self, heading: str, steps: Sequence[Step]) -> None:
        self.heading = heading
        self.steps = tuple(steps)

    def __getitem__(self, index: int) -> Step:  # type: ignore[override]
        return self.steps[index]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __str__(self) -> str:
        rows = [("", "computed as", "value", self.heading, "as the sum of")]
        rows += [
            (one.name, one.formula, shown(one.value), shown(one.derivative), one.sum)
            for one in self.steps
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows])


def forward_table(captured: CapturedGraph, source: Value) -> Table:
    """Carry ∂v/∂source from the source on."""
    carried: dict[Value, Derivative] = {source: _one(source)}
    arriving = defaultdict(list)
    for edge in captured.edges:
        arriving[edge.target].append(edge)
    steps = []
    for value in _floats(captured):
        terms = []
        for edge in arriving[value]:
            if edge.source in carried:
                terms.append((captured.derivative(edge), carried[edge.source]))
        if terms and value is not source:
            carried[value] = sum([times(local, rest) for local, rest in terms])
        steps.append(_step(captured, value, terms, carried.get(value, _zero(value, source))))
    return Table(f"∂/∂{captured.names[source]}", steps)


def reverse_table(captured: CapturedGraph, target: Value) -> Table:
    """Carry ∂target/∂v from the target back."""
    carried: dict[Value, Derivative] = {target: _one(target)}
    leaving: dict[Value, list[Edge]] = defaultdict(list)
    for edge in captured.edges:
        leaving[edge.source].append(edge)
    steps = []
    for value in reversed(_floats(captured)):
        terms = []
        for edge in leaving[value]:
            if edge.target in carried:
                terms.append((captured.derivative(edge), carried[edge.target]))
        if terms and value is not target:
            carried[value] = sum([times(rest, local) for local, rest in terms])
        if value in carried or value in captured.inputs:
            steps.append(_step(captured, value, terms, carried.get(value, _zero(target, value))))
    return Table(f"∂{captured.names[target]}/∂", steps)


def _floats(captured: CapturedGraph) -> list[Value]:
    """Return the values that have derivatives, inputs first, then in the order of the nodes."""
    graph = captured.graph
    results = [value for node in graph.nodes for value in node.outputs]
    values = (*graph.inputs, *graph.variables, *results)
    return [value for value in values if value.dtype in INEXACT]


def _one(value: Value) -> Derivative:
    return np.eye(int(np.prod(value.shape, dtype=np.int64))) if value.shape else 1.0


def _zero(later: Value, earlier: Value) -> Derivative:
    if not later.shape and not earlier.shape:
        return 0.0
    return np.zeros([int(np.prod(one.shape, dtype=np.int64)) for one in (later, earlier)])


def _step(
    captured: CapturedGraph,
    value: Value,
    terms: Sequence[tuple[Derivative, Derivative]],
    derivative: Derivative,
) -> Step:
    example = captured.value(value)
    return Step(
        captured.names[value],
        formula(captured, value),
        example if value.shape else float(example),
        tuple(terms),
        derivative,
    )
