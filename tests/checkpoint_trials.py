"""Trials of checkpoints, for the tests and for those that plant faults into what they try.

Each returns what it found wrong. NumPy only, so that a process which is killed or forked has no
framework's threads.
"""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import numpy as np

import unigrad as ug
from unigrad import io


def run_of(value: float, size: int = 8, **settings) -> io.Checkpoint:
    return io.Checkpoint(x=ug.Variable(np.full(size, value, np.float32)), step=0, **settings)


def flip_bits(path: Path, count: int, seed: int = 0) -> list[int]:
    """Flip one bit at a time; return those with which the file is still read."""
    data = path.read_bytes()
    bits = random.Random(seed).sample(range(8 * len(data)), min(count, 8 * len(data)))
    read = []
    for bit in bits:
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with contextlib.suppress(io.CheckpointError):
            io.load(path)
            read.append(bit)
    path.write_bytes(data)
    return read


def change_length(path: Path) -> list[int]:
    """Cut bytes off the end, or add some; return the changes with which the file is still read."""
    data = path.read_bytes()
    read = []
    for change in (-len(data), -len(data) + 8, -100, -8, -1, 1, 8, len(data)):
        path.write_bytes(data[: len(data) + change] if change < 0 else data + bytes(change))
        with contextlib.suppress(io.CheckpointError):
            io.load(path)
            read.append(change)
    path.write_bytes(data)
    return read


def _save_until_killed(folder: Path, size: int, started: int) -> None:
    run = run_of(0.0, size, keep=2)
    run.restore(io.latest(folder))
    while True:
        run.step += 1
        run.x.assign(np.full(size, run.step, np.float32))
        os.write(started, b".")
        run.save(folder, run.step)


def kill_writers(folder: Path, kills: int, size: int = 200_000, seed: int = 0) -> list[str]:
    """Kill processes that save, at random moments; return what is lost or left behind."""
    moments, wrong, reached = random.Random(seed), [], 0
    began = time.perf_counter()
    run_of(0.0, size).save(folder, 0)
    lasting = time.perf_counter() - began
    for _ in range(kills):
        started = os.pipe()
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                _save_until_killed(folder, size, started[1])
            os._exit(1)
        os.close(started[1])
        os.read(started[0], 1)
        time.sleep(moments.uniform(0, 2 * lasting))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(started[0])
        newest, run = io.latest(folder), run_of(0.0, size)
        if newest is None:
            return [*wrong, "nothing is there any more"]
        try:
            run.restore(newest)
        except io.CheckpointError as error:
            return [*wrong, str(error)]
        if run.step < reached or not (run.x.numpy() == run.step).all():
            wrong.append(f"step {run.step} after step {reached}")
        reached = run.step
    run = run_of(0.0, size, keep=2)
    run.restore(newest)
    run.save(folder, reached + 1)
    run.save(folder, reached + 2)
    expected = {f"checkpoint-{reached + k}.safetensors" for k in (1, 2)}
    left = {path.name for path in folder.iterdir()}
    wrong += [f"left behind: {name}" for name in sorted(left - expected)]
    wrong += [f"lost: {name}" for name in sorted(expected - left)]
    return wrong


def write_together(folder: Path, writers: int, saves: int) -> list[str]:
    """Let processes save into one folder at the same time; return what is lost or left behind."""
    children = []
    for writer in range(writers):
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                run = run_of(float(writer), 10_000, keep=1)
                for step in range(saves):
                    run.save(folder, writer + writers * step)
                    run.save(folder / "shared.safetensors")
                os._exit(0)
            os._exit(1)
        children.append(child)
    wrong = [
        "a writer failed"
        for child in children
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ]
    last = {f"checkpoint-{writer + writers * (saves - 1)}.safetensors" for writer in range(writers)}
    left = {path.name for path in folder.iterdir()}
    wrong += [f"left or lost: {name}" for name in sorted(left ^ (last | {"shared.safetensors"}))]
    for path in folder.iterdir():
        arrays, _ = io.load(path)
        if len(set(arrays["x"].tolist())) != 1:
            wrong.append(f"{path.name} is of two writers")
    return wrong


def share_a_folder(folder: Path) -> list[str]:
    """Let two runs, one after the other, and one that goes back, save into one folder."""
    wrong = []

    def expect(when: str, numbers: set[int], newest: int) -> None:
        left = {int(path.stem.rpartition("-")[2]) for path in folder.glob("checkpoint-*")}
        if left != numbers:
            wrong.append(f"{when}: {sorted(left)}, not {sorted(numbers)}")
        if (found := io.latest(folder)) is None or found.stem != f"checkpoint-{newest}":
            wrong.append(f"{when}: the latest is {found}, not {newest}")

    run_of(1.0).save(folder, 100)
    own = run_of(2.0, keep=2)
    for number in (1, 2, 10, 9):
        own.save(folder, number)
    expect("beside another run", {9, 10, 100}, 10)
    own.save(folder, 3)
    expect("a lower number", {3, 9, 10, 100}, 10)
    again, nine = run_of(3.0, keep=2), folder / "checkpoint-9.safetensors"
    if not nine.exists():
        return wrong
    again.restore(nine)
    again.save(folder, 11)
    expect("gone on from 9", {9, 10, 11, 100}, 11)
    again.save(folder, 12)
    expect("gone on from 9 twice", {10, 11, 12, 100}, 12)
    return wrong


def restore_what_does_not_fit(folder: Path) -> list[str]:
    """Restore files of which one part each is wrong; return those that change something."""
    wrong, path = [], folder / "bad"
    good = {"x": np.zeros(8, np.float32), "y": np.zeros(2, np.float32)}
    origin = '{"run": "a", "number": 1, "written": 1, "before": {}}'
    words = {"unigrad": '{"step": 1}', "unigrad.run": origin}
    for arrays, metadata in (
        (good, {**words, "unigrad": '["step"]'}),
        (good, {**words, "unigrad": '{"step": [1]}'}),
        (good, {**words, "unigrad": '{"step": "one"}'}),
        (good, {**words, "unigrad": "{}"}),
        (good, {**words, "unigrad": "7"}),
        (good, {**words, "unigrad.run": "[]"}),
        (good, {"unigrad": words["unigrad"]}),
        ({**good, "y": np.zeros(3, np.float32)}, words),
        ({**good, "y": np.zeros(2)}, words),
        ({"x": good["x"]}, words),
        ({**good, "z": np.zeros(2)}, words),
    ):
        run = io.Checkpoint(
            x=ug.Variable(np.ones(8, np.float32)), y=ug.Variable(np.ones(2, np.float32)), step=0
        )
        io.save(path, arrays, metadata)
        try:
            run.restore(path)
            wrong.append(f"restored: {metadata}")
        except io.CheckpointError:
            pass
        except Exception as error:
            wrong.append(f"{error!r}: {metadata}")
        if not (run.x.numpy().all() and run.y.numpy().all() and run.step == 0):
            wrong.append(f"changed: {metadata}")
    return wrong
