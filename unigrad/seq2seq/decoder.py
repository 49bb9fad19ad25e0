"""`Decoder`: write a sequence while attending to another one."""

from __future__ import annotations

from typing import Any

from unigrad.control import scan
from unigrad.core.arguments import as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.layers.attention import BahdanauAttention
from unigrad.layers.dense import Dense
from unigrad.layers.embedding import Embedding
from unigrad.layers.module import Module
from unigrad.layers.recurrent import GRUCell
from unigrad.ops.joining import concat
from unigrad.ops.linear import matmul
from unigrad.ops.shaping import permute_dims
from unigrad.seq2seq.encoder import Encoded

__all__ = ["Decoder"]


class Decoder(Module):
    """Embedding, additive attention, a GRU cell, and the scores of the next token.

    With the state s, the memory m of the encoder and the embedding e of the last token:
    c = attention(s, m), s' = GRU([c; e], s), logits = W s' + b. (Bahdanau et al. 2015; the query
    is the state before the step, the scores come from the one after it.)

    Args:
        vocabulary: the number of tokens.
        memory_size: the length of an entry of the memory.
        embedding_size: the length of a token's embedding.
        units: the length of the state.
        attention_units: the length of the attention's hidden layer.
        name: see `Module`.
    """

    def __init__(
        self,
        vocabulary: int,
        memory_size: int = 512,
        embedding_size: int = 128,
        units: int = 256,
        attention_units: int = 256,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.memory_size = memory_size
        self.embedding = Embedding(vocabulary, embedding_size, name="embedding")
        self.attention = BahdanauAttention(attention_units, name="attention")
        self.cell = GRUCell(units, name="cell")
        self.output = Dense(vocabulary, name="output")
        self.embedding.ensure_built(())
        self.attention.ensure_built((units, memory_size))
        self.cell.ensure_built((memory_size + embedding_size,))
        self.output.ensure_built((units,))

    def call(self, tokens: Any, encoded: Encoded) -> Tensor:
        """Teacher forcing: the logits (batch, time, vocabulary) of what follows each token.

        Args:
            tokens: the right tokens (batch, time), the start first.
            encoded: the encoder's result.

        Raises:
            ShapeError: when there is no token.
        """
        tokens = as_tensor(tokens)
        if tokens.ndim != 2 or not tokens.shape[1]:
            raise ShapeError(
                f"{self.name}: expected (batch, time) with at least one token, not {tokens.shape}"
            )
        # One product for the embeddings of all steps; the loop is left with the context's.
        kernel = self.cell.kernel.read()
        from_context = kernel[: self.memory_size]
        embedded = self.embedding(permute_dims(tokens, (1, 0)))
        projected = matmul(embedded, kernel[self.memory_size :]) + self.cell.bias
        keys = self.attention.keys(encoded.memory)

        def step(state: Tensor, projected: Tensor) -> tuple[Tensor, Tensor]:
            context, _ = self.attention(state, encoded.memory, mask=encoded.mask, keys=keys)
            state = self.cell.step(projected + matmul(context, from_context), state)
            return state, state

        _, states = scan(step, encoded.state, projected)
        return permute_dims(self.output(states), (1, 0, 2))

    def step(
        self, last: Any, state: Tensor, encoded: Encoded, keys: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One step: the logits (batch, vocabulary) of the next token, and the new state.

        Args:
            last: the last tokens (batch,).
            state: the state before (batch, units).
            encoded: the encoder's result.
            keys: ``attention.keys(encoded.memory)``, computed once for all steps.
        """
        context, _ = self.attention(state, encoded.memory, mask=encoded.mask, keys=keys)
        state = self.cell(concat([context, self.embedding(last)], axis=-1), state)
        return self.output(state), state
