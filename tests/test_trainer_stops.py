"""Runs that stop: what is kept of them, and that they go on as if they had not stopped."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import training_runs
from test_trainer import X, Y, data_of, trainer_of

import unigrad as ug
from unigrad import training
from unigrad.io import replacing

# -- stopping and going on


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(backend, tmp_path):
    last = 14 if backend == "numpy" else 8
    whole = training_runs.train(tmp_path / "whole", steps=last)
    assert len(whole.losses) == last
    parts = []
    # An epoch has six steps: in it, and at its end.
    for steps in (3, 6, 9, 12, 14) if backend == "numpy" else (5, 8):
        parts += training_runs.train(tmp_path / "parts", steps=steps).losses
    assert parts == whole.losses
    for read in (training_runs.losses_in, training_runs.epochs_in):
        assert read(tmp_path / "parts") == read(tmp_path / "whole")
    assert [step for step, _ in training_runs.losses_in(tmp_path / "parts")] == [
        *range(1, last + 1)
    ]


def test_a_run_that_forgets_its_noise_is_another(tmp_path):
    whole = training_runs.train(None, steps=6).losses
    training_runs.train(tmp_path, steps=3, parts={})
    assert training_runs.train(tmp_path, steps=6, parts={}).losses != whole[3:]


def test_a_run_goes_on_on_another_backend(tmp_path):
    with ug.use_backend("numpy"):
        whole = training_runs.train(None, steps=15).losses
    ug.core.registry.load_backend("torch")
    for steps, name in ((4, "numpy"), (8, "torch"), (12, "jax"), (15, "tensorflow")):
        with ug.use_backend(name):
            training_runs.train(tmp_path, steps=steps)
    found = [loss for _, loss in training_runs.losses_in(tmp_path)]
    np.testing.assert_allclose(found, whole, rtol=2e-4)


@pytest.mark.parametrize(("name", "kills", "steps"), [("numpy", 4, 60), ("torch", 1, 30)])
def test_killed_runs_lose_nothing(name, kills, steps):
    """Twenty kills on each backend are for the file that this runs, by hand: they take minutes."""
    settings = ["--backend", name, "--kills", str(kills), "--steps", str(steps)]
    # In a process of its own: frameworks that were loaded here have threads, which do not fork.
    done = subprocess.run(
        [sys.executable, training_runs.__file__, *settings, "--longest", "0.2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"{name}: {kills} kills, 0 differences" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_ctrl_c_ends_the_step_saves_and_says_how_to_go_on(tmp_path):
    whole = trainer_of().fit(data_of(), epochs=3).losses

    class Press(training.Callback):
        def on_step(self, trainer, logs):
            if trainer.step == 5:
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt, match=r"after step 5, .*checkpoint-5.*resume=True"):
            trainer_of(folder=tmp_path, callbacks=[Press()]).fit(data_of(), epochs=3)
        with pytest.raises(KeyboardInterrupt, match="nothing was saved: there is no folder"):
            trainer_of(callbacks=[Press()]).fit(data_of(), epochs=3)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    history = trainer_of(folder=tmp_path).fit(data_of(), epochs=3, resume=True)
    assert history.first == 5
    assert history.losses == whole[5:]


def test_a_loss_that_is_nan_stops(backend, tmp_path):
    trainer = trainer_of(folder=tmp_path)
    data = ug.data.dataset((X, np.where(np.arange(12) == 8, np.nan, Y[:, 0])[:, None])).batch(2)
    with pytest.raises(
        training.TrainingError,
        match=r"nan at step 5 \(epoch 1, batch 5\); the last good .*checkpoint-4",
    ) as found:
        trainer.fit(data, epochs=3, save_every=2)
    assert found.value.step == 5
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ["checkpoint-2.safetensors", "checkpoint-4.safetensors"]
    # It can be gone on from, with the same object, and other data.
    history = trainer.fit(ug.data.dataset((X, Y)).batch(2), epochs=1, resume=True)
    assert history.first == 4
    assert np.isfinite(history.losses).all()


def test_weights_that_are_nan_are_not_saved(tmp_path):
    class Spoil(training.Callback):
        def on_step(self, trainer, logs):
            if trainer.step == 4:
                trainer.model.bias.assign([np.nan])

    trainer = trainer_of(folder=tmp_path, callbacks=[Spoil()])
    with pytest.raises(training.TrainingError, match=r"bias is no longer finite after step 4"):
        trainer.fit(data_of(), epochs=2, save_every=2)
    assert ug.io.latest(tmp_path).name == "checkpoint-3.safetensors"


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    write = replacing._write

    def full(handle, data):
        write(handle, bytes(data)[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Fill(training.Callback):
        def on_step(self, trainer, logs):
            if trainer.step == 5:
                monkeypatch.setattr(replacing, "_write", full)

    whole = trainer_of().fit(data_of(), epochs=3).losses
    with pytest.raises(
        ug.io.CheckpointError, match=r"after step 6: .*No space left.*last good .*checkpoint-3"
    ):
        trainer_of(folder=tmp_path, callbacks=[Fill()]).fit(data_of(), epochs=3)
    monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir()] == ["checkpoint-3.safetensors"]
    assert trainer_of(folder=tmp_path).fit(data_of(), epochs=3, resume=True).losses == whole[3:]


def test_a_full_disk_under_the_log(tmp_path):
    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def close(self):
            file.close()

    class Fill(training.Callback):
        def on_step(self, trainer, logs):
            nonlocal file
            if trainer.step == 5 and file is None:
                file, lines._file = lines._file, Full()

    whole = trainer_of().fit(data_of(), epochs=3).losses
    lines, file = training.JSONLines(), None
    with pytest.raises(
        ug.UnigradError,
        match=r"after step 6: .*log\.jsonl.*No space left.*last good .*checkpoint-3",
    ):
        trainer_of(folder=tmp_path, callbacks=[lines, Fill()]).fit(data_of(), epochs=3)
    (tmp_path / ".unigrad-0123.tmp").write_text("left behind by a process that is no more")
    again = trainer_of(folder=tmp_path, callbacks=[training.JSONLines(), Fill()])
    assert again.fit(data_of(), epochs=3, resume=True).losses == whole[3:]
    assert training_runs.losses_in(tmp_path) == [*enumerate(whole, 1)]
    assert not [*tmp_path.glob(".*")]


# -- folders and checkpoints that do not fit


def test_a_run_does_not_write_over_another(tmp_path):
    trainer_of(folder=tmp_path).fit(data_of(), epochs=2)
    kept = (tmp_path / "checkpoint-6.safetensors").read_bytes()
    with pytest.raises(ug.SettingError, match=r"checkpoint-6.*resume=True.*overwrite=True"):
        trainer_of(folder=tmp_path).fit(data_of())
    assert (tmp_path / "checkpoint-6.safetensors").read_bytes() == kept
    trainer_of(folder=tmp_path).fit(data_of(), overwrite=True)
    assert [one.name for one in tmp_path.iterdir()] == ["checkpoint-3.safetensors"]


def test_only_so_many_checkpoints_stay(tmp_path):
    trainer_of(folder=tmp_path, keep=3).fit(data_of(), epochs=5)
    names = sorted(one.stem for one in tmp_path.iterdir())
    assert names == ["checkpoint-12", "checkpoint-15", "checkpoint-9"]


def test_nothing_to_go_on_from_is_a_beginning(tmp_path):
    history = trainer_of(folder=tmp_path / "a" / "b").fit(data_of(), resume=True)
    assert (history.first, len(history.losses)) == (0, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": 2}, "does not fit"),
        ({"optimizer": ug.optimizers.SGD(0.1)}, "does not fit"),
        ({"settings": {"seed": 2, "rate": 0.1}}, "rate is 0.1, there None; seed is 2, there 1"),
        ({"parts": {"x": ug.random.Generator(0)}}, "does not fit"),
        ({"precision": "float16"}, "does not fit"),
        ({"callbacks": []}, "callbacks EarlyStopping, this one has none"),
    ],
)
def test_a_run_of_another_kind_is_not_gone_on_with(tmp_path, settings, message):
    given = {"folder": tmp_path, "settings": {"seed": 1}}
    given["callbacks"] = [training.EarlyStopping("loss")]
    trainer_of(**given).fit(data_of())
    other = trainer_of(**{**given, **settings})
    other.model.ensure_built((4, 2))
    before = other.model.state_dict()
    with pytest.raises(ug.io.CheckpointError, match=message):
        other.fit(data_of(), epochs=2, resume=True)
    assert all((before[name] == one).all() for name, one in other.model.state_dict().items())


def _newer(path: Path) -> None:
    arrays, metadata = ug.io.load(path)
    metadata["unigrad"] = metadata["unigrad"].replace('\\"version\\": 2', '\\"version\\": 9')
    ug.io.save(path, arrays, metadata)


def _foreign(path: Path) -> None:
    arrays, _ = ug.io.load(path)
    ug.io.save(path, arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "damaged"),
        (lambda path: path.write_bytes(b"\0" * 300), "damaged"),
        (_newer, "version 9, this unigrad goes on from 2"),
        (_foreign, "not written by a Trainer"),
    ],
)
def test_checkpoints_that_are_none(tmp_path, change, message):
    trainer_of(folder=tmp_path, keep=1).fit(data_of())
    change(tmp_path / "checkpoint-3.safetensors")
    with pytest.raises(ug.io.CheckpointError, match=message):
        trainer_of(folder=tmp_path).fit(data_of(), resume=True)
