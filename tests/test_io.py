"""Checkpoints: what comes back, and what a crash or a bad file leaves behind."""

import os

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

import unigrad as ug
from unigrad import io, layers, losses, optimizers
from unigrad.core import dtypes

HELD = [dtype for dtype in dtypes.ALL if dtype not in dtypes.COMPLEX]


@pytest.mark.parametrize("dtype", HELD, ids=lambda dtype: dtype.name)
def test_every_dtype_comes_back(tmp_path, dtype):
    array = (np.arange(6).reshape(2, 3) % 2).astype(dtype)
    io.save(tmp_path / "a.safetensors", {"x": array, "scalar": array[1, 0], "none": array[:0]})
    found, metadata = io.load(tmp_path / "a.safetensors")
    assert metadata == {}
    assert found["x"].dtype == dtype
    np.testing.assert_array_equal(found["x"], array)
    assert found["scalar"].shape == ()
    assert found["none"].shape == (0, 3)


def test_bfloat16_keeps_its_bits(backend, tmp_path):
    x = ug.asarray([1.0, 1.0078125, -3.25], dtype="bfloat16")
    io.save(tmp_path / "a", {"x": x})
    found, _ = io.load(tmp_path / "a")
    assert found["x"].dtype == ml_dtypes.bfloat16
    assert ug.asarray(found["x"]).tolist() == [1.0, 1.0078125, -3.25]


def test_trees_and_strides(backend, tmp_path):
    transposed = np.arange(6.0).reshape(2, 3).T
    tree = {"a": [ug.asarray([1, 2]), ug.Variable(3.0)], "b": {"c": transposed}}
    io.save(tmp_path / "a", tree, {"note": "hello"})
    found, metadata = io.load(tmp_path / "a")
    assert metadata == {"note": "hello"}
    assert sorted(found) == ["a/0", "a/1", "b/c"]
    np.testing.assert_array_equal(found["b/c"], transposed)
    np.testing.assert_array_equal(safetensors.numpy.load_file(tmp_path / "a")["b/c"], transposed)


@pytest.mark.parametrize("value", [object(), "text", np.complex64(1j), {"a": None}])
def test_what_is_no_array_is_refused_before_anything_is_written(tmp_path, value):
    with pytest.raises(io.CheckpointError):
        io.save(tmp_path / "a", {"x": value})
    assert list(tmp_path.iterdir()) == []


def test_two_values_of_one_name(tmp_path):
    with pytest.raises(io.CheckpointError, match="a/0"):
        io.save(tmp_path / "a", {"a": [1.0], "a/0": 2.0})


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 20, -1])
def test_truncated_file(tmp_path, keep):
    io.save(tmp_path / "a", {"x": np.ones(100)})
    data = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(data[:keep])
    with pytest.raises(io.CheckpointError, match="truncated"):
        io.load(tmp_path / "a")


