"""Checkpoints that are damaged, foreign, shared or in the way: nothing wrong is read, nothing lost.

`test_planted_faults_of_io` runs the trials of killed and of simultaneous writers.
"""

import os
import pickle

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from checkpoint_trials import change_length, flip_bits, run_of

import unigrad as ug
from unigrad import io


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_no_flipped_bit_is_read(tmp_path):
    path = tmp_path / "a.safetensors"
    io.save(path, {"w": np.arange(6.0).reshape(2, 3), "b": np.ones(2, np.float16)}, {"note": "x"})
    assert flip_bits(path, 500) == []
    assert change_length(path) == []
    assert io.load(path)[1] == {"note": "x"}


def test_other_programs_read_the_file_and_theirs_is_read(tmp_path):
    io.save(tmp_path / "ours", {"x": [1.0, 2.0]}, {"note": "hello"})
    with safetensors.safe_open(tmp_path / "ours", "numpy") as file:
        assert file.get_tensor("x/0") == 1.0
        assert file.metadata()["note"] == "hello"
    safetensors.numpy.save_file({"x": np.ones(2)}, tmp_path / "theirs", {"sha256": "0x12"})
    arrays, metadata = io.load(tmp_path / "theirs")
    assert (arrays["x"].tolist(), metadata) == ([1.0, 1.0], {"sha256": "0x12"})


def test_a_file_that_another_program_changed(tmp_path):
    path = tmp_path / "a"
    io.save(path, {"x": np.ones(2)})
    with safetensors.safe_open(path, "numpy") as file:
        metadata = file.metadata()
    safetensors.numpy.save_file({"x": np.zeros(2)}, path, metadata)
    with pytest.raises(io.CheckpointError, match="checksum"):
        io.load(path)


@pytest.mark.parametrize(
    ("values", "metadata"),
    [
        ({"x": 1.0}, {"unigrad.checksum": "mine"}),
        ({"\ud800": 1.0}, {}),
        ({"x": 1.0}, {"a": "\ud800"}),
    ],
)
def test_names_and_metadata_that_no_file_can_hold(tmp_path, values, metadata):
    with pytest.raises(io.CheckpointError):
        io.save(tmp_path / "a", values, metadata)
    assert names_in(tmp_path) == []


def test_a_dtype_that_unigrad_lacks(tmp_path):
    header = b'{"x":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}'
    (tmp_path / "a").write_bytes(len(header).to_bytes(8, "little") + header + b"\0")
    with pytest.raises(io.CheckpointError, match="x is F8_E4M3"):
        io.load(tmp_path / "a")


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b"{" * 64, b"\xff\xfe{}", b"3", b'{"__metadata__":[]}']
)
def test_headers_that_are_none(tmp_path, data):
    (tmp_path / "a").write_bytes(len(data).to_bytes(8, "little") + data)
    with pytest.raises(io.CheckpointError):
        io.load(tmp_path / "a")


def test_big_endian_arrays(backend, tmp_path):
    big = np.arange(3, dtype=">f4")
    io.save(tmp_path / "a", {"x": big})
    np.testing.assert_array_equal(io.load(tmp_path / "a")[0]["x"], big)
    layer = ug.layers.Dense(1, use_bias=False)
    layer(ug.asarray([[1.0, 2.0, 3.0]]))
    layer.load_state_dict({"kernel": big[:, None]})
    assert layer.kernel.tolist() == [[0.0], [1.0], [2.0]]


def test_a_folder_of_that_name(tmp_path):
    (tmp_path / "checkpoint-3.safetensors" / "mine").mkdir(parents=True)
    run = run_of(1.0, keep=1)
    with pytest.raises(io.CheckpointError, match="there is a folder of that name"):
        run.save(tmp_path, 3)
    with pytest.raises(io.CheckpointError, match="there is a folder of that name"):
        run.save(tmp_path)
    assert io.latest(tmp_path) is None
    run.save(tmp_path, 1)
    run.save(tmp_path, 2)
    assert names_in(tmp_path) == ["checkpoint-2.safetensors", "checkpoint-3.safetensors"]
    assert io.latest(tmp_path) == tmp_path / "checkpoint-2.safetensors"


