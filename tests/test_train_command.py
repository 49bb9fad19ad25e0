"""`unigrad train`: files of runs, what is wrong in them, and going on after Ctrl-C."""

import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib

import numpy as np
import pytest
from typer.testing import CliRunner

import unigrad as ug
from unigrad import cli, training
from unigrad.training import building, command, config, tasks

SMALL = ["--quiet", "--set", "settings.rows=60", "--set", "settings.units=8"]


def train(*arguments):
    return CliRunner().invoke(cli.app, ["train", *map(str, arguments)])


def losses_in(folder):
    return [one["loss"] for one in training.read_log(folder / "log.jsonl")]


def test_a_file_of_a_run_reproduces_it(tmp_path):
    (tmp_path / "run.toml").write_text(
        f"""
task = "spirals"
seed = 3
folder = '{tmp_path / "a"}'

[settings]
rows = 60
units = 8

[optimizer]
name = "AdamW"
weight_decay = 0.01

[schedule]
name = "warmup_cosine"
rate = 0.03
warmup = 2
steps = 8

[training]
epochs = 3
precision = "bfloat16"

[clip_gradients]
bound = 1.0

[average_weights]
decay = 0.9

[early_stopping]
monitor = "val_accuracy"
maximize = true
patience = 50

[best_checkpoints]
number = 2
"""
    )
    found = train(tmp_path / "run.toml", "--quiet")
    assert found.exit_code == 0, found.output
    assert "6 steps, 3 epochs; accuracy" in found.output
    assert len(losses_in(tmp_path / "a")) == 6
    # What is left in the folder is a file of the same run.
    again = train(tmp_path / "a" / "config.toml", "--quiet", "--folder", tmp_path / "b")
    assert again.exit_code == 0, again.output
    assert losses_in(tmp_path / "b") == losses_in(tmp_path / "a")
    other = train(
        tmp_path / "run.toml", "--quiet", "--folder", tmp_path / "c", "--set", "schedule.rate=0.01"
    )
    assert other.exit_code == 0, other.output
    assert losses_in(tmp_path / "c") != losses_in(tmp_path / "a")


def test_the_defaults_of_a_task_learn_it(tmp_path):
    found = train("spirals", "--quiet", "--folder", tmp_path)
    assert found.exit_code == 0, found.output
    logs = training.read_log(tmp_path / "log.jsonl", "epoch")
    assert len(logs) == 30
    assert logs[-1]["val_accuracy"] > 0.97
    assert logs[-1]["val_loss"] < 0.2 < logs[0]["val_loss"]


def test_a_run_goes_on_and_nothing_is_written_over(tmp_path):
    whole = train("spirals", *SMALL, "--folder", tmp_path / "whole", "--set", "training.epochs=4")
    assert whole.exit_code == 0, whole.output
    part = ["spirals", *SMALL, "--folder", tmp_path / "part"]
    assert train(*part, "--set", "training.steps=3").exit_code == 0
    refused = train(*part, "--set", "training.epochs=4")
    assert refused.exit_code == 1
    assert re.search(r"checkpoint-3\S+; go on with --resume, remove it with --over", refused.output)
    changed = train(*part, "--resume", "--set", "optimizer.learning_rate=0.5")
    assert changed.exit_code == 1
    assert "optimizer.learning_rate is 0.5, there 0.01" in changed.output
    went_on = train(*part, "--set", "training.epochs=4", "--resume")
    assert went_on.exit_code == 0, went_on.output
    assert losses_in(tmp_path / "part") == losses_in(tmp_path / "whole")
    assert train(*part, "--set", "training.steps=1", "--overwrite").exit_code == 0
    assert len(losses_in(tmp_path / "part")) == 1


