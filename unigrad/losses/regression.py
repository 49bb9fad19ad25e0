"""Losses of real numbers: functions of the difference d = p - y, and their mean."""

from __future__ import annotations

import math

from unigrad.core import whole
from unigrad.core.arguments import TensorLike
from unigrad.core.operands import operands
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.losses.targets import number, pair
from unigrad.ops.activations import softplus
from unigrad.ops.arithmetic import abs, minimum, square
from unigrad.ops.comparison import less, safe_where, where
from unigrad.ops.elementary import log1p, sinh
from unigrad.ops.reductions import mean


def _difference(
    name: str,
    y_true: TensorLike,
    y_pred: TensorLike,
    weights: TensorLike | None,
    mask: TensorLike | None,
    reduction: Reduction,
) -> tuple[Tensor, Counting]:
    """Return p - y, and how its examples count."""
    y_true, y_pred = pair(name, y_true, y_pred)
    counting = Counting(name, y_pred.shape[:-1], y_pred, weights, mask, reduction)
    return counting.guarded(y_pred) - counting.guarded(y_true), counting


def mse(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean squared error: that of d² over the last axis, d = p - y.

    Args:
        y_true: targets (…, n).
        y_pred: predictions (…, n).
        weights, mask, reduction: see `unigrad.losses`.

    Example:
        >>> mse([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
        [5.0]
        >>> float(mse([[0.0], [0.0]], [[1.0], [3.0]], weights=[3.0, 1.0], reduction="mean"))
        3.0
    """
    difference, counting = _difference("mse", y_true, y_pred, weights, mask, reduction)
    return counting.reduced(mean(difference * difference, axis=-1))


def mae(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean absolute error: that of |d| over the last axis, d = p - y.

    Args:
        y_true: targets (…, n).
        y_pred: predictions (…, n).
        weights, mask, reduction: see `unigrad.losses`.

    Example:
        >>> mae([[0.0, 0.0]], [[1.0, -3.0]]).tolist()
        [2.0]
    """
    difference, counting = _difference("mae", y_true, y_pred, weights, mask, reduction)
    return counting.reduced(mean(abs(difference), axis=-1))


@operands("delta")
@whole.as_one_op(looks=True, name="losses.huber")
def huber(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    delta: TensorLike = 1.0,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of d²/2 where |d| ≤ δ, else δ (|d| - δ/2); d = p - y.

    Source: Huber, "Robust estimation of a location parameter" (1964).

    Args:
        y_true: targets (…, n).
        y_pred: predictions (…, n).
        delta: δ.
        weights, mask, reduction: see `unigrad.losses`.

    Example:
        >>> huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
        [1.5]
    """
    delta = number("huber", "delta", delta, 0.0)
    difference, counting = _difference("huber", y_true, y_pred, weights, mask, reduction)
    distance = abs(difference)
    within = minimum(distance, delta)
    return counting.reduced(mean(0.5 * within * within + delta * (distance - within), axis=-1))


def log_cosh(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of log cosh d, d = p - y: d²/2 near 0, |d| - log 2 far.

    Args:
        y_true: targets (…, n).
        y_pred: predictions (…, n).
        weights, mask, reduction: see `unigrad.losses`.

    Example:
        >>> round(log_cosh([[0.0]], [[1.0]]).item(), 6)
        0.433781
        >>> round(log_cosh([[0.0]], [[1000.0]]).item(), 3)
        999.307
    """
    difference, counting = _difference("log_cosh", y_true, y_pred, weights, mask, reduction)
    distance = abs(difference)
    far = distance + softplus(-2.0 * distance) - math.log(2.0)
    # Near 0 that would be a difference of almost equal numbers: cosh d - 1 = 2 sinh²(d/2).
    near = less(distance, 1.0)
    losses = safe_where(near, lambda d: log1p(2.0 * square(sinh(0.5 * d))), difference, 0.0)
    return counting.reduced(mean(where(near, losses, far), axis=-1))
