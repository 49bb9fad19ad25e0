"""Passes: small pure functions from a graph to one that does the same with less.

Each keeps values bit for bit, except that `cancel_pairs` multiplies where a sum added equal terms
up. They know no backend: `fold_constants` and `inline_composites` run ops to find out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from unigrad.core import recorders
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import float32, float64
from unigrad.core.errors import UnigradError
from unigrad.core.interpreters import outside
from unigrad.core.op import OPS
from unigrad.core.running import apply
from unigrad.core.tensor import Tensor
from unigrad.core.traces import traced_by
from unigrad.tracing.capture import capture
from unigrad.tracing.graph import Graph, Node, Value
from unigrad.tracing.signature import exact

#: Constants of more elements are not compared, nor made by folding.
_LARGEST = 2**16


def substitute(graph: Graph, nodes: Sequence[Node], same: Mapping[Value, Value]) -> Graph:
    """Return a graph with other nodes, and values replaced in its outputs and writes."""
    return replace(
        graph,
        nodes=tuple(nodes),
        outputs=tuple([same.get(one, one) for one in graph.outputs]),
        writes=[(variable, same.get(one, one)) for variable, one in graph.writes],
    )


def _with_inputs(node: Node, same: Mapping[Value, Value]) -> Node:
    """Return a node with values replaced in its inputs."""
    inputs = tuple([same.get(one, one) if type(one) is Value else one for one in node.inputs])
    return node if inputs == node.inputs else replace(node, inputs=inputs)


def dead_code(graph: Graph) -> Graph:
    """Drop nodes, constants and variables that no output or write needs."""
    needed = {*graph.outputs, *(value for _, value in graph.writes)}
    kept = []
    for node in reversed(graph.nodes):
        if not needed.isdisjoint(node.outputs):
            kept.append(node)
            needed.update(one for one in node.inputs if type(one) is Value)
    return replace(
        graph,
        nodes=tuple(reversed(kept)),
        constants={value: one for value, one in graph.constants.items() if value in needed},
        variables={value: one for value, one in graph.variables.items() if value in needed},
    )


def common_subexpressions(graph: Graph) -> Graph:
    """Run an op once where the same one stands with the same inputs and settings.

    0.0 and -0.0 are two numbers, and so are 1, 1.0 and True.
    """
    same: dict[Value, Value] = {}
    known: dict[Any, Any] = {}
    for value, constant in graph.constants.items():
        key = _constant_key(constant)
        if key is not None:
            first = known.setdefault(key, value)
            if first is not value:
                same[value] = first
    nodes = []
    for node in graph.nodes:
        node = _with_inputs(node, same)
        try:
            earlier = known.setdefault(_node_key(node), node)
        except TypeError:  # A setting that is not hashable may be equal to nothing.
            earlier = node
        if earlier is node:
            nodes.append(node)
        else:
            same.update(zip(node.outputs, earlier.outputs, strict=True))
    return substitute(graph, nodes, same)


def _node_key(node: Node) -> Any:
    settings = tuple(sorted((name, exact(one)) for name, one in node.settings.items()))
    inputs = tuple([one if type(one) is Value else exact(one) for one in node.inputs])
    return node.op, inputs, settings


def _constant_key(tensor: Tensor) -> Any:
    """Return what equal small constants have in common."""
    if not _is_known(tensor) or tensor.size > _LARGEST:
        return None
    array = tensor.backend.to_numpy(tensor._native)
    return tensor.backend, tensor.device, array.dtype, array.shape, array.tobytes()


def _is_known(tensor: Tensor) -> bool:
    """Tell whether a constant's value is there, and nobody differentiates by it."""
    backend = tensor.backend
    return not (backend.depth or tensor.uid or backend.is_traced(tensor._native))


