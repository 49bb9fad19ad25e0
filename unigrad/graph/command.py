"""The command ``unigrad graph``."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.graph.captured import CapturedGraph, capture
from unigrad.graph.expressions import expression

#: Tables and paths of larger graphs are not printed.
_SHORT = 40


def show(
    what: str,
    values: Sequence[str],
    wrt: str | None,
    out: Path | None,
    fold: int | None,
    echo: Callable[[str], Any],
) -> None:
    """Print a graph and its derivatives, and draw it; the arguments are the command's.

    Raises:
        SettingError: when something given is not understood.
    """
    file, _, name = what.rpartition(":")
    captured = _of_file(Path(file), name) if file.endswith(".py") else _of_text(what, values)
    echo(str(captured))
    scalars = all(not edge.source.shape and not edge.target.shape for edge in captured.edges)
    if scalars and len(captured.nodes) <= _SHORT and len(captured.outputs) == 1:
        if wrt is not None:
            echo(f"\nforward mode\n{captured.forward(wrt)}")
        echo(f"\nreverse mode\n{captured.reverse()}")
        if wrt is not None:
            _echo_paths(captured, wrt, echo)
    if out is not None:
        if out.suffix == ".gif":
            captured.animate(out)
        else:
            captured.draw(out, fold=fold)
        echo(f"\ndrawn: {out}")


def _echo_paths(captured: CapturedGraph, wrt: str, echo: Callable[[str], Any]) -> None:
    [target] = captured.outputs
    paths = captured.paths(wrt, target)
    echo(f"\nthe sum over {len(paths)} paths")
    for path in paths:
        echo(f"  {path}")
    total = sum(float(path.product) for path in paths)
    echo(f"∂{captured.names[target]}/∂{wrt} = {total:g}")


def _of_text(text: str, values: Sequence[str]) -> CapturedGraph:
    """Return the graph of an expression at values given as ``name=number``."""
    at: dict[str, float] = {}
    for one in values:
        name, equals, number = one.partition("=")
        try:
            at[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise SettingError(f"graph: {one!r} is no name=number")
    return expression(text, **at)


def _of_file(file: Path, name: str) -> CapturedGraph:
    """Return the graph of a function of no arguments in a file."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.exists():
        raise SettingError(f"graph: there is no file {file}")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.resolve().parent))
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        function = getattr(module, name, None)
        if not callable(function):
            raise SettingError(f"graph: {file} has no function {name!r}")
        return capture(function)()
    finally:
        sys.path.pop(0)
