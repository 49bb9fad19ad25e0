"""Losses of distributions: the Kullback-Leibler divergence, and negative log-likelihoods."""

from __future__ import annotations

import math

from unigrad.core.arguments import TensorLike, as_tensor, promoted, to_floating
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.losses.crossentropies import shares_and_predictions
from unigrad.losses.logarithms import weighted, weighted_log
from unigrad.losses.targets import check_least, pair
from unigrad.ops.arithmetic import square
from unigrad.ops.elementary import exp, log, sqrt
from unigrad.ops.reductions import mean, sum
from unigrad.ops.shaping import broadcast_to
from unigrad.ops.softmax import log_softmax


def kl_div(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    from_logits: bool = False,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return Σ y (log y - log p) over the last axis, the Kullback-Leibler divergence D(y ‖ p).

    0 log 0 is 0; an event that p holds for impossible and y does not costs ∞.

    Args:
        y_true: probabilities y (…, C).
        y_pred: probabilities p, or logits, (…, C).
        from_logits: whether predictions are scores before the softmax.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are outside of [0, 1].

    Example:
        >>> round(kl_div([[0.0, 1.0]], [[0.5, 0.5]]).item(), 6)
        0.693147
    """
    y_true, y_pred, counting = shares_and_predictions(
        "kl_div", y_true, y_pred, weights, mask, reduction
    )
    if from_logits:
        missed = weighted(y_true, log_softmax(y_pred, axis=-1))
    else:
        missed = weighted_log(y_true, y_pred)
    return counting.reduced(sum(weighted_log(y_true, y_true) - missed, axis=-1))


def poisson(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    log_input: bool = False,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of p - y log p: -log of Poisson's, less what p is not in.

    Args:
        y_true: counts y ≥ 0, (…, n).
        y_pred: rates p, or their logarithms, (…, n).
        log_input: whether predictions are logarithms; exact where rates leave the dtype's range.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when a count is below 0.

    Example:
        >>> round(poisson([[2.0]], [[2.0]]).item(), 6)
        0.613706
    """
    y_true, y_pred = pair("poisson", y_true, y_pred)
    counting = Counting("poisson", y_pred.shape[:-1], y_pred, weights, mask, reduction)
    y_true, y_pred = counting.guarded(y_true), counting.guarded(y_pred)
    check_least("poisson", "y_true", y_true, 0.0)
    if log_input:
        losses = exp(y_pred) - weighted(y_true, y_pred)
    else:
        losses = y_pred - weighted_log(y_true, y_pred)
    return counting.reduced(mean(losses, axis=-1))


def gaussian_nll(
    y_true: TensorLike,
    y_pred: TensorLike,
    variance: TensorLike,
    *,
    full: bool = False,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of ½ (log v + (p - y)² / v), -log of a normal density.

    Source: Nix & Weigend, "Estimating the mean and variance of the target probability
    distribution" (1994). Variances are not clipped (torch's are, at 1e-6).

    Args:
        y_true: targets y (…, n).
        y_pred: means p (…, n).
        variance: v > 0, which broadcasts to the means.
        full: whether to add the constant ½ log 2π.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when a variance is below 0.
        ShapeError: when variances do not broadcast to the means.

    Example:
        >>> gaussian_nll([[1.0]], [[3.0]], [[1.0]]).tolist()
        [2.0]
    """
    name = "gaussian_nll"
    y_true, y_pred = pair(name, y_true, y_pred)
    spread = to_floating(as_tensor(variance, y_pred))
    try:
        spread = broadcast_to(spread, y_pred.shape)
    except ShapeError:
        raise ShapeError(
            f"{name}: variance of shape {spread.shape} for means of shape {y_pred.shape}; "
            "it must broadcast to it"
        ) from None
    y_pred, spread = promoted(OPS["subtract"], y_pred, spread)
    counting = Counting(name, y_pred.shape[:-1], y_pred, weights, mask, reduction)
    y_true, y_pred, spread = map(counting.guarded, (y_true, y_pred, spread))
    check_least(name, "variance", spread, 0.0)
    # Divided before it is squared, which would leave the range of narrow dtypes.
    losses = 0.5 * (log(spread) + square((y_pred - y_true) / sqrt(spread)))
    if full:
        losses = losses + 0.5 * math.log(2.0 * math.pi)
    return counting.reduced(mean(losses, axis=-1))
