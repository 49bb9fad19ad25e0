"""Losses per example: the last axis is reduced, the others stay.

Take ``.mean()`` (or a masked mean) of the result. Each loss is ``(y_true, y_pred)``; those over
probabilities take ``from_logits=True`` for scores before the sigmoid or softmax, which is both
faster and exact where probabilities round to 0 or 1.

Errors, the same for all: `ShapeError` when the shapes do not fit, `DTypeError` for dtypes that
the loss does not take.
"""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, as_tensor, cast, promoted, to_floating
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.activations import softplus
from unigrad.ops.arithmetic import abs, minimum
from unigrad.ops.comparison import equal, isinf, logical_and, where
from unigrad.ops.elementary import log, log1p
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.losses import (
    check_label_shapes,
    check_label_values,
    sparse_softmax_crossentropy,
)
from unigrad.ops.reductions import mean, sum
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.ops.softmax import log_softmax

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "huber",
    "mae",
    "mse",
    "sparse_categorical_crossentropy",
]


def _pair(name: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Return targets and predictions in one floating dtype and of one shape with a last axis."""
    y_pred = to_floating(as_tensor(y_pred))
    y_true = as_tensor(y_true, y_pred)
    if y_true.dtype.kind in "biu":
        y_true = cast(y_true, y_pred.dtype)
    y_true, y_pred = promoted(OPS["subtract"], y_true, y_pred)
    if y_true.shape != y_pred.shape or not y_pred.shape:
        raise ShapeError(
            f"{name}: y_true of shape {y_true.shape} and y_pred of shape {y_pred.shape}; "
            "they must be equal, with at least one axis"
        )
    return y_true, y_pred


def mse(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean of (p - y)² over the last axis.

    Example:
        >>> mse([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
        [5.0]
    """
    y_true, y_pred = _pair("mse", y_true, y_pred)
    difference = y_pred - y_true
    return mean(difference * difference, axis=-1)


def mae(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the mean of |p - y| over the last axis.

    Example:
        >>> mae([[0.0, 0.0]], [[1.0, -3.0]]).tolist()
        [2.0]
    """
    y_true, y_pred = _pair("mae", y_true, y_pred)
    return mean(abs(y_pred - y_true), axis=-1)


def huber(y_true: TensorLike, y_pred: TensorLike, *, delta: float = 1.0) -> Tensor:
    """Return the mean over the last axis of d²/2 where |d| ≤ δ, else δ (|d| - δ/2); d = p - y.

    Example:
        >>> huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
        [1.5]
    """
    y_true, y_pred = _pair("huber", y_true, y_pred)
    distance = abs(y_pred - y_true)
    within = minimum(distance, delta)
    return mean(0.5 * within * within + delta * (distance - within), axis=-1)


def _weighted(weight: Tensor, value: Tensor) -> Tensor:
    """Return w v, which is 0 where w is 0 and v is infinite: nothing weighs nothing."""
    return weight * where(logical_and(equal(weight, 0.0), isinf(value)), 0.0, value)


def _weighted_log(weight: Tensor, p: Tensor) -> Tensor:
    """Return w log p, which is 0 where both are 0; the logarithm is never taken there."""
    return weight * log(where(logical_and(equal(weight, 0.0), equal(p, 0.0)), 1.0, p))


def binary_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, *, from_logits: bool = False
) -> Tensor:
    """Return the mean over the last axis of -y log p - (1 - y) log(1 - p).

    From logits x, -log p is softplus(-x) and -log(1 - p) is softplus(x). Probabilities are not
    clipped: a certain and wrong prediction costs ∞, a certain and right one 0.

    Example:
        >>> binary_crossentropy([[1.0]], [[0.0]], from_logits=True).tolist()
        [0.6931471824645996]
    """
    y_true, y_pred = _pair("binary_crossentropy", y_true, y_pred)
    if from_logits:
        missed = _weighted(y_true, softplus(-y_pred))
        return mean(missed + _weighted(1.0 - y_true, softplus(y_pred)), axis=-1)
    rest = 1.0 - y_true
    certain = logical_and(equal(rest, 0.0), equal(y_pred, 1.0))
    other = rest * log1p(-where(certain, 0.0, y_pred))
    return -mean(_weighted_log(y_true, y_pred) + other, axis=-1)


def categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, *, from_logits: bool = False
) -> Tensor:
    """Return -Σ y log p over the last axis; y are probabilities of classes (one-hot, say).

    Predicted probabilities are taken as they are: they should add up to 1. A class that is
    impossible (p = 0, a logit of -∞) and not the label's costs nothing.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
        [0.6931471824645996]
    """
    y_true, y_pred = _pair("categorical_crossentropy", y_true, y_pred)
    if from_logits:
        return -sum(_weighted(y_true, log_softmax(y_pred, axis=-1)), axis=-1)
    return -sum(_weighted_log(y_true, y_pred), axis=-1)


def sparse_categorical_crossentropy(
    y_true: TensorLike, y_pred: TensorLike, *, from_logits: bool = False
) -> Tensor:
    """Return -log pᵢ for integer labels i (…) and predictions p (…, C).

    Raises:
        DTypeError: when the labels are no integers.
        OutOfBoundsError: when a label is outside of [0, C).

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
        [0.6931471824645996]
    """
    if from_logits:
        return sparse_softmax_crossentropy(y_pred, y_true)
    y_pred = to_floating(as_tensor(y_pred))
    labels = as_tensor(y_true, y_pred)
    check_label_shapes("sparse_categorical_crossentropy", labels, y_pred)
    check_label_values("sparse_categorical_crossentropy", labels, y_pred)
    picked = take_along_axis(y_pred, expand_dims(labels, axis=-1), axis=-1)
    return -log(squeeze(picked, axis=-1))