@pytest.mark.parametrize("data", [b"PK\x03\x04 a zip", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]"])
def test_foreign_file(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(io.CheckpointError):
        io.load(tmp_path / "a")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(io.CheckpointError, match="cannot be read"):
        io.load(tmp_path / "nothing")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(io.CheckpointError, match="cannot be written"):
        io.save(tmp_path / "file" / "a", {"x": 1.0})


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_crash_keeps_the_old_file(tmp_path, monkeypatch, failing):
    path = tmp_path / "a"
    io.save(path, {"x": np.zeros(3)})

    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(io.CheckpointError, match="disk full"):
        io.save(path, {"x": np.ones(3)})
    monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir()] == ["a"]
    np.testing.assert_array_equal(io.load(path)[0]["x"], np.zeros(3))


def test_data_is_synchronised_before_it_gets_its_name(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle):
        events.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        fsync(handle)

    def noted_replace(*arguments):
        events.append("replace")
        replace(*arguments)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    io.save(tmp_path / "a", {"x": 1.0})
    assert events == ["file", "replace", "folder"]


def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        io.save(tmp_path / "a", {"x": 1.0})
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def run_of(seed):
    model = layers.Sequential(
        layers.Dense(4, activation="tanh", key=seed), layers.Dense(3, key=seed + 1)
    )
    model(ug.asarray(np.zeros((1, 2), np.float32)))
    optimizer = optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    return model, optimizer


def train_step(model, optimizer):
    x = ug.asarray(np.array([[1.0, 2.0], [-1.0, 0.5]], np.float32))
    with ug.GradientTape() as tape:
        loss = losses.sparse_categorical_crossentropy([0, 2], model(x), from_logits=True).mean()
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss.item()


def test_resuming_gives_the_same_losses(backend, tmp_path):
    model, optimizer = run_of(1)
    for _ in range(3):
        train_step(model, optimizer)
    path = io.Checkpoint(model=model, optimizer=optimizer, step=3).save(tmp_path, 3)
    expected = [train_step(model, optimizer) for _ in range(3)]
    model, optimizer = run_of(7)
    checkpoint = io.Checkpoint(model=model, optimizer=optimizer, step=0)
    checkpoint.restore(path)
    assert checkpoint.step == 3
    assert optimizer.iterations.item() == 3
    assert [train_step(model, optimizer) for _ in range(3)] == expected


def test_a_run_moves_between_backends(tmp_path):
    with ug.use_backend("numpy"):
        model, optimizer = run_of(1)
        train_step(model, optimizer)
        path = io.Checkpoint(model=model, optimizer=optimizer).save(tmp_path / "a")
        expected = train_step(model, optimizer)
    with ug.use_backend("torch"):
        model, optimizer = run_of(2)
        io.Checkpoint(model=model, optimizer=optimizer).restore(path)
        assert train_step(model, optimizer) == pytest.approx(expected, rel=1e-5)


def test_keeps_the_newest(tmp_path):
    checkpoint = io.Checkpoint(keep=2, x=ug.Variable(0.0))
    assert io.latest(tmp_path / "nowhere") is None
    for number in (1, 2, 10, 9):
        checkpoint.x.assign(float(number))
        checkpoint.save(tmp_path, number)
    (tmp_path / "checkpoint-99.safetensors.tmp").write_bytes(b"")
    assert sorted(p.name for p in tmp_path.glob("*.safetensors")) == [
        "checkpoint-10.safetensors",
        "checkpoint-9.safetensors",
    ]
    assert io.latest(tmp_path).name == "checkpoint-10.safetensors"
    checkpoint.restore(io.latest(tmp_path))
    assert checkpoint.x.item() == 10.0


def test_a_file_that_does_not_fit_changes_nothing(backend, tmp_path):
    first, second = ug.Variable([1.0, 2.0]), ug.Variable(3.0)
    checkpoint = io.Checkpoint(first=first, second=second, step=1)
    for name, other in {
        "shape": io.Checkpoint(first=ug.Variable([9.0, 9.0]), second=ug.Variable([1.0]), step=1),
        "name": io.Checkpoint(first=ug.Variable([9.0, 9.0]), third=ug.Variable(1.0), step=1),
        "dtype": io.Checkpoint(first=ug.Variable([9.0, 9.0]), second=ug.Variable(1), step=1),
        "value": io.Checkpoint(first=ug.Variable([9.0, 9.0]), second=ug.Variable(1.0), epoch=1),
    }.items():
        other.save(tmp_path / name)
        with pytest.raises(io.CheckpointError):
            checkpoint.restore(tmp_path / name)
    io.save(tmp_path / "foreign", {"first": first, "second": second})
    with pytest.raises(io.CheckpointError, match="Checkpoint"):
        checkpoint.restore(tmp_path / "foreign")
    assert first.tolist() == [1.0, 2.0]
    assert second.item() == 3.0
    assert checkpoint.step == 1


def test_the_formats_own_word_is_no_name(tmp_path):
    with pytest.raises(io.CheckpointError, match="__metadata__"):
        io.save(tmp_path / "a", {"__metadata__": np.ones(2)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["save", "restore", "_names", "a/b"])
def test_names_that_a_part_cannot_have(name):
    with pytest.raises(io.CheckpointError, match=name):
        io.Checkpoint(**{name: 1})


def test_numbers_of_numpy(tmp_path):
    checkpoint = io.Checkpoint(step=np.int64(3), best=np.float32(0.5), done=0)
    checkpoint.done = np.bool_(True)
    path = checkpoint.save(tmp_path / "a")
    other = io.Checkpoint(step=0, best=0.0, done=False)
    other.restore(path)
    assert (other.step, other.best, other.done) == (3, 0.5, True)
    assert type(other.step) is int
    checkpoint.done = np.ones(2)
    with pytest.raises(io.CheckpointError, match="done"):
        checkpoint.save(tmp_path / "b")
