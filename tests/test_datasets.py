"""Datasets: what they are made of, in which order they give it, where one goes on after a stop."""

import gc
import threading
import time
from collections import namedtuple
from itertools import chain
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.data import Vocabulary, collate, dataset, sequence_mask

ROWS = {"x": np.arange(10), "y": np.arange(10) * 10.0}
#: Data in different lengths, as lists.
WORDS = [[1] * length for length in (3, 7, 2, 5, 8, 1, 4, 6, 3)]


def squares(epoch: int) -> Any:
    return (number * number + epoch for number in range(7))


#: A pipeline each, with everything in it that a run may go on from.
PIPELINES = {
    "rows": lambda: dataset(ROWS).shuffle(3).batch(4),
    "dropped": lambda: dataset(ROWS).shuffle(3).batch(4, drop_remainder=True),
    "shard": lambda: dataset(ROWS).shuffle(3).shard(1, 3).batch(2),
    "mapped": lambda: dataset(ROWS).map(lambda row: row["x"] * 2).shuffle(1).take(7).batch(3),
    "generator": lambda: dataset(squares).shuffle(5, buffer=3).map(lambda x: x + 1).batch(2),
    "parts": lambda: dataset(squares).shard(0, 2, even=False).take(3),
    "buckets": lambda: dataset(WORDS).shuffle(2).bucket([4, 8], 2),
    "ahead": lambda: dataset(ROWS).shuffle(3).batch(3).prefetch(2),
    "lists": lambda: dataset({"words": WORDS, "n": list(range(9))}).shuffle(1).batch(4, padding=0),
}


def plain(value: Any) -> Any:
    return ug.tree.map(lambda one: one.tolist() if hasattr(one, "tolist") else one, value)


@pytest.mark.parametrize("name", PIPELINES)
def test_going_on_from_anywhere(name):
    whole = PIPELINES[name]().stream(3)
    states, given = [whole.state_dict()], []
    for element in whole:
        given.append(plain(element))
        states.append(whole.state_dict())
    assert len(given) >= 6
    for place, state in enumerate(states):
        again = PIPELINES[name]().stream(3)
        again.load_state_dict(state)
        assert plain(list(again)) == given[place:], state


def test_the_same_order_on_every_backend(backend):
    found = [batch["x"].tolist() for batch in dataset(ROWS).shuffle(4).batch(4).stream(2)]
    with ug.use_backend("numpy"):
        pipeline = dataset(ROWS).shuffle(ug.random.key(4)).batch(4)
    assert found == [batch["x"].tolist() for batch in pipeline.stream(2)]
    order = ug.random.permutation(ug.random.fold_in(ug.random.key(4), 1), 10).tolist()
    assert [*chain(*found[3:])] == order


def test_epochs_differ_and_hold_everything():
    numbers = dataset(list(range(20))).shuffle(0)
    first, second = list(numbers.elements(0)), list(numbers.elements(1))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert list(numbers) == first
    assert len({tuple(dataset(squares).shuffle(5, buffer=3).elements(e)) for e in range(4)}) == 4
    assert sorted(dataset(squares).shuffle(5, buffer=3)) == list(squares(0))


@pytest.mark.parametrize("source", [list(range(11)), lambda epoch: iter(range(11))])
def test_shards_are_even_and_apart(source):
    for even in (True, False):
        parts = [list(dataset(source).shard(rank, 3, even=even)) for rank in range(3)]
        assert sorted(chain(*parts)) == list(range(9 if even else 11))
        assert [len(part) for part in parts] == ([3, 3, 3] if even else [4, 4, 3])
        assert parts[1][:2] == [1, 4]


def test_lengths():
    rows = dataset(ROWS)
    assert [len(rows), len(rows.batch(3)), len(rows.batch(3, drop_remainder=True))] == [10, 4, 3]
    assert [len(rows.shard(2, 3)), len(rows.shard(0, 3, even=False)), len(rows.take(4))] == [
        3,
        4,
        4,
    ]
    assert len(rows.map(str).batch(4).prefetch()) == 3
    for unknown in (dataset(squares), dataset(squares).batch(2), dataset(WORDS).bucket([8], 2)):
        with pytest.raises(TypeError, match="not known"):
            len(unknown)
        assert unknown
    for one in PIPELINES.values():
        pipeline = one()
        if pipeline._length() is not None:
            assert len(pipeline) == len(list(pipeline))


# -- sources


def test_arrays_of_all_kinds(backend):
    for source in (
        ug.asarray([[1.0], [2.0]]),
        np.array([[1.0], [2.0]]),
        ug.asarray([[1.0], [2.0]]).native,
    ):
        (batch,) = dataset((source, ug.asarray([3, 4]))).batch(2)
        assert type(batch[0]) is np.ndarray
        assert plain(batch) == ([[1.0], [2.0]], [3, 4])