def test_ctrl_c_in_mid_epoch(tmp_path):
    arguments = ["spirals", *SMALL, "--folder", str(tmp_path / "a run")]
    endless = [*arguments, "--set", "training.epochs=100000", "--set", "training.save_every=5"]
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen(
        [sys.executable, "-m", "unigrad", "train", *endless],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    signal.signal(signal.SIGINT, before)
    while ug.io.latest(tmp_path / "a run") is None and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 130, said
    step = int(re.search(r"Interrupted after step (\d+), which \S.* holds\. Go on", said)[1])
    assert said.endswith(f"Go on with: {shlex.join(['unigrad', 'train', *endless, '--resume'])}\n")
    assert "Traceback" not in said
    more = ["--set", f"training.steps={step + 3}"]
    assert train(*arguments, *more, "--resume").exit_code == 0
    expected = train(*arguments, *more, "--folder", tmp_path / "whole")
    assert expected.exit_code == 0
    assert losses_in(tmp_path / "a run") == losses_in(tmp_path / "whole")
    assert len(losses_in(tmp_path / "whole")) == step + 3


TASK = """
import numpy as np
import unigrad as ug

DEFAULTS = {"optimizer": {"name": "SGD", "learning_rate": 0.25}, "training": {"steps": 4}}

def task(size: int = 2, seed: int = 7):
    data = ug.data.dataset((np.ones((8, size), np.float32), np.full(8, seed))).batch(4)
    return ug.layers.Dense(1, use_bias=False), loss, data

def loss(model, batch):
    return (model(batch[0]) ** 2).mean()

def text():
    return "nothing"

def bad(size: "complex" = 1j):
    ...
"""


def test_a_task_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "own_task.py").write_text(TASK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text('task = "own_task:task"\n')
    found = train("run.toml", "--quiet", "--set", "settings.size=3")
    assert found.exit_code == 0, found.output
    folder = tmp_path / "runs" / "own_task.task-numpy"
    assert len(losses_in(folder)) == 4
    written = tomllib.loads((folder / "config.toml").read_text())
    assert written["settings"] == {"size": 3}
    assert written["training"] == {"steps": 4}
    # Another optimizer takes no settings of the default one.
    found = train("run.toml", "--quiet", "--overwrite", "--set", "optimizer.name=Adam")
    assert found.exit_code == 0, found.output
    assert tomllib.loads((folder / "config.toml").read_text())["optimizer"] == {"name": "Adam"}
    for name, said in {
        "own_task:gone": "own_task has no function 'gone'",
        "gone_task:task": "gone_task of 'gone_task:task' cannot be imported",
        "own_task:text": "returns model, loss",
        "own_task": "none of spirals",
    }.items():
        (tmp_path / "bad.toml").write_text(f'task = "{name}"\n')
        found = train("bad.toml")
        assert found.exit_code == 2
        assert said in found.output.replace("g2p, ", "")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("optimizer.learning_rat=1", "optimizer.learning_rat: unknown; did you mean learning_rate"),
        ("optimizer.learning_rate=fast", 'optimizer.learning_rate: expected a number, not "fast"'),
        ("optimizer.learning_rate=true", "optimizer.learning_rate: expected a number, not true"),
        ("optimizer.learning_rate=-1.0", "learning_rate=-1.0: expected a finite number"),
        ("optimizer.weight_decay='a'", "optimizer.weight_decay: expected a number"),
        ("optimizer.name=Adamm", "optimizer.name: 'Adamm' is no optimizer"),
        ("optimizer=3", "optimizer: expected a table, not 3"),
        ("schedule.name=cosine", "schedule.rate: is missing"),
        ("schedule.name=cos", "schedule.name: 'cos' is no schedule"),
        ("schedule.rate=1.0", "schedule.name: is missing"),
        ("training.epochs=2.5", "training.epochs: expected an integer, not 2.5"),
        ("training.epoch=2", "training.epoch: unknown; did you mean epochs"),
        ("training.jit=1", "training.jit: expected true or false, not 1"),
        ("training.precision=float8", "float8"),
        ("training=2", "training: expected a table"),
        ("settings.rows=many", 'settings.rows: expected an integer, not "many"'),
        ("settings.row=3", "settings.row: unknown; did you mean rows"),
        ("early_stopping.patience=2.0", "early_stopping.patience: expected an integer"),
        ("early_stopping.patience=0", "patience=0 is at least 1"),
        ("trainig.epochs=1", "trainig: unknown; did you mean training"),
        ("seed=1.5", "seed: expected an integer"),
        ("backend=abacus", "no backend is called 'abacus'"),
        ("task=spiral", "task: 'spiral' is none of"),
        ("seed.value=1", "is no table"),
        ("epochs", "expected key=value"),
    ],
)
def test_wrong_keys_and_values_are_named(setting, said, tmp_path):
    found = train("spirals", *SMALL, "--folder", tmp_path, "--set", "seed=1", "--set", setting)
    assert found.exit_code in (1, 2), found.output
    assert said in found.output
    assert "Traceback" not in found.output
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_none(tmp_path):
    (tmp_path / "bad.toml").write_text("task = \n")
    (tmp_path / "empty.toml").write_text("")
    for name, said in {
        "bad.toml": "is no TOML",
        "empty.toml": "task: is missing",
        "gone.toml": "cannot be read: No such file",
    }.items():
        found = train(tmp_path / name)
        assert found.exit_code == 2
        assert said in found.output


