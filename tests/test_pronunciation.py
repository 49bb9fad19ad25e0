"""The pronouncer that comes with the package: its answers, its file, its commands, its task."""

from __future__ import annotations

import json
import math
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from typer.testing import CliRunner

import unigrad as ug
from unigrad.cli import app
from unigrad.pronunciation import (
    Pronouncer,
    WordError,
    build_model,
    load_model,
    load_pronouncer,
    pronounce,
    save_model,
    shipped,
)
from unigrad.pronunciation import dictionary as dictionaries
from unigrad.pronunciation.evaluation import error_rates, evaluate
from unigrad.pronunciation.task import task

ROOT = Path(__file__).parent.parent
#: Words of at most eight letters: one shape to compile.
WORDS = [
    "hello", "world", "cat", "phone", "Knight's", "through", "lecture", "gradient", "tensor",
    "vector", "matrix", "banana", "o'clock", "rhythm", "queue", "psalm", "zebra", "a", "xylem",
    "jazz",
]  # fmt: skip


def plain(answers: list[list[Any]]) -> list[list[str]]:
    return [[" ".join(one.phonemes) for one in some] for some in answers]


@pytest.fixture(scope="module")
def expected() -> list[list[Any]]:
    """NumPy's answers."""
    with ug.use_backend("numpy"):
        return load_pronouncer()(WORDS, 3)


def test_every_backend_answers_the_same(backend: str, expected: list[list[Any]]) -> None:
    pronouncer = load_pronouncer()
    assert {one.read().backend.name for one in pronouncer.model.variables} == {backend}
    found = pronouncer(WORDS, 3)
    assert plain(found) == plain(expected)
    for some, others in zip(found, expected):
        np.testing.assert_allclose(
            [one.score for one in some], [one.score for one in others], rtol=1e-4, atol=1e-4
        )


def test_answers_are_right_and_in_order(expected: list[list[Any]]) -> None:
    best = dict(zip(WORDS, plain(expected)))
    assert {"HH AH L OW", "HH EH L OW"} & set(best["hello"])
    assert best["lecture"][0] == "L EH K CH ER"
    assert best["phone"][0] == "F OW N"
    assert best["Knight's"][0] == "N AY T S"
    assert best["cat"][0] == "K AE T"
    for answers in expected:
        scores = [one.score for one in answers]
        assert len(answers) == 3
        assert scores == sorted(scores, reverse=True)
        assert all(score < 0.0 for score in scores)
        assert len(set(plain([answers])[0])) == 3


def test_words_alone_and_together(expected: list[list[Any]]) -> None:
    """Neither other words, nor their order, nor how many there are changes an answer."""
    some = [19, 3, 3, 0, 4]
    found = pronounce([WORDS[place] for place in some], 3)
    assert plain(found) == [plain(expected)[place] for place in some]
    mixed = pronounce(["cat", "antidisestablishment", "dog"])
    assert plain(mixed)[0] == plain(expected)[2][:1]
    assert len(mixed[1][0].phonemes) > 15
    assert pronounce([]) == []
    # A score is that of the letters alone, not of their padding.
    [[alone]] = pronounce(["cat"])
    assert math.isclose(alone.score, expected[2][0].score, rel_tol=1e-4)
    assert plain(pronounce(["cat"], beam=1)) == [["K AE T"]]
    assert len(pronounce(["cat"], 7)[0]) == 7


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("", "empty"),
        ("héllo", "'é'"),
        ("two words", "' '"),
        ("r2d2", "'2'"),
        ("a" * 29, "29 letters.*at most 28"),
        (7, "a string, not 7"),
    ],
)
def test_words_that_cannot_be_read(word: Any, said: str) -> None:
    with pytest.raises(WordError, match=said):
        pronounce(["cat", word])


def test_settings_that_are_none() -> None:
    with pytest.raises(WordError, match=r"\['cat'\]"):
        pronounce("cat")
    for wrong in (0, -1, 2.0, "3"):
        with pytest.raises(ug.SettingError, match="pronounce: n"):
            pronounce(["cat"], wrong)  # type: ignore[arg-type]
        with pytest.raises(ug.SettingError, match="pronounce: beam"):
            pronounce(["cat"], beam=wrong)  # type: ignore[arg-type]