def test_a_loader_of_torch():
    import torch

    pairs = [(torch.tensor([float(n)]), n) for n in range(5)]
    loader = torch.utils.data.DataLoader(pairs, batch_size=2)
    batches = dataset(loader)
    assert plain(list(batches)) == [
        [[[0.0], [1.0]], [0, 1]],
        [[[2.0], [3.0]], [2, 3]],
        [[[4.0]], [4]],
    ]
    assert len(batches) == 3
    assert isinstance(next(iter(batches))[0], np.ndarray)
    stream = batches.stream()
    stream.load_state_dict({"epoch": 1, "position": 2})
    assert plain(next(stream)) == [[[4.0]], [4]]
    # Its datasets have places.
    assert plain(list(dataset(pairs).batch(5))) == [
        ([[0.0], [1.0], [2.0], [3.0], [4.0]], [0, 1, 2, 3, 4])
    ]

    class Sampler(torch.utils.data.Sampler):
        epoch = 0

        def set_epoch(self, epoch):
            self.epoch = epoch

        def __iter__(self):
            return iter([self.epoch, 0])

        def __len__(self):
            return 2

    loader = torch.utils.data.DataLoader(pairs, sampler=Sampler())
    assert [batch[1].item() for batch in dataset(loader).stream(3)] == [0, 0, 1, 0, 2, 0]


def test_data_of_tensorflow():
    import tensorflow as tf

    source = tf.data.Dataset.from_tensor_slices({"x": np.arange(5)}).batch(2)
    batches = dataset(source)
    assert plain(list(batches.stream(2)))[2:4] == [{"x": [4]}, {"x": [0, 1]}]
    assert type(next(iter(batches))["x"]) is np.ndarray


class HuggingFace:
    """What a table of Hugging Face's ``datasets`` does: rows are dicts, with lists in them."""

    def __len__(self):
        return 4

    def __getitem__(self, place):
        if isinstance(place, str):
            raise AssertionError("columns are not asked for")
        return {"tokens": list(range(place + 1)), "text": "ab"[place % 2], "label": place / 2}


class StreamingHuggingFace:
    def __init__(self):
        self.epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        yield from ({"label": self.epoch}, {"label": 7})


def test_tables_of_hugging_face():
    (batch,) = dataset(HuggingFace()).batch(4, padding=9)
    assert batch["tokens"].tolist()[1] == [0, 1, 9, 9]
    assert batch["text"] == ["a", "b", "a", "b"]
    assert batch["label"].dtype == np.float32
    assert [one["label"] for one in dataset(HuggingFace()).shuffle(0).shard(0, 2)] != []
    assert [row["label"] for row in dataset(StreamingHuggingFace()).stream(2)] == [0, 7, 1, 7]


def test_a_generator_has_one_epoch():
    once = dataset(iter(range(3)))
    assert list(once.batch(2).map(list)) == [[0, 1], [2]]
    with pytest.raises(ug.SettingError, match="once"):
        list(once)
    with pytest.raises(ug.SettingError, match="function of the epoch"):
        list(dataset(iter(range(3))).stream(2))


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ((np.zeros(3), np.zeros(2)), ug.ShapeError, "differ in length"),
        ({"x": [1, 2], "y": np.zeros(3)}, ug.ShapeError, "differ in length"),
        ((), ug.ShapeError, "no array"),
        (np.float32(3.0), ug.SettingError, "no data"),
        ("words.txt", ug.SettingError, "read the file"),
        (7, ug.SettingError, "int holds no data"),
        (lambda: iter(()), ug.SettingError, "takes the epoch's number"),
        (ug.asarray(1.0), ug.ShapeError, "without axes"),
    ],
)
def test_what_is_no_data(source, error, message):
    with pytest.raises(error, match=message):
        dataset(source)


# -- batches


def test_batches_keep_structure_and_dtype():
    Pair = namedtuple("Pair", "a b")
    batch = collate([Pair(1, [1.5, 2]), Pair(2, [3, 4.5])])
    assert isinstance(batch, Pair)
    assert [batch.a.dtype, batch.b.dtype] == [np.int64, np.float32]
    assert collate([np.float64(1), np.float64(2)]).dtype == np.float64
    assert collate([[1, 2], []], padding=0).tolist() == [[1, 2], [0, 0]]
    assert collate([[1, 2], []], padding=0).dtype == np.int64
    assert collate([np.ones((1, 2)), np.ones((2, 1))], padding=7).tolist() == [
        [[1, 1], [7, 7]],
        [[1, 7], [1, 7]],
    ]


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ([], "no element"),
        ([[1, 2], [3]], "give a padding"),
        ([[1, 2], 3], "axes differ"),
        ([{"a": 1}, {"b": 1}], "differ"),
        ([(1, 2), (1,)], "differ"),
        ([(1, 2), 3], "differ"),
        ([[[1], [2, 3]]], "no array"),
    ],
)
def test_elements_that_make_no_batch(elements, message):
    with pytest.raises(ug.ShapeError, match=message):
        collate(elements)


