"""`Decoder`: write a sequence while attending to another one."""

from __future__ import annotations

from typing import Any, NamedTuple

from unigrad.control import scan
from unigrad.core.arguments import as_tensor
from unigrad.core.settings import check_sizes
from unigrad.core.tensor import Tensor
from unigrad.layers.attention import BahdanauAttention
from unigrad.layers.dense import Dense
from unigrad.layers.dropout import Dropout
from unigrad.layers.embedding import Embedding
from unigrad.nn.recurrent import output as output_of
from unigrad.ops.activations import sigmoid
from unigrad.ops.comparison import where
from unigrad.ops.indexing import take
from unigrad.ops.information import finfo
from unigrad.ops.linear import matmul
from unigrad.ops.shaping import expand_dims, permute_dims, reshape, squeeze
from unigrad.ops.softmax import softmax
from unigrad.seq2seq.cells import cell_of
from unigrad.seq2seq.encoder import Encoded
from unigrad.seq2seq.stepping import StepDecoder

__all__ = ["Decoder", "Memory"]


#: So many steps every search takes.
_FEW = 10


class Memory(NamedTuple):
    """What a search's steps share, of each sequence."""

    #: Twice the attention's keys (batch, 1, time, attention units), query kernel and score. As
    #: v · tanh x = 2 v · σ(2x) - Σv, and a softmax does not see what all places share, attention
    #: needs a sigmoid alone, which some libraries compute in a fifth of tanh's time.
    keys: Tensor
    query_kernel: Tensor
    score: Tensor
    #: What each place of the memory would add to the cell's gates: (batch, time, gates · units).
    contexts: Tensor
    #: Where there is no padding: (batch, 1, time).
    mask: Tensor
    #: What each token adds to them: (vocabulary, gates · units); None where it is not worth it.
    embeddings: Tensor | None


class Decoder(StepDecoder):
    """Embedding, additive attention, a recurrent cell, and the scores of the next token.

    With the state s, the memory m of the encoder and the embedding e of the last token:
    c = attention(s, m), s' = cell([c; e], s), logits = W s' + b. (Bahdanau et al. 2015; the query
    is the state before the step, the scores come from the one after it.) Of an LSTM's state
    attention and scores see h.

    Args:
        vocabulary: the number of tokens.
        memory_size: the length of an entry of the memory.
        embedding_size: the length of a token's embedding.
        units: the length of the state.
        attention_units: the length of the attention's hidden layer.
        name: see `Module`.
        cell: "gru" or "lstm".
        dropout: the rate of the states that the scores are computed from, while training.

    Raises:
        SettingError: for another cell.
    """

    def __init__(
        self,
        vocabulary: int,
        memory_size: int = 512,
        embedding_size: int = 128,
        units: int = 256,
        attention_units: int = 256,
        name: str | None = None,
        *,
        cell: str = "gru",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(name=name)
        check_sizes(
            "Decoder",
            vocabulary=vocabulary,
            memory_size=memory_size,
            embedding_size=embedding_size,
            units=units,
            attention_units=attention_units,
        )
        self.memory_size = memory_size
        self.embedding = Embedding(vocabulary, embedding_size, name="embedding")
        self.attention = BahdanauAttention(attention_units, name="attention")
        self.cell = cell_of(cell)(units, name="cell")
        self.output = Dense(vocabulary, name="output")
        self.dropout = Dropout(dropout) if dropout else None
        self.embedding.ensure_built(())
        self.attention.ensure_built((units, memory_size))
        self.cell.ensure_built((memory_size + embedding_size,))
        self.output.ensure_built((units,))
        if self.dropout is not None:
            self.dropout.ensure_built(())

    def call(self, tokens: Any, encoded: Encoded) -> Tensor:
        """Return the logits (batch, time, vocabulary) of what follows each token."""
        tokens = self._checked(tokens)
        # One product for the embeddings of all steps; the loop is left with the context's.
        kernel = as_tensor(self.cell.kernel)
        from_context = kernel[: self.memory_size]
        embedded = self.embedding(permute_dims(tokens, (1, 0)))
        projected = matmul(embedded, kernel[self.memory_size :]) + self.cell.bias
        keys = self.attention.keys(encoded.memory)

        def step(state: Any, projected: Tensor) -> tuple[Any, Tensor]:
            seen = output_of(state)
            context, _ = self.attention(seen, encoded.memory, mask=encoded.mask, keys=keys)
            state = self.cell.step(projected + matmul(context, from_context), state)
            return state, output_of(state)

        _, states = scan(step, encoded.state, projected)
        if self.dropout is not None:
            states = self.dropout(states)
        return permute_dims(self.output(states), (1, 0, 2))

    def remember(self, encoded: Encoded, rows: int) -> Memory:
        """Return what all steps of a search share, for so many rows in all.

        The context only enters the cell through a product, so the product is taken of the memory,
        once for all steps and hypotheses; so are those of the embeddings, if they are not more than
        what the first few steps would take them of.
        """
        kernel = as_tensor(self.cell.kernel)
        embeddings = None
        if self.embedding.vocabulary <= _FEW * rows:
            assert self.embedding.table is not None
            table = as_tensor(self.embedding.table)
            embeddings = matmul(table, kernel[self.memory_size :]) + self.cell.bias
        return Memory(
            keys=expand_dims(2.0 * self.attention.keys(encoded.memory), axis=1),
            contexts=matmul(encoded.memory, kernel[: self.memory_size]),
            mask=expand_dims(encoded.mask, axis=1),
            query_kernel=2.0 * as_tensor(self.attention.query_kernel),
            score=2.0 * as_tensor(self.attention.score),
            embeddings=embeddings,
        )

    def step(self, last: Any, state: Any, memory: Memory) -> tuple[Tensor, Any, Tensor]:
        """Take one step; see `StepDecoder.step`."""
        batch, _, time, units = memory.keys.shape
        seen = output_of(state)
        rows = seen.shape[0]
        each = rows // batch if batch else 0
        query = matmul(seen, memory.query_kernel)
        query = reshape(query, (batch, each, 1, units))
        scores = matmul(sigmoid(memory.keys + query), memory.score)
        scores = where(memory.mask, squeeze(scores, axis=-1), finfo(scores.dtype).min)
        weights = softmax(scores, axis=-1)
        projected = self._projected(last, memory)
        projected = reshape(projected, (batch, each, projected.shape[-1]))
        projected = matmul(weights, memory.contexts) + projected
        projected = reshape(projected, (rows, projected.shape[-1]))
        state = self.cell.step(projected, state)
        return self.output(output_of(state)), state, reshape(weights, (rows, time))

    def _projected(self, last: Any, memory: Memory) -> Tensor:
        """Return what the last tokens add to the cell's gates."""
        if memory.embeddings is not None:
            return take(memory.embeddings, last, axis=0)
        kernel = as_tensor(self.cell.kernel)[self.memory_size :]
        out: Tensor = matmul(self.embedding(last), kernel) + self.cell.bias
        return out
