"""Activations by name, for layers' settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.core.errors import SettingError
from unigrad.ops import activations, elementary

Activation = str | Callable[[Any], Any] | None


def get_activation(activation: Activation) -> Callable[[Any], Any] | None:
    """Return the function that a name stands for; a function and None are themselves.

    Raises:
        SettingError: when no activation has that name.
    """
    if activation is None or callable(activation):
        return activation
    if activation == "linear":
        return None
    if activation in activations.__all__:
        found: Callable[[Any], Any] = getattr(activations, activation)
        return found
    if activation in ("exp", "tanh"):
        found = getattr(elementary, activation)
        return found
    known = ", ".join(sorted([*activations.__all__, "exp", "linear", "tanh"]))
    raise SettingError(f"no activation is called {activation!r}; known are: {known}")
