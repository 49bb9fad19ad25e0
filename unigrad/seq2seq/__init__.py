"""Sequences to sequences: encoders, attending decoders, masked loss."""

from unigrad.seq2seq.base import EncoderDecoder
from unigrad.seq2seq.decoder import Decoder
from unigrad.seq2seq.encoder import Encoded, Encoder
from unigrad.seq2seq.ensemble import Ensemble
from unigrad.seq2seq.loss import masked_loss
from unigrad.seq2seq.luong import LuongDecoder
from unigrad.seq2seq.model import Seq2Seq, TransformerSeq2Seq
from unigrad.seq2seq.stepping import StepDecoder
from unigrad.seq2seq.transformer import TransformerDecoder, TransformerEncoder

__all__ = [
    "Decoder",
    "Encoded",
    "Encoder",
    "EncoderDecoder",
    "Ensemble",
    "LuongDecoder",
    "Seq2Seq",
    "StepDecoder",
    "TransformerDecoder",
    "TransformerEncoder",
    "TransformerSeq2Seq",
    "masked_loss",
]
