"""A compiled function's arguments: inputs of its program, or part of its signature."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core.errors import SettingError
from unigrad.core.registry import owner_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable


class Static:
    """A static argument: compares and hashes by type and value, a leaf whatever it holds."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and _exact(self.value) == _exact(other.value)

    def __hash__(self) -> int:
        try:
            return hash(_exact(self.value))
        except TypeError:
            raise SettingError(
                "jit: a static argument must be hashable, which a "
                f"{type(self.value).__name__} is not: give a tuple"
            ) from None


def _exact(value: Any) -> Any:
    """Return what tells values apart that are equal and do different things.

    Those are 2, 2.0 and True, and 0.0 and -0.0.
    """
    if isinstance(value, (float, complex)):
        return type(value), repr(value)
    if type(value) is tuple:
        return tuple, *map(_exact, value)
    return type(value), value


def is_input(leaf: Any) -> bool:
    """Tell whether a leaf is an input of the program rather than part of its signature."""
    if isinstance(leaf, (bool, Variable, Static, str)):
        return False
    if isinstance(leaf, (Tensor, int, float, complex, np.ndarray, np.generic)):
        return True
    return owner_of(leaf) is not None


def given_value(leaf: Any) -> Any:
    """Return the argument that a leaf stands for."""
    return leaf.value if isinstance(leaf, Static) else leaf
