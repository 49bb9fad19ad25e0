"""Losses of embeddings: vectors that should be near each other, or far apart."""

from __future__ import annotations

import math

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.operands import operands
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.losses.targets import check_shares, number, pair
from unigrad.ops.activations import relu
from unigrad.ops.arithmetic import minimum, square
from unigrad.ops.comparison import equal, isinf, logical_and, where
from unigrad.ops.identity import stop_gradient
from unigrad.ops.linear import vecdot
from unigrad.ops.shaping import expand_dims, squeeze
from unigrad.ops.statistics import norm


def _unit(x: Tensor) -> Tensor:
    """Return x / ‖x‖; the zero vector stays, with derivative 0."""
    if not x.shape[-1]:
        return x
    # ‖x‖ may leave the range where no element does. The direction is that of any multiple of x.
    largest = stop_gradient(norm(x, axis=-1, keepdims=True, ord=math.inf))
    x = x / where(equal(largest, 0.0), 1.0, largest)
    length = norm(x, axis=-1, keepdims=True)
    nothing = equal(length, 0.0)
    return where(nothing, 0.0, x) / where(nothing, 1.0, length)


def cosine_similarity(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return -y · p / (‖y‖ ‖p‖) over the last axis: -1 for equal directions, 1 for opposite ones.

    The sign is Keras's: what is minimised is the negative similarity. It is 0 where a vector is 0,
    with derivative 0.

    Args:
        y_true: vectors y (…, n).
        y_pred: vectors p (…, n).
        weights, mask, reduction: see `unigrad.losses`.

    Example:
        >>> cosine_similarity([[0.0, 2.0], [1.0, 0.0]], [[0.0, 5.0], [0.0, 1.0]]).tolist()
        [-1.0, -0.0]
    """
    y_true, y_pred = pair("cosine_similarity", y_true, y_pred)
    counting = Counting("cosine_similarity", y_pred.shape[:-1], y_pred, weights, mask, reduction)
    y_true, y_pred = counting.guarded(y_true), counting.guarded(y_pred)
    return counting.reduced(-vecdot(_unit(y_true), _unit(y_pred), axis=-1))


@operands("margin")
def triplet(
    anchor: TensorLike,
    positive: TensorLike,
    negative: TensorLike,
    *,
    margin: TensorLike = 1.0,
    ord: float = 2,
    swap: bool = False,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return max(0, ‖a - p‖ - ‖a - n‖ + m): the negative lies farther by a margin, or it costs.

    Source: Schroff, Kalenichenko & Philbin, "FaceNet" (2015), with distances in place of their
    squares, as torch's ``triplet_margin_loss`` (with its ``eps=0``); swap: Balntas, Riba, Ponsa &
    Mikolajczyk, "Learning local feature descriptors with triplets" (2016).

    Args:
        anchor: vectors a (…, n).
        positive: vectors p of the same kind (…, n).
        negative: vectors n of another (…, n).
        margin: m.
        ord: of the norm; see `ug.norm`.
        swap: whether to take the negative's distance to the positive where it is the smaller one.
        weights, mask, reduction: see `unigrad.losses`.

    Example:
        >>> triplet([[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 5.5]]).tolist()
        [0.5]
    """
    margin = number("triplet", "margin", margin)
    positive, near = pair("triplet", positive, anchor, ("positive", "anchor"))
    negative, anchor = pair("triplet", negative, near, ("negative", "anchor"))
    counting = Counting("triplet", anchor.shape[:-1], anchor, weights, mask, reduction)
    anchor, positive, negative = map(counting.guarded, (anchor, positive, negative))
    apart = norm(anchor - negative, ord=ord, axis=-1)
    if swap:
        apart = minimum(apart, norm(positive - negative, ord=ord, axis=-1))
    return counting.reduced(relu(norm(anchor - positive, ord=ord, axis=-1) - apart + margin))


@operands("margin")
def contrastive(
    y_true: TensorLike,
    first: TensorLike,
    second: TensorLike,
    *,
    margin: TensorLike = 1.0,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return y d² + (1 - y) max(0, m - d)², d = ‖first - second‖: alike are near, others far.

    Source: Hadsell, Chopra & LeCun, "Dimensionality reduction by learning an invariant mapping"
    (2006), equation 4, whose Y is 1 - y, without its factor ½.

    Args:
        y_true: 1 where both vectors are of one kind, else 0, (…).
        first: vectors (…, n).
        second: vectors (…, n).
        margin: m, from which on others cost nothing.
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when targets are outside of [0, 1].

    Example:
        >>> contrastive([1, 0], [[0.0, 0.5], [0.0, 0.5]], [[0.0, 0.0], [0.0, 0.0]]).tolist()
        [0.25, 0.25]
    """
    margin = number("contrastive", "margin", margin, 0.0)
    first, second = pair("contrastive", first, second, ("first", "second"))
    same = as_tensor(y_true, second)
    if same.shape != second.shape[:-1]:
        raise ShapeError(
            f"contrastive: y_true of shape {same.shape} for pairs of vectors of shape "
            f"{second.shape}; expected {second.shape[:-1]}"
        )
    counting = Counting("contrastive", same.shape, second, weights, mask, reduction)
    distance = norm(counting.guarded(first) - counting.guarded(second), axis=-1)
    same, column = pair("contrastive", expand_dims(same, axis=-1), expand_dims(distance, axis=-1))
    same, distance = counting.guarded(same), column
    check_shares("contrastive", same)
    apart = square(distance)
    # Of a square beyond the dtype's range a share of 0 is 0.
    near = where(logical_and(equal(same, 0.0), isinf(apart)), 0.0, same * apart)
    losses = near + (1.0 - same) * square(relu(margin - distance))
    return counting.reduced(squeeze(losses, axis=-1))
