"""Accuracies: the share of predictions that are right."""

from __future__ import annotations

from abc import abstractmethod

from unigrad.core.arguments import TensorLike, cast
from unigrad.core.dtypes import default_dtype
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.metrics.labels import (
    events,
    labels_and_scores,
    pair_of_equal_shape,
    require_threshold,
    require_whole,
)
from unigrad.metrics.means import what_counts, with_mean
from unigrad.metrics.metric import Metric, State, ratio
from unigrad.ops.comparison import equal, greater
from unigrad.ops.reductions import any, argmax
from unigrad.ops.shaping import expand_dims
from unigrad.ops.sorting import top_k


def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 1 where prediction and truth are equal, else 0, per element.

    Raises:
        ShapeError: when the shapes differ.

    Example:
        >>> accuracy([1, 2, 3], [1, 0, 3]).tolist()
        [1.0, 0.0, 1.0]
    """
    y_true, y_pred = pair_of_equal_shape("accuracy", y_true, y_pred)
    return cast(equal(y_true, y_pred), default_dtype())


def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, *, threshold: float = 0.5) -> Tensor:
    """Return 1 where a prediction is on its truth's side of a threshold, else 0, per element.

    Raises:
        ShapeError: when the shapes differ.
        SettingError: when a truth that can be looked at is outside of [0, 1].

    Example:
        >>> binary_accuracy([1, 0, 1], [0.9, 0.8, 0.5]).tolist()
        [1.0, 0.0, 0.0]
    """
    y_true, y_pred = pair_of_equal_shape("binary_accuracy", y_true, y_pred)
    right = equal(events("binary_accuracy", y_true), greater(y_pred, threshold))
    return cast(right, default_dtype())


def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return 1 where the largest of the scores (…, C) is at the label (…), else 0.

    Raises:
        ShapeError: when the labels' shape is not that of the scores less the last axis.
        DTypeError: when the labels are no integers.
        OutOfBoundsError: when a label that can be looked at is no class.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = labels_and_scores("sparse_categorical_accuracy", y_true, y_pred)
    return accuracy(y_true, argmax(y_pred, axis=-1))


def top_k_accuracy(y_true: TensorLike, y_pred: TensorLike, *, k: int = 5) -> Tensor:
    """Return 1 where the label (…) is among the k largest of the scores (…, C), else 0.

    Of equal scores those of lower classes come first, as in `ug.top_k`.

    Raises:
        ShapeError: when the labels' shape is not that of the scores less the last axis.
        DTypeError: when the labels are no integers.
        OutOfBoundsError: when a label that can be looked at is no class.
        SettingError: when k is not in [1, C].

    Example:
        >>> top_k_accuracy([2, 0], [[0.1, 0.5, 0.4], [0.2, 0.5, 0.3]], k=2).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = labels_and_scores("top_k_accuracy", y_true, y_pred)
    require_whole("top_k_accuracy", k=k)
    if not 1 <= k <= y_pred.shape[-1]:
        raise SettingError(f"top_k_accuracy: k={k} of {y_pred.shape[-1]} classes")
    best = top_k(y_pred, k)[1]
    found = any(equal(best, cast(expand_dims(y_true, axis=-1), best.dtype)), axis=-1)
    return cast(found, default_dtype())


class _Share(Metric):
    """The weighted mean of a function of truth and prediction."""

    @abstractmethod
    def score(self, y_true: TensorLike, y_pred: TensorLike) -> Tensor:
        """Return a value per example."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: the weight of what is right, and of all."""
        return {"total": (), "weight": ()}

    def accumulate(
        self,
        state: State,
        y_true: TensorLike,
        y_pred: TensorLike,
        weights: TensorLike | None = None,
    ) -> State:
        """Take in truths and predictions, with weights or a mask of the examples' shape.

        Raises:
            ShapeError: when the shapes do not fit.
        """
        name = type(self).__name__
        y_true = what_counts(name, state, y_true, weights)
        return with_mean(name, state, self.score(y_true, y_pred), weights)

    def compute(self, state: State) -> Tensor:
        """Return the share so far."""
        return ratio(state["total"], state["weight"])


class Accuracy(_Share):
    """The share of predictions equal to the truth; `accuracy` of all updates."""

    def score(self, y_true: TensorLike, y_pred: TensorLike) -> Tensor:
        """Return `accuracy`."""
        return accuracy(y_true, y_pred)


class BinaryAccuracy(_Share):
    """The share of predictions on their truth's side of a threshold; see `binary_accuracy`.

    Raises:
        SettingError: when the threshold is no number.
    """

    def __init__(self, *, threshold: float = 0.5) -> None:
        require_threshold("BinaryAccuracy", threshold)
        self.threshold = threshold

    def score(self, y_true: TensorLike, y_pred: TensorLike) -> Tensor:
        """Return `binary_accuracy`."""
        return binary_accuracy(y_true, y_pred, threshold=self.threshold)


class SparseCategoricalAccuracy(_Share):
    """The share of examples whose largest score is at the label.

    Example:
        >>> metric = SparseCategoricalAccuracy()
        >>> metric.update([1, 0], [[0.1, 0.9], [0.2, 0.8]])
        >>> metric.result()
        0.5
    """

    def score(self, y_true: TensorLike, y_pred: TensorLike) -> Tensor:
        """Return `sparse_categorical_accuracy`."""
        return sparse_categorical_accuracy(y_true, y_pred)


class TopKAccuracy(_Share):
    """The share of examples whose label is among the k largest scores; see `top_k_accuracy`.

    Raises:
        SettingError: when k is no positive integer.
    """

    def __init__(self, k: int = 5) -> None:
        require_whole("TopKAccuracy", k=k)
        self.k = k

    def score(self, y_true: TensorLike, y_pred: TensorLike) -> Tensor:
        """Return `top_k_accuracy`."""
        return top_k_accuracy(y_true, y_pred, k=self.k)
