"""The recorded graph: what a function of tensors does, as a list of ops.

A `Graph` is plain data: nodes in the order in which they ran, each an op with its inputs (values
or Python scalars), its settings, and the line of the program that made it. It names no backend:
`evaluate` runs it by the ops themselves, so on any backend, under tapes, transforms and further
captures. Control flow holds graphs as settings of its nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from unigrad.core import tree
from unigrad.core.backend import Backend
from unigrad.core.dtypes import DType
from unigrad.core.elementwise import numbers_beside
from unigrad.core.errors import ShapeError
from unigrad.core.native_tape import Native
from unigrad.core.op import Op
from unigrad.core.running import apply
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable

#: Where a node was made: file, line, and the calls of modules (layers) around it, outermost first.
Place: TypeAlias = tuple[str, int, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One value in a graph: the result of a node, an input, a constant or a variable's value."""

    shape: tuple[int, ...]
    dtype: DType

    def __repr__(self) -> str:
        return f"{self.dtype.name}{list(self.shape)}"


#: A graph as a function of native arrays.
NativeFunction: TypeAlias = Callable[..., Sequence[Native]]
#: What a node takes: a value, or a Python scalar.
Operand: TypeAlias = Any


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One run of an op."""

    op: Op
    inputs: tuple[Operand, ...]
    settings: Mapping[str, Any]
    outputs: tuple[Value, ...]
    #: True when the op returns a tuple.
    multiple: bool = False
    place: Place = ("", 0, ())

    @property
    def graphs(self) -> list[Graph]:
        """The graphs of the bodies of control flow."""
        return [one for one in self.settings.values() if isinstance(one, Graph)]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A function as a list of ops. See the module's docstring.

    Attributes:
        inputs: the values of the arguments, in the order of their leaves.
        nodes: the ops, each after those that it needs.
        outputs: the values of the results.
        constants: values that the function took from outside, with their tensors.
        variables: values of the variables that it read, as they are when the graph runs.
        writes: the values that it assigned to variables.
    """

    inputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[Value, ...]
    constants: Mapping[Value, Tensor] = field(default_factory=dict)
    variables: Mapping[Value, Variable] = field(default_factory=dict)
    writes: Sequence[tuple[Variable, Value]] = ()
    #: The result's structure and leaves: ``None`` for an output, ``(x,)`` for what is no tensor.
    result: Any = None
    #: The functions of native arrays made so far (see `on`).
    functions: dict[Backend, NativeFunction] = field(default_factory=dict, init=False)

    def on(self, backend: Backend) -> NativeFunction:
        """Return the graph as a function of a backend's arrays, for kernels of control flow.

        Nobody records inside, and no variables are read.
        """
        from unigrad.tracing.straight import function_of

        found = self.functions.get(backend)
        if found is None:
            found = self.functions[backend] = function_of(self, backend)
        return found

    def run(self, *tensors: Tensor) -> Any:
        """Run the graph on other tensors of the same shapes and dtypes; return the result's pytree.

        Raises:
            ShapeError: when one differs.
        """
        for value, given in zip(self.inputs, tensors, strict=True):
            if value.shape != given.shape or value.dtype != given.dtype:
                raise ShapeError(
                    f"graph: captured with {value!r}, given {given.dtype.name}{list(given.shape)}"
                )
        outputs = iter(evaluate(self, tensors))
        structure, kept = self.result
        return tree.unflatten(structure, [next(outputs) if one is None else one[0] for one in kept])

    def with_nodes(self, nodes: Sequence[Node], outputs: Sequence[Value] | None = None) -> Graph:
        """Return the graph with other nodes, for passes."""
        return replace(
            self, nodes=tuple(nodes), outputs=self.outputs if outputs is None else tuple(outputs)
        )

    def __str__(self) -> str:
        return "\n".join(program(self, names_of(self)))

    def __repr__(self) -> str:
        return f"<graph of {len(self.nodes)} nodes, {len(self.inputs)} inputs>"


def evaluate(graph: Graph, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Run a graph on tensors by its ops; return its outputs. Variables are read and written."""
    values: dict[Value, Tensor] = dict(zip(graph.inputs, inputs, strict=True))
    values.update(graph.constants)
    for value, variable in graph.variables.items():
        values[value] = variable.read()
    for node in graph.nodes:
        given = [values[one] if type(one) is Value else one for one in node.inputs]
        results = apply(node.op, numbers_beside(node.op, given), node.settings)
        for value, tensor in zip(
            node.outputs, results if node.multiple else (results,), strict=True
        ):
            values[value] = tensor
    for variable, value in graph.writes:
        variable.assign(values[value])
    return [values[one] for one in graph.outputs]


def letters() -> Iterator[str]:
    """Yield a, b, …, z, aa, …

    Example:
        >>> [*zip(letters(), range(2))]
        [('a', 0), ('b', 1)]
    """
    number = 0
    while True:
        name, rest = "", number
        while rest >= 0:
            name = chr(ord("a") + rest % 26) + name
            rest = rest // 26 - 1
        yield name
        number += 1


def names_of(graph: Graph) -> dict[Value, str]:
    """Return a short name for every value: a, b, …, z, aa, …"""
    results = [value for node in graph.nodes for value in node.outputs]
    values = (*graph.inputs, *graph.constants, *graph.variables, *results)
    return dict(zip(values, letters(), strict=False))


def program(graph: Graph, names: Mapping[Value, str], indent: str = "") -> Iterator[str]:
    """Write a graph as lines of a program."""

    def typed(value: Value) -> str:
        return f"{names[value]}: {value!r}"

    yield f"{indent}graph({', '.join(map(typed, graph.inputs))}):"
    inner = indent + "  "
    for value in graph.constants:
        yield f"{inner}{typed(value)} = constant"
    for value, variable in graph.variables.items():
        yield f"{inner}{typed(value)} = variable {variable.name!r}"
    for node in graph.nodes:
        given = [names[one] if type(one) is Value else repr(one) for one in node.inputs]
        chosen = [
            f"{key}={one!r}" for key, one in node.settings.items() if not isinstance(one, Graph)
        ]
        line = f"{inner}{', '.join(map(typed, node.outputs))} = {node.op.name}("
        yield f"{line}{', '.join([*given, *chosen])})"
        for key, one in node.settings.items():
            if isinstance(one, Graph):
                yield f"{inner}  {key}:"
                yield from program(one, names_of(one), inner + "    ")
    for variable, value in graph.writes:
        yield f"{inner}variable {variable.name!r} = {names[value]}"
    yield f"{inner}return {', '.join([names[one] for one in graph.outputs])}"


#: A pass: graph to graph, the same function.
Pass: TypeAlias = Callable[[Graph], Graph]
