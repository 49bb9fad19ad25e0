"""How values and nodes are written in tables and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigrad.tracing.graph import Node, Value

if TYPE_CHECKING:
    from unigrad.graph.captured import CapturedGraph

_INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "pow": "**", "matmul": "@",
    "remainder": "%", "floor_divide": "//", "less": "<", "greater": ">", "equal": "==",
}  # fmt: skip


def formula(captured: CapturedGraph, value: Value) -> str:
    """Return how a value is computed; of what is not computed, what it is."""
    if value in captured.makers:
        return _call(captured, captured.makers[value])
    graph = captured.graph
    if value in graph.variables:
        return "variable"
    return "constant" if value in graph.constants else "input"


def _call(captured: CapturedGraph, node: Node) -> str:
    """Return a node as an expression."""
    given = [_operand(captured, one) for one in node.inputs]
    if node.op.name in _INFIX and len(given) == 2:
        return f"{given[0]} {_INFIX[node.op.name]} {given[1]}"
    if node.op.name == "negative":
        return f"-{given[0]}"
    return f"{node.op.name}({', '.join(given)})"


def _operand(captured: CapturedGraph, one: Any) -> str:
    return captured.names[one] if type(one) is Value else f"{one:g}"


def label(captured: CapturedGraph, node: Node) -> str:
    """Return a node's text in a picture: names of its results, and the expression."""
    names = ", ".join([captured.names[one] for one in node.outputs])
    return f"{names} = {_call(captured, node)}"


def value_text(captured: CapturedGraph, value: Value) -> str:
    """Return what a value was: a number, or its dtype and shape."""
    if value.shape:
        return repr(value)
    return f"{captured.value(value).item():.4g}"
