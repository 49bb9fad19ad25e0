"""Batches, padding and buckets."""

from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.data import batches, bucket_batches, pad_sequences

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10) * 10


def test_batches_in_order(backend: str) -> None:
    found = list(batches({"x": X, "y": Y}, 4))
    assert [len(batch["y"]) for batch in found] == [4, 4, 2]
    assert all(one.backend.name == backend for batch in found for one in batch.values())
    np.testing.assert_array_equal(np.concatenate([batch["x"].numpy() for batch in found]), X)
    assert found[0]["x"].dtype.name == "float64"


def test_shuffled_alike_on_every_backend(backend: str) -> None:
    def drawn() -> list[Any]:
        key = ug.random.key(4)
        return [(x.numpy(), y.numpy()) for x, y in batches((X, Y), 3, key=key, epochs=2)]

    found = drawn()
    with ug.use_backend("numpy"):
        expected = drawn()
    for got, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(got[0], wanted[0])
        np.testing.assert_array_equal(got[1], wanted[1])
    for x, y in found:  # rows stay together
        np.testing.assert_array_equal(x[:, 0] * 5, y)
    first, second = (np.concatenate([y for _, y in part]) for part in (found[:4], found[4:]))
    assert sorted(first) == sorted(second) == Y.tolist()
    assert len({tuple(first), tuple(second), tuple(Y)}) == 3
    order = ug.random.permutation(ug.random.fold_in(ug.random.key(4), 1), 10).numpy()
    np.testing.assert_array_equal(second, Y[order])


def test_remainder_and_epochs() -> None:
    assert [len(y) for y in batches(Y, 4, drop_remainder=True)] == [4, 4]
    assert list(batches(Y, 11, drop_remainder=True)) == []
    assert list(batches(np.zeros((0, 3)), 2)) == []
    assert list(batches(Y, 4, epochs=0)) == []
    endless = batches(Y, 10, epochs=None)
    assert [int(next(endless).sum()) for _ in range(5)] == [450] * 5


def test_tensors_are_arrays_too() -> None:
    (batch,) = batches(ug.asarray(Y), 10)
    np.testing.assert_array_equal(batch.numpy(), Y)


@pytest.mark.parametrize(
    ("arrays", "size", "message"),
    [
        ((X, Y[:9]), 2, "differ in length"),
        ((X, Y), 0, "at least one row"),
        ((), 2, "no array"),
        ([1, 2, 3], 2, "containers"),
    ],
)
def test_batches_refuses_at_once(arrays: Any, size: int, message: str) -> None:
    with pytest.raises(ug.ShapeError, match=message):
        batches(arrays, size)


def test_pad_sequences() -> None:
    padded = pad_sequences([[1, 2], [], [3]], length=4, value=-1, dtype="int32")
    assert padded.tolist() == [[1, 2, -1, -1], [-1] * 4, [3, -1, -1, -1]]
    assert padded.dtype == np.int32
    assert pad_sequences([]).shape == (0, 0)
    with pytest.raises(ug.ShapeError, match="does not fit"):
        pad_sequences([[1, 2, 3]], length=2)
    with pytest.raises(ug.ShapeError, match="flat"):
        pad_sequences([[[1, 2]]])


def test_bucket_batches() -> None:
    lengths = np.random.default_rng(0).integers(1, 30, 101)
    plain = bucket_batches(lengths, 8)
    in_order = lengths[np.concatenate(plain)]
    assert (np.diff(in_order) >= 0).all()
    keyed = bucket_batches(lengths, 8, key=ug.random.key(1))
    assert sorted(np.concatenate(keyed).tolist()) == list(range(101))
    # The same batches up to the order of batches and of sequences of one length.
    contents = [sorted(tuple(sorted(lengths[b])) for b in some) for some in (plain, keyed)]
    assert contents[0] == contents[1]
    assert [b.tolist() for b in keyed] != [b.tolist() for b in plain]
    assert {len(b) for b in bucket_batches(lengths, 8, drop_remainder=True)} == {8}
    assert bucket_batches([], 8) == []
    with pytest.raises(ug.DTypeError, match="integers"):
        bucket_batches([1.5], 8)
    with pytest.raises(ug.ShapeError, match="one axis"):
        bucket_batches([[1, 2]], 8)


@pytest.mark.parametrize(("rows", "drop"), [(0, False), (0, True), (3, True)])
def test_for_ever_without_a_batch(rows, drop):
    with pytest.raises(ug.ShapeError, match="no batch"):
        ug.data.batches(np.zeros((rows, 3)), 4, drop_remainder=drop, epochs=None)
    assert list(ug.data.batches(np.zeros((rows, 3)), 4, drop_remainder=drop, epochs=2)) == []
