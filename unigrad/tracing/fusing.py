"""Fusing: several ops of a program become one that its backend has a kernel for.

A backend lists its `Fusion`s, and its `Saving`s, where one op leaves something behind for another.
A pattern is written as ops are called, in tuples: ``("where", ("greater", "x", 0.0), "g", 0.0)`` is
``where(greater(x, 0.0), g, 0.0)`` for any two values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from unigrad.core.backend import Backend
from unigrad.core.dtypes import bool_
from unigrad.core.op import Op
from unigrad.core.programs import Fusion, Saving
from unigrad.tracing.graph import Graph, Node, Operand, Value
from unigrad.tracing.passes import dead_code
from unigrad.tracing.signature import exact


@cache
def _op(backend: Backend, fusion: Fusion) -> Op:
    """Return the op that stands for a fusion in the graphs of one backend.

    Example:
        >>> from unigrad.core.registry import load_backend
        >>> numpy = load_backend("numpy")
        >>> _op(numpy, numpy.fusions[0])
        <op alive>
    """
    op = Op(fusion.name)
    op.kernels[backend] = fusion.kernel
    op.broadcasts = fusion.elementwise
    return op


def fuse(graph: Graph, backend: Backend) -> Graph:
    """Put a backend's fused ops in place of what they compute."""
    made = {node.outputs[0]: node for node in graph.nodes if not node.multiple}
    once = _used_once(graph)
    inside = {value: node for value, node in made.items() if value in once}
    nodes = []
    for node in graph.nodes:
        for fusion in backend.fusions:
            found: dict[str, Operand] = {}
            within = inside if fusion.over else made
            if _matches(fusion.pattern, node, within, found) and _fits(fusion, node, found):
                inputs = tuple([found[name] for name in fusion.inputs])
                node = replace(node, op=_op(backend, fusion), inputs=inputs, settings={})
                break
        nodes.append(node)
    return dead_code(replace(graph, nodes=tuple(nodes)))


def _used_once(graph: Graph) -> set[Value]:
    """Return the values that one place of one op, and nobody else, uses."""
    uses = Counter([one for node in graph.nodes for one in node.inputs if type(one) is Value])
    uses.update([*graph.outputs, *(value for _, value in graph.writes)])
    return {value for value, count in uses.items() if count == 1}


def save(graph: Graph, backend: Backend) -> Graph:
    """Let ops leave behind what others of the same inputs would compute again."""
    for saving in backend.savings:
        later: dict[tuple[Operand, ...], list[Node]] = {}
        for node in graph.nodes:
            if node.op.name == saving.later:
                later.setdefault(node.inputs[1:], []).append(node)
        if later:
            graph = _with_saving(graph, backend, saving, later)
    return graph


def _with_saving(
    graph: Graph, backend: Backend, saving: Saving, later: Mapping[tuple[Operand, ...], list[Node]]
) -> Graph:
    first, second = _saving_ops(backend, saving)
    saved: dict[tuple[Operand, ...], Value] = {}
    nodes = []
    for node in graph.nodes:
        if node.op.name == saving.op and node.inputs in later and node.inputs not in saved:
            # Not an array: only the later op takes it.
            value = saved[node.inputs] = Value((1,), node.outputs[0].dtype)
            node = replace(node, op=first, outputs=(*node.outputs, value), multiple=True)
        elif node.op.name == saving.later and node.inputs[1:] in saved:
            node = replace(node, op=second, inputs=(node.inputs[0], saved[node.inputs[1:]]))
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


@cache
def _saving_ops(backend: Backend, saving: Saving) -> tuple[Op, Op]:
    """Return the op that saves and the one that takes what is saved.

    Example:
        >>> from unigrad.core.registry import load_backend
        >>> numpy = load_backend("numpy")
        >>> _saving_ops(numpy, numpy.savings[0])[0]
        <op sparse_softmax_crossentropy_and_more>
    """
    first, second = Op(f"{saving.op}_and_more"), Op(f"{saving.later}_of_saved")
    first.kernels[backend] = saving.kernel
    second.kernels[backend] = saving.later_kernel
    return first, second


def _matches(
    pattern: Sequence[Any], node: Node, made: Mapping[Value, Node], found: dict[str, Operand]
) -> bool:
    """Tell whether a node is what a pattern says; note what its names stand for."""
    name, *operands = pattern
    if node.op.name != name or len(node.inputs) != len(operands) or node.multiple:
        return False
    return all(
        _matches_operand(operand, one, made, found)
        for operand, one in zip(operands, node.inputs, strict=True)
    )


def _matches_operand(
    pattern: Any, one: Operand, made: Mapping[Value, Node], found: dict[str, Operand]
) -> bool:
    if type(pattern) is str:
        return found.setdefault(pattern, one) is one
    if type(pattern) is tuple:
        return type(one) is Value and one in made and _matches(pattern, made[one], made, found)
    return type(one) is not Value and exact(one) == exact(pattern)


def _fits(fusion: Fusion, node: Node, found: Mapping[str, Operand]) -> bool:
    """Tell whether all inputs are values of their dtypes, and the kernel is for these."""
    values = [one for name in fusion.inputs if type(one := found[name]) is Value]
    out = node.outputs[0]
    return (
        len(values) == len(fusion.inputs)
        and out.dtype in fusion.dtypes
        and all(
            one.dtype == (bool_ if name in fusion.masks else out.dtype)
            for name, one in zip(fusion.inputs, values, strict=True)
        )
        and fusion.fits(*[one.shape for one in values], out.shape)
    )
