"""Capturing: run a function once on tensors that note every op in a graph.

`Tracing` is an interpreter: its tensors know shape and dtype, and nobody may ask for their values.
Beside each goes an example, computed below as the ops run, which is how shapes and dtypes of
results become known on any backend, a library's own tracing included.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.core import recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.errors import TracingError
from unigrad.core.interpreters import Frame, Interpreter, Lifted, running, stack
from unigrad.core.leaks import program_frame
from unigrad.core.op import Op
from unigrad.core.registry import current_backend
from unigrad.core.running import apply
from unigrad.core.tensor import Tensor
from unigrad.core.traces import NoDependencies, traced_by, tracing
from unigrad.core.variable import Variable
from unigrad.tracing.graph import Graph, Node, Place, Value


class Symbol(Lifted):
    """The native array of a tensor while its function is captured."""

    __slots__ = ("example", "value")

    def __init__(self, frame: Capture, example: Tensor) -> None:
        native = example._native
        backend = example.backend
        self.frame = frame
        #: What it is in this run, a tensor of less depth.
        self.example = example
        self.dtype = native.dtype
        self.shape = backend.shape(native)
        self.device = backend.device(native)
        self.value = Value(self.shape, backend.dtype(native))


class Capture(Frame):
    """One capture: the graph while it is being made.

    Args:
        seen: let the recorders that were there before hear of the ops on the examples.
        keep: keep every example, in ``examples``.
    """

    closes = True

    def __init__(self, seen: bool = False, keep: bool = False) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.constants: dict[Value, Tensor] = {}
        #: The handles from outside that ops were given, by identity.
        self.outside: dict[int, Tensor] = {}
        self.variables: dict[Value, Variable] = {}
        self.writes: dict[int, tuple[Variable, Tensor]] = {}
        #: The examples, by value.
        self.examples: dict[Value, Tensor] = {}
        #: Whether somebody would have looked at a value, were it there.
        self.looked = False
        self._seen = seen
        self._keep = keep
        self._known: dict[tuple[int, int], Symbol] = {}

    def symbol(self, example: Tensor) -> Symbol:
        """Return what stands for a value that has this example."""
        symbol = Symbol(self, example)
        if self._keep:
            self.examples[symbol.value] = example
        return symbol

    def constant(self, tensor: Tensor) -> Symbol:
        """Return what stands for a tensor from outside, the same one each time."""
        tensor = wrap(tensor.backend, tensor._native, tensor.uid)
        key = id(tensor._native), tensor.uid
        symbol = self._known.get(key)
        if symbol is None:
            symbol = self._known[key] = self.symbol(tensor)
            self.constants[symbol.value] = tensor
        return symbol

    def record(self, op: Op, natives: Sequence[Any], settings: Any) -> Any:
        """Run an op on the examples and note it."""
        inputs = [one.value if type(one) is Symbol else one for one in natives]
        examples = [one.example if type(one) is Symbol else one for one in natives]
        found = self.below(self._run_example, op, examples, settings)
        multiple = type(found) is tuple
        symbols = tuple([self.symbol(one) for one in (found if multiple else (found,))])
        outputs = tuple([one.value for one in symbols])
        if outputs:  # A branch or a function may return nothing.
            place = _place(stack.scopes)
            self.nodes.append(Node(op, tuple(inputs), settings, outputs, multiple, place))
        return symbols if multiple else symbols[0]

    def note(self, check: Callable[..., None], tensors: Sequence[Tensor]) -> bool:
        """Take a check of values, if whoever runs the graph will make it; tell whether."""
        return False

    def _run_example(self, op: Op, examples: Sequence[Any], settings: Any) -> Any:
        # What only is like the result will do, unless the values themselves are wanted.
        like = None if self._keep or self._seen else op.example
        run = like or self.run
        if self._seen or not recorders.active():
            return run(op, examples, settings)
        with recorders.only([]):
            return run(op, examples, settings)

    def run(self, op: Op, examples: Sequence[Any], settings: Any) -> Any:
        """Run an op on examples, at the level below."""
        return apply(op, examples, settings)

    def graph(
        self, function: Callable[..., Any], inputs: Sequence[Tensor], variables: bool = False
    ) -> Graph:
        """Run a function of flat tensors; see `capture`."""
        with running(self), traced_by(CapturedVariables(self, variables)):
            symbols = [self.symbol(one) for one in inputs]
            found = function(
                *[
                    self._handle(one.backend.root, symbol)
                    for one, symbol in zip(inputs, symbols, strict=True)
                ]
            )
            leaves, structure = tree.flatten(found)
            outputs: list[Value] = []
            kept: list[tuple[Any] | None] = []
            for leaf in leaves:
                if isinstance(leaf, (Variable, Tensor)):
                    outputs.append(self._of(as_tensor(leaf)).value)
                    kept.append(None)
                else:
                    kept.append((leaf,))
            writes = [(one, self._of(x).value) for one, x in self.writes.values()]
        return Graph(
            inputs=tuple([one.value for one in symbols]),
            nodes=tuple(self.nodes),
            outputs=tuple(outputs),
            constants=self.constants,
            variables=self.variables,
            writes=writes,
            result=(structure, kept),
        )

    def _handle(self, root: Backend, symbol: Symbol) -> Tensor:
        return wrap(tracing_at(root, self.depth), symbol)

    def _of(self, tensor: Tensor) -> Symbol:
        """Return the symbol of a result, which may be a tensor from outside."""
        level = tracing_at(tensor.backend.root, self.depth)
        if tensor.backend is not level:
            return self.constant(tensor)
        level.check(tensor._native)
        symbol: Symbol = tensor._native
        return symbol


class Tracing(Interpreter):
    """The backend of tensors whose ops are noted."""

    array_type = Symbol

    def run(self, op: Op, *natives: Any, **settings: Any) -> Any:
        if op.by_value:
            raise TracingError(
                f"{op.name}: the shape of its result depends on values, which do not exist while "
                "the function is traced"
            )
        symbols = [one for one in natives if type(one) is Symbol]
        for one in symbols:
            self.check(one)
        if not symbols:
            # It makes a tensor of settings alone, which is known now.
            made = self.root.settle(op.kernels[self.root](*natives, **settings))  # type: ignore[misc]
            return self.enter(self.frame(), wrap(self.root, made))
        return self.frame().record(op, natives, settings)

    def lift(self, tensor: Tensor) -> Tensor:
        handle = super().lift(tensor)
        self.frame().outside[id(tensor)] = tensor
        return handle

    def enter(self, frame: Capture, tensor: Tensor) -> Symbol:
        return frame.constant(tensor)

    def note(self, check: Callable[..., None], tensors: Sequence[Tensor]) -> bool:
        taken: bool = self.frame().note(check, tensors)
        return taken

    def is_traced(self, native: Any) -> bool:
        native.frame.looked = True
        return True

    def beside(self, native: Symbol) -> str | None:
        return native.example.backend.beside(native.example._native)

    def beneath(self, native: Any) -> Tensor | None:
        native.frame.looked = True
        return None


@functools.cache
def tracing_at(root: Backend, depth: int) -> Tracing:
    """Return the tracing backend over a library's at a depth.

    Example:
        >>> tracing_at(current_backend(), 1).depth
        1
    """
    return Tracing(root, depth)


class CapturedVariables:
    """Stands between variables and their readers while a graph is captured (see `tracing.trace`).

    Args:
        capture: the frame.
        as_inputs: note variables in the graph, which then reads and writes them when it runs;
            otherwise a variable's value is one from outside, and to assign is refused.
    """

    def __init__(self, capture: Capture, as_inputs: bool) -> None:
        self._capture = capture
        self._as_inputs = as_inputs
        self._outer = tracing.trace
        self._values: dict[int, Tensor] = {}
        self.backend: Backend = current_backend()
        self.dependencies: Any = getattr(self._outer, "dependencies", NoDependencies())

    def read(self, variable: Variable) -> Tensor:
        """Return a variable's value at this level."""
        found = self._values.get(variable.uid)
        if found is None:
            value = self._below(variable.__unigrad_tensor__)
            level = tracing_at(variable.backend, self._capture.depth)
            if self._as_inputs:
                symbol = self._capture.symbol(value)
                self._capture.variables[symbol.value] = variable
                found = wrap(level, symbol)
            else:
                found = wrap(level, self._capture.constant(value))
            self._values[variable.uid] = found
        return found

    def write(self, variable: Variable, tensor: Tensor) -> None:
        """Note an assignment."""
        if not self._as_inputs:
            raise assigned_inside(variable)
        self._values[variable.uid] = tensor
        self._capture.writes[variable.uid] = (variable, tensor)

    def outside(self, make: Callable[..., Tensor], value: Any, dtype: Any) -> Tensor:
        """Make a variable's initial value for real."""
        if isinstance(value, Tensor) and value.backend.is_traced(value._native):
            raise TracingError(
                "Variable: its initial value is computed inside of a function that is traced, at "
                "every call anew; make the variable once, outside of it"
            )
        from unigrad.tracing.scope import init_scope

        with init_scope():
            return make(value, dtype)

    def _below(self, run: Callable[[], Any]) -> Any:
        def there() -> Any:
            with traced_by(self._outer):
                return run()

        return self._capture.below(there)


