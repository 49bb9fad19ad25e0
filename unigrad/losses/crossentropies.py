"""Cross-entropies between probabilities: of one event each, and of classes."""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.operands import operands
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.losses.logarithms import weighted, weighted_log, weighted_log_of_rest
from unigrad.losses.targets import check_shares, class_factors, is_zero, number, pair
from unigrad.ops.activations import softplus
from unigrad.ops.reductions import mean, sum
from unigrad.ops.softmax import log_softmax


def shares_and_predictions(
    name: str,
    y_true: TensorLike,
    y_pred: TensorLike,
    weights: TensorLike | None,
    mask: TensorLike | None,
    reduction: Reduction,
) -> tuple[Tensor, Tensor, Counting]:
    """Return targets in [0, 1] and predictions that fit, and how their examples count."""
    y_true, y_pred = pair(name, y_true, y_pred)
    counting = Counting(name, y_pred.shape[:-1], y_pred, weights, mask, reduction)
    y_true = counting.guarded(y_true)
    check_shares(name, y_true)
    return y_true, counting.guarded(y_pred), counting


def smoothed(y_true: Tensor, label_smoothing: Any, classes: int) -> Tensor:
    """Return (1 - ε) y + ε/C."""
    if is_zero(label_smoothing):
        return y_true
    mixed: Tensor = (1.0 - label_smoothing) * y_true + label_smoothing / classes
    return mixed


def binary_terms(
    y_true: Tensor, y_pred: Tensor, from_logits: bool, pos_weight: Tensor | None = None
) -> Tensor:
    """Return -c y log p - (1 - y) log(1 - p), element by element."""
    rest = 1.0 - y_true
    sure = y_true if pos_weight is None else pos_weight * y_true
    if from_logits:
        return weighted(sure, softplus(-y_pred)) + weighted(rest, softplus(y_pred))
    return -(weighted_log(sure, y_pred) + weighted_log_of_rest(rest, y_pred))


@operands("label_smoothing")
def binary_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    from_logits: bool = False,
    label_smoothing: TensorLike = 0.0,
    pos_weight: TensorLike | None = None,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of -c y log p - (1 - y) log(1 - p).

    From logits x, -log p is softplus(-x) and -log(1 - p) is softplus(x). Probabilities are not
    clipped: a certain and wrong prediction costs ∞, a certain and right one 0.

    Args:
        y_true: probabilities y (…, n), mostly 0 and 1.
        y_pred: probabilities p, or logits, (…, n).
        from_logits: whether predictions are scores before the sigmoid.
        label_smoothing: ε; targets become (1 - ε) y + ε/2.
        pos_weight: c, which broadcasts to the predictions: what a missed event costs; 1 if None.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are outside of [0, 1].

    Example:
        >>> binary_crossentropy([[1.0]], [[0.0]], from_logits=True).tolist()
        [0.6931471824645996]
    """
    name = "binary_crossentropy"
    label_smoothing = number(name, "label_smoothing", label_smoothing, 0.0, 1.0)
    y_true, y_pred, counting = shares_and_predictions(
        name, y_true, y_pred, weights, mask, reduction
    )
    if pos_weight is not None:
        pos_weight = cast(as_tensor(pos_weight, y_pred), y_pred.dtype)
    y_true = smoothed(y_true, label_smoothing, 2)
    return counting.reduced(mean(binary_terms(y_true, y_pred, from_logits, pos_weight), axis=-1))


@operands("label_smoothing")
def categorical_crossentropy(
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
    """Return -Σ c y log p over the last axis; y are probabilities of classes (one-hot, say).

    Predicted probabilities are taken as they are: they should add up to 1. A class that is
    impossible (p = 0, a logit of -∞) and not the label's costs nothing.

    The mean is taken by Σ c y, the weight of an example's class. Torch's divides by the number of
    examples where targets are probabilities, and by the weights where they are integers.

    Args:
        y_true: probabilities y (…, C).
        y_pred: probabilities p, or logits, (…, C).
        from_logits: whether predictions are scores before the softmax.
        label_smoothing: ε; targets become (1 - ε) y + ε/C.
        class_weights: c, (C,); 1 if None.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are outside of [0, 1].

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
        [0.6931471824645996]
    """
    name = "categorical_crossentropy"
    label_smoothing = number(name, "label_smoothing", label_smoothing, 0.0, 1.0)
    y_true, y_pred, counting = shares_and_predictions(
        name, y_true, y_pred, weights, mask, reduction
    )
    shares, target = None, smoothed(y_true, label_smoothing, y_pred.shape[-1])
    if class_weights is not None:
        factors = class_factors(name, class_weights, y_pred)
        shares, target = sum(factors * y_true, axis=-1), factors * target
    if from_logits:
        terms = weighted(target, log_softmax(y_pred, axis=-1))
    else:
        terms = weighted_log(target, y_pred)
    return counting.reduced(-sum(terms, axis=-1), shares)
