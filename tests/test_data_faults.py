"""Data that fails on the way, or does not fit: what is lost, and what is said."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.data import collate, dataset, pad_sequences


def broken(number: int) -> int:
    if number == 3:
        raise OSError("no such file")
    return number


SOURCES: dict[str, Any] = {"places": list(range(8)), "passing": lambda epoch: range(8)}
#: Pipelines in which element 3 fails, and what they give.
FAILING: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "map": (lambda data: data.map(broken), [0, 1, 2, OSError, 4, 5, 6, 7]),
    "maps": (
        lambda data: data.map(broken).map(lambda one: 10 * one),
        [0, 10, 20, OSError, 40, 50, 60, 70],
    ),
    "batches": (lambda data: data.map(broken).batch(2), [[0, 1], OSError, [4, 5], [6, 7]]),
    "dropped": (
        lambda data: data.map(broken).batch(3, drop_remainder=True),
        [[0, 1, 2], OSError],
    ),
    "buckets": (
        lambda data: data.map(broken).bucket([1], 2),
        [[0, 1], OSError, [2, 4], [5, 6], [7]],
    ),
    "lengths": (
        lambda data: data.bucket([1], 2, length=lambda one: broken(one) * 0),
        [[0, 1], OSError, [2, 4], [5, 6], [7]],
    ),
    "first ones": (lambda data: data.map(broken).take(5), [0, 1, 2, OSError, 4]),
    "shards": (lambda data: data.map(broken).shard(1, 2), [1, OSError, 5, 7]),
}


def read(stream: Any) -> Iterator[tuple[Any, dict[str, int]]]:
    """Yield what a stream gives, errors as their class, and where it is then."""
    while True:
        try:
            found = next(stream)
        except StopIteration:
            return
        except Exception as error:
            found = type(error)
        yield found.tolist() if hasattr(found, "tolist") else found, stream.state_dict()


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("name", FAILING)
@pytest.mark.parametrize("source", SOURCES)
def test_an_error_costs_its_element_alone(source: str, name: str, ahead: bool) -> None:
    make, wanted = FAILING[name]

    def pipeline() -> Any:
        data = make(dataset(SOURCES[source]))
        return data.prefetch() if ahead else data

    found = list(read(pipeline().stream(1)))
    assert [one for one, _ in found] == wanted
    assert [state["position"] for _, state in found] == list(range(1, len(wanted) + 1))
    for place, (_, state) in enumerate(found, start=1):
        again = pipeline().stream(1)
        again.load_state_dict(state)
        assert [one for one, _ in read(again)] == wanted[place:]


def test_an_error_behind_a_buffer_and_ahead_of_batches() -> None:
    shuffled = dataset(SOURCES["passing"]).map(broken).shuffle(0, buffer=4)
    found = [one for one, _ in read(shuffled.stream(1))]
    assert found.count(OSError) == 1
    assert sorted(one for one in found if one is not OSError) == [0, 1, 2, 4, 5, 6, 7]
    batches = dataset(SOURCES["passing"]).map(broken).prefetch().batch(2)
    assert [one for one, _ in read(batches.stream(1))] == FAILING["batches"][1]


def test_an_interrupted_element_is_read_again() -> None:
    interrupted = [True]

    def once(number: int) -> int:
        if number == 2 and interrupted.pop():
            raise KeyboardInterrupt
        return number

    interrupted.insert(0, False)
    stream = dataset(lambda epoch: range(4)).map(once).stream(1)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert list(stream) == [2, 3]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("ahead", [False, True])
def test_a_functions_stop_iteration_ends_nothing(source: str, ahead: bool) -> None:
    def stopped(number: int) -> int:
        return next(iter([])) if number == 2 else number

    for data in (
        dataset(SOURCES[source]).map(stopped),
        dataset(SOURCES[source]).bucket([1], 1, length=lambda one: stopped(one) * 0),
        dataset(SOURCES[source]).bucket([1], 1, collate=lambda some, width: stopped(some[0])),
        dataset(SOURCES[source]).map(stopped).batch(1),
    ):
        found = [one for one, _ in read((data.prefetch() if ahead else data).stream(1))]
        assert found[2] is RuntimeError
        assert len(found) == 8
    with pytest.raises(RuntimeError, match=r"map: .* StopIteration"):
        list(dataset(SOURCES["passing"]).map(stopped))


INTEGERS = [[1], [1, 2]]
#: What fills up, what it fills up, and the dtype that cannot hold it.
PADDINGS: list[tuple[Any, list[Any], str]] = [
    (float("nan"), INTEGERS, "int64"),
    (float("inf"), INTEGERS, "int64"),
    (0.5, INTEGERS, "int64"),
    (2**63, INTEGERS, "int64"),
    (1j, INTEGERS, "int64"),
    (-1, [np.array([True]), np.array([True, True])], "bool"),
    (-100, [np.array([1], "uint8"), np.array([1, 2], "uint8")], "uint8"),
    (1e300, [[1.0], [1.0, 2.0]], "float32"),
    (1j, [[1.0], [1.0, 2.0]], "float32"),
]


@pytest.mark.parametrize(("padding", "rows", "dtype"), PADDINGS)
def test_paddings_that_the_data_cannot_hold(padding: Any, rows: list[Any], dtype: str) -> None:
    for make in (
        lambda: list(dataset(rows).batch(2, padding=padding)),
        lambda: list(dataset(rows).bucket([2], 2, padding=padding)),
        lambda: list(dataset({"x": rows}).batch(2, padding=padding)),
        lambda: collate(rows, padding),
        lambda: pad_sequences(rows, value=padding, dtype=dtype),
    ):
        with pytest.raises(ug.SettingError) as caught:
            make()
        assert repr(padding) in str(caught.value)
        assert dtype in str(caught.value)


@pytest.mark.parametrize("padding", ["a", [0], {}])
def test_paddings_that_are_no_numbers(padding: Any) -> None:
    for make in (
        lambda: dataset(INTEGERS).batch(2, padding=padding),
        lambda: dataset(INTEGERS).bucket([2], 2, padding=padding),
        lambda: collate(INTEGERS, padding),
        lambda: pad_sequences(INTEGERS, value=padding),
    ):
        with pytest.raises(ug.SettingError, match="padding is a number"):
            make()


def test_paddings_that_fit() -> None:
    for padding in (0.1, float("nan"), -float("inf"), 7, True, np.float64(0.5), np.array(3)):
        found = collate([[1.0], [1.0, 2.0]], padding)
        np.testing.assert_array_equal(found, np.array([[1.0, padding], [1.0, 2.0]], "float32"))
    for whole in (1.0, True, np.int32(7), -100):
        assert collate(INTEGERS, whole).tolist() == [[1, int(whole)], [1, 2]]
    # What is not filled up may be of any dtype.
    batch = collate([{"x": [1.0], "id": [1]}, {"x": [1.0, 2.0], "id": [2]}], float("nan"))
    assert batch["id"].tolist() == [[1], [2]]
    assert np.isnan(batch["x"][0, 1])


@pytest.mark.parametrize("one", [[0.5], [-1], [256], np.array([-1]), [float("nan")]])
def test_sequences_that_their_dtype_cannot_hold(one: Any) -> None:
    with pytest.raises(ug.DTypeError, match="uint8"):
        pad_sequences([[1], one], dtype="uint8")


def test_widths_of_buckets() -> None:
    assert len(list(dataset([[1]]).bucket(np.array([1, 2]), 2))) == 1
    for widths in (np.array([]), 3, [1.5], np.array([[1, 2]])):
        with pytest.raises(ug.SettingError, match="bucket"):
            dataset([[1]]).bucket(widths, 2)  # type: ignore[arg-type]


def test_integers_beside_floats() -> None:
    assert [one.dtype for one in dataset([1, 2.5, 5.5, 6]).batch(2)] == [np.float32] * 2
    assert collate([[1, 2], [2.5, 3]]).dtype == np.float32
    assert collate([1, np.float64(2.0)]).dtype == np.float64
    assert collate([np.int64(1), np.float32(2.0)]).dtype == np.float64
    assert collate([True, 2]).dtype == np.int64


def test_elements_are_copies() -> None:
    array = np.ones((3, 2))
    tensor = ug.asarray(array)
    sources: list[Any] = [
        array,
        {"x": array},
        {"x": array, "n": [1, 2, 3]},
        list(array),
        lambda epoch: iter(array),
        [(row,) for row in array],
    ]

    def doubled(element: Any) -> Any:
        for one in ug.tree.leaves(element):
            if isinstance(one, np.ndarray):
                np.multiply(one, 2.0, out=one)
        return element

    for source in sources:
        for _ in range(3):
            first = next(iter(dataset(source).map(doubled)))
            found = [one for one in ug.tree.leaves(first) if isinstance(one, np.ndarray)]
            assert [one.tolist() for one in found] == [[2.0, 2.0]]
    next(iter(dataset(tensor).map(doubled)))
    assert array.tolist() == np.ones((3, 2)).tolist()
    assert tensor.tolist() == array.tolist()
