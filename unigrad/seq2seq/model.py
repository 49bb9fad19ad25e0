"""`Seq2Seq` and `TransformerSeq2Seq`: models that read one sequence and write another."""

from __future__ import annotations

from typing import Any

from unigrad.core.errors import SettingError
from unigrad.core.settings import check_sizes
from unigrad.seq2seq.base import EncoderDecoder
from unigrad.seq2seq.decoder import Decoder
from unigrad.seq2seq.encoder import Encoder
from unigrad.seq2seq.luong import LuongDecoder
from unigrad.seq2seq.transformer import TransformerDecoder, TransformerEncoder

__all__ = ["Seq2Seq", "TransformerSeq2Seq"]

_ATTENTIONS = ("additive", "dot", "general", "concat")


class Seq2Seq(EncoderDecoder):
    """A bidirectional recurrent encoder and a recurrent decoder with attention.

    With additive attention it is the model of Bahdanau, Cho & Bengio (2015), whose equations are in
    `Encoder` and `Decoder`; with a score of Luong, Pham & Manning (2015) the decoder is
    `LuongDecoder`. All weights are made at once.

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
        cell: "gru" or "lstm", in both.
        attention: "additive", or a score of `LuongAttention`: "dot" (then ``decoder_units`` is
            twice ``encoder_units``), "general" or "concat".
        encoder_layers: how many bidirectional layers the encoder has.
        dropout: the rate, while training, of what the encoder's layers give and of what the
            scores of the next token are computed from.
        name: see `Module`.

    Raises:
        SettingError: for another cell or attention, or "dot" where the lengths differ.

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
        cell: str = "gru",
        attention: str = "additive",
        encoder_layers: int = 1,
        dropout: float = 0.0,
        name: str | None = None,
    ) -> None:
        super().__init__(padding, start, end, name=name)
        if attention not in _ATTENTIONS:
            raise SettingError(
                f"Seq2Seq: attention is one of {', '.join(_ATTENTIONS)}, not {attention!r}"
            )
        check_sizes(
            "Seq2Seq",
            source_vocabulary=source_vocabulary,
            target_vocabulary=target_vocabulary,
            embedding_size=embedding_size,
            encoder_units=encoder_units,
            decoder_units=decoder_units,
            attention_units=attention_units,
            encoder_layers=encoder_layers,
        )
        self.vocabulary = target_vocabulary
        self._check_tokens(target_vocabulary)
        self.encoder = Encoder(
            source_vocabulary,
            embedding_size,
            encoder_units,
            decoder_units,
            padding,
            "encoder",
            cell=cell,
            layers=encoder_layers,
            dropout=dropout,
        )
        sizes = (target_vocabulary, 2 * encoder_units, embedding_size, decoder_units)
        if attention == "additive":
            self.decoder = Decoder(*sizes, attention_units, "decoder", cell=cell, dropout=dropout)
        else:
            self.decoder = LuongDecoder(
                *sizes, attention_units, attention, cell, "decoder", dropout=dropout
            )


class TransformerSeq2Seq(EncoderDecoder):
    """A Transformer: blocks of attention and networks, on both sides.

    Source: Vaswani et al., "Attention is all you need" (2017): embeddings times √units with
    sinusoidal positions, dropout after them, blocks, and a map to the vocabulary. A search keeps
    the keys and values of the steps before, and computes those of the memory once. All weights are
    made at once.

    Args:
        source_vocabulary: the number of tokens that are read.
        target_vocabulary: the number of tokens that are written.
        units: the length of embeddings and states.
        heads: of each attention; they divide the units.
        hidden: the units inside of the blocks' networks.
        blocks: how many blocks each side has.
        dropout: the rate, while training.
        norm_first: whether a part's input is normalised (then the last block's result is, too), or
            the sum after it.
        padding: the token that stands for nothing, in both vocabularies.
        start: the token before a target.
        end: the token after it.
        name: see `Module`.

    Raises:
        SettingError: when the heads do not divide the units, or there is no block.

    Example:
        >>> model = TransformerSeq2Seq(10, 12, units=8, heads=2, hidden=16, blocks=1)
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
        units: int = 256,
        heads: int = 4,
        hidden: int = 1024,
        blocks: int = 3,
        dropout: float = 0.1,
        norm_first: bool = True,
        padding: int = 0,
        start: int = 1,
        end: int = 2,
        name: str | None = None,
    ) -> None:
        super().__init__(padding, start, end, name=name)
        self.vocabulary = target_vocabulary
        settings: dict[str, Any] = {
            "units": units,
            "heads": heads,
            "hidden": hidden,
            "blocks": blocks,
            "dropout": dropout,
            "norm_first": norm_first,
        }
        self.encoder = TransformerEncoder(
            source_vocabulary, padding=padding, name="encoder", **settings
        )
        self.decoder = TransformerDecoder(target_vocabulary, name="decoder", **settings)
        self._check_tokens(target_vocabulary)
