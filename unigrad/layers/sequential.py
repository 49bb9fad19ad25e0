"""`Sequential`: one layer after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.layers.module import Module


class Sequential(Module):
    """Call modules or plain functions in turn, each with the result of the one before.

    Args:
        layers: the modules and functions, or one list of them.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> model = Sequential([ug.layers.Dense(3, activation="relu"), ug.layers.Dense(2)])
        >>> model(ug.asarray([[1.0, 2.0]])).shape, len(model.variables)
        ((1, 2), 4)
    """

    def __init__(self, *layers: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        many = layers[0] if len(layers) == 1 and isinstance(layers[0], (list, tuple)) else layers
        self.layers: list[Callable[..., Any]] = list(many)

    def call(self, x: Any) -> Any:
        """Run all layers."""
        for layer in self.layers:
            x = layer(x)
        return x
