"""The programs of backends that have no compiler: a captured graph, passed and lowered.

So `ug.jit` means the same there as where a library traces: one run on values that are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap, wrap_all
from unigrad.core.errors import OutOfBoundsError
from unigrad.core.interpreters import running
from unigrad.core.native_tape import Native
from unigrad.core.op import Op
from unigrad.core.programs import Program
from unigrad.core.running import apply
from unigrad.core.tensor import Tensor
from unigrad.tracing.capture import Capture, Symbol, tracing_at
from unigrad.tracing.fusing import fuse, save
from unigrad.tracing.graph import Graph, NativeFunction, Value
from unigrad.tracing.lowering import lower
from unigrad.tracing.overwriting import written_over
from unigrad.tracing.passes import fold_fills, inline_composites, simplified
from unigrad.tracing.scope import init_scope

#: Ops whose results are views of their input where a library has such.
_VIEWS = frozenset(
    (
        "stop_gradient", "reshape", "broadcast_to", "permute_dims", "flip", "split", "unstack",
        "getitem", "astype", "conj", "clip", "round", "roll", "einsum", "to_device", "bitcast",
    )
)  # fmt: skip


class ProgramCapture(Capture):
    """The capture of a program: its examples are computed by the kernels of programs."""

    def run(self, op: Op, examples: Sequence[Any], settings: Any) -> Any:
        backend = next(one.backend for one in examples if type(one) is Tensor)
        kernel = backend.unchecked.get(op.name)
        # Of numbers that nobody asked for, nobody wants to hear that they overflow.
        with np.errstate(all="ignore"):
            if kernel is None:
                try:
                    return apply(op, examples, settings)
                except OutOfBoundsError:
                    if op.body is None:
                        raise
                    return _by_body(op, examples, settings)
            natives = [one._native if type(one) is Tensor else one for one in examples]
            found = kernel(*natives, **settings)
        if isinstance(found, (tuple, list)):
            return tuple(wrap_all(backend, found))
        return wrap(backend, found)


def _by_body(op: Op, examples: Sequence[Any], settings: Any) -> Any:
    """Compute a composite from ops that take any index, by capturing it."""
    frame = ProgramCapture()
    level = tracing_at(next(x.backend for x in examples if type(x) is Tensor), frame.depth)
    with running(frame):
        inputs = [
            wrap(level, Symbol(frame, one)) if type(one) is Tensor else one for one in examples
        ]
        found = op.body(*inputs, **settings)  # type: ignore[misc]
    if type(found) is tuple:
        return tuple([one._native.example for one in found])
    return found._native.example


class StraightProgram(Program):
    """A graph, to be lowered to a function of a library's arrays."""

    def __init__(self, graph: Graph, backend: Backend, outside: Sequence[Tensor] = ()) -> None:
        self.graph = graph
        #: The handles of tensors from outside that its ops take.
        self.outside = outside
        self._backend = backend
        #: The places of results that only passes have made a view of an input: x · 1, say.
        self._to_copy: Sequence[int] = ()

    def compile(self) -> Callable[..., Sequence[Native]]:
        written, self.graph = self.graph, prepared(self.graph, self._backend, True)
        now, before = _are_shared(self.graph, _VIEWS | {"identity"}), _are_shared(written, _VIEWS)
        self._to_copy = [
            place
            for place, (one, other) in enumerate(zip(now, before, strict=True))
            if one and not other
        ]
        run, self.spares = lower(self.graph, self._backend, copied=self._to_copy)
        return self._unfollowed(run)

    def donating(self, places: Sequence[int]) -> Callable[..., Sequence[Native]] | None:
        backend = self._backend
        over = written_over(self.graph, backend, [self.graph.inputs[place] for place in places])
        if not over:
            return None
        return self._unfollowed(lower(self.graph, backend, over, self._to_copy).run)

    def _unfollowed(self, run: NativeFunction) -> NativeFunction:
        constants: list[Native] = []
        for graph in _all_of(self.graph):
            if any(node.op.opaque or node.op.foreign for node in graph.nodes):
                return run
            constants += [one._native for one in graph.constants.values()]
        return self._backend.unfollowed(run, constants)

    def show(self) -> str:
        return f"# The kernels of {self._backend.name}, in a row:\n{self.graph}"


def _are_shared(graph: Graph, views: frozenset[str]) -> list[bool]:
    """Tell of each result whether it is an input of a graph, or may be a view of one."""
    shared = set(graph.inputs)
    for node in graph.nodes:
        source = next((one for one in node.inputs if type(one) is Value), None)
        if node.op.name in views and source in shared:
            shared.update(node.outputs)
    return [one in shared for one in (*graph.outputs, *[value for _, value in graph.writes])]


def _all_of(graph: Graph) -> Iterator[Graph]:
    """Give a graph and those of the bodies within it."""
    yield graph
    for node in graph.nodes:
        for one in node.graphs:
            yield from _all_of(one)


def prepared(graph: Graph, backend: Backend, last: bool = False) -> Graph:
    """Return a graph that can be lowered for a backend, and computes no more than it must.

    Args:
        last: whether nobody differentiates what comes of it: not the library either.
    """
    graph = inline_composites(save(graph, backend), backend, last)
    return fuse(simplified(fold_fills(graph, backend)), backend)


def function_of(graph: Graph, backend: Backend) -> NativeFunction:
    """Return a graph without variables as a function of a backend's arrays."""
    with init_scope():
        return lower(prepared(graph, backend, not backend.differentiates), backend).run


def trace(
    backend: Backend, function: Callable[..., Sequence[Any]], examples: Sequence[Native]
) -> StraightProgram:
    """Trace ``function(lift, *arrays)`` by unigrad's own capture, as `Backend.trace` does."""
    frame = ProgramCapture()
    level = tracing_at(backend, frame.depth)
    inputs: list[Value] = []

    def lift(native: Native) -> Symbol:
        symbol = Symbol(frame, wrap(backend, native))
        inputs.append(symbol.value)
        return symbol

    with running(frame):
        outputs = function(lift, *map(lift, examples))
        found = [_value(frame, level, backend, one) for one in outputs]
    graph = Graph(
        inputs=tuple(inputs),
        nodes=tuple(frame.nodes),
        outputs=tuple(found),
        constants=frame.constants,
    )
    return StraightProgram(graph, backend, [*frame.outside.values()])


def _value(frame: Capture, level: Any, backend: Backend, native: Native) -> Value:
    """Return what stands for a result, which may be an array from outside."""
    if type(native) is not Symbol:
        return frame.constant(wrap(backend, native)).value
    level.check(native)
    value: Value = native.value
    return value
