"""Lowering: from a graph to one straight-line Python function of a library's own arrays.

Every node becomes one line that calls the library's kernel with its settings bound; values are
let go at their last use. Where a backend has kernels that write into a given array
(`Backend.into`), arrays are planned, see `unigrad.tracing.memory`.

Source text that is compiled once is the quickest way there is to run a list of calls: a loop over
closures takes about 0.1 µs more per op (measured with CPython 3.11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.core import dtypes
from unigrad.core.backend import Backend
from unigrad.core.dtypes import DType
from unigrad.core.native_tape import Kernel, Native
from unigrad.core.op import OPS, Op
from unigrad.tracing.graph import Graph, Node, Value
from unigrad.tracing.memory import Target, plan_of, size
from unigrad.tracing.overwriting import Over

#: The dtypes of which a number is the same to a library as an array and as Python's.
_WIDE = frozenset((dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64))


class Lowered(NamedTuple):
    """A function of native arrays, and for each of its results where arrays like it may go."""

    run: Callable[..., list[Native]]
    #: See `unigrad.core.backend.Program`.
    spares: Sequence[list[Native] | None]


def lower(
    graph: Graph,
    backend: Backend,
    over: Mapping[Node, Over] | None = None,
    copied: Sequence[int] = (),
) -> Lowered:
    """Return a function of the native arrays of a graph's inputs, and then of its variables.

    It returns those of the outputs, and then of the writes. Several threads may run it at once.
    Every op of the graph must have a kernel: see `passes.inline_composites`. ``over`` says which
    nodes may write into inputs: see `unigrad.tracing.overwriting`. ``copied`` has the places of
    results that are to have memory of their own.
    """
    return _Writer(graph, backend, over or {}, copied).lowered()


class _Writer:
    """Writes the function's source, and gathers the objects that it names."""

    def __init__(
        self,
        graph: Graph,
        backend: Backend,
        over: Mapping[Node, Over],
        copied: Sequence[int],
    ) -> None:
        self._graph = graph
        self._copied = frozenset(copied)
        self._over = over
        self._backend = backend
        self._plan = plan_of(graph, backend)
        self._names: dict[Value, str] = {}
        self._objects: dict[str, Any] = {
            "settle": backend.settle,
            "may_be_written": backend.may_be_written,
            "are_apart": backend.are_apart,
        }
        self._known: dict[int, str] = {}
        self._numbers: dict[Any, Native] = {}
        #: Arrays to be used again, by shape and dtype, and which values are written into such.
        self._free: dict[Any, list[Native]] = {}
        self._spares: dict[Value, list[Native]] = {}

    def lowered(self) -> Lowered:
        graph = self._graph
        inputs = [self._name(one) for one in (*graph.inputs, *graph.variables)]
        for value, tensor in graph.constants.items():
            self._objects[self._name(value)] = tensor._native
        body = [line for node in graph.nodes for line in self._lines(node)]
        results = [*graph.outputs, *(value for _, value in graph.writes)]
        returned = [self._result(one, place) for place, one in enumerate(results)]
        lines = self._with_workspace(body, f"[{', '.join(returned)}]")
        source = "\n  ".join([f"def program({', '.join(inputs)}):", *lines])
        exec(compile(source, f"<program of {len(graph.nodes)} ops>", "exec"), self._objects)
        return Lowered(self._objects["program"], [*map(self._spares.get, results)])

    def _with_workspace(self, body: list[str], returned: str) -> list[str]:
        """Put the lines that take and give back the workspace around a body."""
        buffers = self._plan.buffers
        if not buffers:
            return [*body, f"return {returned}"]
        backend = self._backend
        spaces: list[list[Native]] = []
        self._objects["give"] = spaces.append
        self._objects["take"] = _taking(
            spaces, lambda: [backend.empty(one.shape, one.dtype) for one in buffers]
        )
        names = ", ".join([f"b{i}" for i in range(len(buffers))])
        return [
            "space = take()",
            f"{names}, = space",
            *body,
            f"result = {returned}",
            "give(space)",
            "return result",
        ]

    def _name(self, value: Value) -> str:
        return self._names.setdefault(value, f"v{len(self._names)}")

    def _object(self, prefix: str, one: Any) -> str:
        """Return a name for an object, the same one each time."""
        name = self._known.get(id(one))
        if name is None:
            name = self._known[id(one)] = f"{prefix}{len(self._known)}"
            self._objects[name] = one
        return name

    def _lines(self, node: Node) -> list[str]:
        step = self._plan.steps[node]
        given = [self._operand(one, node) for one in node.inputs]
        dtypes = [one.dtype for one in node.inputs if isinstance(one, Value)]
        rare = self._backend.rare_kernel(node.op, dtypes)
        kernel = rare or kernel_of(self._backend, node.op)
        least = self._backend.least_kept
        if any(target is not None or size(one) >= least for target, one in step.targets):
            kernel = self._backend.into[node.op.name]
            targets = [self._target(target, one) for target, one in step.targets]
            given.append(f"[{', '.join(targets)}]" if node.multiple else targets[0])
        given += [f"{name}={self._setting(one)}" for name, one in node.settings.items()]
        call = f"{self._object('k', kernel)}({', '.join(given)})"
        outputs = [*map(self._name, node.outputs)]
        numbers = [name for name, one in zip(outputs, node.outputs, strict=True) if not one.shape]
        lines = [f"{', '.join(outputs)}{',' if node.multiple else ''} = {call}"]
        if node in self._over:
            lines = self._writing_over(node, outputs, given, lines[0])
        # Some libraries have another class for these.
        lines += [f"{name} = settle({name})" for name in numbers]
        if step.dies:
            lines.append(f"del {', '.join(map(self._name, step.dies))}")
        return lines

    def _writing_over(
        self, node: Node, outputs: Sequence[str], given: Sequence[str], otherwise: str
    ) -> list[str]:
        """Return the lines that write into inputs, unless something else leads to their memory."""
        kernel = self._object("k", self._backend.in_place[node.op.name])
        values, needed = self._over[node]
        inputs, others = (", ".join(map(self._name, some)) for some in (values, needed))
        return [
            f"if are_apart([{inputs}], [{others}]) and all(may_be_written([{inputs}])):",
            f"  {kernel}({', '.join(given)})",
            f"  {', '.join(outputs)}, = {inputs},",
            f"else: {otherwise}",
        ]

    def _target(self, target: Target, out: Value) -> str:
        """Return the array that an op writes into."""
        if type(target) is int:
            return f"b{target}"
        if type(target) is Value:
            if target in self._spares:
                self._spares[out] = self._spares[target]
            return self._name(target)
        return f"{self._spare(out)}()" if size(out) >= self._backend.least_kept else "None"

    def _spare(self, out: Value) -> str:
        """Return the name of what gives an array to write a result into."""
        kind = out.shape, out.dtype
        free = self._spares[out] = self._free.setdefault(kind, [])
        name = f"spare{id(free)}"
        if name not in self._objects:
            self._objects[name] = _taking(free, lambda: self._backend.empty(*kind))
        return name

    def _operand(self, one: Any, node: Node) -> str:
        if type(one) is Value:
            return self._name(one)
        backend, name = self._backend, node.op.name
        if name in backend.into and node.op.broadcasts:
            # In the dtype of the array beside it, which is what a weak number gets.
            beside = next(other.dtype for other in node.inputs if type(other) is Value)
            one = backend.from_numpy(np.asarray(one, beside), None)
        elif (dtype := dtype_of_number(one, node, backend)) is not None:
            key = dtype, repr(one)
            if key not in self._numbers:
                self._numbers[key] = backend.number(one, dtype)
            return self._object("n", self._numbers[key])
        return self._setting(one)

    def _setting(self, one: Any) -> str:
        if one is None or type(one) in (bool, int, str):
            return repr(one)
        self._objects[name := f"s{len(self._objects)}"] = one
        return name

    def _result(self, value: Value, place: int) -> str:
        """A constant is handed out as a copy: whoever gets it may hold it when it is next used."""
        name = self._name(value)
        if place in self._copied:
            return f"{self._object('k', self._backend.owned)}({name})"
        if value in self._graph.constants:
            copy = self._object("k", kernel_of(self._backend, OPS["astype"]))
            return f"{copy}({name}, dtype={self._setting(value.dtype)})"
        return name


