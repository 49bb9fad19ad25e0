"""A captured computation with its values: what `ug.graph.capture` returns."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function
from unigrad.core.errors import SettingError, TracingError
from unigrad.core.op import another_handle
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.graph.paths import Edge, Path, edges_of, paths_between, reduced_edges, ways
from unigrad.graph.tables import Table, forward_table, reverse_table
from unigrad.tracing.capture import Capture
from unigrad.tracing.graph import Graph, Node, Value, letters
from unigrad.tracing.signature import is_input


def capture(function: Callable[..., Any]) -> Callable[..., CapturedGraph]:
    """Return the function that runs another one once and returns the graph of its ops.

    It runs like a function under `ug.jit`: no Python `if` may depend on a tensor's value. Tapes
    and transforms inside of it are captured too, and Variables, which the graph reads and writes
    when it is run again.

    Raises:
        TracingError: when the function asks for the value of a tensor.

    Example:
        >>> g = capture(lambda a, b: (a + b) * (b + 1))(2.0, 1.0)
        >>> print(g)
        graph(a: float32[], b: float32[]):
          c: float32[] = add(a, b)
          d: float32[] = add(b, 1)
          e: float32[] = multiply(c, d)
          return e
        >>> float(g.run(2.0, 3.0))
        20.0
    """

    check_function("capture: function", function)

    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> CapturedGraph:
        leaves, structure = tree.flatten((args, kwargs))
        moving = [isinstance(x, Variable) or is_input(x) for x in leaves]
        tensors = [
            another_handle(as_tensor(x)) for x, one in zip(leaves, moving, strict=True) if one
        ]

        def of_tensors(*given: Tensor) -> Any:
            rest = iter(given)
            args, kwargs = tree.unflatten(
                structure, [next(rest) if one else x for x, one in zip(leaves, moving, strict=True)]
            )
            return function(*args, **kwargs)

        frame = Capture(keep=True)
        graph = frame.graph(of_tensors, tensors, variables=True)
        names = [
            name
            for name, one in zip(_argument_names(function, args, kwargs), moving, strict=True)
            if one
        ]
        return CapturedGraph(graph, frame.examples, (structure, leaves, moving), names)

    return run


class CapturedGraph:
    """The graph of one run of a function, with the values that it had.

    Attributes:
        graph: the graph itself (`unigrad.tracing.graph.Graph`).
        names: from each value to its name: arguments are called as in the function's signature,
            results a, b, c, … in the order in which they were computed.

    Values are given to the methods by name, or as `Value`.
    """

    def __init__(
        self,
        graph: Graph,
        examples: Mapping[Value, Tensor],
        arguments: Any,
        input_names: Sequence[str] = (),
    ) -> None:
        self.graph = graph
        self._examples = examples
        self._arguments = arguments
        self.names = _names(graph, input_names)
        self._by_name = {name: value for value, name in self.names.items()}

    # -- what it holds

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The ops, in the order in which they ran."""
        return self.graph.nodes

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The arguments' values, in the order of their leaves."""
        return self.graph.inputs

    @property
    def outputs(self) -> tuple[Value, ...]:
        """The results' values."""
        return self.graph.outputs

    def find(self, value: str | Value) -> Value:
        """Return the value of a name.

        Raises:
            SettingError: when there is none.
        """
        if isinstance(value, Value):
            return value
        if value not in self._by_name:
            raise SettingError(
                f"graph: no value is called {value!r}; there are {', '.join(self._by_name)}"
            )
        return self._by_name[value]

    def value(self, value: str | Value) -> npt.NDArray[Any]:
        """Return what a value was in the run that was captured, as an ndarray."""
        return self._example(self.find(value)).numpy()

    def _example(self, value: Value) -> Tensor:
        example = self._examples[value]
        if example.backend.is_traced(example._native):
            raise TracingError(
                "graph: it was captured inside of a traced function, where values are not known"
            )
        return example

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the graph on other arguments of the same structure, shapes and dtypes.

        Variables are read as they are now, and written.

        Raises:
            ShapeError: when a shape or a dtype differs.
            SettingError: when the structure, or an argument that is no tensor, does.
        """
        structure, leaves, moving = self._arguments
        given, other = tree.flatten((args, kwargs))
        if other != structure:
            raise SettingError(f"graph: captured with arguments {structure}, given {other}")
        tensors = []
        for x, before, one in zip(given, leaves, moving, strict=True):
            if one:
                tensors.append(as_tensor(x))
            elif x is not before and x != before:
                raise SettingError(f"graph: captured with {before!r}, given {x!r}")
        return self.graph.run(*tensors)

    # -- paths

    @functools.cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The edges: one for each input of each node that a float comes from."""
        return edges_of(self.graph)

    @functools.cached_property
    def makers(self) -> Mapping[Value, Node]:
        """The node that each computed value comes from."""
        return {value: node for node in self.nodes for value in node.outputs}

    def derivative(self, edge: Edge) -> Any:
        """Return the local derivative on an edge: of its node's result by its input, all else held.

        A number between scalars, else a matrix of the two sizes.
        """
        return edge.derivative(self._example)

    def paths(self, source: str | Value, target: str | Value, limit: int = 10_000) -> list[Path]:
        """Return all paths from one value to another, each with its product of derivatives.

        Their sum is the derivative of the target by the source.

        Raises:
            SettingError: when there are more than ``limit``: see `path_count`.

        Example:
            >>> g = capture(lambda a, b: (a + b) * (b + 1))(2.0, 1.0)
            >>> for path in g.paths("b", "e"):
            ...     print(path)
            b → c → e: 1 · 2 = 2
            b → d → e: 1 · 3 = 3
        """
        start, end = self.find(source), self.find(target)
        count = self.path_count(start, end)
        if count > limit:
            raise SettingError(f"graph: {count} paths, more than the limit of {limit}")
        return paths_between(self, start, end)

    def path_count(
        self, source: str | Value | None = None, target: str | Value | None = None
    ) -> int:
        """Return the number of paths between two values, in linear time, without walking them.

        Without a source from all inputs, without a target to all outputs.

        Example:
            >>> def three(x): return 1 * x + 2 * x + 3 * x
            >>> capture(lambda x: three(three(x)))(1.0).path_count()
            9
        """
        starts = self.inputs if source is None else [self.find(source)]
        ends = self.outputs if target is None else [self.find(target)]
        return sum(ways(self.edges, starts)[end] for end in dict.fromkeys(ends))

    def factored_cost(
        self, source: str | Value | None = None, target: str | Value | None = None
    ) -> int:
        """Return how many products the sum over paths takes once it is factored.

        A value with one way in, or one way out, adds nothing to factor: it is contracted. Each edge
        that is left is walked once by forward or reverse mode, where the sum over paths walks it
        once per path.

        Example:
            >>> def three(x): return 1 * x + 2 * x + 3 * x
            >>> capture(lambda x: three(three(x)))(1.0).factored_cost()
            6
        """
        starts = set(self.inputs if source is None else [self.find(source)])
        ends = set(self.outputs if target is None else [self.find(target)])
        return reduced_edges(self.edges, starts, ends)

    # -- what is propagated

    def forward(self, source: str | Value) -> Table:
        """Return forward mode from one value, step by step: ∂v/∂source for every v.

        Example:
            >>> g = capture(lambda a, b: (a + b) * (b + 1))(2.0, 1.0)
            >>> [float(step.derivative) for step in g.forward("b")]
            [0.0, 1.0, 1.0, 1.0, 5.0]
        """
        return forward_table(self, self.find(source))

    def reverse(self, target: str | Value | None = None) -> Table:
        """Return reverse mode from one value, step by step: ∂target/∂v for every v.

        The target is the only output by default.

        Example:
            >>> g = capture(lambda a, b: (a + b) * (b + 1))(2.0, 1.0)
            >>> {step.name: float(step.derivative) for step in g.reverse("e")}
            {'e': 1.0, 'd': 3.0, 'c': 2.0, 'b': 5.0, 'a': 2.0}
        """
        if target is None:
            if len(self.outputs) != 1:
                raise SettingError(f"graph: {len(self.outputs)} outputs: say which is the target")
            target = self.outputs[0]
        return reverse_table(self, self.find(target))

    # -- pictures

    def draw(
        self, file: Any = None, *, fold: int | None = None, derivatives: bool | None = None
    ) -> Any:
        """Draw the graph to a file, or return it as SVG text.

        Args:
            file: a path that ends in ``.svg``, ``.png`` or ``.dot``.
            fold: show modules (layers) nested deeper than this as one box; 0 folds the outermost.
                By default graphs of more than 60 nodes are folded until they are readable.
            derivatives: write the local derivative on each edge; by default between scalars.

        Raises:
            SettingError: when the name ends in something else.
            ImportError: when ``unigrad[graph]`` is not installed.
        """
        from unigrad.graph.drawing import draw

        return draw(self, file, fold, derivatives)

    def animate(self, file: Any, mode: str = "reverse", value: str | Value | None = None) -> None:
        """Draw forward or reverse mode, step by step, as an animated GIF.

        Args:
            file: a path that ends in ``.gif``.
            mode: ``"reverse"`` from an output, or ``"forward"`` from an input.
            value: which one; the only output or the first input by default.
        """
        from unigrad.graph.drawing import animate

        animate(self, file, mode, value)

    def _repr_svg_(self) -> str:
        """Show the graph in notebooks."""
        svg: str = self.draw()
        return svg

    def __str__(self) -> str:
        from unigrad.tracing.graph import program

        return "\n".join(program(self.graph, self.names))

    def __repr__(self) -> str:
        return (
            f"<captured graph: {len(self.nodes)} nodes from "
            f"{', '.join([self.names[one] for one in self.inputs])}>"
        )

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)


def _argument_names(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> list[str]:
    """Return a name for every leaf of a function's arguments."""
    try:
        parameters = [
            one.name
            for one in inspect.signature(function).parameters.values()
            if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        parameters = []
    names = []
    for i, one in enumerate(args):
        name = parameters[i] if i < len(parameters) else f"x{i}"
        names += _leaf_names(name, one)
    for name, one in sorted(kwargs.items()):
        names += _leaf_names(name, one)
    return names


def _leaf_names(name: str, value: Any) -> list[str]:
    count = len(tree.leaves(value))
    return [name] if count == 1 else [f"{name}{i}" for i in range(count)]


def _names(graph: Graph, given: Sequence[str]) -> dict[Value, str]:
    """Name every value, each name once."""
    names: dict[Value, str] = {}
    taken: set[str] = set()
    wished = dict(zip(graph.inputs, given, strict=False))
    wished.update({value: one.name for value, one in graph.variables.items()})
    for value, name in wished.items():
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        names[value] = unique
        taken.add(unique)
    rest = letters()
    results = [value for node in graph.nodes for value in node.outputs]
    for value in (*graph.inputs, *graph.constants, *results):
        while value not in names:
            name = next(rest)
            if name not in taken:
                names[value] = name
    return names
