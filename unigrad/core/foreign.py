"""Tensors as arguments of another library's own functions: ``library.sin(x)``.

Each library asks its arguments by a method of its own naming (a *protocol*). The backends say
which: a module ``protocols`` in a backend's package, which imports no library, holds the methods in
``PROTOCOLS`` by name, and `unigrad.ops.methods` attaches them to `Tensor` and `Variable`. So a
function of a library whose backend nobody has loaded takes a tensor as well: by the time it calls
such a method, its library is there.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.arrivals import when_imported
from unigrad.core.dispatch import native_of
from unigrad.core.leaks import warn_if_unseen
from unigrad.core.registry import GROUP


def is_ours(x: Any) -> bool:
    """Tell whether an argument of a library's function is a Tensor or a Variable."""
    return hasattr(x, "__unigrad_interop__")


def array_for(x: Any, kind: type, make: Callable[[Any], Any]) -> Any:
    """Return what a library's function takes for a Tensor or a Variable.

    That is the very native array where it is of the library's ``kind``, so that the library's own
    autograd goes on, else what ``make`` gives of a copy of the values.
    """
    tensor = as_tensor(x)
    native = native_of(tensor, lent=True)
    warn_if_unseen(tensor, kind)
    return native if isinstance(native, kind) else make(tensor._values(None))


def protocols() -> dict[str, Any]:
    """Return the methods by which libraries ask for their arrays, by name."""
    found: dict[str, Any] = {}
    for module in _modules():
        found.update(module.PROTOCOLS)
    return found


def await_libraries() -> None:
    """Have each library that keeps a registry of classes told of ours when it is imported.

    What is called then are the functions in ``ARRIVALS`` of the backends' modules, by the name of
    the library.
    """
    for module in _modules():
        for name, then in getattr(module, "ARRIVALS", {}).items():
            when_imported(name, then)


def mark(function: Callable[..., Any]) -> None:
    """Let each library that rewrites Python programs know a function that it is to call as it is.

    Those are the functions ``MARK`` of the backends' modules.
    """
    for module in _modules():
        if hasattr(module, "MARK"):
            module.MARK(function)


@functools.cache
def _modules() -> list[ModuleType]:
    """Return the modules in which backends say how their libraries ask.

    The packages of the backends are not imported for it: that would import their libraries.

    Example:
        >>> all(hasattr(module, "PROTOCOLS") for module in _modules())
        True
    """
    found = []
    for entry in metadata.entry_points(group=GROUP):
        package = entry.module.partition(".")[0]
        try:
            spec = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            continue  # A stranger's package that is not there: loading its backend says so.
        folders = () if spec is None else spec.submodule_search_locations or ()
        for path in (Path(folder, "protocols.py") for folder in folders):
            if path.is_file():
                found.append(_run(f"{package}.protocols", path))
    return found


def _run(name: str, path: Path) -> ModuleType:
    """Return a file, run as a module by itself."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
