"""The confusion matrix: how many of which class were taken for which."""

from __future__ import annotations

import numpy as np

from unigrad.core.arguments import TensorLike, as_tensor, visible
from unigrad.core.errors import OutOfBoundsError
from unigrad.core.tensor import Tensor
from unigrad.metrics.labels import integers, pair_of_equal_shape, require_whole
from unigrad.metrics.means import what_counts
from unigrad.metrics.metric import Metric, State, weights_of
from unigrad.ops.comparison import greater_equal, less, logical_and, where
from unigrad.ops.filling import zeros_like
from unigrad.ops.scattering import scatter_add
from unigrad.ops.shaping import reshape


def confusion_matrix(
    y_true: TensorLike,
    y_pred: TensorLike,
    classes: int,
    *,
    weights: TensorLike | None = None,
) -> Tensor:
    """Return how often (by what weight) class i was taken for class j, (classes, classes).

    Raises:
        SettingError: when ``classes`` is no positive integer.
        ShapeError: when the shapes do not fit.
        DTypeError: when labels are no integers.
        OutOfBoundsError: when a label is outside of [0, classes); in compiled programs and on
            accelerators such an example does not count.

    Example:
        >>> confusion_matrix([0, 1, 1], [0, 0, 1], 2).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    metric = ConfusionMatrix(classes)
    return metric.compute(metric.accumulate(metric.init((y_true, y_pred)), y_true, y_pred, weights))


class ConfusionMatrix(Metric):
    """Row i, column j: how many examples of class i were taken for class j.

    Args:
        classes: how many there are.

    Raises:
        SettingError: when that is no positive integer.

    Example:
        >>> matrix = ConfusionMatrix(2)
        >>> matrix.update([0, 1, 1], [0, 0, 1])
        >>> matrix.result().tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, classes: int) -> None:
        require_whole(type(self).__name__, classes=classes)
        self.classes = classes

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: pairs of classes."""
        return {"counts": (self.classes, self.classes)}

    def accumulate(
        self,
        state: State,
        y_true: TensorLike,
        y_pred: TensorLike,
        weights: TensorLike | None = None,
    ) -> State:
        """Take in integer labels and predicted ones, with weights or a mask of their shape.

        Raises:
            ShapeError, DTypeError, OutOfBoundsError: as `confusion_matrix`.
        """
        return {"counts": state["counts"] + pairs(self, state, y_true, y_pred, weights)}

    def compute(self, state: State) -> Tensor:
        """Return the matrix so far."""
        return state["counts"] * 1.0


def pairs(
    metric: Metric,
    state: State,
    y_true: TensorLike,
    y_pred: TensorLike,
    weights: TensorLike | None,
) -> Tensor:
    """Return the counts of pairs of classes in a batch, in the shape of ``state["counts"]``."""
    name, counts = type(metric).__name__, state["counts"]
    classes = counts.shape[0]
    y_true, y_pred = pair_of_equal_shape(name, as_tensor(y_true, counts), as_tensor(y_pred, counts))
    y_true, y_pred = (
        integers(name, what_counts(name, state, one, weights)) for one in (y_true, y_pred)
    )
    for what, labels in (("labels", y_true), ("predictions", y_pred)):
        _check(name, what, labels, classes)
    known = logical_and(
        logical_and(greater_equal(y_true, 0), less(y_true, classes)),
        logical_and(greater_equal(y_pred, 0), less(y_pred, classes)),
    )
    cells = reshape(where(known, y_true * classes + y_pred, 0), (-1, 1))
    weight = where(known, weights_of(name, state, weights, known.shape), 0.0)
    nothing = zeros_like(reshape(counts, (-1,)))
    return reshape(scatter_add(nothing, cells, reshape(weight, (-1,))), counts.shape)


def _check(name: str, what: str, labels: Tensor, classes: int) -> None:
    """Refuse labels outside of the classes, where they are there to be looked at."""
    values = visible(labels)
    if values is None or not values.size:
        return
    low, high = np.minimum.reduce(values, None), np.maximum.reduce(values, None)
    if low < 0 or high >= classes:
        raise OutOfBoundsError(f"{name}: {what} from {low} to {high} for {classes} classes")
