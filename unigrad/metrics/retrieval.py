"""Precision, recall and F₁, of one class against the rest or averaged over classes."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Literal, TypeAlias

from unigrad.core.arguments import TensorLike, cast
from unigrad.core.dtypes import int64
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.metrics.confusion import pairs
from unigrad.metrics.labels import (
    events,
    pair_of_equal_shape,
    require_threshold,
    require_whole,
)
from unigrad.metrics.means import what_counts
from unigrad.metrics.metric import Metric, State, ratio
from unigrad.ops.comparison import greater, where
from unigrad.ops.linear import diagonal
from unigrad.ops.reductions import sum

#: How the values of classes become one.
Average: TypeAlias = Literal["macro", "micro", "weighted", "none"]


class _Retrieval(Metric):
    """A ratio of right predictions, all predictions of a class, and all its examples.

    Args:
        classes: how many there are; None for events: predictions above ``threshold`` say yes.
        average: over classes: ``"macro"`` is their mean, without those that are neither in the
            truth nor in the predictions; ``"weighted"`` the mean by how many examples they have;
            ``"micro"`` the ratio of their sums; ``"none"`` leaves a value per class.
        threshold: of events.

    A class without predictions (or examples) has 0, as in scikit-learn.

    Raises:
        SettingError: when there is no such average, or a number is none.
    """

    def __init__(
        self,
        classes: int | None = None,
        *,
        average: Average = "macro",
        threshold: float = 0.5,
    ) -> None:
        if average not in ("macro", "micro", "weighted", "none"):
            raise SettingError(
                f"{type(self).__name__}: average={average!r}: expected 'macro', 'micro', "
                "'weighted' or 'none'"
            )
        if classes is not None:
            require_whole(type(self).__name__, classes=classes)
        require_threshold(type(self).__name__, threshold)
        self.classes = classes
        self.average = average
        self.threshold = threshold

    @abstractmethod
    def share(self, right: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
        """Return the ratio, from counts."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: pairs of truth and prediction."""
        size = 2 if self.classes is None else self.classes
        return {"counts": (size, size)}

    def accumulate(
        self,
        state: State,
        y_true: TensorLike,
        y_pred: TensorLike,
        weights: TensorLike | None = None,
    ) -> State:
        """Take in labels and predicted ones, or events and their scores; weights or a mask.

        Raises:
            ShapeError: when the shapes do not fit.
            DTypeError: when labels of classes are no integers.
            OutOfBoundsError: when a label that can be looked at is outside of the classes.
            SettingError: when an event that can be looked at is outside of [0, 1].
        """
        if self.classes is None:
            name = type(self).__name__
            y_true, y_pred = pair_of_equal_shape(name, y_true, y_pred)
            y_true = events(name, what_counts(name, state, y_true, weights))
            y_pred = greater(y_pred, self.threshold)
            y_true, y_pred = cast(y_true, int64), cast(y_pred, int64)
        return {"counts": state["counts"] + pairs(self, state, y_true, y_pred, weights)}

    def compute(self, state: State) -> Tensor:
        """Return the value so far."""
        counts = state["counts"]
        return where(greater(sum(counts), 0.0), self._averaged(counts), math.nan)

    def _averaged(self, counts: Tensor) -> Tensor:
        right, predicted, actual = diagonal(counts), sum(counts, axis=0), sum(counts, axis=1)
        if self.classes is None:
            return self.share(right[1], predicted[1], actual[1])
        if self.average == "micro":
            return self.share(sum(right), sum(predicted), sum(actual))
        shares = self.share(right, predicted, actual)
        if self.average == "none":
            return shares
        seen = cast(greater(predicted + actual, 0.0), shares.dtype)
        weights = actual if self.average == "weighted" else seen
        return ratio(sum(weights * shares), sum(weights))


class Precision(_Retrieval):
    """Of what was predicted to be of a class, the share that is.

    Example:
        >>> precision = Precision()
        >>> precision.update([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.1])
        >>> round(precision.result(), 6)
        0.666667
    """

    def share(self, right: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
        """Return right / predicted."""
        return ratio(right, predicted, 0.0)


class Recall(_Retrieval):
    """Of what is of a class, the share that was predicted to be.

    Example:
        >>> recall = Recall(3, average="none")
        >>> recall.update([0, 1, 2, 2], [0, 2, 2, 1])
        >>> recall.result().tolist()
        [1.0, 0.0, 0.5]
    """

    def share(self, right: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
        """Return right / actual."""
        return ratio(right, actual, 0.0)


class F1(_Retrieval):
    """The harmonic mean of precision and recall: 2 right / (predicted + actual).

    Example:
        >>> f1 = F1()
        >>> f1.update([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.1])
        >>> round(f1.result(), 6)
        0.666667
    """

    def share(self, right: Tensor, predicted: Tensor, actual: Tensor) -> Tensor:
        """Return 2 right / (predicted + actual)."""
        return ratio(2.0 * right, predicted + actual, 0.0)
