"""Fill the API pages with the public names: an mkdocs hook.

``<!-- public: unigrad.layers -->`` in a page stands for all names in that module's ``__all__``,
``<!-- public: unigrad grad jit -->`` for some of them; what a module of ops has is public as
``unigrad.<name>``. Functions and classes come with their docstrings, values (dtypes, constants) in
a table. ``<!-- tensor methods -->`` stands for what `Tensor` and `Variable` have beside what their
classes define.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import unigrad
from unigrad.ops.declarations import Attached

_LINE = re.compile(r"^<!-- public: (?P<module>\S+)(?P<names>( \S+)*) -->$", re.MULTILINE)
_METHODS = re.compile(r"^<!-- tensor methods -->$", re.MULTILINE)

#: What is no function of its own name.
_MEANINGS = {
    "T": "`unigrad.transpose`",
    "mT": "the last two axes swapped",
    "at": "indexed updates that return a new tensor: `x.at[i].set(v)`, `add`, …",
    "flatten": "`unigrad.ravel`",
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page with its lines filled in."""
    return _METHODS.sub(lambda _: methods(), _LINE.sub(_filled, markdown))


def _filled(line: re.Match[str]) -> str:
    module, prefix = _found(line["module"])
    documented, rows = [], []
    for name in line["names"].split() or module.__all__:
        value, path = getattr(_namespace(prefix), name), f"{prefix}.{name}"
        if isinstance(value, ModuleType):
            continue
        if prefix != "unigrad" and getattr(unigrad, name, None) is value:
            rows.append(f"| `{path}` | `unigrad.{name}` |")
        elif inspect.isfunction(value) or (inspect.isclass(value) and value.__doc__):
            documented.append(f"::: {path}")
        else:
            rows.append(f"| `{path}` | {_shown(value)} |")
    table = ["| name | value |", "| --- | --- |", *rows] if rows else []
    return "\n\n".join(["\n".join(table), *documented])


def _found(name: str) -> tuple[ModuleType, str]:
    """Return a module, and where its names are public: there, or at the top."""
    if _is_public(name):
        return _namespace(name), name
    return importlib.import_module(name), "unigrad"


def _is_public(name: str) -> bool:
    parent, _, last = name.rpartition(".")
    return not parent or (_is_public(parent) and last in _namespace(parent).__all__)


def _namespace(name: str) -> ModuleType:
    found: ModuleType = unigrad
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def _shown(value: Any) -> str:
    """Return what a value is in words, or else as Python writes it."""
    if callable(value) and not hasattr(value, "__origin__") and (doc := inspect.getdoc(value)):
        return doc.splitlines()[0].replace("|", "\\|")
    return f"`{value!r}`".replace("|", "\\|")


def methods() -> str:
    """Return the table of what is attached to tensors and variables."""
    rows = ["| method or property | is |", "| --- | --- |"]
    operators = []
    for name, declared in vars(Attached).items():
        if name.startswith("__"):
            if callable(declared) and name not in ("__init__", "__module__"):
                operators.append(f"`{name}`")
            continue
        taken = "" if isinstance(declared, property) else _signature(declared)
        rows.append(f"| `Tensor.{name}{taken}` | {_MEANINGS.get(name, f'`unigrad.{name}`')} |")
    return "\n".join([*rows, "", f"Operators and protocols: {', '.join(operators)}."])


def _signature(function: Callable[..., Any]) -> str:
    """Return the names that a method takes, without their types."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return str(inspect.Signature(plain)).replace("|", "\\|")
