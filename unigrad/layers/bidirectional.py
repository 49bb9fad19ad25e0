"""`Bidirectional`, a recurrent layer and its twin that runs backwards, and `StackedRNN`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from unigrad.core.errors import SettingError, UnigradError
from unigrad.core.tensor import Tensor
from unigrad.layers.dropout import Dropout
from unigrad.layers.module import Module
from unigrad.layers.sequences import Recurrent
from unigrad.ops.joining import concat

_MERGES: dict[str, Any] = {
    "concat": lambda a, b: concat([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "mean": lambda a, b: (a + b) * 0.5,
    "product": lambda a, b: a * b,
}


class Bidirectional(Module):
    """Run a layer in both directions and join what they give, along the last axis by default.

    With the layer's ``return_state`` the result is ``(outputs, forward state, backward state)``.
    Both outputs are in the input's order.

    Args:
        layer: the forward layer, not built yet; the backward one is made like it, with weights
            of its own, drawn from another key that follows from the layer's.
        merge: "concat", "sum", "mean" or "product".
        name: see `Module`.

    Raises:
        UnigradError: when the layer is built, or runs backwards itself.
        SettingError: for another ``merge``.

    Example:
        >>> import unigrad as ug
        >>> layer = Bidirectional(ug.layers.GRU(4, return_sequences=True))
        >>> layer(ug.asarray([[[1.0, 2.0], [3.0, 4.0]]])).shape
        (1, 2, 8)
    """

    def __init__(self, layer: Recurrent, merge: str = "concat", name: str | None = None) -> None:
        super().__init__(name=name)
        if layer.built or layer.go_backwards:
            raise UnigradError("Bidirectional: takes a forward layer that is not built yet")
        if merge not in _MERGES:
            raise SettingError(
                f"Bidirectional: merge is one of {', '.join(_MERGES)}, not {merge!r}"
            )
        self.merge = merge
        self.forward = layer
        self.backward = copy.copy(layer)
        self.backward.go_backwards = True
        self.backward._key = layer._key.twin()
        # The directions drop elements of their own.
        self.backward._seed = None if layer._seed is None else layer._seed + 1

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Build both."""
        self.forward.ensure_built(input_shape)
        self.backward.ensure_built(input_shape)

    def call(self, x: Any, states: Any = None, *, mask: Any = None) -> Any:
        """Run both; ``states`` are the first states of the two."""
        states = (None, None) if states is None else states
        first = self.forward(x, states[0], mask=mask)
        second = self.backward(x, states[1], mask=mask)
        if not self.forward.return_state:
            return self._merged(first, second)
        return self._merged(first[0], second[0]), first[1], second[1]

    def _merged(self, first: Tensor, second: Tensor) -> Tensor:
        out: Tensor = _MERGES[self.merge](first, second)
        return out


class StackedRNN(Module):
    """Recurrent layers one on top of the other, each along the sequences of the one below.

    Args:
        layers: `SimpleRNN`, `GRU`, `LSTM` and `Bidirectional` layers; what they return is settled
            here.
        return_sequences: return the last layer's outputs of all steps.
        return_state: return ``(outputs, states)``, one state per layer; that of a `Bidirectional`
            one is a pair.
        dropout: the rate between layers, while training.
        name: see `Module`.

    Raises:
        SettingError: when there is no layer.

    Example:
        >>> import unigrad as ug
        >>> layer = StackedRNN([ug.layers.LSTM(4), ug.layers.GRU(3)])
        >>> layer(ug.ones((2, 5, 6))).shape
        (2, 3)
    """

    def __init__(
        self,
        layers: Sequence[Recurrent | Bidirectional],
        return_sequences: bool = False,
        return_state: bool = False,
        dropout: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not layers:
            raise SettingError("StackedRNN: there is no layer")
        self.layers = list(layers)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.dropouts = [Dropout(dropout) for _ in layers[1:]] if dropout else []
        for layer in self.layers:
            last = layer is self.layers[-1]
            for one in _directions(layer):
                one.return_state = True
                one.return_sequences = return_sequences if last else True

    def call(self, x: Any, states: Any = None, *, mask: Any = None) -> Any:
        """Run all layers.

        Args:
            x: (batch, time, inputs).
            states: the first states, one per layer; None for zeros.
            mask: bools (batch, time), for all layers.
        """
        found = []
        for i, layer in enumerate(self.layers):
            if i and self.dropouts:
                x = self.dropouts[i - 1](x)
            x, *state = layer(x, None if states is None else states[i], mask=mask)
            found.append(state[0] if len(state) == 1 else tuple(state))
        return (x, tuple(found)) if self.return_state else x


def _directions(layer: Any) -> list[Recurrent]:
    return [layer.forward, layer.backward] if isinstance(layer, Bidirectional) else [layer]