def fold_constants(graph: Graph) -> Graph:
    """Run what depends on constants alone, once and for all.

    Variables are no constants. What would raise, or be large, stays.
    """
    constants = dict(graph.constants)
    nodes = []
    for node in graph.nodes:
        found = _folded(node, constants)
        if found is None:
            nodes.append(node)
        else:
            constants.update(zip(node.outputs, found, strict=True))
    return replace(graph, nodes=tuple(nodes), constants=constants)


def _folded(node: Node, constants: Mapping[Value, Tensor]) -> Sequence[Tensor] | None:
    """Return the results of a node whose inputs are known."""
    inputs = [constants.get(one) if type(one) is Value else one for one in node.inputs]
    large = any(math.prod(one.shape) > _LARGEST for one in node.outputs)
    if node.graphs or not node.outputs or large:
        return None
    if not all(one is not None and (type(one) is not Tensor or _is_known(one)) for one in inputs):
        return None
    try:
        with outside(), traced_by(None), recorders.only([]), np.errstate(all="ignore"):
            found = apply(node.op, inputs, node.settings)
    except (UnigradError, ArithmeticError):
        return None
    return found if node.multiple else (found,)


def fold_fills(graph: Graph, backend: Backend) -> Graph:
    """Make constants of what depends on a shape alone, for a program of one backend."""
    constants = dict(graph.constants)
    nodes = []
    for node in graph.nodes:
        out = node.outputs[0]
        if node.op is OPS["full_like"] and math.prod(out.shape) <= _LARGEST:
            array = np.full(out.shape, node.settings["value"], out.dtype)
            constants[out] = wrap(backend, backend.from_numpy(array, None))
        else:
            nodes.append(node)
    return replace(graph, nodes=tuple(nodes), constants=constants)


# -- pairs


def cancel_pairs(graph: Graph) -> Graph:
    """Drop ops that undo each other or do nothing, and merge two moves of elements into one."""
    made: dict[Value, Node] = {}
    same: dict[Value, Value] = {}
    nodes = []
    for node in graph.nodes:
        node = _with_inputs(node, same)
        rewrite = _REWRITES.get(node.op.name)
        found = None if rewrite is None else rewrite(node, made)
        if type(found) is Value:
            same[node.outputs[0]] = found
            continue
        node = node if found is None else found
        nodes.append(node)
        for value in node.outputs:
            made[value] = node
    return substitute(graph, nodes, same)


_Rewrite = Callable[[Node, Mapping[Value, Node]], Any]


def _source(node: Node, made: Mapping[Value, Node], name: str) -> Node | None:
    """Return what made a node's first input, if that is an op of a name."""
    before = made.get(node.inputs[0]) if type(node.inputs[0]) is Value else None
    return before if before is not None and before.op.name == name else None


def _is_as_before(node: Node) -> bool:
    x, out = node.inputs[0], node.outputs[0]
    return type(x) is Value and x.shape == out.shape and x.dtype == out.dtype


def _move(node: Node, made: Mapping[Value, Node]) -> Any:
    """Of two reshapes, or of two broadcasts from the same rank on, the second says it all."""
    if _is_as_before(node):
        return node.inputs[0]
    before = _source(node, made, node.op.name)
    return None if before is None else replace(node, inputs=before.inputs)


def _transpose(node: Node, made: Mapping[Value, Node]) -> Any:
    axes = node.settings["axes"]
    before = _source(node, made, "permute_dims")
    if before is not None:
        axes = tuple([before.settings["axes"][i] for i in axes])
        node = replace(node, inputs=before.inputs, settings={"axes": axes})
    return node.inputs[0] if axes == tuple(range(len(axes))) else node if before else None


def _involution(node: Node, made: Mapping[Value, Node]) -> Any:
    before = _source(node, made, node.op.name)
    if before is None or before.inputs[0].dtype != node.outputs[0].dtype:
        return None
    return before.inputs[0]