def assigned_inside(variable: Variable) -> TracingError:
    """Return the error for an assignment in what is traced once and run otherwise."""
    return TracingError(
        f"{variable.name}: a variable is assigned in a function that is traced once (the body of a "
        "loop or a branch, or what ug.checkpoint, ug.linearize and their like are given): return "
        "or carry the value, and assign it afterwards"
    )


def capture(
    function: Callable[..., Any],
    inputs: Sequence[Tensor],
    *,
    variables: bool = False,
    seen: bool = False,
) -> tuple[Graph, Any]:
    """Run a function of flat tensors once; return its graph and its result's structure.

    Args:
        function: takes as many tensors as there are ``inputs`` and returns a pytree.
        inputs: examples, of any depth.
        variables: note the variables that it reads and writes in the graph; otherwise they are
            constants, and must not be assigned.
        seen: let the recorders of the caller hear of the ops that compute the examples.

    Returns:
        The graph, whose ``result`` is ``(structure, leaves)``: ``None`` stands for an output,
        ``(x,)`` for a leaf that is no tensor.
    """
    graph = Capture(seen).graph(function, inputs, variables)
    return graph, graph.result[0]


def _place(scopes: tuple[tuple[str, int], ...]) -> Place:
    """Return the line of the program that runs."""
    frame = program_frame(sys._getframe(1))
    return frame.f_code.co_filename, frame.f_lineno, scopes
