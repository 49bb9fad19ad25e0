"""What type checkers know of unigrad: its names, its methods, a user's program."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import unigrad as ug
from unigrad.core import foreign
from unigrad.ops import methods
from unigrad.ops.declarations import Attached

ROOT = Path(__file__).parent.parent
PROGRAM = Path(__file__).parent / "typed_program.py"

#: What every class has.
PLAIN = {
    "__annotations__", "__dict__", "__doc__", "__hash__", "__module__", "__weakref__",
    "__firstlineno__", "__static_attributes__",  # From Python 3.13 on.
}  # fmt: skip

#: What backends add: the methods by which their libraries' functions ask.
BACKENDS = {*foreign.protocols()}


def attached(kind: str) -> dict[str, Any]:
    """Return what a class that has nothing of its own gets attached."""
    bare = {name: type(name, (), {}) for name in ("Tensor", "Variable")}
    with pytest.MonkeyPatch.context() as patch:
        assignment = {bare[one.__name__]: ops for one, ops in methods._ASSIGNMENT.items()}
        patch.setattr(methods, "_ASSIGNMENT", assignment)
        for name, cls in bare.items():
            patch.setattr(methods, name, cls)
        methods.attach()
    return {name: one for name, one in vars(bare[kind]).items() if name not in PLAIN | BACKENDS}


ATTACHED = attached("Tensor")
DECLARED = {name: one for name, one in vars(Attached).items() if name not in PLAIN}
DECLARED |= dict.fromkeys(Attached.__annotations__, bool)


def test_what_is_attached_is_declared() -> None:
    assert len(DECLARED) > 75
    assert set(DECLARED) == set(ATTACHED)


def test_a_variable_has_it_too() -> None:
    variable = ug.Variable([[1.0]])
    assert {name for name in DECLARED if not hasattr(variable, name)} == set()
    # A Variable is assigned to in place, which a Tensor is not.
    in_place = {f"__i{name}__" for name in methods._BINARY}
    assert set(attached("Variable")) - set(DECLARED) == in_place


def taken(function: Any) -> dict[Any, Any]:
    """Return what a function takes after its first argument: kinds and defaults, by name.

    What is taken by position only goes by its place, and so does what is left over.
    """
    found: dict[Any, Any] = {}
    for place, one in enumerate(all_parameters(getattr(function, "__func__", function))):
        named = one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        if place > 0:
            found[one.name if named else (place, one.kind)] = (one.kind, one.default)
    return found


def all_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return a function's parameters; its ``**settings`` are those of the op they are for."""
    parameters = list(inspect.signature(function).parameters.values())
    op = inspect.getclosurevars(inspect.unwrap(function)).nonlocals.get("op")
    if op is None or parameters[-1].kind is not inspect.Parameter.VAR_KEYWORD:
        return parameters
    names = [one.name for one in parameters]
    inner = {one.name: one for one in all_parameters(op)}
    more = [
        one for name, one in inner.items() if one.kind is one.KEYWORD_ONLY and name not in names
    ]
    # NumPy's functions hand on `out` and `dtype`; the first is never taken, the other by some ops.
    refused = {"out", "dtype"} - set(inner)
    return [one for one in (*parameters[:-1], *more) if one.name not in refused]


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_what_is_declared_fits(name: str) -> None:
    declared, real = DECLARED[name], ATTACHED[name]
    if declared is bool:
        assert real is True
    elif isinstance(declared, property):
        assert isinstance(real, property)
        annotation = inspect.signature(declared.fget).return_annotation  # type: ignore[arg-type]
        value = getattr(ug.asarray([[1.0]]), name)
        assert type(value).__name__ == annotation
    else:
        assert type(declared) is type(real)
        assert taken(declared) == taken(real)


def test_a_misfit_is_seen() -> None:
    def sum(self: Any, axis: Any = None, *, keepdims: bool = False) -> Any: ...

    assert taken(sum) != taken(ATTACHED["sum"])
    assert taken(sum) == taken(ATTACHED["max"])
    assert taken(sum) != taken(ATTACHED["std"])


def test_the_public_lists_can_be_followed() -> None:
    """pyright takes a module that its package imports by name for a variable, and goes no further.

    Names of a list that it cannot follow are private to it.
    """
    tree = ast.parse((ROOT / "unigrad" / "__init__.py").read_text())
    sources: dict[str | None, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            sources |= {one.asname: "" for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            sources |= {one.asname or one.name: f"{node.module}:{one.name}" for one in node.names}
    added = [
        node.value.value.id
        for node in tree.body
        if isinstance(node, ast.AugAssign)
        and isinstance(node.value, ast.Attribute)
        and isinstance(node.value.value, ast.Name)
    ]
    assert len(added) > 25
    for name in added:
        package, _, module = sources[name].partition(":")
        if package:
            path = ROOT.joinpath(*package.split("."), "__init__.py")
            imported = [
                one.name
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.ImportFrom)
                for one in node.names
            ]
            assert module not in imported, f"write: import {package}.{module} as {name}"


def test_a_users_program() -> None:
    # The project's own settings, so that its cache serves.
    command = [sys.executable, "-m", "mypy", "--strict", "--show-error-codes", str(PROGRAM)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = re.findall(r"^\S+:(\d+): error: .*\[([a-z-]+)\]$", run.stdout, re.MULTILINE)
    expected = [
        (str(number), code)
        for number, line in enumerate(PROGRAM.read_text().splitlines(), 1)
        for code in re.findall(r"# error: ([a-z-]+)$", line)
    ]
    assert len(expected) >= 7
    assert found == expected, run.stdout + run.stderr