def test_buckets_hold_about_one_length():
    found = list(dataset(WORDS).bucket([8, 4], 2, padding=0))
    assert [batch.shape for batch in found] == [(2, 4), (2, 8), (2, 4), (2, 8), (1, 4)]
    assert sorted(len(word) for word in WORDS) == sorted(int(row.sum()) for b in found for row in b)
    kept = list(dataset(WORDS).bucket([4, 8], 2, drop_remainder=True))
    assert [len(batch) for batch in kept] == [2, 2, 2, 2]
    pairs = dataset([(word, [*word, 2]) for word in WORDS])
    own = pairs.bucket(
        [4, 8], 2, length=lambda pair: len(pair[0]), collate=lambda some, width: (len(some), width)
    )
    assert list(own) == [(2, 4), (2, 8), (2, 4), (2, 8), (1, 4)]
    with pytest.raises(ug.ShapeError, match="length 7 fits into no bucket: the widest takes 6"):
        list(dataset(WORDS).bucket([6], 2))


def test_masks():
    assert sequence_mask([2, 0], 3).tolist() == [[True, True, False], [False] * 3]
    assert sequence_mask([]).shape == (0, 0)
    with pytest.raises(ug.ShapeError, match="width of 2"):
        sequence_mask([3], 2)
    with pytest.raises(ug.DTypeError, match="integers"):
        sequence_mask([1.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda d: d.batch(0),
        lambda d: d.batch(True),
        lambda d: d.batch(2.0),
        lambda d: d.shard(3, 3),
        lambda d: d.shard(-1, 3),
        lambda d: d.take(-1),
        lambda d: d.shuffle(0, buffer=3),
        lambda d: d.bucket([], 2),
        lambda d: d.bucket([0], 2),
        lambda d: d.prefetch(0),
        lambda d: d.stream(-1),
        lambda d: dataset(squares).shuffle(0),
        lambda d: d.stream().load_state_dict({"epoch": 1}),
        lambda d: d.stream().load_state_dict({"epoch": -1, "position": 0}),
    ],
)
def test_settings_that_make_no_sense(call):
    with pytest.raises(ug.SettingError):
        call(dataset(ROWS))


def test_for_ever_through_nothing():
    with pytest.raises(ug.ShapeError, match="epoch 0 has no element"):
        next(dataset([]).stream())
    assert list(dataset([]).stream(3)) == []


# -- a thread that reads ahead


def readers() -> int:
    return sum(one.name == "unigrad.data.prefetch" for one in threading.enumerate())


def test_reading_ahead():
    read = []
    ahead = dataset(lambda epoch: (read.append(n) or n for n in range(100))).prefetch(3)
    elements = iter(ahead)
    assert next(elements) == 0
    deadline = time.monotonic() + 10
    while len(read) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(read) == 5  # one given, three ready, one in hand
    assert readers() == 1
    del elements
    gc.collect()
    assert readers() == 0
    assert list(ahead) == list(range(100))
    assert readers() == 0


def test_errors_of_the_thread_arrive():
    def broken(epoch):
        yield 1
        raise OSError("the disk is gone")

    elements = iter(dataset(broken).prefetch())
    assert next(elements) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(elements)
    assert readers() == 0


def test_a_stream_closes_its_thread():
    stream = dataset(squares).prefetch(1).stream()
    next(stream)
    assert readers() == 1
    stream.close()
    assert readers() == 0
    assert next(stream) == 1  # and goes on where it was


def test_the_thread_is_on_the_readers_backend(backend):
    (found,) = dataset([1]).map(lambda one: ug.asarray(one).backend.name).prefetch()
    assert found == backend


# -- vocabularies


def test_a_vocabulary():
    words = Vocabulary(["to", "be"], start="<s>", end="</s>", unknown="<?>")
    assert words.symbols == ("<pad>", "<s>", "</s>", "<?>", "to", "be")
    assert (words.padding, words.start, words.end, words.unknown) == (0, 1, 2, 3)
    tokens = words.encode(["to", "be", "or"])
    assert tokens == [1, 4, 5, 3, 2]
    assert words.decode([*tokens, 0, 4]) == ["to", "be", "<?>"]
    assert words.decode(np.array(tokens)) == ["to", "be", "<?>"]
    assert "be" in words
    assert len(words) == 6
    assert Vocabulary.of(["abbccc", "a"], size=2, padding=None).symbols == ("c", "a")
    for call in (
        lambda: Vocabulary("abca"),
        lambda: Vocabulary("ab").encode("abz"),
        lambda: Vocabulary("ab").decode([7]),
        lambda: Vocabulary(["<pad>"]),
    ):
        with pytest.raises(ug.SettingError):
            call()
