"""Sequences to sequences: encoder, attending decoder, masked loss, greedy and beam search."""

from unigrad.seq2seq.beam import beam_search, length_penalty_of
from unigrad.seq2seq.decoder import Decoder
from unigrad.seq2seq.encoder import Encoded, Encoder
from unigrad.seq2seq.greedy import Decoded, Step, greedy_search
from unigrad.seq2seq.loss import masked_loss
from unigrad.seq2seq.model import Seq2Seq
from unigrad.seq2seq.states import repeat_rows, take_rows

__all__ = [
    "Decoded",
    "Decoder",
    "Encoded",
    "Encoder",
    "Seq2Seq",
    "Step",
    "beam_search",
    "greedy_search",
    "length_penalty_of",
    "masked_loss",
    "repeat_rows",
    "take_rows",
]
