"""Settings as keys of compiled programs, and those of them that programs take as inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unigrad.core.op import Op

#: Names, values and their types (1, 1.0 and True are one key); of a tuple of inputs its length.
Settings = tuple[tuple[str, Any, type | int], ...]


#: The settings of an op that vary from call to call, by its name.
OPERANDS: dict[str, dict[str, Any]] = {}


def operands(name: str, *settings: str, **usual: Any) -> None:
    """Say that numbers, and tuples of them, among these settings are inputs of an op's programs.

    A kernel gets them as weak scalars, a body as tensors of its first input's dtype. Those named
    with the value that they ``usual``ly have are constants of a program of their own where they
    have it: an input more is a fifth of what a small op costs.
    """
    OPERANDS[name] = dict.fromkeys(settings) | usual


def key_of(settings: Mapping[str, Any]) -> Settings:
    return tuple([(name, value, type(value)) for name, value in settings.items()])


class Operand:
    """Stands in a key for a setting that is an input: all values are one program."""


#: Larger integers may not fit into what JAX makes of a Python number.
_LARGE = 2**31


def split(op: Op, settings: Mapping[str, Any]) -> tuple[Settings, tuple[Any, ...]]:
    """Return the key of settings, and the values of those that are inputs."""
    varying = OPERANDS.get(op.name)
    if varying is None:
        return key_of(settings), ()
    values, key = [], []
    for name, value in settings.items():
        kind = type(value)
        if name in varying and _is_operand(value) and not _is_usual(value, varying[name]):
            values.append(value)
            key.append((name, Operand, len(value) if kind is tuple else kind))
        else:
            key.append((name, value, kind))
    return tuple(key), tuple(values)


def _is_operand(value: Any) -> bool:
    """Tell whether a setting is a number, or a tuple of them, that JAX takes as weak scalars."""
    kind = type(value)
    if kind is tuple:
        return all(map(_is_operand, value))
    return kind is float or (kind is int and -_LARGE < value < _LARGE)


def _is_usual(value: Any, usual: Any) -> bool:
    """Tell whether a setting is the number that it is as a rule: the sign of a zero counts."""
    if type(value) is not type(usual) or value != usual:
        return False
    return bool(value) or str(value) == str(usual)


def examples_of(key: Settings) -> dict[str, Any]:
    """Return a value for each setting that is an input."""
    return {
        name: (1,) * kind if isinstance(kind, int) else kind(1)
        for name, value, kind in key
        if value is Operand
    }


def names_of(key: Settings) -> list[str]:
    """Return the names of the settings that are inputs."""
    return [name for name, value, _ in key if value is Operand]
