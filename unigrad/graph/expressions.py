"""Graphs of expressions given as text: ``(a + b) * (b + 1)``."""

from __future__ import annotations

import ast
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.core.op import OPS
from unigrad.graph.captured import CapturedGraph, capture

_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.operator, ast.unaryop,
)  # fmt: skip


def expression(text: str, **at: Any) -> CapturedGraph:
    """Return the graph of an arithmetic expression at given values.

    Args:
        text: Python's operators, numbers, names of values and public ops: ``"a * sin(b)"``.
        at: the values of its names.

    Raises:
        SettingError: when it is no such expression, or a name has no value.

    Example:
        >>> g = expression("(a + b) * (b + 1)", a=2.0, b=1.0)
        >>> float(g.value("e"))
        6.0
    """
    try:
        parsed = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise SettingError(f"graph: {text!r} is no expression: {error.msg}") from None
    names: list[str] = []
    functions: dict[str, Any] = {}
    called = {id(node.func) for node in ast.walk(parsed) if isinstance(node, ast.Call)}
    for node in ast.walk(parsed):
        if not isinstance(node, _ALLOWED):
            raise SettingError(f"graph: {text!r}: {type(node).__name__} is not understood")
        if isinstance(node, ast.Name):
            if id(node) in called:
                functions[node.id] = _function(node.id)
            elif node.id not in at:
                raise SettingError(f"graph: {text!r}: {node.id} has no value; give {node.id}=…")
            elif node.id not in names:
                names.append(node.id)
    code = compile(f"lambda {', '.join(sorted(names))}: {text}", "<expression>", "eval")
    run = eval(code, {"__builtins__": {}, **functions})
    given = [float(x) if type(x) is int else x for x in map(at.__getitem__, sorted(names))]
    return capture(run)(*given)


def _function(name: str) -> Any:
    """Return a public op by name.

    Raises:
        SettingError: when there is none.
    """
    op = OPS.get(name)
    if op is None or op.public is None:
        raise SettingError(f"graph: there is no op {name!r}")
    return op.public
