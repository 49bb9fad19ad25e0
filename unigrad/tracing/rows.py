"""A composite's body as a row of kernels: see `unigrad.core.repeated`.

The kernels are those of eager mode, with all that they check. Nothing is fused and nothing is
written in place; what depends on constants alone is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unigrad.core import recorders, repeated
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap, wrap_all
from unigrad.core.interpreters import outside
from unigrad.core.native_tape import Native
from unigrad.core.op import Op
from unigrad.core.plans import Planned
from unigrad.core.tensor import Tensor
from unigrad.core.traces import traced_by
from unigrad.tracing.capture import Capture, Symbol, tracing_at
from unigrad.tracing.graph import Graph, Node, Value
from unigrad.tracing.lowering import dtype_of_number
from unigrad.tracing.passes import common_subexpressions, fold_constants

#: Stands for a check of values, which has no result.
_CHECK = Op("check")


class _RowCapture(Capture):
    """The capture of a row: composites without a kernel are captured by what they are made of."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self._backend = backend

    def record(self, op: Op, natives: Sequence[Any], settings: Any) -> Any:
        if op.body is None or op.kernels[self._backend] is not None:
            return super().record(op, natives, settings)
        level = tracing_at(self._backend, self.depth)
        inputs = [wrap(level, one) if type(one) is Symbol else one for one in natives]
        found = op.body(*inputs, **settings)
        return self._of(found) if type(found) is Tensor else tuple(map(self._of, found))

    def note(self, check: Callable[..., None], tensors: Sequence[Tensor]) -> bool:
        values = tuple([self._of(one).value for one in tensors])
        self.nodes.append(Node(_CHECK, values, {"check": check}, (), True))
        return True


def row_of(
    backend: Backend, op: Op | Planned, natives: Sequence[Native], settings: Mapping[str, Any]
) -> Callable[..., Any] | None:
    """Return a function of arrays that gives a composite's handles.

    ``None`` where the body looks at values, fails, or has an op that is more than its kernel.

    Raises:
        Exception: what a kernel or a check raises on these arrays.
    """
    body, kinds = op.body, set[type]()
    assert body is not None

    def noted(*inputs: Tensor) -> Any:
        found = body(*inputs, **settings)
        # A named tuple is made of these elsewhere.
        found = tuple(found) if isinstance(found, tuple) else found
        kinds.add(type(found))
        return found

    inputs = [wrap(backend, one) for one in natives]
    with outside(), traced_by(None), recorders.only([]), np.errstate(all="ignore"):
        frame = _RowCapture(backend)
        try:
            graph = frame.graph(noted, inputs, variables=True)
            graph = common_subexpressions(_without_idle_moves(fold_constants(graph)))
        except Exception:
            # What is wrong with it is said by the body itself.
            return None
        if frame.looked or graph.variables or any(_is_more(node, backend) for node in graph.nodes):
            return None
        if kinds not in ({Tensor}, {tuple}) or any(one is not None for one in graph.result[1]):
            return None
        row = _written(graph, backend, Tensor in kinds, natives)
        found = row(*natives)
    return None if _shares(graph, found if type(found) is tuple else (found,)) else row


def _without_idle_moves(graph: Graph) -> Graph:
    """Drop what moves no element, unless it makes a result, which is to be a view of its own."""
    nodes: list[Node] = []
    same: dict[Value, Value] = {}
    for node in graph.nodes:
        given = tuple([same.get(one, one) if type(one) is Value else one for one in node.inputs])
        first, out = given[0] if given else None, node.outputs[0] if node.outputs else None
        idle = (
            node.op.name in ("broadcast_to", "reshape")
            and first.shape == out.shape  # type: ignore[union-attr]
            and out not in graph.outputs
        )
        if idle:
            same[out] = first  # type: ignore[index, assignment]
        else:
            nodes.append(replace(node, inputs=given))
    return graph.with_nodes(nodes)


def _is_more(node: Node, backend: Backend) -> bool:
    """Tell whether an op does more than run its kernel on what it is given."""
    op = node.op
    given = [one.dtype for one in node.inputs if type(one) is Value]
    special = op.by_value or op.opaque or op.foreign or node.graphs
    return bool(special) or backend.rare_kernel(op, given) is not None


