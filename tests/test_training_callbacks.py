"""What takes part in a run: each callback by what it leaves, and what it makes of a run."""

import io
import json
import math

import numpy as np
import pytest
from rich.console import Console

import unigrad as ug
from unigrad import training

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(12, 2)
Y = (X[:, :1] * 2 - X[:, 1:] + 0.5).astype(np.float32)
DATA = ug.data.dataset((X, Y)).batch(4)


def squared(model, batch):
    x, y = batch
    return ((model(x) - y) ** 2).mean()


def trainer_of(*callbacks, rate=0.05, **settings):
    ug.layers.set_seed(1)
    return training.Trainer(
        ug.layers.Dense(1), squared, ug.optimizers.SGD(rate), callbacks=callbacks, **settings
    )


class Says(training.Callback):
    """Puts chosen numbers into the logs of epochs, in place of what was measured."""

    def __init__(self, *values):
        self.values = values

    def on_epoch(self, trainer, logs):
        logs["val_loss"] = self.values[trainer.epoch]


def test_the_order_of_what_is_called():
    said = []

    class Notes(training.Callback):
        def on_start(self, trainer):
            said.append("start")

        def on_step(self, trainer, logs):
            said.append(trainer.step)

        def on_epoch(self, trainer, logs):
            said.append(f"epoch {trainer.epoch}")
            if trainer.epoch == 1:
                trainer.stop("enough")

        def on_end(self, trainer):
            said.append("end")

    history = trainer_of(Notes()).fit(DATA, epochs=9)
    assert said == ["start", 1, 2, 3, "epoch 0", 4, 5, 6, "epoch 1", "end"]
    assert history.reason == "enough"


@pytest.mark.parametrize(
    ("values", "settings", "epochs"),
    [
        ([5, 4, 4, 4, 1], {"patience": 2}, 4),
        ([5, 4, 3.95, 3.9, 1], {"patience": 2, "margin": 0.2}, 4),
        ([1, 2, 2, 3, 3], {"patience": 2, "maximize": True}, 5),
        ([math.nan, math.nan, 1, 1, 1], {"patience": 2}, 2),
        ([5, 4, 3, 2, 1], {"patience": 1}, 5),
    ],
)
def test_early_stopping(values, settings, epochs):
    stopping = training.EarlyStopping("val_loss", **settings)
    history = trainer_of(Says(*values), stopping).fit(DATA, epochs=5)
    assert len(history.epochs) == epochs
    assert (history.reason is None) == (epochs == 5)


def test_a_run_that_stopped_early_is_over(tmp_path):
    def run(epochs):
        stopping = training.EarlyStopping("val_loss", patience=1)
        trainer = trainer_of(Says(1, 2, 3, 0), stopping, folder=tmp_path)
        return trainer.fit(DATA, epochs=epochs, resume=True)

    assert run(1).reason is None
    assert len(run(4).losses) == 3
    again = run(4)
    assert again.losses == []
    assert "has not been better than 1 for 1 epochs" in again.reason


def test_a_number_that_is_not_there():
    with pytest.raises(ug.SettingError, match=r"no 'val_loss', only \['loss'\]; give fit a valid"):
        trainer_of(training.EarlyStopping()).fit(DATA)


def test_the_best_checkpoints_are_kept(tmp_path):
    best = training.BestCheckpoints(2)
    trainer = trainer_of(Says(3, 1, math.nan, 2, 2), best, folder=tmp_path)
    states = {}

    class Notes(training.Callback):
        def on_epoch(self, trainer, logs):
            states[trainer.step] = trainer.model.state_dict()

    trainer.callbacks.append(Notes())
    trainer.fit(DATA, epochs=5)
    assert best.kept == [(1, 6), (2, 12)]
    assert sorted(one.name for one in (tmp_path / "best").iterdir()) == [
        "step-12.safetensors",
        "step-6.safetensors",
    ]
    arrays, metadata = ug.io.load(tmp_path / "best" / "step-6.safetensors")
    assert metadata == {"val_loss": "1", "step": "6"}
    np.testing.assert_array_equal(arrays["kernel"], states[6]["kernel"])
    trainer.model.load_state_dict(arrays)
    most = training.BestCheckpoints(1, maximize=True)
    trainer_of(Says(3, 1, 4), most, folder=tmp_path / "most").fit(DATA, epochs=3)
    assert most.kept == [(4, 9)]


def test_files_that_a_killed_run_left_are_put_right(tmp_path):
    def run(epochs, best):
        trainer_of(Says(3, 1, 2, 0), best, folder=tmp_path).fit(DATA, epochs=epochs, resume=True)

    run(2, training.BestCheckpoints(2))
    folder = tmp_path / "best"
    (folder / "step-3.safetensors").unlink()
    (folder / "step-9.safetensors").write_bytes(b"of a step that comes again")
    best = training.BestCheckpoints(2)
    run(3, best)
    assert best.kept == [(1, 6), (2, 9)]
    ug.io.load(folder / "step-9.safetensors")


