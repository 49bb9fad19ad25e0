"""Ops whose results are as long as values say: found eagerly, named in programs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug

#: A function of ids without and with the length of its result.
CALLS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "bincount": (ug.bincount, lambda ids: ug.bincount(ids, length=4)),
    "segment_sum": (
        lambda ids: ug.segment_sum(ug.ones(3), ids),
        lambda ids: ug.segment_sum(ug.ones(3), ids, 4),
    ),
    "segment_max": (
        lambda ids: ug.segment_max(ug.ones(3), ids),
        lambda ids: ug.segment_max(ug.ones(3), ids, 4),
    ),
    "ragged_gather": (
        lambda ids: ug.ragged_gather([1.0, 2.0, 3.0], [0, 1, 2, 2, 3], ids)[0],
        lambda ids: ug.ragged_gather([1.0, 2.0, 3.0], [0, 1, 2, 2, 3], ids, length=3)[0],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_found_or_named(backend: str, name: str) -> None:
    found, named = CALLS[name]
    ids = ug.asarray([3, 0, 3])
    expected = named(ids).tolist()
    assert found(ids).tolist() == expected
    assert ug.jit(named)(ids).tolist() == expected
    both = ug.vmap(named)(ug.stack([ids, ids]))
    assert both.tolist() == [expected, expected]


@pytest.mark.parametrize("name", CALLS)
def test_not_found_while_traced(backend: str, name: str) -> None:
    found, _ = CALLS[name]
    for transform in (ug.jit, ug.vmap):
        with pytest.raises(ug.TracingError, match=f"{name}: .* name "):
            transform(found)(ug.asarray([[3, 0, 3]] if transform is ug.vmap else [3, 0, 3]))


def test_ids_out_of_bounds_are_dropped_in_programs(backend: str) -> None:
    ids, x = ug.asarray([-1, 1, 4, 1]), ug.asarray([1.0, 2.0, 4.0, 8.0])
    program = ug.jit(lambda x, ids: ug.segment_sum(x, ids, 3))
    assert program(x, ids).tolist() == [0.0, 10.0, 0.0]
    slopes = ug.grad(lambda x: ug.sum(program(x, ids) * ug.asarray([1.0, 2.0, 3.0])))(x)
    assert slopes.tolist() == [0.0, 2.0, 0.0, 2.0]
    ops = [getattr(ug, f"segment_{name}") for name in ("mean", "prod", "max", "std")]

    def slopes_of(x: ug.Tensor, ids: ug.Tensor, row: int) -> list[ug.Tensor]:
        return [ug.grad(lambda x, op=op: ug.sum(op(x, ids, 3)[row]))(x) for op in ops]

    # Of all in one program: each costs a compiler seconds.
    both = ug.jit(lambda x, ids: (slopes_of(x, ids, 1), slopes_of(x[1::2], ids[1::2] - 1, 0)))
    for one, alone in zip(*both(x, ids), strict=True):
        first, second = alone.tolist()
        assert one.tolist() == [0.0, first, 0.0, second]
        assert first or second
    counts = ug.jit(lambda ids: ug.bincount(ids, length=3))(ids)
    assert counts.tolist() == [0, 2, 0]


def test_what_is_behind_ragged_rows_is_missing(backend: str) -> None:
    gather = ug.jit(lambda x, i: ug.ragged_gather(x, [0, 2, 3], i, length=4))
    values, splits = gather(ug.asarray([1.0, 2.0, 3.0]), ug.asarray([1, 0]))
    np.testing.assert_array_equal(values.numpy(), [3.0, 1.0, 2.0, np.nan])
    assert splits.tolist() == [0, 1, 3]
    values, _ = gather(ug.asarray([1, 2, 3]), ug.asarray([1, 1]))
    assert values.tolist() == [3, 3, 0, 0]


def test_only_nans_and_other_values_that_nobody_sees(backend: str) -> None:
    nans = ug.asarray([[float("nan")] * 2, [1.0, float("nan")]])
    assert ug.jit(lambda x: ug.nanargmax(x, axis=1))(nans).tolist() == [-1, 0]
    beyond = ug.jit(lambda i: ug.stack(ug.unravel_index(i, (2, 3))))(ug.asarray([5, -1, 6]))
    assert beyond.tolist() == [[1, 1, 0], [2, 2, 0]]
    half = ug.jit(lambda q: ug.quantile(ug.asarray([1.0, 2.0]), q))(ug.asarray([0.5, 1.5]))
    np.testing.assert_array_equal(half.numpy(), [1.5, np.nan])
    falling = ug.jit(lambda x, bins: ug.digitize(x, bins))
    for bins in ([0.0, 1.0, 2.0], [2.0, 1.0, 0.0]):
        found = falling(ug.asarray([0.5, 1.0]), ug.asarray(bins)).tolist()
        assert found == np.digitize([0.5, 1.0], bins).tolist()
    draws = ug.jit(lambda key, p: ug.random.multinomial(key, 3, p))
    wrong = draws(ug.random.key(0), ug.asarray([[0.0, 0.0], [-1.0, 2.0], [0.0, 1.0]]))
    assert wrong.tolist() == [[-1, -1], [-1, -1], [0, 3]]


def test_multinomial_draws_have_their_means(backend: str) -> None:
    chances = np.array([0.1, 0.0, 0.4, 0.3, 0.2])
    drawn = ug.random.multinomial(ug.random.key(3), 30, chances, (4000,)).numpy()
    assert drawn.shape == (4000, 5)
    assert (drawn.sum(1) == 30).all()
    assert (drawn >= 0).all()
    spread = np.sqrt(30 * chances * (1 - chances) / 4000)
    assert (np.abs(drawn.mean(0) - 30 * chances) <= 5 * spread).all()
    covariance = 30 * (np.diag(chances) - np.outer(chances, chances))
    assert np.abs(np.cov(drawn.T) - covariance).max() < 0.5
