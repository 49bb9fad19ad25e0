"""`Encoder`: read a sequence in both directions."""

from __future__ import annotations

from typing import Any, NamedTuple

from unigrad.core.arguments import as_tensor
from unigrad.core.settings import check_sizes
from unigrad.core.tensor import Tensor
from unigrad.layers.bidirectional import Bidirectional
from unigrad.layers.dense import Dense
from unigrad.layers.dropout import Dropout
from unigrad.layers.embedding import Embedding
from unigrad.layers.module import Module
from unigrad.ops.comparison import not_equal
from unigrad.ops.joining import concat
from unigrad.seq2seq.cells import layer_of

__all__ = ["Encoded", "Encoder"]


class Encoded(NamedTuple):
    """What a decoder gets to know of a batch of sequences."""

    #: What the encoder says at each place: (batch, time, 2 units), zero at padding.
    memory: Tensor
    #: Where there is no padding: (batch, time).
    mask: Tensor
    #: The decoder's first state: (batch, decoder units), a pair of them for an LSTM, none for a
    #: Transformer.
    state: Any


class Encoder(Module):
    """Embedding, bidirectional recurrent layers, and a bridge to the decoder's first state.

    The memory at t is [→hₜ; ←hₜ] of the last layer, the decoder's first state tanh(W [→h; ←h] + b)
    of its last states of both directions. Padding changes neither. An LSTM's c has a bridge of its
    own, without tanh.

    Args:
        vocabulary: the number of tokens.
        embedding_size: the length of a token's embedding.
        units: the length of each direction's state.
        state_units: the length of the decoder's state.
        padding: the token that stands for nothing.
        name: see `Module`.
        cell: "gru" or "lstm".
        layers: how many recurrent layers there are, each along the outputs of the one below.
        dropout: the rate of what each of them gives to the next one, or to the memory, while
            training.

    Raises:
        SettingError: for another cell, or when there is no layer.

    Example:
        >>> encoded = Encoder(10, 4, 8, 6)([[3, 5, 0]])
        >>> encoded.memory.shape, encoded.state.shape, encoded.mask.tolist()
        ((1, 3, 16), (1, 6), [[True, True, False]])
    """

    def __init__(
        self,
        vocabulary: int,
        embedding_size: int = 128,
        units: int = 256,
        state_units: int = 256,
        padding: int = 0,
        name: str | None = None,
        *,
        cell: str = "gru",
        layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(name=name)
        check_sizes(
            "Encoder",
            vocabulary=vocabulary,
            embedding_size=embedding_size,
            units=units,
            state_units=state_units,
            layers=layers,
        )
        self.padding = padding
        self.embedding = Embedding(vocabulary, embedding_size, name="embedding")
        self.below = [
            Bidirectional(layer_of(cell)(units, return_sequences=True, name=cell))
            for _ in range(layers - 1)
        ]
        self.recurrent = Bidirectional(
            layer_of(cell)(units, return_sequences=True, return_state=True, name=cell),
            name="recurrent",
        )
        self.dropouts = [Dropout(dropout) for _ in range(layers)] if dropout else []
        self.bridge = Dense(state_units, activation="tanh", name="bridge")
        self.embedding.ensure_built(())
        size = embedding_size
        for layer in (*self.below, self.recurrent):
            for direction in (layer.forward, layer.backward):
                direction.ensure_built((size,))
            size = 2 * units
        for one in self.dropouts:
            one.ensure_built(())
        self.bridge.ensure_built((2 * units,))
        self.cell_bridge: Dense | None = None
        if cell == "lstm":
            self.cell_bridge = Dense(state_units, name="cell_bridge")
            self.cell_bridge.ensure_built((2 * units,))

    def call(self, source: Any) -> Encoded:
        """Encode tokens (batch, time)."""
        source = as_tensor(source)
        mask = not_equal(source, self.padding)
        x = self.embedding(source)
        for place, layer in enumerate(self.below):
            x = self._dropped(place, layer(x, mask=mask))
        memory, last, first = self.recurrent(x, mask=mask)
        memory = self._dropped(-1, memory)
        if self.cell_bridge is None:
            return Encoded(memory, mask, self.bridge(concat([last, first], axis=-1)))
        hidden, cells = (concat(pair, axis=-1) for pair in zip(last, first, strict=True))
        return Encoded(memory, mask, (self.bridge(hidden), self.cell_bridge(cells)))

    def _dropped(self, place: int, x: Tensor) -> Tensor:
        """Return what a layer gives, some of it dropped while training."""
        dropped: Tensor = self.dropouts[place](x) if self.dropouts else x
        return dropped
