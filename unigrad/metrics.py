"""Metrics: pure functions, and objects that keep a running value.

The objects count on the host in float64 and exact integers: a metric of a million examples does
not drift. They read values, so they belong outside of compiled functions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.backend import as_ndarray
from unigrad.core.dtypes import default_dtype, int64
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal
from unigrad.ops.reductions import argmax

__all__ = [
    "Accuracy",
    "ErrorRate",
    "Mean",
    "Metric",
    "SparseCategoricalAccuracy",
    "accuracy",
    "edit_distance",
    "error_rate",
    "sparse_categorical_accuracy",
    "word_error_rate",
]


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 1 where prediction and truth are equal, else 0, per element.

    Raises:
        ShapeError: when the shapes differ.

    Example:
        >>> accuracy([1, 2, 3], [1, 0, 3]).tolist()
        [1.0, 0.0, 1.0]
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(f"accuracy: shapes {y_true.shape} and {y_pred.shape} differ")
    return cast(equal(y_true, y_pred), default_dtype())


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 1 where the largest of the scores (…, C) is at the label (…), else 0.

    Raises:
        ShapeError: when the labels' shape is not that of the scores less the last axis.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, y_pred)
    if y_true.shape != y_pred.shape[:-1] or not y_pred.shape:
        raise ShapeError(
            f"sparse_categorical_accuracy: labels {y_true.shape} for scores {y_pred.shape}"
        )
    if y_true.dtype.kind == "u":
        # uint64 and the signed integers of argmax have no common dtype.
        y_true = cast(y_true, int64)
    return accuracy(y_true, argmax(y_pred, axis=-1))


def edit_distance(first: Sequence[Any], second: Sequence[Any]) -> int:
    """Return the least number of insertions, deletions and substitutions between two sequences.

    They may be strings, lists, ndarrays or Tensors of anything that can be compared.

    Source: Levenshtein (1966), by the row-wise dynamic programme of Wagner & Fischer (1974).

    Example:
        >>> edit_distance("kitten", "sitting")
        3
    """
    first, second = _listed(first), _listed(second)
    row = list(range(len(second) + 1))
    for i, one in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (1 if one != other else 0)),
            )
    return row[-1]


def error_rate(references: Iterable[Sequence[Any]], hypotheses: Iterable[Sequence[Any]]) -> float:
    """Return the sum of edit distances over the sum of the references' lengths (PER, CER, …).

    Over phonemes it is the phoneme error rate. It may exceed 1; it is 0 / 0 = NaN without a
    reference.

    Raises:
        ShapeError: when the numbers of references and hypotheses differ.

    Example:
        >>> error_rate(["abc", "d"], ["abd", "d"])
        0.25
    """
    metric = ErrorRate()
    metric.update(references, hypotheses)
    return metric.result()


def word_error_rate(
    references: Iterable[Sequence[Any]], hypotheses: Iterable[Sequence[Any]]
) -> float:
    """Return the share of sequences that are not exactly right (a word is one sequence here).

    Raises:
        ShapeError: when the numbers differ.

    Example:
        >>> word_error_rate(["abc", "d"], ["abd", "d"])
        0.5
    """
    pairs = _pairs(references, hypotheses)
    wrong = sum(list(_listed(one)) != list(_listed(other)) for one, other in pairs)
    return wrong / len(pairs) if pairs else float("nan")


class Metric(ABC):
    """A running value: `update` it, ask for its `result`, `reset` it."""

    def __init__(self) -> None:
        self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Forget everything."""

    @abstractmethod
    def result(self) -> float:
        """Return the value so far; NaN before the first update."""


class Mean(Metric):
    """The (weighted) mean of all elements given.

    Example:
        >>> mean = Mean()
        >>> mean.update([1.0, 2.0])
        >>> mean.update(6.0)
        >>> mean.result()
        3.0
    """

    def reset(self) -> None:
        """Forget everything."""
        self._total = 0.0
        self._weight = 0.0

    def update(self, values: TensorLike, weights: TensorLike | None = None) -> None:
        """Take in values, with weights (or a mask) of a shape that broadcasts to theirs.

        Raises:
            ShapeError: when the weights do not broadcast to the values.
        """
        array = _array(values).astype(np.float64)
        if weights is None:
            self._total += float(array.sum())
            self._weight += array.size
            return
        try:
            weight = np.broadcast_to(_array(weights).astype(np.float64), array.shape)
        except ValueError:
            raise ShapeError(
                f"Mean: weights {_array(weights).shape} for values {array.shape}"
            ) from None
        # What has no weight does not count, infinities and NaN included.
        self._total += float((np.where(weight == 0, 0.0, array) * weight).sum())
        self._weight += float(weight.sum())

    def result(self) -> float:
        """Return the mean so far."""
        return self._total / self._weight if self._weight else float("nan")


class _Share(Metric):
    """The weighted mean of a function of truth and prediction."""

    @staticmethod
    @abstractmethod
    def score(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
        """Return a value per example."""

    def reset(self) -> None:
        """Forget everything."""
        self._mean = Mean()

    def update(
        self, y_true: TensorLike, y_pred: TensorLike, weights: TensorLike | None = None
    ) -> None:
        """Take in truths and predictions, with weights or a mask as `Mean` has them.

        Raises:
            ShapeError: when the shapes do not fit.
        """
        self._mean.update(self.score(y_true, y_pred), weights)

    def result(self) -> float:
        """Return the share so far."""
        return self._mean.result()


class Accuracy(_Share):
    """The share of predictions equal to the truth; `accuracy` of all updates."""

    score = staticmethod(accuracy)


class SparseCategoricalAccuracy(_Share):
    """The share of examples whose largest score is at the label.

    Example:
        >>> metric = SparseCategoricalAccuracy()
        >>> metric.update([1, 0], [[0.1, 0.9], [0.2, 0.8]])
        >>> metric.result()
        0.5
    """

    score = staticmethod(sparse_categorical_accuracy)


class ErrorRate(Metric):
    """The sum of edit distances over the sum of the references' lengths; see `error_rate`."""

    def reset(self) -> None:
        """Forget everything."""
        self._errors = 0
        self._length = 0

    def update(
        self, references: Iterable[Sequence[Any]], hypotheses: Iterable[Sequence[Any]]
    ) -> None:
        """Take in pairs of sequences. Raises `ShapeError` when their numbers differ."""
        for reference, hypothesis in _pairs(references, hypotheses):
            self._errors += edit_distance(reference, hypothesis)
            self._length += len(reference)

    def result(self) -> float:
        """Return the rate so far."""
        return self._errors / self._length if self._length else float("nan")


def _pairs(
    references: Iterable[Sequence[Any]], hypotheses: Iterable[Sequence[Any]]
) -> list[tuple[Sequence[Any], Sequence[Any]]]:
    first, second = list(references), list(hypotheses)
    if len(first) != len(second):
        raise ShapeError(f"{len(first)} references for {len(second)} hypotheses")
    return list(zip(first, second, strict=True))


def _listed(sequence: Sequence[Any]) -> Sequence[Any]:
    """Return an array's elements as Python values: they compare to a bool, and quicker."""
    found: Sequence[Any] = sequence.tolist() if hasattr(sequence, "tolist") else sequence
    return found


def _array(values: TensorLike) -> npt.NDArray[Any]:
    """Return values as an ndarray; Python's own keep all their digits."""
    if all(isinstance(one, (bool, int, float)) for one in tree.leaves(values)):
        return as_ndarray(values)
    return as_tensor(values)._values(None)
