"""The table of a model's layers: shapes and numbers of parameters."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from unigrad.core import tree

if TYPE_CHECKING:
    from unigrad.layers.module import Module


def summary(module: Module, inputs: Sequence[Any], settings: Mapping[str, Any]) -> str:
    """Return the table; with inputs the module is run on them, for the shapes of its results."""
    from rich.console import Console
    from rich.table import Table

    shapes = _shapes(module, inputs, settings) if inputs else {}
    table = Table(title=module.name, title_justify="left")
    table.add_column("layer")
    table.add_column("kind")
    table.add_column("result")
    table.add_column("parameters", justify="right")
    for path, one in named_modules(module).items():
        count = sum(prod(v.shape) for v in own_variables(one))
        shape = shapes.get(id(one), "")
        table.add_row(path or ".", type(one).__name__, shape, f"{count:,}")
    total = sum(prod(v.shape) for v in module.variables)
    trained = sum(prod(v.shape) for v in module.trainable_variables)
    table.caption = f"{total:,} in all, {trained:,} of them trained"
    table.caption_justify = "left"
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(table)
    written: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in written.splitlines())


def named_modules(module: Module) -> dict[str, Module]:
    """Return a module, under the empty path, and all inside of it by path."""
    from unigrad.layers.module import Module, _walk

    inside = {path: one for path, one in _walk(module, "", set()) if isinstance(one, Module)}
    return {"": module, **inside}


def own_variables(module: Module) -> list[Any]:
    """Return the variables that are in no module inside of a module."""
    others = {id(v) for one in module.submodules for v in one.variables}
    return [v for v in module.variables if id(v) not in others]


def _shapes(module: Module, inputs: Sequence[Any], settings: Mapping[str, Any]) -> dict[int, str]:
    """Run a module and return the shapes that it and all inside give, by identity."""
    found: dict[int, str] = {}

    def noting(one: Module, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            result = call(*args, **more)
            found[id(one)] = _of_result(result)
            return result

        return run

    module(*inputs, **settings)
    modules = list(named_modules(module).values())
    try:
        for one in modules:
            one.__dict__["call"] = noting(one, one.call)
        module(*inputs, **settings)
    finally:
        for one in modules:
            one.__dict__.pop("call", None)
    return found


def _of_result(result: Any) -> str:
    shapes = [str(tuple(one.shape)) for one in tree.leaves(result) if hasattr(one, "shape")]
    return ", ".join(shapes)