def test_the_longest_word_and_answer() -> None:
    [[answer]] = pronounce(["x" * 28])
    assert 0 < len(answer.phonemes) <= 29


def test_alignments_follow_the_word() -> None:
    found = load_pronouncer().align("Banana")
    assert found.letters == tuple("banana")
    [[best]] = pronounce(["banana"])
    assert found.phonemes == (*best.phonemes, "end")
    assert found.weights.shape == (len(found.phonemes), 6)
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, atol=1e-5)
    places = found.weights[:-1].argmax(axis=1)
    assert (np.diff(places) >= 0).all()


# -- the file


def small() -> Any:
    ug.layers.set_seed(0)
    return build_model(embedding_size=3, encoder_units=4, decoder_units=5, attention_units=6)


def test_the_file_is_small_and_in_the_wheel() -> None:
    assert shipped().stat().st_size < 4_000_000
    arrays, _ = ug.io.load(shipped())
    assert {one.dtype.name for one in arrays.values()} == {"float16"}
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert "unigrad" in build["targets"]["wheel"]["packages"]
    assert "safetensors" not in (ROOT / ".gitignore").read_text()


def test_a_model_comes_back_as_float16_holds_it(tmp_path: Path, backend: str) -> None:
    model, path = small(), tmp_path / "small.safetensors"
    save_model(path, model)
    again = load_model(path).state_dict()
    for name, value in model.state_dict().items():
        assert again[name].dtype == np.float32
        assert (again[name] == value.astype(np.float16)).all()


