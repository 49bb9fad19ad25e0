"""`Bidirectional`: a recurrent layer and its twin that runs backwards."""

from __future__ import annotations

import copy
from typing import Any

from unigrad.core.errors import UnigradError
from unigrad.layers.module import Module
from unigrad.layers.recurrent import GRU
from unigrad.ops.joining import concat


class Bidirectional(Module):
    """Run a layer in both directions and join what they give along the last axis.

    With the layer's ``return_state`` the result is ``(outputs, forward state, backward state)``.
    Both outputs are in the input's order.

    Args:
        layer: the forward layer, not built yet; the backward one is made like it, with weights
            of its own, drawn from another key that follows from the layer's.
        name: see `Module`.

    Raises:
        UnigradError: when the layer is built, or runs backwards itself.

    Example:
        >>> import unigrad as ug
        >>> layer = Bidirectional(GRU(4, return_sequences=True))
        >>> layer(ug.asarray([[[1.0, 2.0], [3.0, 4.0]]])).shape
        (1, 2, 8)
    """

    def __init__(self, layer: GRU, name: str | None = None) -> None:
        super().__init__(name=name)
        if layer.built or layer.go_backwards:
            raise UnigradError("Bidirectional: takes a forward layer that is not built yet")
        self.forward = layer
        self.backward = copy.copy(layer)
        self.backward.go_backwards = True
        self.backward._key = layer._key.twin()

    def call(self, x: Any, states: Any = (None, None), *, mask: Any = None) -> Any:
        """Run both; ``states`` are the first states of the two."""
        first = self.forward(x, states[0], mask=mask)
        second = self.backward(x, states[1], mask=mask)
        if not self.forward.return_state:
            return concat([first, second], axis=-1)
        return concat([first[0], second[0]], axis=-1), first[1], second[1]