def dtype_of_number(one: Any, node: Node, backend: Backend) -> DType | None:
    """Return the dtype in which a library is to get a number as an array; ``None`` as Python's.

    All arrays beside it have this dtype, and it holds the number. See `Backend.by_arrays`.
    """
    if node.op.name not in backend.by_arrays or type(one) not in (int, float):
        return None
    if node.op.name == "divide" and type(node.inputs[0]) is not Value:
        # Some libraries multiply by the reciprocal of an array.
        return None
    beside = node.inputs[1:] if node.op.name == "where" else node.inputs
    found = {other.dtype for other in beside if type(other) is Value} or {node.outputs[0].dtype}
    dtype = found.pop()
    if found or dtype not in _WIDE:
        return None
    whole = dtype.kind == "i"
    if whole and not (type(one) is int and np.iinfo(dtype).min <= one <= np.iinfo(dtype).max):
        return None
    return dtype


def _taking(free: list[Any], make: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that takes one of a list, or makes one: threads may do so at once."""

    def take() -> Any:
        try:
            return free.pop()
        except IndexError:
            return make()

    return take


def kernel_of(backend: Backend, op: Op) -> Kernel:
    """Return what runs an op in a program, where no value can be refused."""
    kernel = backend.unchecked.get(op.name) or op.kernels[backend]
    assert kernel is not None, op
    return kernel
