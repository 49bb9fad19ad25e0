"""Hinge losses: margins between scores, which cost nothing when they are wide enough.

At the corner of a hinge its derivative is 0, as that of `relu`.
"""

from __future__ import annotations

from unigrad.core.arguments import TensorLike
from unigrad.core.errors import SettingError
from unigrad.core.operands import operands
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.losses.sparse import labelled, picked
from unigrad.losses.targets import check_shares, check_signs, class_factors, number, pair
from unigrad.ops.activations import relu
from unigrad.ops.arithmetic import pow, square
from unigrad.ops.indexing import take
from unigrad.ops.reductions import max, mean, sum
from unigrad.ops.shaping import expand_dims
from unigrad.ops.softmax import one_hot


def _missing(
    name: str,
    y_true: TensorLike,
    y_pred: TensorLike,
    weights: TensorLike | None,
    mask: TensorLike | None,
    reduction: Reduction,
) -> tuple[Tensor, Counting]:
    """Return max(0, 1 - y p) of signs y, and how its examples count."""
    y_true, y_pred = pair(name, y_true, y_pred)
    counting = Counting(name, y_pred.shape[:-1], y_pred, weights, mask, reduction)
    y_true, y_pred = counting.guarded(y_true, otherwise=1.0), counting.guarded(y_pred)
    check_signs(name, y_true)
    return relu(1.0 - y_true * y_pred), counting


def hinge(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of max(0, 1 - y p).

    Args:
        y_true: signs, -1 or 1, (…, n).
        y_pred: scores (…, n).
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are neither -1 nor 1. Keras takes 0 and 1 as well, and decides
            by all values of a batch which of both it has got.

    Example:
        >>> hinge([[1.0, -1.0]], [[0.5, 0.5]]).tolist()
        [1.0]
    """
    missing, counting = _missing("hinge", y_true, y_pred, weights, mask, reduction)
    return counting.reduced(mean(missing, axis=-1))


def squared_hinge(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return the mean over the last axis of max(0, 1 - y p)².

    Args:
        y_true: signs, -1 or 1, (…, n).
        y_pred: scores (…, n).
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are neither -1 nor 1.

    Example:
        >>> squared_hinge([[1.0, -1.0]], [[0.5, 0.5]]).tolist()
        [1.25]
    """
    missing, counting = _missing("squared_hinge", y_true, y_pred, weights, mask, reduction)
    return counting.reduced(mean(square(missing), axis=-1))


def categorical_hinge(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return max(0, 1 + max (1 - y) p - Σ y p) over the last axis, as Keras does.

    Args:
        y_true: classes, one-hot, (…, C).
        y_pred: scores (…, C).
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are outside of [0, 1].

    Example:
        >>> categorical_hinge([[0.0, 1.0, 0.0]], [[0.5, 1.0, 0.0]]).tolist()
        [0.5]
    """
    name = "categorical_hinge"
    y_true, y_pred = pair(name, y_true, y_pred)
    counting = Counting(name, y_pred.shape[:-1], y_pred, weights, mask, reduction)
    y_true, y_pred = counting.guarded(y_true), counting.guarded(y_pred)
    check_shares(name, y_true)
    right = sum(y_true * y_pred, axis=-1)
    return counting.reduced(relu(1.0 + max((1.0 - y_true) * y_pred, axis=-1) - right))


@operands("margin")
def multi_margin(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    margin: TensorLike = 1.0,
    power: float = 1.0,
    class_weights: TensorLike | None = None,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return Σ max(0, m - xᵢ + xⱼ)^p / C over the classes j other than the label i.

    Torch's ``multi_margin_loss``; its mean under class weights divides by the number of examples,
    ours by their weights, as that of cross-entropies does in both.

    Args:
        y_true: integer labels (…).
        y_pred: scores x (…, C).
        margin: m.
        power: p; 1 is the hinge, 2 its square.
        class_weights: (C,), a factor of an example's loss by its label.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        OutOfBoundsError: when a label is outside of [0, C); in compiled programs and on
            accelerators its loss is NaN.

    Example:
        >>> multi_margin([1], [[0.5, 1.0, -2.0]]).tolist()
        [0.1666666716337204]
    """
    name = "multi_margin"
    margin = number(name, "margin", margin)
    if not power >= 1:
        raise SettingError(f"{name}: power={power}: expected at least 1")
    labels, y_pred, counting = labelled(name, y_true, y_pred, weights, mask, reduction)
    others = 1.0 - one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
    short = relu(margin - expand_dims(picked(y_pred, labels), axis=-1) + y_pred)
    if power != 1:
        short = pow(short, power)
    losses = mean(others * short, axis=-1)
    if class_weights is None:
        return counting.reduced(losses)
    shares = take(class_factors(name, class_weights, y_pred), labels)
    return counting.reduced(losses * shares, shares)
