"""Focal losses: cross-entropies in which what is predicted well already counts less.

Source: Lin, Goyal, Girshick, He & Dollár, "Focal loss for dense object detection" (2017).
"""

from __future__ import annotations

from typing import Any

from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.operands import operands
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Reduction
from unigrad.losses.crossentropies import binary_terms, shares_and_predictions, smoothed
from unigrad.losses.logarithms import weighted, weighted_log
from unigrad.losses.targets import is_zero, number
from unigrad.ops.activations import log_sigmoid
from unigrad.ops.arithmetic import pow
from unigrad.ops.comparison import equal, logical_or, where
from unigrad.ops.elementary import exp, expm1, log, log1p, logaddexp
from unigrad.ops.reductions import mean, sum, widened
from unigrad.ops.softmax import log_softmax


def _power(base: Tensor, gamma: Any) -> Tensor:
    """Return bᵞ, whose derivative at 0 is 0 for γ < 1 as well: a logarithm's 0 stands beside it."""
    if is_zero(gamma):
        return base * 0.0 + 1.0
    nothing = equal(base, 0.0)
    powers: Tensor = where(nothing, 0.0, pow(where(nothing, 1.0, base), gamma))
    return powers


def _log_missed(y_true: Tensor, logits: Tensor) -> Tensor:
    """Return log(y σ(-x) + (1 - y) σ(x)), exact where a sigmoid rounds to 0 or 1."""
    low, high = log_sigmoid(-logits), log_sigmoid(logits)
    certain = logical_or(equal(y_true, 0.0), equal(y_true, 1.0))
    soft = where(certain, 0.5, y_true)
    mixed = logaddexp(log(soft) + low, log1p(-soft) + high)
    missed: Tensor = where(certain, where(equal(y_true, 1.0), low, high), mixed)
    return missed


@operands("gamma", "alpha", "label_smoothing")
def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    gamma: TensorLike = 2.0,
    alpha: TensorLike | None = None,
    from_logits: bool = False,
    label_smoothing: TensorLike = 0.0,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of a qᵞ (-y log p - (1 - y) log(1 - p)).

    q = y (1 - p) + (1 - y) p is the probability of what did not happen, and a = α y +
    (1 - α) (1 - y) balances events that are rare.

    Args:
        y_true: probabilities y (…, n), mostly 0 and 1.
        y_pred: probabilities p, or logits, (…, n).
        gamma: γ ≥ 0; with 0 it is the cross-entropy.
        alpha: α; 0.25 in the paper; None balances nothing.
        from_logits: whether predictions are scores before the sigmoid.
        label_smoothing: ε; targets become (1 - ε) y + ε/2.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are outside of [0, 1].

    Example:
        >>> round(binary_focal_crossentropy([[1.0]], [[0.5]]).item(), 6)
        0.173287
    """
    name = "binary_focal_crossentropy"
    gamma = number(name, "gamma", gamma, 0.0)
    label_smoothing = number(name, "label_smoothing", label_smoothing, 0.0, 1.0)
    y_true, y_pred, counting = shares_and_predictions(
        name, y_true, y_pred, weights, mask, reduction
    )
    dtype = y_pred.dtype
    # γ times a logit leaves the range of half precision, in the derivative of qᵞ.
    y_true, y_pred = smoothed(widened(y_true), label_smoothing, 2), widened(y_pred)
    if from_logits:
        factor = exp(gamma * _log_missed(y_true, y_pred))
    else:
        factor = _power(y_true * (1.0 - y_pred) + (1.0 - y_true) * y_pred, gamma)
    losses = weighted(factor, binary_terms(y_true, y_pred, from_logits))
    if alpha is not None:
        alpha = number(name, "alpha", alpha, 0.0, 1.0)
        losses = losses * (alpha * y_true + (1.0 - alpha) * (1.0 - y_true))
    return counting.reduced(cast(mean(losses, axis=-1), dtype))


@operands("gamma", "label_smoothing")
def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    gamma: TensorLike = 2.0,
    alpha: TensorLike | None = None,
    from_logits: bool = False,
    label_smoothing: TensorLike = 0.0,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return -Σ α (1 - p)ᵞ y log p over the last axis.

    Args:
        y_true: probabilities y (…, C).
        y_pred: probabilities p, or logits, (…, C).
        gamma: γ ≥ 0; with 0 it is the cross-entropy.
        alpha: α, a number or (C,); None is 1. (Keras has 0.25 by default.)
        from_logits: whether predictions are scores before the softmax.
        label_smoothing: ε; targets become (1 - ε) y + ε/C.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are outside of [0, 1].

    Example:
        >>> round(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).item(), 6)
        0.173287
    """
    name = "categorical_focal_crossentropy"
    gamma = number(name, "gamma", gamma, 0.0)
    label_smoothing = number(name, "label_smoothing", label_smoothing, 0.0, 1.0)
    y_true, y_pred, counting = shares_and_predictions(
        name, y_true, y_pred, weights, mask, reduction
    )
    dtype, y_pred = y_pred.dtype, widened(y_pred)
    target = smoothed(widened(y_true), label_smoothing, y_pred.shape[-1])
    if alpha is not None:
        target = target * cast(as_tensor(alpha, y_pred), y_pred.dtype)
    if from_logits:
        logs = log_softmax(y_pred, axis=-1)
        terms = weighted(target * _power(-expm1(logs), gamma), logs)
    else:
        terms = weighted_log(target * _power(1.0 - y_pred, gamma), y_pred)
    return counting.reduced(cast(-sum(terms, axis=-1), dtype))