def test_links_stay_links(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    elsewhere.mkdir()
    folder.mkdir()
    link = folder / "checkpoint-1.safetensors"
    link.symlink_to(elsewhere / "weights")
    assert io.latest(folder) is None
    for value in (1.0, 2.0):  # dangling, then not
        run_of(value).save(folder, 1)
        assert link.is_symlink()
        assert io.load(elsewhere / "weights")[0]["x"][0] == value
        assert io.latest(folder) == link
    assert names_in(folder) == [link.name]
    assert names_in(elsewhere) == ["weights"]


@pytest.mark.parametrize("target", ["gone/weights", "a.safetensors"])
def test_links_that_lead_nowhere(tmp_path, target):
    link = tmp_path / "a.safetensors"
    link.symlink_to(target)
    with pytest.raises(io.CheckpointError, match=f"a link to {target}"):
        io.save(link, {"x": 1.0})
    assert os.readlink(link) == target
    assert names_in(tmp_path) == ["a.safetensors"]


def test_what_is_no_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(io.CheckpointError, match="no regular file"):
        io.save(tmp_path / "a", {"x": 1.0})
    assert (tmp_path / "a").is_fifo()


@pytest.mark.parametrize("number", [-1, 1.5, "3", True, np.float32(1), [1]])
def test_numbers_that_a_file_cannot_have(tmp_path, number):
    with pytest.raises(io.CheckpointError, match="number is 0, 1, 2"):
        run_of(1.0).save(tmp_path, number)
    assert names_in(tmp_path) == []


def test_numbers_of_all_kinds(tmp_path):
    for number in (0, np.int64(1), ug.asarray(2), ug.Variable(3)):
        assert run_of(1.0).save(tmp_path, number).exists()
    assert io.latest(tmp_path) == tmp_path / "checkpoint-3.safetensors"


@pytest.mark.parametrize("keep", [0, -1, 1.5, True, "2"])
def test_keeps_that_are_none(keep):
    with pytest.raises(ug.SettingError, match="keep"):
        io.Checkpoint(keep=keep)


def test_the_latest_of_damaged_and_foreign_files(tmp_path):
    run_of(1.0).save(tmp_path, 3)
    data = run_of(1.0).save(tmp_path, 4).read_bytes()
    io.save(tmp_path / "checkpoint-5.safetensors", {"x": 1.0})
    safetensors.numpy.save_file({"x": np.ones(2)}, tmp_path / "checkpoint-6.safetensors")
    for name in ("07", "8", "9"):
        (tmp_path / f"checkpoint-{name}.safetensors").write_bytes(b"foreign"[: int(name) - 8])
    (tmp_path / "checkpoint-10.safetensors").write_bytes(data)  # a copy by another name
    assert io.latest(tmp_path) == tmp_path / "checkpoint-4.safetensors"
    # It may be the newest, so it is not passed over in silence.
    for bad in (
        data[:100],
        b"\xff" + data[1:],
        bytes(8) + data[8:],
        data.replace(b"__metadata__", b"__metadat\xff__"),
    ):
        (tmp_path / "checkpoint-11.safetensors").write_bytes(bad)
        assert io.latest(tmp_path) == tmp_path / "checkpoint-11.safetensors"
        with pytest.raises(io.CheckpointError, match="damaged"):
            run_of(1.0).restore(io.latest(tmp_path))


def test_only_foreign_files(tmp_path):
    io.save(tmp_path / "checkpoint-5.safetensors", {"x": 1.0})
    assert io.latest(tmp_path) == tmp_path / "checkpoint-5.safetensors"


def test_a_copy_in_the_same_process_is_the_same_run(tmp_path):
    run = run_of(1.0, keep=1)
    run.save(tmp_path, 1)
    pickle.loads(pickle.dumps(run)).save(tmp_path, 2)
    assert names_in(tmp_path) == ["checkpoint-2.safetensors"]


def test_unfinished_files_of_others_stay(tmp_path):
    (tmp_path / "weights.tmp").write_bytes(b"mine")
    (tmp_path / ".unigrad-0123456789abcdef.tmp").write_bytes(b"a dead process's")
    run_of(1.0).save(tmp_path, 1)
    assert names_in(tmp_path) == ["checkpoint-1.safetensors", "weights.tmp"]
