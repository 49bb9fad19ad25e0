"""Metrics by hand."""

import math

import numpy as np
import pytest

import unigrad as ug
from unigrad import metrics


def test_mean_is_weighted_and_resets():
    mean = metrics.Mean()
    assert math.isnan(mean.result())
    mean.update([[1.0, 2.0], [3.0, 6.0]])
    assert mean.result() == 3.0
    mean.update([10.0, math.nan], weights=[2, 0])
    assert mean.result() == (12 + 20) / 6
    mean.reset()
    assert math.isnan(mean.result())
    with pytest.raises(ug.ShapeError, match="weights"):
        mean.update([1.0, 2.0], weights=[1.0, 1.0, 1.0])


def test_mean_does_not_drift():
    mean = metrics.Mean()
    for _ in range(100):
        mean.update(np.full(1000, 0.1, np.float32))
    assert mean.result() == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_accuracies(backend):
    one = metrics.Accuracy()
    one.update([1, 2, 3], ug.asarray([1, 2, 0]))
    one.update([[1]], [[1]])
    assert one.result() == 0.75
    sparse = metrics.SparseCategoricalAccuracy()
    scores = ug.asarray([[[0.1, 0.9], [0.8, 0.2]], [[0.3, 0.7], [0.6, 0.4]]])
    sparse.update([[1, 1], [1, 0]], scores)
    assert sparse.result() == 0.75
    sparse.reset()
    sparse.update([[1, 1], [1, 0]], scores, weights=[[1, 0], [1, 1]])
    assert sparse.result() == 1.0
    with pytest.raises(ug.ShapeError):
        sparse.update([1], scores)
    with pytest.raises(ug.ShapeError):
        one.update([1], [1, 2])


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
        ("intention", "execution", 5),
        ("ab", "ba", 2),
        ([1, 2, 3], [2, 3], 1),
        ("flaw", "lawn", 2),
    ],
)
def test_edit_distance(first, second, distance):
    assert metrics.edit_distance(first, second) == distance
    assert metrics.edit_distance(second, first) == distance


def test_edit_distance_by_recursion():
    def slow(a, b):
        if not a or not b:
            return len(a) + len(b)
        return min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))

    generator = np.random.default_rng(0)
    for _ in range(60):
        a, b = (generator.integers(0, 3, generator.integers(0, 6)).tolist() for _ in range(2))
        assert metrics.edit_distance(a, b) == slow(a, b)


def test_error_rates():
    references, hypotheses = [["a", "b", "c"], ["d"]], [["a", "c"], ["e"]]
    assert metrics.error_rate(references, hypotheses) == 0.5
    assert metrics.word_error_rate(references, hypotheses) == 1.0
    assert metrics.word_error_rate(["ab", (1, 2)], ["ab", [1, 2]]) == 0.0
    assert math.isnan(metrics.error_rate([], []))
    running = metrics.ErrorRate()
    running.update(references[:1], hypotheses[:1])
    assert running.result() == 1 / 3
    running.update(references[1:], hypotheses[1:])
    assert running.result() == 0.5
    with pytest.raises(ug.ShapeError, match="references"):
        metrics.error_rate(["a"], [])


def test_python_numbers_keep_their_digits(backend):
    mean = ug.metrics.Mean()
    mean.update(0.1)
    assert mean.result() == 0.1
    mean.update([0.1, 0.1], [2, 1])
    assert mean.result() == pytest.approx(0.1, rel=1e-15)
    mean.reset()
    mean.update([ug.asarray(1.0), 2.0])
    assert mean.result() == 1.5


def test_distances_of_arrays_are_ints(backend):
    for make in (list, np.array, ug.asarray):
        distance = ug.metrics.edit_distance(make([1, 2, 3]), make([1, 3]))
        assert (distance, type(distance)) == (1, int)
        assert ug.metrics.word_error_rate([make([1, 2])], [make([1, 2])]) == 0.0


def test_unsigned_labels(backend):
    scores = [[0.1, 0.9], [0.2, 0.8]]
    for dtype in ("uint8", "uint64"):
        found = ug.metrics.sparse_categorical_accuracy(np.array([1, 0], dtype), scores)
        assert found.tolist() == [1.0, 0.0]