def test_the_mean_of_the_last_checkpoints(tmp_path):
    states = []

    class Notes(training.Callback):
        def on_epoch(self, trainer, logs):
            states.append(trainer.model.state_dict())

    for epochs in (2, 4):
        average = training.AverageCheckpoints(3)
        trainer_of(average, Notes(), folder=tmp_path).fit(DATA, epochs=epochs, resume=True)
    arrays, metadata = ug.io.load(tmp_path / "average.safetensors")
    assert metadata == {"steps": "6 9 12"}
    for name, one in arrays.items():
        expected = np.mean([state[name] for state in states[-3:]], 0)
        np.testing.assert_allclose(one, expected, rtol=1e-6)
    with pytest.raises(ug.SettingError, match="no file"):
        training.average_checkpoints([])
    ug.io.save(tmp_path / "other", {"kernel": np.ones(3)})
    with pytest.raises(ug.io.CheckpointError, match="does not fit"):
        training.average_checkpoints([tmp_path / "average.safetensors", tmp_path / "other"])


def by_hand(optimizer, steps=6):
    ug.layers.set_seed(1)
    model = ug.layers.Dense(1)
    model(X)
    for batch in DATA.stream(9):
        if not steps:
            break
        steps -= 1
        with ug.GradientTape() as tape:
            loss = squared(model, batch)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return model.state_dict()


