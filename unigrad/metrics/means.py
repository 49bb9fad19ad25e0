"""Means of what a batch gives, by weights."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.tensor import Tensor
from unigrad.metrics.metric import Metric, State, counted, ratio, weights_of
from unigrad.ops.comparison import equal, not_equal, where
from unigrad.ops.elementary import exp
from unigrad.ops.losses import sparse_softmax_crossentropy
from unigrad.ops.reductions import sum


def with_mean(name: str, state: State, values: TensorLike, weights: TensorLike | None) -> State:
    """Return a state of ``total`` and ``weight`` after some more values."""
    values = counted(state, values)
    weights = weights_of(name, state, weights, values.shape)
    # What has no weight does not count, infinities and NaN included.
    weighted = weights * where(equal(weights, 0.0), 0.0, values)
    return {
        "total": state["total"] + sum(weighted),
        "weight": state["weight"] + sum(weights),
    }


def what_counts(name: str, state: State, labels: TensorLike, weights: TensorLike | None) -> Tensor:
    """Return labels with 0 in place of those that have no weight: padding is no class."""
    if weights is None:
        return as_tensor(labels)
    labels = as_tensor(labels)
    counts = not_equal(weights_of(name, state, weights, labels.shape), 0.0)
    kept: Tensor = where(counts, labels, 0)
    return kept


class Mean(Metric):
    """The (weighted) mean of all elements given: Σ w x / Σ w.

    Example:
        >>> mean = Mean()
        >>> mean.update([1.0, 2.0])
        >>> mean.update(6.0)
        >>> mean.result()
        3.0
    """

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: Σ w x and Σ w."""
        return {"total": (), "weight": ()}

    def accumulate(
        self, state: State, values: TensorLike, weights: TensorLike | None = None
    ) -> State:
        """Take in values, with weights (or a mask) of a shape that broadcasts to theirs.

        Raises:
            ShapeError: when the weights do not broadcast to the values.
        """
        return with_mean("Mean", state, values, weights)

    def compute(self, state: State) -> Tensor:
        """Return the mean so far."""
        return ratio(state["total"], state["weight"])


class Perplexity(Metric):
    """exp of the mean cross-entropy of integer labels (…) and logits (…, C).

    Example:
        >>> perplexity = Perplexity()
        >>> perplexity.update([1, 0], [[0.0, 0.0], [0.0, 0.0]])
        >>> round(perplexity.result(), 6)
        2.0
    """

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: Σ w l and Σ w."""
        return {"total": (), "weight": ()}

    def accumulate(
        self,
        state: State,
        y_true: TensorLike,
        y_pred: TensorLike,
        weights: TensorLike | None = None,
    ) -> State:
        """Take in labels and logits, with weights or a mask of the labels' shape.

        Raises:
            ShapeError, DTypeError, OutOfBoundsError: as `ug.sparse_softmax_crossentropy`.
        """
        labels = what_counts("Perplexity", state, y_true, weights)
        losses = sparse_softmax_crossentropy(y_pred, labels)
        return with_mean("Perplexity", state, losses, weights)

    def compute(self, state: State) -> Tensor:
        """Return the perplexity so far."""
        return exp(ratio(state["total"], state["weight"]))