def test_a_nan_loss_is_an_error_with_the_step(tmp_path, monkeypatch):
    (tmp_path / "nan_task.py").write_text(
        TASK.replace("(model(batch[0]) ** 2)", "(model(batch[0]) * np.float32('nan'))")
    )
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "run.toml").write_text('task = "nan_task:task"\n')
    found = train(tmp_path / "run.toml", "--quiet", "--folder", tmp_path / "run")
    assert found.exit_code == 1
    assert "the loss is nan at step 1" in found.output


def test_configs_survive_being_written():
    given = {
        "task": "a:b",
        "seed": 3,
        "settings": {"text": 'quo"te \\ ü\n\x7f', "list": [1, 2.5, "x"], "a b": True, "r": 1e-30},
        "optimizer": {"name": "SGD", "learning_rate": 3e-4},
        "early_stopping": {},
    }
    assert tomllib.loads(config.as_toml(given)) == given


def test_tasks_are_there_or_not():
    assert "spirals" in tasks.registered_tasks()
    assert {*tasks.registered_tasks()} <= {*tasks.REGISTERED}
    assert command.resolved("spirals", ["seed=4"])["seed"] == 4


@pytest.mark.parametrize("name", building.CALLBACKS)
def test_every_callback_can_be_set_in_a_file(name):
    settings = {"accumulate_gradients": {"batches": 2}}.get(name, {})
    [found] = building.callbacks_of({name: settings})
    assert isinstance(found, training.Callback)


@pytest.mark.parametrize(
    "name", sorted({*ug.optimizers.__all__} - {"Groups", "SAM", "LBFGS", "ConjugateGradient"})
)
def test_every_optimizer_can_be_set_in_a_file(name):
    kind = getattr(ug.optimizers, name)
    wrappers = ("Optimizer", "Accumulate", "AverageWeights", "Lookahead", "SkipNonfinite")
    if not isinstance(kind, type) or not issubclass(kind, ug.optimizers.Optimizer):
        return
    if name in wrappers:
        return
    found = building.optimizer_of({"optimizer": {"name": name, "learning_rate": 0.125}})
    assert type(found) is kind
    assert found.learning_rate == 0.125


def test_another_backend_of_the_command_line(tmp_path):
    arguments = ["spirals", *SMALL, "--set", "training.epochs=2"]
    found = train(*arguments, "--folder", tmp_path / "a", "--backend", "torch")
    assert found.exit_code == 0, found.output
    train(*arguments, "--folder", tmp_path / "b")
    np.testing.assert_allclose(losses_in(tmp_path / "a"), losses_in(tmp_path / "b"), rtol=1e-4)
    assert 'backend = "torch"' in (tmp_path / "a" / "config.toml").read_text()
    assert ug.get_backend() == "numpy"
