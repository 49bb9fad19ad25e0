"""`Seq2Seq`: encoder and decoder as one model that trains and decodes."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import as_tensor
from unigrad.core.tensor import Tensor
from unigrad.layers.module import Module
from unigrad.ops.softmax import log_softmax
from unigrad.seq2seq.beam import beam_search
from unigrad.seq2seq.decoder import Decoder
from unigrad.seq2seq.encoder import Encoder
from unigrad.seq2seq.greedy import Decoded, Step, greedy_search
from unigrad.seq2seq.loss import masked_loss
from unigrad.seq2seq.states import repeat_rows

__all__ = ["Seq2Seq"]


class Seq2Seq(Module):
    """A bidirectional GRU encoder and a GRU decoder with additive attention.

    Source: Bahdanau, Cho & Bengio (2015); the equations are in `Encoder` and `Decoder`. All
    weights are made at once.

    Args:
        source_vocabulary: the number of tokens that are read.
        target_vocabulary: the number of tokens that are written.
        embedding_size: the length of both embeddings.
        encoder_units: the length of each direction's state.
        decoder_units: the length of the decoder's state.
        attention_units: the length of the attention's hidden layer.
        padding: the token that stands for nothing, in both vocabularies.
        start: the token before a target.
        end: the token after it.
        name: see `Module`.

    Example:
        >>> model = Seq2Seq(10, 12, embedding_size=4, encoder_units=4, decoder_units=4)
        >>> model.loss([[5, 6, 0]], [[1, 7, 2, 0]]).shape
        ()
        >>> model.beam([[5, 6, 0]], max_length=4, beam=3, n_best=2).tokens.shape
        (1, 2, 4)
    """

    def __init__(
        self,
        source_vocabulary: int,
        target_vocabulary: int,
        *,
        embedding_size: int = 128,
        encoder_units: int = 256,
        decoder_units: int = 256,
        attention_units: int = 256,
        padding: int = 0,
        start: int = 1,
        end: int = 2,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.vocabulary = target_vocabulary
        self.padding, self.start, self.end = padding, start, end
        self.encoder = Encoder(
            source_vocabulary, embedding_size, encoder_units, decoder_units, padding, "encoder"
        )
        self.decoder = Decoder(
            target_vocabulary,
            2 * encoder_units,
            embedding_size,
            decoder_units,
            attention_units,
            "decoder",
        )

    def call(self, source: Any, tokens: Any) -> Tensor:
        """Return the logits (batch, time, vocabulary) of what follows each right token."""
        logits: Tensor = self.decoder(tokens, self.encoder(source))
        return logits

    def loss(self, source: Any, target: Any) -> Tensor:
        """Return the mean cross-entropy of the targets that are not padding.

        Args:
            source: tokens (batch, time), padded behind.
            target: tokens (batch, time): start, …, end, padding.
        """
        target = as_tensor(target)
        return masked_loss(target[:, 1:], self(source, target[:, :-1]), padding=self.padding)

    def greedy(self, source: Any, *, max_length: int) -> Decoded:
        """Write the likeliest token at each step; see `greedy_search`."""
        source = as_tensor(source)
        step, state = self._decoding(source, 1)
        return greedy_search(
            step,
            state,
            batch=source.shape[0],
            start=self.start,
            end=self.end,
            max_length=max_length,
            padding=self.padding,
        )

    def beam(
        self,
        source: Any,
        *,
        max_length: int,
        beam: int = 5,
        n_best: int = 1,
        length_penalty: float = 0.0,
    ) -> Decoded:
        """Write the likeliest sequences; see `beam_search`."""
        source = as_tensor(source)
        step, state = self._decoding(source, beam)
        return beam_search(
            step,
            state,
            batch=source.shape[0],
            beam=beam,
            vocabulary=self.vocabulary,
            start=self.start,
            end=self.end,
            max_length=max_length,
            length_penalty=length_penalty,
            n_best=n_best,
            padding=self.padding,
        )

    def _decoding(self, source: Tensor, beam: int) -> tuple[Step, Tensor]:
        """Encode, and return the step of a search with so many rows per sequence, and its state."""
        encoded = self.encoder(source)
        encoded, keys = repeat_rows((encoded, self.decoder.attention.keys(encoded.memory)), beam)

        def step(last: Tensor, state: Any) -> tuple[Tensor, Any]:
            logits, state = self.decoder.step(last, state, encoded, keys)
            return log_softmax(logits, axis=-1), state

        return step, encoded.state
