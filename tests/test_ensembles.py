"""Several models that write as one."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from given_weights import no_draws
from typer.testing import CliRunner

import unigrad as ug
from unigrad.cli import app
from unigrad.pronunciation import load_pronouncer
from unigrad.pronunciation.checkpoint import build_model, save_model
from unigrad.seq2seq import EncoderDecoder, Ensemble, Seq2Seq, TransformerSeq2Seq

SOURCE = np.array([[3, 4, 5, 6], [7, 8, 0, 0]])
TARGET = np.array([[1, 5, 6, 7, 2], [1, 4, 2, 0, 0]])
TOKENS = 8


def models(target: int = TOKENS, other: str = "lstm") -> list[EncoderDecoder]:
    """Two models of other kinds and sizes, with weights that are the same on every backend."""
    sizes = {"embedding_size": 4, "encoder_units": 5, "decoder_units": 6, "attention_units": 3}
    with no_draws():
        made: list[EncoderDecoder] = [Seq2Seq(9, target, **sizes)]
        if other == "transformer":
            shape = {"units": 8, "heads": 2, "hidden": 8, "blocks": 1}
            made.append(TransformerSeq2Seq(9, target, **shape, dropout=0))
        else:
            made.append(Seq2Seq(9, target, cell=other, **{**sizes, "encoder_units": 4}))
    generator = np.random.default_rng(2)
    for variable in itertools.chain.from_iterable(one.variables for one in made):
        variable.assign(generator.normal(size=variable.shape, scale=0.7).astype(np.float32))
    return made


def probabilities(model: EncoderDecoder) -> np.ndarray[Any, Any]:
    return np.asarray(ug.softmax(model(SOURCE, TARGET[:, :-1]), axis=-1).numpy())


@pytest.mark.parametrize("weights", [None, [1.0, 3.0], [0.0, 2.0]])
def test_the_mean_of_the_models(weights: list[float] | None, backend: str) -> None:
    parts = models()
    shares = np.array([0.5, 0.5] if weights is None else weights)
    shares /= shares.sum()
    each = [probabilities(one) for one in parts]
    mean = sum(share * one for share, one in zip(shares, each, strict=True))
    np.testing.assert_allclose(probabilities(Ensemble(parts, weights)), mean, rtol=1e-5, atol=1e-7)
    geometric = np.prod([p**w for p, w in zip(each, shares, strict=True)], axis=0)
    geometric /= geometric.sum(axis=-1, keepdims=True)
    found = probabilities(Ensemble(parts, weights, space="logarithm"))
    np.testing.assert_allclose(found, geometric, rtol=1e-5, atol=1e-7)


def test_a_model_with_itself_is_that_model(backend: str) -> None:
    one = models()[0]
    twice = Ensemble([one, one])
    assert len(twice.variables) == len(one.variables)
    np.testing.assert_allclose(
        float(twice.loss(SOURCE, TARGET)), float(one.loss(SOURCE, TARGET)), rtol=1e-6
    )
    for found, wanted in (
        (twice.beam(SOURCE, max_length=6, beam=3), one.beam(SOURCE, max_length=6, beam=3)),
        (twice.greedy(SOURCE, max_length=6), one.greedy(SOURCE, max_length=6)),
    ):
        np.testing.assert_array_equal(found.tokens.numpy(), wanted.tokens.numpy())
        np.testing.assert_allclose(found.scores.numpy(), wanted.scores.numpy(), rtol=1e-5)


def test_a_wide_beam_is_the_best_of_all_sequences(backend: str) -> None:
    both = Ensemble(models(target=5), [0.3, 0.7])
    length, end = 3, both.end
    best = both.beam(
        SOURCE,
        max_length=length,
        beam=25,
        length_penalty=0.0,
        alignments=True,
        early_stopping="never",
    )
    lines = [*itertools.product(range(5), repeat=length)]
    tokens = np.array([[both.start, *line[:-1]] for line in lines])
    for row, source in enumerate(SOURCE):
        logits = ug.log_softmax(both(np.tile(source, (len(lines), 1)), tokens), axis=-1).numpy()
        scores = {}
        for line, of_line in zip(lines, logits, strict=True):
            shown = line[: line.index(end) + 1] if end in line else line
            scores[shown] = sum(of_line[t, token] for t, token in enumerate(shown))
        wanted = max(scores, key=scores.__getitem__)
        count = int(best.lengths.numpy()[row, 0])
        assert tuple(best.tokens.numpy()[row, 0, :count].tolist()) == wanted
        np.testing.assert_allclose(float(best.scores.numpy()[row, 0]), scores[wanted], rtol=1e-5)
    assert best.alignments is not None
    assert best.alignments.shape == (2, 1, length, 4)


def test_it_trains_and_is_kept(tmp_path: Path) -> None:
    both = Ensemble(models(other="transformer"))
    gradients = ug.grad(lambda model: model.loss(SOURCE, TARGET))(both)
    assert all(one.numpy().any() for one in gradients.trainable_variables if one.shape != (8,))
    ug.io.save(tmp_path / "both.safetensors", both)
    loss = float(both.loss(SOURCE, TARGET))
    for variable in both.variables:
        variable.assign(ug.zeros_like(variable.read()))
    both.load_state_dict(ug.io.load(tmp_path / "both.safetensors")[0])
    assert float(both.loss(SOURCE, TARGET)) == loss


def test_models_that_do_not_fit() -> None:
    sizes = {"embedding_size": 4, "encoder_units": 4, "decoder_units": 4}
    one = Seq2Seq(9, 8, **sizes)
    for other, said in (
        (Seq2Seq(9, 7, **sizes), "vocabulary"),
        (Seq2Seq(9, 8, **sizes, end=3), "end"),
        (Seq2Seq(9, 8, **sizes, start=4), "start"),
        (Seq2Seq(9, 8, **sizes, padding=5), "padding"),
    ):
        with pytest.raises(ug.SettingError, match=said):
            Ensemble([one, other])
    with pytest.raises(ug.SettingError, match="0 models"):
        Ensemble([])
    with pytest.raises(ug.SettingError, match="weights"):
        Ensemble([one, one], [1.0])
    with pytest.raises(ug.SettingError, match="space"):
        Ensemble([one], space="logits")
    with pytest.raises(ug.SettingError, match="teacher_forcing"):
        Ensemble([one]).loss(SOURCE, TARGET, teacher_forcing=0.5)
    fewer = Ensemble([Seq2Seq(20, 8, **sizes), one])
    with pytest.raises(ug.OutOfBoundsError, match="9 tokens"):
        fewer.greedy([[15]], max_length=3)


def test_pronouncers_together(tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.safetensors" for i in range(2)]
    for i, file in enumerate(files):
        ug.layers.set_seed(i)
        save_model(file, build_model(embedding_size=4, encoder_units=4 + i, decoder_units=4))
    each = [load_pronouncer(file) for file in files]
    both = load_pronouncer(*files)
    assert isinstance(both.model, Ensemble)
    [[answer]] = both(["word"], beam=20)
    assert answer not in [one(["word"], beam=20)[0][0] for one in each]
    options = [part for file in files for part in ("--checkpoint", str(file))]
    found = CliRunner().invoke(app, ["pronounce", "word", "--n", "1", "--beam", "20", *options])
    assert found.exit_code == 0, found.output
    assert " ".join(answer.phonemes) in found.output
    assert f"{answer.score:.3f}" in found.output
