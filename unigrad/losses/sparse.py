"""Cross-entropy from integer labels, and what losses of integer labels share."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, as_tensor, to_floating
from unigrad.core.operands import operands
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.losses.targets import class_factors, is_zero, number
from unigrad.ops.elementary import log
from unigrad.ops.indexing import take, take_along_axis
from unigrad.ops.labels import behind_if_negative
from unigrad.ops.losses import check_label_shapes, check_label_values, sparse_softmax_crossentropy
from unigrad.ops.reductions import mean
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.ops.softmax import log_softmax


def labelled(
    name: str,
    y_true: TensorLike,
    y_pred: TensorLike,
    weights: TensorLike | None,
    mask: TensorLike | None,
    reduction: Reduction,
) -> tuple[Tensor, Tensor, Counting]:
    """Return labels (…) and predictions (…, C) that fit, and how their examples count.

    Labels that cannot be looked at and are negative lie behind the last class, where reads are NaN.
    """
    y_pred = to_floating(as_tensor(y_pred))
    labels = as_tensor(y_true, y_pred)
    check_label_shapes(name, labels, y_pred)
    counting = Counting(name, labels.shape, y_pred, weights, mask, reduction)
    labels = counting.guarded(labels, axes=0, otherwise=0)
    check_label_values(name, labels, y_pred)
    return behind_if_negative(labels, y_pred.shape[-1]), counting.guarded(y_pred), counting


def picked(y_pred: Tensor, labels: Tensor) -> Tensor:
    """Return each example's prediction for its label."""
    return squeeze(take_along_axis(y_pred, expand_dims(labels, axis=-1), axis=-1), axis=-1)


@operands("label_smoothing")
def sparse_categorical_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    from_logits: bool = False,
    label_smoothing: TensorLike = 0.0,
    class_weights: TensorLike | None = None,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return -log pᵢ for integer labels i (…) and predictions p (…, C).

    With smoothing ε and weights c of classes it is -(1 - ε) cᵢ log pᵢ - ε/C Σ cⱼ log pⱼ, and its
    mean is taken by the weights cᵢ: `categorical_crossentropy` of one-hot labels, and torch's.

    Args:
        y_true: integer labels (…).
        y_pred: probabilities, or logits, (…, C).
        from_logits: whether predictions are scores before the softmax.
        label_smoothing: ε, the share of each label that is spread over all classes.
        class_weights: c, (C,).
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        DTypeError: when the labels are no integers.
        OutOfBoundsError: when a label is outside of [0, C); in compiled programs and on
            accelerators its loss is NaN, with gradient 0.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
        [0.6931471824645996]
        >>> logits = [[0.0, 0.0], [9.0, 0.0]]
        >>> sparse_categorical_crossentropy(
        ...     [1, -1], logits, from_logits=True, mask=[True, False], reduction="mean"
        ... ).item()
        0.6931471824645996
    """
    name = "sparse_categorical_crossentropy"
    smooth = type(label_smoothing) is not float or label_smoothing != 0.0
    if smooth:
        label_smoothing = number(name, "label_smoothing", label_smoothing, 0.0, 1.0)
        smooth = not is_zero(label_smoothing)
    if from_logits and weights is None and mask is None and class_weights is None and not smooth:
        # Straight to the op, which checks the labels itself.
        losses = sparse_softmax_crossentropy(y_pred, y_true)
        return (
            losses
            if reduction == "none"
            else Counting(name, losses.shape, losses, None, None, reduction).reduced(losses)
        )
    labels, y_pred, counting = labelled(name, y_true, y_pred, weights, mask, reduction)
    losses = (
        sparse_softmax_crossentropy(y_pred, labels) if from_logits else -log(picked(y_pred, labels))
    )
    factors = None if class_weights is None else class_factors(name, class_weights, y_pred)
    shares = None if factors is None else take(factors, labels)
    if shares is not None:
        losses = losses * shares
    if smooth:
        logs = log_softmax(y_pred, axis=-1) if from_logits else log(y_pred)
        everywhere = mean(logs if factors is None else factors * logs, axis=-1)
        losses = (1.0 - label_smoothing) * losses - label_smoothing * everywhere
    return counting.reduced(losses, shares)