def _shares(graph: Graph, results: Sequence[Tensor]) -> bool:
    """Tell whether a result is in the memory of a constant: its holder might write there."""
    known = [one.backend.to_numpy(one._native) for one in graph.constants.values()]
    found = [one.backend.to_numpy(one._native) for one in results]
    return any(np.may_share_memory(one, other) for one in found for other in known)


def _written(
    graph: Graph, backend: Backend, single: bool, natives: Sequence[Native]
) -> Callable[..., Any]:
    """Write the function's source; compiled once, it is the quickest way to run a list of calls.

    Where the backend makes one program of the kernels, the checks come after it.
    """
    names: dict[Value, str] = {}
    objects: dict[str, Any] = {
        "backend": backend,
        "settle": backend.settle,
        "to_numpy": backend.to_numpy,
        "wrap": wrap,
        "wrap_all": wrap_all,
    }

    def name_of(value: Value) -> str:
        return names.setdefault(value, f"v{len(names)}")

    def known(one: Any) -> str:
        objects[name := f"o{len(objects)}"] = one
        return name

    def operand(one: Any, node: Node) -> str:
        if type(one) is Value:
            return name_of(one)
        dtype = dtype_of_number(one, node, backend)
        return known(one if dtype is None else backend.number(one, dtype))

    def call(node: Node) -> str:
        given = [operand(one, node) for one in node.inputs]
        arrays = [one for one in node.inputs if type(one) is Value]
        scalars = node.inputs[len(arrays) :]
        if node.settings and [*arrays, *scalars] == [*node.inputs]:
            # A bound kernel has its scalars behind the arrays.
            kernel = backend.bound(node.op, node.settings, scalars)
            del given[len(arrays) :]
        else:
            kernel = backend.unwatched(node.op.kernels[backend])  # type: ignore[arg-type]
            given += [f"{name}={known(one)}" for name, one in node.settings.items()]
        outputs = [*map(name_of, node.outputs)]
        targets = f"{', '.join(outputs)}{',' if node.multiple else ''}"
        # Some libraries have another class for numbers.
        settled = [
            f" {name} = settle({name})"
            for name, one in zip(outputs, node.outputs, strict=True)
            if not one.shape
        ]
        return "\n".join([f" {targets} = {known(kernel)}({', '.join(given)})", *settled])

    def check(node: Node) -> str:
        values = ", ".join([f"to_numpy({operand(one, node)})" for one in node.inputs])
        return f" {known(node.settings['check'])}({values})"

    inputs = ", ".join(map(name_of, graph.inputs))
    for value, tensor in graph.constants.items():
        objects[name_of(value)] = tensor._native
    lines = [(check if node.op is _CHECK else call)(node) for node in graph.nodes]
    results = ", ".join(map(name_of, graph.outputs))
    checks = [one for one, node in zip(lines, graph.nodes, strict=True) if node.op is _CHECK]
    if len(lines) - len(checks) >= backend.fewest_joined:
        calls = [one for one in lines if one not in checks]
        made = {out for node in graph.nodes for out in node.outputs}
        seen = [one for node in graph.nodes if node.op is _CHECK for one in node.inputs]
        wanted = dict.fromkeys([*graph.outputs, *[one for one in seen if one in made]])
        given = ", ".join(map(name_of, wanted))
        source = [f"def kernels({inputs}):", *calls, f" return ({given},)"]
        joined = backend.joined(_compiled(source, objects, "kernels"), natives)
        if joined is not None:
            lines = [f" {given}, = {known(joined)}(({inputs},))", *checks]
    made_of = f"wrap(backend, {results})" if single else f"tuple(wrap_all(backend, ({results},)))"
    return _compiled([f"def row({inputs}):", *lines, f" return {made_of}"], objects, "row")


def _compiled(lines: Sequence[str], objects: dict[str, Any], name: str) -> Callable[..., Any]:
    """Return a function of this source."""
    exec(compile("\n".join(lines), f"<row of {len(lines)} lines>", "exec"), objects)
    function: Callable[..., Any] = objects[name]
    return function


repeated.make_row = row_of
