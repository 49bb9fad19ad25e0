"""`LuongDecoder`: write a sequence, attending to another one after each step."""

from __future__ import annotations

from typing import Any, NamedTuple

from unigrad.control import scan
from unigrad.core.errors import SettingError
from unigrad.core.settings import check_sizes
from unigrad.core.tensor import Tensor
from unigrad.layers.dense import Dense
from unigrad.layers.dropout import Dropout
from unigrad.layers.embedding import Embedding
from unigrad.layers.luong import LuongAttention
from unigrad.nn.recurrent import output as output_of
from unigrad.ops.joining import concat
from unigrad.ops.shaping import permute_dims, reshape
from unigrad.seq2seq.cells import cell_of
from unigrad.seq2seq.encoder import Encoded
from unigrad.seq2seq.stepping import StepDecoder

__all__ = ["LuongDecoder"]


class Memory(NamedTuple):
    """What a search's steps share, of each sequence."""

    memory: Tensor
    mask: Tensor
    #: What the attention's score computes of the memory alone, if it does.
    keys: Tensor | None


class LuongDecoder(StepDecoder):
    """Embedding, a recurrent cell, attention by products, and the scores of the next token.

    With the state s, the memory m of the encoder and the embedding e of the last token:
    s' = cell(e, s), c = attention(s', m), logits = W tanh(V [c; s']) + b. (Luong, Pham & Manning
    2015, global attention without input feeding; of an LSTM's state attention and scores see h.)

    Args:
        vocabulary: the number of tokens.
        memory_size: the length of an entry of the memory.
        embedding_size: the length of a token's embedding.
        units: the length of the state.
        attention_units: the length of the hidden layer of "concat".
        score: "dot", "general" or "concat", see `LuongAttention`.
        cell: "gru" or "lstm".
        dropout: the rate of what the scores of the next token are computed from, while training.
        name: see `Module`.

    Raises:
        SettingError: for another score or cell, or "dot" where state and memory differ in length.

    Example:
        >>> from unigrad.seq2seq import Encoder
        >>> encoded = Encoder(10, 4, 8, 6)([[3, 5, 0]])
        >>> LuongDecoder(7, 16, 4, 6)([[1, 4]], encoded).shape
        (1, 2, 7)
    """

    def __init__(
        self,
        vocabulary: int,
        memory_size: int = 512,
        embedding_size: int = 128,
        units: int = 256,
        attention_units: int = 256,
        score: str = "general",
        cell: str = "gru",
        name: str | None = None,
        *,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(name=name)
        check_sizes(
            "LuongDecoder",
            vocabulary=vocabulary,
            memory_size=memory_size,
            embedding_size=embedding_size,
            units=units,
            attention_units=attention_units,
        )
        if score == "dot" and units != memory_size:
            raise SettingError(
                f"LuongDecoder: the score 'dot' multiplies states of {units} and entries of the "
                f"memory of {memory_size} units: make them equal, or take 'general'"
            )
        self.embedding = Embedding(vocabulary, embedding_size, name="embedding")
        self.cell = cell_of(cell)(units, name="cell")
        self.attention = LuongAttention(
            score, attention_units, memory_size=memory_size, name="attention"
        )
        self.combine = Dense(units, activation="tanh", use_bias=False, name="combine")
        self.output = Dense(vocabulary, name="output")
        self.dropout = Dropout(dropout) if dropout else None
        self.embedding.ensure_built(())
        self.cell.ensure_built((embedding_size,))
        self.attention.ensure_built((units,))
        self.combine.ensure_built((memory_size + units,))
        self.output.ensure_built((units,))
        if self.dropout is not None:
            self.dropout.ensure_built(())

    def call(self, tokens: Any, encoded: Encoded) -> Tensor:
        """Return the logits (batch, time, vocabulary) of what follows each token."""
        tokens = self._checked(tokens)
        # The loop has the cell alone: embeddings come before it, attention after it, for all steps.
        projected = self.cell.project(self.embedding(permute_dims(tokens, (1, 0))))

        def step(state: Any, projected: Tensor) -> tuple[Any, Tensor]:
            state = self.cell.step(projected, state)
            return state, output_of(state)

        _, states = scan(step, encoded.state, projected)
        logits, _ = self._attended(permute_dims(states, (1, 0, 2)), self.remember(encoded, 0))
        return logits

    def remember(self, encoded: Encoded, rows: int) -> Memory:
        """Return what all steps of a search share."""
        return Memory(encoded.memory, encoded.mask, self.attention.keys(encoded.memory))

    def step(self, last: Any, state: Any, memory: Memory) -> tuple[Tensor, Any, Tensor]:
        """Take one step; see `StepDecoder.step`."""
        state = self.cell.step(self.cell.project(self.embedding(last)), state)
        seen = output_of(state)
        rows, units = seen.shape
        batch, time = memory.mask.shape
        # The rows of one sequence are as many queries to its memory.
        queries = reshape(seen, (batch, rows // batch if batch else 0, units))
        logits, weights = self._attended(queries, memory)
        return reshape(logits, (rows, logits.shape[-1])), state, reshape(weights, (rows, time))

    def _attended(self, queries: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return logits and attention of states (batch, steps, units)."""
        context, weights = self.attention(
            queries, memory.memory, mask=memory.mask, keys=memory.keys
        )
        combined = self.combine(concat([context, queries], axis=-1))
        if self.dropout is not None:
            combined = self.dropout(combined)
        return self.output(combined), weights
