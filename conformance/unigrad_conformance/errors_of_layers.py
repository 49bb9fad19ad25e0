"""Layers and models of no size: refused where they are made, alike on every backend."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import unigrad as ug
from unigrad_conformance.errors import bad

_layers = ug.layers
_Made = Callable[..., Any]

#: What makes it, and its sizes, of which one after the other is wrong.
_SIZES: tuple[tuple[str, _Made, dict[str, int]], ...] = (
    ("Dense", _layers.Dense, {"units": 2}),
    ("Embedding", _layers.Embedding, {"vocabulary": 3, "units": 2}),
    ("SimpleRNN", _layers.SimpleRNN, {"units": 2}),
    ("GRU", _layers.GRU, {"units": 2}),
    ("LSTMCell", _layers.LSTMCell, {"units": 2}),
    ("Conv1D", partial(_layers.Conv1D, window=2), {"filters": 2, "groups": 1}),
    ("GroupNorm", _layers.GroupNorm, {"groups": 2}),
    ("LearnedPositions", _layers.LearnedPositions, {"length": 2}),
    ("BahdanauAttention", _layers.BahdanauAttention, {"units": 2}),
    ("LuongAttention", _layers.LuongAttention, {"units": 2, "memory_size": 2}),
    (
        "MultiHeadAttention",
        _layers.MultiHeadAttention,
        {"heads": 2, "head_size": 2, "value_size": 2, "units": 2},
    ),
    (
        "TransformerEncoderBlock",
        _layers.TransformerEncoderBlock,
        {"heads": 2, "hidden": 2},
    ),
    (
        "Seq2Seq",
        ug.seq2seq.Seq2Seq,
        {
            "source_vocabulary": 5,
            "target_vocabulary": 5,
            "embedding_size": 2,
            "encoder_units": 2,
            "decoder_units": 2,
            "attention_units": 2,
            "encoder_layers": 1,
        },
    ),
    (
        "TransformerSeq2Seq",
        ug.seq2seq.TransformerSeq2Seq,
        {
            "source_vocabulary": 5,
            "target_vocabulary": 5,
            "units": 4,
            "heads": 2,
            "hidden": 2,
            "blocks": 1,
        },
    ),
)


def _with_none(make: _Made, sizes: dict[str, int], size: str) -> None:
    make(**sizes)
    for wrong in (-1, 1.5, True):
        try:
            make(**{**sizes, size: wrong})
        except ug.SettingError:
            continue
        raise AssertionError(f"{size}={wrong!r} is taken")
    make(**{**sizes, size: 0})


for _name, _make, _sizes in _SIZES:
    for _size in _sizes:
        _what = "vocabulary" if "vocabulary" in _size else _size
        bad(f"a {_name} of {_size}=0", ug.SettingError, _what, "0")(
            partial(_with_none, _make, _sizes, _size)
        )


_model: _Made = ug.seq2seq.Seq2Seq
_MUCH: Any = "much"
_small: dict[str, Any] = {
    "embedding_size": 2,
    "encoder_units": 2,
    "decoder_units": 2,
    "attention_units": 2,
}
for _token in ("start", "end"):
    bad(f"a Seq2Seq whose {_token} is no token", ug.SettingError, "Seq2Seq", _token, "7", "5")(
        partial(_model, 5, 5, **_small, **{_token: 7})
    )
bad("a Seq2Seq with a cell that is no name", ug.SettingError, "gru", "lstm", "3")(
    lambda: _model(5, 5, **_small, cell=3)
)
bad("a Seq2Seq: targets of another batch", ug.ShapeError, "Seq2Seq", "(2, 3)", "(1, 2)")(
    lambda: _model(5, 5, **_small).loss([[3, 4]], [[1, 3, 2], [1, 4, 2]])
)
bad("dropout by a word", ug.SettingError, "Dropout", "[0, 1)", "much")(
    lambda: _layers.Dropout(_MUCH)
)
bad("a GRU with dropout by a word", ug.SettingError, "GRU", "[0, 1)", "much")(
    lambda: _layers.GRU(2, dropout=_MUCH)
)
