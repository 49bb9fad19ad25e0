"""Layers without weights: `Flatten`, `Reshape` and `Activation`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.tensor import Tensor
from unigrad.layers.activations import Activation as Given
from unigrad.layers.activations import get_activation
from unigrad.layers.module import Module
from unigrad.ops.identity import identity
from unigrad.ops.shaping import as_shape, reshape


class Flatten(Module):
    """Return (batch, …) as (batch, elements).

    Example:
        >>> import unigrad as ug
        >>> Flatten()(ug.ones((2, 3, 4))).shape
        (2, 12)
    """

    def call(self, x: Any) -> Tensor:
        """Flatten."""
        x = as_tensor(x)
        return reshape(x, (*x.shape[:1], prod(x.shape[1:])))


class Reshape(Module):
    """Give each example another shape, of which one length may be -1.

    Args:
        shape: without the batch's axis.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> Reshape((2, -1))(ug.ones((5, 6))).shape
        (5, 2, 3)
    """

    def __init__(self, shape: int | Sequence[int], name: str | None = None) -> None:
        super().__init__(name=name)
        self.shape = as_shape("Reshape", shape)

    def call(self, x: Any) -> Tensor:
        """Reshape."""
        x = as_tensor(x)
        return reshape(x, (x.shape[0], *self.shape))


class Activation(Module):
    """An elementwise function as a layer.

    Args:
        function: a function, or the name of one; None for none.
        name: see `Module`.

    Example:
        >>> import unigrad as ug
        >>> Activation("relu")(ug.asarray([-1.0, 2.0])).tolist()
        [0.0, 2.0]
    """

    def __init__(self, function: Given, name: str | None = None) -> None:
        super().__init__(name=name)
        self.function = get_activation(function)

    def call(self, x: Any) -> Tensor:
        """Apply it."""
        return identity(x) if self.function is None else self.function(as_tensor(x))