def changed(path: Path, **metadata: str) -> None:
    """Write the file again, with another line of metadata."""
    arrays, before = ug.io.load(path)
    ug.io.save(path, arrays, before | metadata)


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_model(path, small())
    whole = path.read_bytes()

    def refused(said: str) -> None:
        with pytest.raises(ug.io.CheckpointError, match=said):
            load_pronouncer(path)

    for length in (0, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused("damaged, truncated or not a safetensors file")
    path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    refused("damaged")
    path.write_bytes(b"not this format, but long enough to be taken for one")
    refused("damaged, truncated or not a safetensors file")
    ug.io.save(path, {"w": np.ones(3)})
    refused("no pronouncer's file: its format is None")
    for version, said in [("2", "version 2, this unigrad reads up to 1"), ("new", "'new'")]:
        path.write_bytes(whole)
        changed(path, version=version)
        refused(said)
    for line in ("letters", "phonemes"):
        path.write_bytes(whole)
        changed(path, **{line: "abc"})
        refused("other letters or phonemes")
    path.unlink()
    refused("cannot be read")


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_model(path, small())
    arrays, metadata = ug.io.load(path)
    table, bias = "encoder/embedding/table", "decoder/output/bias"
    for wrong, said in [
        ({name: one for name, one in arrays.items() if name != table}, f"no matrix {table}"),
        ({**arrays, table: arrays[table][:, :0]}, f"no matrix {table}"),
        ({**arrays, table: arrays[table][:-1]}, f"{table} is float32"),
        ({**arrays, bias: arrays[bias][:-1]}, f"{bias} is float32"),
        ({name: one for name, one in arrays.items() if name != bias}, f"no value for {bias}"),
        ({**arrays, "more": arrays[bias]}, "no variable for more"),
        ({**arrays, bias: arrays[bias].astype(np.int32)}, "int32"),
    ]:
        ug.io.save(path, wrong, metadata)
        with pytest.raises(ug.io.CheckpointError, match=said):
            load_pronouncer(path)


def test_weights_that_float16_lacks_are_not_written(tmp_path: Path) -> None:
    model, path = small(), tmp_path / "small.safetensors"
    bias = model.decoder.output.bias
    for wrong in (1e6, math.nan):
        bias.assign(bias * 0.0 + wrong)
        with pytest.raises(ug.io.CheckpointError, match="decoder/output/bias"):
            save_model(path, model)
    assert not path.exists()


# -- the commands


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_the_command_prints_answers_and_scores() -> None:
    found = run("pronounce", "phone", "cat", "--n", "2")
    assert found.exit_code == 0, found.output
    lines = [line.split() for line in found.output.splitlines()]
    assert lines[0][:-1] == ["phone", "F", "OW", "N"]
    assert lines[2][:-1] == ["cat", "K", "AE", "T"]
    assert len(lines) == 4
    assert float(lines[0][-1]) > float(lines[1][-1])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["héllo"], "'é'"),
        ([""], "empty"),
        (["cat", "--backend", "abacus"], "no backend is called 'abacus'"),
        (["cat", "--checkpoint", "nowhere.safetensors"], "nowhere.safetensors cannot be read"),
        (["cat", "--attention", "nowhere/plot.png"], "nowhere/plot.png"),
        (["cat", "--attention", "plot.abacus"], "abacus"),
    ],
)
def test_the_command_says_what_was_wrong(arguments: list[str], said: str) -> None:
    found = run("pronounce", *arguments)
    assert found.exit_code == 2
    assert said in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_the_command_computes_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other made a word take seconds on a busy machine."""
    threads = []
    call = Pronouncer.__call__

    def watched(self: Pronouncer, *arguments: Any, **settings: Any) -> Any:
        threads.extend(one["num_threads"] for one in threadpool_info())
        return call(self, *arguments, **settings)

    monkeypatch.setattr(Pronouncer, "__call__", watched)
    with threadpool_limits(2):
        assert run("pronounce", "a", "--backend", "numpy").exit_code == 0
    assert set(threads) == {1}


def test_attention_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "plot.png"
    found = run("pronounce", "hello", "world", "--n", "1", "--attention", str(path))
    assert found.exit_code == 0, found.output
    assert path.read_bytes().startswith(b"\x89PNG")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    path.unlink()
    found = run("pronounce", "hello", "--attention", str(path))
    assert found.exit_code == 2
    assert "pip install matplotlib" in found.stderr
    assert not path.exists()


def test_error_rates_of_the_test_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole test split takes minutes: these are the rates on some of it."""
    found = run("evaluate", "g2p", "--limit", "64")
    assert found.exit_code == 0, found.output
    head, *lines = found.output.splitlines()
    assert head == "64 test words on numpy"
    assert [line.split("  ")[0] for line in lines] == ["greedy", "beam 5"]
    for line in lines:
        rates = [float(word[:-1]) for word in line.split() if word.endswith("%")]
        assert 0.0 < rates[1] < 15.0
        assert rates[1] < rates[0] < 45.0
    monkeypatch.setattr(dictionaries, "find_spec", lambda name: None)
    found = run("evaluate", "g2p")
    assert found.exit_code == 2
    assert "unigrad[demo]" in found.stderr


def test_rates_count_the_nearest_right_answer() -> None:
    live = dictionaries.Word("live", (("L", "AY", "V"), ("L", "IH", "V")))
    right = ("L", "IH", "V")
    assert error_rates([live, live], [right, right]) == (0.0, 0.0)
    assert error_rates([live, live], [right, ("L", "IY")]) == (2 / 6, 0.5)
    with pytest.raises(ug.SettingError, match="no word"):
        evaluate(load_pronouncer(), [])


# -- the task


SMALL = {"embedding_size": 4, "encoder_units": 6, "decoder_units": 6, "attention_units": 4}


def test_the_task_gives_the_same_batches_again() -> None:
    model, loss, training, validation = task(batch_size=8, limit=300, seed=3, **SMALL)
    first, again, other = (list(training(epoch)) for epoch in (0, 0, 1))
    assert len(first) >= 30
    assert all((a == b).all() for one, two in zip(first, again) for a, b in zip(one, two))
    assert any((a.shape != b.shape) or (a != b).any() for (a, _), (b, _) in zip(first, other))
    assert {letters.shape[0] for letters, _ in first} == {8}
    words = {tuple(row) for letters, _ in first for row in letters}
    held_out = {tuple(row) for letters, _ in validation(0) for row in letters}
    assert len(held_out) > 2000
    assert not words & held_out
    value = float(loss(model, first[0]))
    assert abs(value - math.log(42)) < 0.5
    smoothed = task(batch_size=8, limit=300, label_smoothing=0.1, **SMALL)[1]
    assert float(smoothed(model, first[0])) != value