def _sum(node: Node, made: Mapping[Value, Node]) -> Any:
    """A sum over axes along which something was repeated is a multiple of it."""
    before = _source(node, made, "broadcast_to")
    if before is None:
        return None
    x, spread = before.inputs[0], before.outputs[0]
    axes = node.settings["axis"]
    axes = tuple(range(len(spread.shape))) if axes is None else axes
    extra = len(spread.shape) - len(x.shape)
    count = math.prod([spread.shape[i] for i in axes])
    repeated = all(i < extra or x.shape[i - extra] == 1 for i in axes)
    if not (repeated and count and x.dtype in (float32, float64) and node.op is OPS["sum"]):
        return None
    out = node.outputs[0]
    if math.prod(out.shape) != math.prod(x.shape) or x.shape != out.shape:
        return None
    return Node(OPS["multiply"], (x, float(count)), {}, node.outputs, False, node.place)


def _astype(node: Node, made: Mapping[Value, Node]) -> Any:
    return node.inputs[0] if _is_as_before(node) else None


def _multiply(node: Node, made: Mapping[Value, Node]) -> Any:
    """x · 1 is x, whatever x is."""
    for x, one in (node.inputs, node.inputs[::-1]):
        if type(one) in (int, float) and one == 1 and type(x) is Value:
            out = node.outputs[0]
            return x if (x.shape, x.dtype) == (out.shape, out.dtype) else None
    return None


_REWRITES: dict[str, _Rewrite] = {
    "identity": lambda node, made: node.inputs[0],
    "reshape": _move,
    "broadcast_to": _move,
    "permute_dims": _transpose,
    "negative": _involution,
    "conj": _involution,
    "logical_not": _involution,
    "bitwise_invert": _involution,
    "sum": _sum,
    "astype": _astype,
    "multiply": _multiply,
}


# -- composites


def inline_composites(graph: Graph, backend: Backend, functions: bool = False) -> Graph:
    """Put bodies in the place of composites that a backend has no kernel for.

    Args:
        functions: also in the place of functions with a derivative of their own, which is lost.
    """
    constants = dict(graph.constants)
    same: dict[Value, Value] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        node = _with_inputs(node, same)
        inlined = functions and node.op.inlined
        if node.op.body is None or not (inlined or node.op.kernels[backend] is None):
            nodes.append(node)
            continue
        body = inline_composites(_body(node, backend), backend, functions)
        given = [one for one in node.inputs if type(one) is Value]
        inner = dict(zip(body.inputs, given, strict=True))
        nodes += [_with_inputs(one, inner) for one in body.nodes]
        constants.update(body.constants)
        for value, result in zip(node.outputs, body.outputs, strict=True):
            same[value] = inner.get(result, result)
    return substitute(replace(graph, constants=constants), nodes, same)


def _body(node: Node, backend: Backend) -> Graph:
    """Return the graph of a composite's body; it sees shapes and dtypes, so zeros will do."""
    body = node.op.body
    assert body is not None

    def run(*tensors: Tensor) -> Any:
        given = iter(tensors)
        inputs = [next(given) if type(one) is Value else one for one in node.inputs]
        return body(*inputs, **node.settings)

    examples = [_zeros(one, backend) for one in node.inputs if type(one) is Value]
    with outside(), traced_by(None), recorders.only([]), np.errstate(all="ignore"):
        return capture(run, examples)[0]


def _zeros(value: Value, backend: Backend) -> Tensor:
    return wrap(backend, backend.from_numpy(np.zeros(value.shape, value.dtype), None))


def simplified(graph: Graph) -> Graph:
    """Apply the passes that hold for every use of a graph, bodies included, to a fixed point.

    Derivatives and batches of the result are those of the graph.
    """
    graph = replace(graph, nodes=tuple(map(_with_simplified_bodies, graph.nodes)))
    while True:
        before = len(graph.nodes)
        graph = dead_code(common_subexpressions(cancel_pairs(fold_constants(graph))))
        if len(graph.nodes) == before:
            return graph


def _with_simplified_bodies(node: Node) -> Node:
    if not node.graphs:
        return node
    settings = {
        name: simplified(one) if isinstance(one, Graph) else one
        for name, one in node.settings.items()
    }
    return replace(node, settings=settings)
