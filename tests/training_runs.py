"""A run with all that has to survive a stop, for tests that kill it at any moment.

    python tests/training_runs.py --backend jax --kills 20

kills runs on a backend so often, each at a random moment, and goes on each time; the losses of all
steps are those of a run that nobody stopped, bit for bit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import unigrad as ug
from unigrad.core.registry import load_backend

ROWS, BATCH = 96, 16
#: More batches of weight than of rows: the file a checkpoint is has some size.
STEPS = 400


def trainer_of(folder: Path | None, **settings) -> ug.training.Trainer:
    """Return a trainer with dropout, noise, a schedule, averages, metrics and early stopping."""
    ug.layers.set_seed(3)
    model = ug.layers.Sequential(
        ug.layers.Dense(24, activation="tanh"),
        ug.layers.BatchNorm(),
        ug.layers.Dropout(0.2, seed=5),
        ug.layers.Dense(3),
    )
    noise = ug.random.Generator(11)

    def loss(model, batch):
        x = batch["x"] + 0.01 * noise.normal(batch["x"].shape)
        logits = model(x)
        value = ug.losses.sparse_categorical_crossentropy(batch["y"], logits, from_logits=True)
        return value.mean(), {"accuracy": (batch["y"], logits), "largest": logits.max()}

    given = {
        "callbacks": [
            ug.training.LearningRateSchedule(ug.optimizers.schedules.cosine(0.02, STEPS)),
            ug.training.ClipGradients(1.0),
            ug.training.AverageWeights(0.9),
            ug.training.EarlyStopping("val_loss", patience=1000),
            *([] if folder is None else [ug.training.BestCheckpoints(2), ug.training.JSONLines()]),
        ],
        "metrics": {"accuracy": ug.metrics.SparseCategoricalAccuracy()},
        "parts": {"noise": noise},
        "folder": folder,
    }
    return ug.training.Trainer(model, loss, ug.optimizers.Adam(0.02), **{**given, **settings})


def data_of() -> tuple[ug.data.Dataset, ug.data.Dataset]:
    """Return batches to train on, shuffled and read ahead, and some to look at."""
    draws = np.random.default_rng(0)
    x = draws.normal(size=(ROWS + 32, 5)).astype(np.float32)
    y = (x @ draws.normal(size=(5, 3)).astype(np.float32)).argmax(1)
    rows = {"x": x, "y": y}
    training = ug.data.dataset({name: one[:ROWS] for name, one in rows.items()})
    held_out = ug.data.dataset({name: one[ROWS:] for name, one in rows.items()})
    return training.shuffle(7).batch(BATCH).prefetch(2), held_out.batch(BATCH)


def train(folder: Path | None, steps: int = STEPS, **settings) -> ug.training.History:
    """Begin a run, or go on with it."""
    training, held_out = data_of()
    return trainer_of(folder, **settings).fit(
        training, steps=steps, validation=held_out, resume=folder is not None, save_every=4
    )


def losses_in(folder: Path) -> list[tuple[int, float]]:
    """Return steps and losses of a folder's log."""
    return [(one["step"], one["loss"]) for one in ug.training.read_log(folder / "log.jsonl")]


def epochs_in(folder: Path) -> list[dict[str, float]]:
    """Return the lines of epochs in a folder's log, without times."""
    lines = ug.training.read_log(folder / "log.jsonl", "epoch")
    return [{name: value for name, value in one.items() if name != "seconds"} for one in lines]


def forked(folder: Path, backend: str, steps: int) -> int:
    """Go on with a run in a forked process; return its number. Of NumPy only: it has no threads."""
    child = os.fork()
    if not child:
        code = 1
        with contextlib.suppress(BaseException), ug.use_backend(backend):
            train(folder, steps)
            code = 0
        os._exit(code)
    return child


def started(folder: Path, backend: str, steps: int) -> subprocess.Popen:
    """Go on with a run in a process of its own."""
    command = [sys.executable, __file__, "--folder", str(folder), "--backend", backend]
    return subprocess.Popen([*command, "--steps", str(steps)])


def _kill(folder: Path, backend: str, steps: int, wait: float, fork: bool) -> bool:
    """Kill a run some time after it has begun to do steps; tell whether it was not over yet."""
    log = folder / "log.jsonl"
    before = log.stat().st_ino if log.exists() else None
    process = None if fork else started(folder, backend, steps)
    child = forked(folder, backend, steps) if process is None else process.pid

    def over() -> int | None:
        if process is not None:
            return process.poll()
        found, status = os.waitpid(child, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if found else None

    # The log is a new file when a run has begun.
    while (code := over()) is None and (not log.exists() or log.stat().st_ino == before):
        time.sleep(0.001)
    deadline = time.monotonic() + wait
    while code is None and time.monotonic() < deadline:
        time.sleep(0.001)
        code = over()
    if code is None:
        os.kill(child, signal.SIGKILL)
        if process is not None:
            process.wait()
        else:
            os.waitpid(child, 0)
        return True
    if code:
        raise RuntimeError(f"a run in {folder} ended with {code}")
    return False


def kill_and_go_on(
    backend: str, kills: int, folder: Path, steps: int = STEPS, seed: int = 0, longest: float = 0.6
) -> list[str]:
    """Kill runs so often; return what is wrong with what they leave."""
    fork = backend == "numpy"
    load_backend(backend)
    with ug.use_backend(backend):
        train(folder / "whole", steps)
    expected = losses_in(folder / "whole"), epochs_in(folder / "whole")
    moments, wrong, done, number = random.Random(seed), [], 0, 0

    def look() -> None:
        if (losses_in(folder / str(number)), epochs_in(folder / str(number))) != expected:
            wrong.append(f"after kill {done}, run {number}: other losses")

    if len(expected[0]) != steps:
        return [f"{len(expected[0])} losses of {steps} steps"]
    while done < kills:
        if _kill(folder / str(number), backend, steps, moments.uniform(0, longest), fork):
            done += 1
        else:
            look()
            number += 1
    _kill(folder / str(number), backend, steps, 600.0, fork)
    look()
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="numpy,torch,jax,tensorflow")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=0.6, help="seconds before a kill, at most")
    parser.add_argument("--folder", type=Path, help="go on with the run in this folder, and end")
    given = parser.parse_args()
    if given.folder is not None:
        with ug.use_backend(given.backend):
            train(given.folder, given.steps)
        return
    failed = False
    for backend in given.backend.split(","):
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            wrong = kill_and_go_on(
                backend, given.kills, Path(folder), given.steps, given.seed, given.longest
            )
        taken = time.perf_counter() - begun
        print(f"{backend}: {given.kills} kills, {len(wrong)} differences, {taken:.0f} s", *wrong)
        failed = failed or bool(wrong)
    sys.exit(failed)


if __name__ == "__main__":
    main()
