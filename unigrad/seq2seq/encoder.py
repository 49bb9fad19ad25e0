"""`Encoder`: read a sequence in both directions."""

from __future__ import annotations

from typing import Any, NamedTuple

from unigrad.core.arguments import as_tensor
from unigrad.core.tensor import Tensor
from unigrad.layers.bidirectional import Bidirectional
from unigrad.layers.dense import Dense
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
    """Embedding, a bidirectional recurrent layer, and a bridge to the decoder's first state.

    The memory at t is [→hₜ; ←hₜ], the decoder's first state tanh(W [→h; ←h] + b) of the last
    states of both directions. Padding changes neither. An LSTM's c has a bridge of its own, without
    tanh.

    Args:
        vocabulary: the number of tokens.
        embedding_size: the length of a token's embedding.
        units: the length of each direction's state.
        state_units: the length of the decoder's state.
        padding: the token that stands for nothing.
        name: see `Module`.
        cell: "gru" or "lstm".

    Raises:
        SettingError: for another cell.

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
    ) -> None:
        super().__init__(name=name)
        self.padding = padding
        self.embedding = Embedding(vocabulary, embedding_size, name="embedding")
        self.recurrent = Bidirectional(
            layer_of(cell)(units, return_sequences=True, return_state=True, name=cell),
            name="recurrent",
        )
        self.bridge = Dense(state_units, activation="tanh", name="bridge")
        self.embedding.ensure_built(())
        for direction in (self.recurrent.forward, self.recurrent.backward):
            direction.ensure_built((embedding_size,))
        self.bridge.ensure_built((2 * units,))
        self.cell_bridge: Dense | None = None
        if cell == "lstm":
            self.cell_bridge = Dense(state_units, name="cell_bridge")
            self.cell_bridge.ensure_built((2 * units,))

    def call(self, source: Any) -> Encoded:
        """Encode tokens (batch, time)."""
        source = as_tensor(source)
        mask = not_equal(source, self.padding)
        memory, last, first = self.recurrent(self.embedding(source), mask=mask)
        if self.cell_bridge is None:
            return Encoded(memory, mask, self.bridge(concat([last, first], axis=-1)))
        hidden, cells = (concat(pair, axis=-1) for pair in zip(last, first, strict=True))
        return Encoded(memory, mask, (self.bridge(hidden), self.cell_bridge(cells)))