def test_the_task_starts_from_given_weights(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_model(file, build_model(encoder_layers=2, **SMALL))
    two_layers = {**SMALL, "encoder_layers": 2, "dropout": 0.5}
    model = task(batch_size=2, limit=200, start=str(file), **two_layers)[0]
    wanted = load_model(file).state_dict()
    found = model.state_dict()
    assert set(wanted) < set(found)
    assert all((found[name] == value).all() for name, value in wanted.items())
    with pytest.raises(ug.UnigradError, match="does not fit"):
        task(batch_size=2, limit=200, start=str(file), **SMALL)


def test_the_command_trains_on_the_task(tmp_path: Path) -> None:
    sizes = [f"--set=settings.{name}={size}" for name, size in SMALL.items()]
    more = ["--set=settings.limit=60", "--set=settings.batch_size=8", "--set=training.steps=2"]
    found = run("train", "g2p", *sizes, *more, "--folder", str(tmp_path / "run"), "--quiet")
    assert found.exit_code == 0, found.output
    assert "2 steps" in found.output
    arrays, _ = ug.io.load(ug.io.latest(tmp_path / "run"))
    assert any("encoder/embedding/table" in name for name in arrays)


def test_what_a_run_leaves_pronounces(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    sizes = {**SMALL, "encoder_layers": 3, "dropout": 0.3, "buckets": [10, 28]}
    lines = [f"--set=settings.{name}={size}" for name, size in sizes.items()]
    more = ["--set=settings.limit=60", "--set=settings.batch_size=8", "--set=training.steps=1"]
    found = run("train", "g2p", *lines, *more, "--folder", str(folder), "--quiet")
    assert found.exit_code == 0, found.output
    newest = ug.io.latest(folder)
    assert newest is not None
    model = load_model(newest)
    arrays, _ = ug.io.load(newest)
    for name, value in model.state_dict().items():
        assert (arrays[f"model/{name}"] == value).all()
    expected = load_pronouncer(newest)(["word"], 2)
    assert load_pronouncer(folder)(["word"], 2) == expected
    # Weights by themselves, as callbacks leave them, and the float16 file made of them.
    ug.io.save(tmp_path / "weights.safetensors", model)
    assert load_pronouncer(tmp_path / "weights.safetensors")(["word"], 2) == expected
    save_model(tmp_path / "english.safetensors", model)
    again = load_model(tmp_path / "english.safetensors")
    assert len(again.encoder.below) == 2
    assert run("pronounce", "word", "--checkpoint", str(folder)).exit_code == 0
    found = run("pronounce", "word", "--checkpoint", str(tmp_path))
    assert found.exit_code == 2
    assert "no checkpoint of a run" in found.output


@pytest.mark.parametrize(
    "settings",
    [{"batch_size": 0}, {"limit": 20}, {"buckets": []}, {"buckets": [8]}, {"buckets": [9, 8, 28]}],
)
def test_settings_that_make_no_task(settings: dict[str, Any]) -> None:
    with pytest.raises(ug.SettingError, match="task g2p"):
        task(**settings)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("buckets=8", "settings.buckets: expected a string or a list, not 8"),
        ('buckets=[8,"a"]', 'settings.buckets[1]: expected an integer, not "a"'),
        ("dropout=much", 'settings.dropout: expected a number, not "much"'),
    ],
)
def test_settings_of_another_kind_are_named(setting: str, said: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    found = run("train", "g2p", f"--set=settings.{setting}", "--folder", folder, "--quiet")
    assert found.exit_code == 2
    assert said in found.output


def test_letters_and_phonemes_are_in_the_file() -> None:
    _, metadata = ug.io.load(shipped())
    assert metadata["letters"] == "'abcdefghijklmnopqrstuvwxyz"
    assert len(json.loads(metadata["phonemes"])) == 39
