"""Modules as pytrees: their leaves are the variables to be trained.

A module whose leaves are replaced, as transforms do it, is a copy with the replacements in place of
its variables. All else is shared with the original: what is not trained, frozen weights and running
moments included, stays where it is and goes on being state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unigrad.core import tree
from unigrad.core.variable import Variable

if TYPE_CHECKING:
    from unigrad.layers.module import Module

#: Where a copy keeps the original and its leaves.
_ORIGIN = "_copied_from"


class _Origin:
    """What a copy was made of, where nobody looks for variables."""

    __slots__ = ("leaves", "module")

    def __init__(self, module: Module, leaves: tuple[Any, ...]) -> None:
        self.module = module
        self.leaves = leaves


def register(cls: type[Module]) -> None:
    """Let trees take apart the modules of a class."""
    tree.register(cls, flatten, unflatten)


def flatten(module: Module) -> tuple[Sequence[Any], Module]:
    """Return a module's leaves, and the module that they replace variables of."""
    origin = module.__dict__.get(_ORIGIN)
    if origin is not None:
        return origin.leaves, origin.module
    return module.trainable_variables, module


def unflatten(module: Module, leaves: Sequence[Any]) -> Module:
    """Return a copy with these leaves, or the module itself if they are its own."""
    variables = module.trainable_variables
    if all(one is own for one, own in zip(leaves, variables, strict=True)):
        return module
    replaced = {id(own): one for own, one in zip(variables, leaves, strict=True)}
    copy: Module = _copied(module, replaced, {})
    copy.__dict__[_ORIGIN] = _Origin(module, tuple(leaves))
    return copy


def _copied(value: Any, replaced: dict[int, Any], seen: dict[int, Any]) -> Any:
    """Copy modules, lists, tuples and dicts; put the replacements for variables."""
    from unigrad.layers.module import Module

    if isinstance(value, Variable):
        return replaced.get(id(value), value)
    if not isinstance(value, (Module, list, tuple, dict)):
        return value
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value, Module):
        copy = object.__new__(type(value))
        seen[id(value)] = copy
        for name, one in value.__dict__.items():
            copy.__dict__[name] = _copied(one, replaced, seen)
        return copy
    if isinstance(value, dict):
        found = seen[id(value)] = {k: _copied(one, replaced, seen) for k, one in value.items()}
        return found
    parts = [_copied(one, replaced, seen) for one in value]
    if isinstance(value, list):
        return parts
    return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