SGD = ug.optimizers.SGD
WRAPPED = {
    "clipped": (
        [training.ClipGradients(0.1)],
        lambda: ug.optimizers.chain(ug.optimizers.clip_by_global_norm(0.1), SGD(0.05)),
    ),
    "clipped by value": (
        [training.ClipGradients(0.1, by="value")],
        lambda: ug.optimizers.chain(ug.optimizers.clip_by_value(0.1), SGD(0.05)),
    ),
    "accumulated": (
        [training.AccumulateGradients(3)],
        lambda: ug.optimizers.Accumulate(SGD(0.05), 3),
    ),
    "the mean is clipped": (
        [training.ClipGradients(0.1), training.AccumulateGradients(3)],
        lambda: ug.optimizers.Accumulate(
            ug.optimizers.chain(ug.optimizers.clip_by_global_norm(0.1), SGD(0.05)), 3
        ),
    ),
    "scheduled": (
        [training.LearningRateSchedule(ug.optimizers.schedules.linear(0.1, 0.0, 8))],
        lambda: SGD(ug.optimizers.schedules.linear(0.1, 0.0, 8)),
    ),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_what_changes_the_optimizer(name):
    callbacks, optimizer = WRAPPED[name]
    trainer = trainer_of(*callbacks)
    trainer.fit(DATA, epochs=2)
    for path, value in by_hand(optimizer()).items():
        np.testing.assert_allclose(trainer.model.state_dict()[path], value, rtol=1e-5)
    plain = by_hand(SGD(0.05))
    assert any(
        not np.allclose(trainer.model.state_dict()[path], value, rtol=1e-3)
        for path, value in plain.items()
    )


def test_accumulated_batches_are_one_large_one():
    small, large = trainer_of(training.AccumulateGradients(3)), trainer_of()
    small.fit(DATA, epochs=4)
    large.fit(ug.data.dataset((X, Y)).batch(12), epochs=4)
    np.testing.assert_allclose(small.model.kernel.numpy(), large.model.kernel.numpy(), rtol=1e-5)


def test_averages_are_what_is_evaluated_and_kept(tmp_path):
    averages = training.AverageWeights(0.5)
    best = training.BestCheckpoints(1, "loss")
    trainer = trainer_of(averages, best, folder=tmp_path)
    history = trainer.fit(DATA, epochs=2, validation=DATA)
    own, kept = trainer.model.kernel.numpy(), ug.io.load(tmp_path / "best" / "step-6.safetensors")
    assert not np.allclose(kept[0]["kernel"], own)
    with trainer.evaluating():
        np.testing.assert_array_equal(trainer.model.kernel.numpy(), kept[0]["kernel"])
    np.testing.assert_array_equal(trainer.model.kernel.numpy(), own)
    plain = trainer_of()
    plain.model.ensure_built((4, 2))
    plain.model.load_state_dict(kept[0])
    assert plain.evaluate(DATA)["loss"] == pytest.approx(history.epochs[-1]["val_loss"], rel=1e-6)
    np.testing.assert_allclose(trainer.predict(DATA), plain.predict(DATA), rtol=1e-6)
    with pytest.raises(ug.SettingError, match="comes after"):
        trainer_of(training.AverageWeights(), training.ClipGradients()).fit(DATA)


def test_the_rate_falls_on_a_plateau_and_is_remembered(tmp_path):
    rates = []
    for epochs in (2, 5):
        plateau = training.ReduceOnPlateau(factor=0.5, patience=1)
        trainer = trainer_of(Says(1, 1, 1, 1, 1), plateau, folder=tmp_path, rate=0.08)
        trainer.fit(DATA, epochs=epochs, resume=True)
        rates.append(trainer.optimizer.learning_rate)
    whole = trainer_of(
        Says(1, 1, 1, 1, 1), training.ReduceOnPlateau(factor=0.5, patience=1), rate=0.08
    )
    whole.fit(DATA, epochs=5)
    assert rates == [0.08, whole.optimizer.learning_rate] == [0.08, 0.02]
    with pytest.raises(ug.SettingError, match="rate is a number"):
        trainer_of(training.ReduceOnPlateau(), rate=lambda done: 0.1).fit(DATA)


def test_lines_of_json(tmp_path):
    trainer = trainer_of(Says(math.nan, 1), training.JSONLines(), folder=tmp_path)
    history = trainer.fit(DATA, epochs=2)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [one["kind"] for one in lines] == [*["step"] * 3, "epoch"] * 2
    assert [one["loss"] for one in lines if one["kind"] == "step"] == history.losses
    assert lines[0].keys() == {"kind", "step", "epoch", "seconds", "loss"}
    assert [one["val_loss"] for one in training.read_log(tmp_path / "log.jsonl", "epoch")] == [
        None,
        1,
    ]
    # A run that is begun anew leaves nothing of the one before it.
    trainer_of(training.JSONLines(), folder=tmp_path).fit(DATA, overwrite=True)
    assert len(training.read_log(tmp_path / "log.jsonl")) == 3


def test_lines_after_the_checkpoint_are_removed(tmp_path):
    path = tmp_path / "log.jsonl"
    trainer_of(training.JSONLines(), folder=tmp_path).fit(DATA, steps=5)
    with path.open("a") as file:
        file.write('{"kind": "step", "step": 6, "epoch": 1, "loss": 9.0}\n')
        file.write('{"kind": "epoch", "step": 6, "epoch": 1, "loss": 9.0}\n')
        file.write('{"kind": "step", "step": 7, "ep')
    trainer_of(training.JSONLines(), folder=tmp_path).fit(DATA, epochs=3, resume=True)
    assert [one["step"] for one in training.read_log(path)] == [*range(1, 10)]
    assert [one["epoch"] for one in training.read_log(path, "epoch")] == [0, 1, 2]
    assert all(one["loss"] < 9.0 for one in training.read_log(path))


@pytest.mark.parametrize(
    "make", [training.JSONLines, training.BestCheckpoints, training.TensorBoard]
)
def test_what_needs_a_folder(make):
    with pytest.raises(ug.SettingError, match="needs a folder"):
        trainer_of(make()).fit(DATA)


def test_curves_for_tensorboard(tmp_path):
    from tensorboardX.proto.event_pb2 import Event

    for epochs in (1, 2):
        board = training.TensorBoard(every=2)
        history = trainer_of(board, folder=tmp_path).fit(DATA, epochs=epochs, resume=True)
    values = {}
    for path in sorted((tmp_path / "tensorboard").iterdir()):
        data = path.read_bytes()
        while data:  # Records: length, its checksum, an event, its checksum.
            length = int.from_bytes(data[:8], "little")
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            for value in event.summary.value:
                values[value.tag, event.step] = value.simple_value
    assert values["step/loss", 6] == pytest.approx(history.losses[2])
    assert ("step/loss", 5) not in values
    assert values["step/learning_rate", 2] == pytest.approx(0.05)
    assert values["epoch/loss", 6] == pytest.approx(history.epochs[1]["loss"])


def test_the_bar_tells_speed_and_epochs():
    text = io.StringIO()
    console = Console(file=text, width=100, force_terminal=True, highlight=False)
    history = trainer_of(training.Progress("tokens", console)).fit(DATA, epochs=2, validation=DATA)
    said = text.getvalue()
    assert "6/6" in said
    assert "tokens/s" in said
    logs = history.epochs[-1]
    assert f"Epoch 2, step 6: loss {logs['loss']:.4f}, val_loss {logs['val_loss']:.4f}" in said


@pytest.mark.parametrize(
    "make",
    [
        lambda: training.EarlyStopping(patience=0),
        lambda: training.EarlyStopping(margin=math.nan),
        lambda: training.BestCheckpoints(0),
        lambda: training.AverageCheckpoints(0),
        lambda: training.ClipGradients(-1.0),
        lambda: training.ClipGradients(by="weight"),
        lambda: training.AccumulateGradients(0),
        lambda: training.AverageWeights(decay=2.0),
        lambda: training.ReduceOnPlateau(factor=2.0),
    ],
)
def test_settings_that_make_no_sense(make):
    with pytest.raises(ug.SettingError):
        make()
