"""Data that fails on the way, or does not fit: what is lost, and what is said."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from unigrad.data import dataset


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
