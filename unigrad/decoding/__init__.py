"""Decoding: greedy search, sampling and beam search over any step function. It knows no model."""

from unigrad.decoding.beam import beam_search
from unigrad.decoding.constraints import Processor
from unigrad.decoding.ensembles import ensemble
from unigrad.decoding.errors import DecodingError
from unigrad.decoding.greedy import greedy_search
from unigrad.decoding.padding import pad_sources
from unigrad.decoding.penalties import length_penalty_of
from unigrad.decoding.sampling import kept_tokens, sample
from unigrad.decoding.scoring import Scored, score_targets
from unigrad.decoding.states import repeat_rows, take_rows
from unigrad.decoding.steps import Decoded, Step
from unigrad.decoding.streaming import stream

__all__ = [
    "Decoded",
    "DecodingError",
    "Processor",
    "Scored",
    "Step",
    "beam_search",
    "ensemble",
    "greedy_search",
    "kept_tokens",
    "length_penalty_of",
    "pad_sources",
    "repeat_rows",
    "sample",
    "score_targets",
    "stream",
    "take_rows",
]
