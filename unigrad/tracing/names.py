"""Which global and closure variables a function names, in the functions of its file too."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Iterator
from typing import Any

_MISSING = object()


class Name:
    """A global variable or a closure's, as something that can be looked up again."""

    __slots__ = ("holder", "key")

    def __init__(self, holder: Any, key: str | None) -> None:
        #: The cell of a closure, or the dictionary that holds global variables by a key.
        self.holder = holder
        self.key = key

    def value(self) -> Any:
        """Return what it stands for now."""
        if self.key is not None:
            return self.holder.get(self.key, _MISSING)
        try:
            return self.holder.cell_contents
        except ValueError:  # Not assigned to yet.
            return _MISSING


def names_of(roots: Iterable[Any]) -> tuple[list[Name], list[Any]]:
    """Return the names that functions use, and the objects with attributes that they lead to.

    Names of modules, classes and builtin functions are left out: they are not rebound.
    """
    names: list[Name] = []
    reached: dict[int, Any] = {}
    seen: set[int] = set()
    waiting = list(roots)
    files = {id(one.__globals__) for one in map(_function, waiting) if one is not None}
    # What a transform of unigrad's wraps is in the program's own file.
    for inner in [inner for one in waiting for inner in _wrapped(one)]:
        function = _function(inner)
        if function is not None and not function.__module__.startswith("unigrad."):
            files.add(id(function.__globals__))
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        waiting += _inside(one)
        function = _function(one)
        if function is None:
            if _has_structure(one):
                reached[id(one)] = one
            continue
        if id(function.__globals__) not in files:
            continue
        for name in _named(function):
            value = name.value()
            if isinstance(value, (type, types.ModuleType, types.BuiltinFunctionType)):
                continue
            names.append(name)
            waiting.append(value)
    return names, list(reached.values())


def _wrapped(value: Any) -> Iterator[Any]:
    """Give what is behind a decorated function, layer by layer."""
    while hasattr(value, "__wrapped__"):
        value = value.__wrapped__
        yield value


def _function(value: Any) -> types.FunctionType | None:
    """Return the Python function behind a function, a method or a partial one."""
    while isinstance(value, (functools.partial, types.MethodType)):
        value = value.func if isinstance(value, functools.partial) else value.__func__
    return value if isinstance(value, types.FunctionType) else None


def _inside(value: Any) -> list[Any]:
    """Return what comes with a function besides its names."""
    if isinstance(value, types.MethodType):
        return [value.__self__]
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    found = []
    if isinstance(value, types.FunctionType):
        found += [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    # What a decorator made, another compiled function for one, says what is behind it.
    wrapped = vars(value).get("__wrapped__") if hasattr(value, "__dict__") else None
    return found if wrapped is None else [*found, wrapped]


def _named(function: types.FunctionType) -> Iterator[Name]:
    """Give the names of a function's code and of the code inside of it."""
    for cell in function.__closure__ or ():
        yield Name(cell, None)
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        for name in code.co_names:
            if name in function.__globals__:
                yield Name(function.__globals__, name)
        codes += [one for one in code.co_consts if isinstance(one, types.CodeType)]


def _has_structure(value: Any) -> bool:
    """Tell whether a value may hold variables: a container, or an instance of a plain class."""
    if type(value) in (list, tuple, dict):
        return True
    return hasattr(value, "__dict__") and not isinstance(
        value, (type, types.ModuleType, types.FunctionType)
    )
