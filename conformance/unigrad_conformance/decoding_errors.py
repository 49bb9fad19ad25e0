"""Bad searches: one class of error on every backend, and what a compiled one gives instead."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.errors import bad

_TABLE = np.log(np.array([[0.1, 0.5, 0.3, 0.1]] * 4, np.float32))


def _step(last: ug.Tensor, state: Any) -> tuple[Any, ...]:
    return ug.take(ug.asarray(_TABLE), last, axis=0), state


def _always(row: Any) -> Any:
    """Return a step that gives every hypothesis the same logits."""
    return lambda last, state: (
        ug.broadcast_to(ug.asarray(np.asarray(row, np.float32)), (last.shape[0], len(row))),
        state,
    )


def _beam(step: Any = _step, **settings: Any) -> Any:
    given = {"batch": 8, "start": 0, "end": 2, "max_length": 5, "beam": 3, **settings}
    return ug.decoding.beam_search(step, None, **given)


def _greedy(step: Any = _step, **settings: Any) -> Any:
    given = {"batch": 8, "start": 0, "end": 2, "max_length": 5, **settings}
    return ug.decoding.greedy_search(step, None, **given)


def _sample(step: Any = _step, **settings: Any) -> Any:
    given = {"batch": 8, "start": 0, "end": 2, "max_length": 5, **settings}
    return ug.decoding.sample(step, None, ug.random.key(0), **given)


_settings: dict[str, Any]
for _name, _settings, _words in (
    ("a beam of nothing", {"beam": 0}, ("beam", "0")),
    ("more answers than hypotheses", {"n_best": 4}, ("n_best", "4", "3")),
    ("groups of several sizes", {"groups": 2}, ("groups", "3")),
    ("no length", {"max_length": 0}, ("max_length", "0")),
    ("a longest length that is no integer", {"max_length": 2.5}, ("max_length", "2.5")),
    ("a shortest length above the longest", {"min_length": 6}, ("min_length", "6", "5")),
    ("an unknown rule", {"rule": "best"}, ("rule", "best", "hf")),
    ("a penalty of NaN", {"length_penalty": math.nan}, ("length_penalty", "nan")),
    ("a penalty of a word", {"length_penalty": "long"}, ("length_penalty", "long")),
    ("a penalty beyond float32", {"length_penalty": 1e4}, ("length_penalty", "10000", "float32")),
    ("a penalty of next to nothing", {"length_penalty": -1e4}, ("length_penalty", "float32")),
    ("banned tokens that are none", {"banned": 1.5}, ("banned", "1.5")),
    ("forced tokens without places", {"forced": [1, 2]}, ("forced", "[1, 2]")),
    ("a processor that is no function", {"processors": 3}, ("processors", "3")),
    ("an unknown way to stop", {"early_stopping": "soon"}, ("early_stopping", "soon")),
    ("a coverage without alignments", {"coverage_penalty": 0.5}, ("coverage_penalty",)),
    ("a ratio without sources", {"max_ratio": 2.0}, ("max_ratio", "source_lengths")),
    ("an end that the step does not know", {"end": 4}, ("token 4", "4 that the step knows")),
    ("a banned token that is none", {"banned": -1}, ("banned", "-1")),
    ("a place that is too far", {"forced": {5: 1}}, ("forced", "5", "max_length is 5")),
    ("a prefix that is too long", {"prefix": [0, 1, 1, 0, 1, 1]}, ("prefix", "6", "5")),
):
    bad(f"beam search: {_name}", ug.SettingError, "beam_search", *_words)(
        partial(_beam, **_settings)
    )

bad("beam search: a prefix of floats", ug.DTypeError, "prefix", "float32")(
    lambda: _beam(prefix=ug.asarray([0.5]))
)
bad("beam search: a prefix for other sequences", ug.ShapeError, "prefix", "(3, 1)")(
    lambda: _beam(prefix=[[0], [1], [1]])
)
bad("beam search: sources of another number", ug.ShapeError, "source_lengths", "(8,)")(
    lambda: _beam(max_ratio=1.0, source_lengths=[1, 2, 3])
)
bad("beam search: sources of negative length", ug.SettingError, "source_lengths", "-1", looks=True)(
    lambda: _beam(max_ratio=1.0, source_lengths=[1, 2, 3, -1, 1, 1, 1, 1])
)
bad("beam search: a step with one result", ug.ShapeError, "2 results", "Tensor")(
    lambda: _beam(lambda last, state: _step(last, state)[0])
)
bad("beam search: a step of another shape", ug.ShapeError, "(24, 4, 1)", "(24, vocabulary)")(
    lambda: _beam(lambda last, state: (_step(last, state)[0][:, :, None], state))
)
bad("beam search: a step of integers", ug.DTypeError, "logits", "int64")(
    lambda: _beam(lambda last, state: (ug.zeros((24, 4), dtype="int64"), state))
)
bad("beam search: attention of other places", ug.ShapeError, "attention", "(24, 5)")(
    lambda: _beam(lambda last, state: (*_step(last, state), ug.zeros((24, 3))), alignments=5)
)
bad("beam search: a processor of another shape", ug.ShapeError, "processor", "(24, 2)")(
    lambda: _beam(processors=lambda scores, tokens, count: scores[:, :2])
)
bad("decoding: starts of other sequences", ug.ShapeError, "start", "(3,)")(
    lambda: _greedy(start=[0, 1, 1])
)
bad("decoding: a start that is no token", ug.DTypeError, "start", "float")(
    lambda: _greedy(start=0.5)
)
bad("sample: no temperature", ug.SettingError, "temperature", "0.0")(
    lambda: _sample(temperature=0.0)
)
bad("sample: a share above one", ug.SettingError, "top_p", "1.5")(lambda: _sample(top_p=1.5))
bad("sample: none of the best", ug.SettingError, "top_k", "0")(lambda: _sample(top_k=0))
bad("sample: a negative temperature", ug.SettingError, "a positive number", "-1.0")(
    lambda: _sample(temperature=-1.0)
)


def _scores(targets: Any = ((1, 2),), lengths: Any = (2,)) -> Any:
    return ug.decoding.score_targets(_step, None, targets, start=0, lengths=lengths)


for _name, _targets in (
    ("a negative target", ((-1, 2),)),
    ("a negative last target", ((2, -4),)),
    ("a target that the step does not know", ((1, 4),)),
):
    bad(
        f"score_targets: {_name}", ug.OutOfBoundsError, "score_targets", "target", "4 tokens",
        looks=True,
    )(partial(_scores, _targets))  # fmt: skip
for _name, _length in (("too long", 3), ("negative", -1)):
    bad(
        f"score_targets: a length that is {_name}", ug.ShapeError, "lengths", "2", str(_length),
        looks=True,
    )(partial(_scores, lengths=[_length]))  # fmt: skip
bad("ensemble: no model", ug.SettingError, "ensemble", "0 models")(lambda: ug.decoding.ensemble([]))
bad("ensemble: weights of another number", ug.SettingError, "ensemble", "weights")(
    lambda: ug.decoding.ensemble([_step], [0.5, 0.5])
)

_run: Callable[..., Any]
for _name, _run in (("beam search", _beam), ("greedily", _greedy), ("sample", _sample)):
    bad(
        f"{_name}: logits of NaN", ug.decoding.DecodingError, "NaN at step 0", "0, 1, 2", looks=True
    )(partial(_run, _always([0.0, math.nan, 0.0, 0.0])))
    bad(
        f"{_name}: every token forbidden", ug.decoding.DecodingError,
        "every token is forbidden at step 0", "0, 1", looks=True,
    )(partial(_run, banned=[0, 1, 2, 3]))  # fmt: skip
    bad(
        f"{_name}: nothing after a while", ug.decoding.DecodingError, "forbidden at step",
        looks=True,
    )(partial(_run, no_repeat_ngram=1, end=None, banned=2))  # fmt: skip
    bad(
        f"{_name}: a prefix of a token that the step does not know", ug.SettingError, "token 99",
        "4 that the step knows", looks=True,
    )(partial(_run, prefix=[1, 99]))  # fmt: skip
    bad(f"{_name}: a padding that is no integer", ug.SettingError, "padding", "0.5")(
        partial(_run, padding=0.5)
    )


def _model() -> ug.seq2seq.TransformerSeq2Seq:
    return ug.seq2seq.TransformerSeq2Seq(9, 8, units=8, heads=2, hidden=12, blocks=1)


bad("a Transformer's source of no place", ug.ShapeError, "source", "(2, 0)")(
    lambda: _model().greedy(np.zeros((2, 0), np.int64), max_length=3)
)
bad("a model's prefix of an unknown token", ug.SettingError, "token 99", "8", looks=True)(
    lambda: _model().greedy([[3]], max_length=3, prefix=[99])
)
