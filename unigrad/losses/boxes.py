"""Losses of boxes, (left, top, right, bottom) each: how little they overlap."""

from __future__ import annotations

import numpy as np

from unigrad.core.arguments import TensorLike, cast, visible
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.losses.counting import Counting, Reduction
from unigrad.losses.targets import pair
from unigrad.ops.activations import relu
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.comparison import equal, where
from unigrad.ops.reductions import widened


def _boxes(
    name: str,
    y_true: TensorLike,
    y_pred: TensorLike,
    weights: TensorLike | None,
    mask: TensorLike | None,
    reduction: Reduction,
) -> tuple[Tensor, Tensor, Counting]:
    """Return boxes that fit, and how they count."""
    y_true, y_pred = pair(name, y_true, y_pred)
    if y_pred.shape[-1] != 4:
        raise ShapeError(
            f"{name}: boxes of shape {y_pred.shape}; expected (…, 4): left, top, right, bottom"
        )
    counting = Counting(name, y_pred.shape[:-1], y_pred, weights, mask, reduction)
    y_true, y_pred = counting.guarded(y_true), counting.guarded(y_pred)
    values = visible(y_true)
    if values is not None and np.any(values[..., 2:] < values[..., :2]):
        raise SettingError(f"{name}: y_true has a box with right < left or bottom < top")
    return y_true, y_pred, counting


def _area(low: Tensor, high: Tensor) -> Tensor:
    """Return the area between corners; 0 where they lie the wrong way around."""
    sides = relu(high - low)
    return sides[..., 0] * sides[..., 1]


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """Return part / whole, and 0 where there is no whole."""
    empty = equal(whole, 0.0)
    return where(empty, 0.0, part) / where(empty, 1.0, whole)


def _cost(y_true: Tensor, y_pred: Tensor, around: bool) -> Tensor:
    """Return 1 - IoU, and how empty the box around both is, in single precision at least.

    In half precision the areas of boxes of 200 pixels would be infinite together.
    """
    first, second = widened(y_true), widened(y_pred)
    share, union = _overlap(first, second)
    cost = 1.0 - share
    if around:
        whole = _area(
            minimum(first[..., :2], second[..., :2]), maximum(first[..., 2:], second[..., 2:])
        )
        cost = cost + _share(whole - union, whole)
    return cast(cost, y_pred.dtype)


def _overlap(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Return the intersection's share of the union, and the union's area."""
    low, high = maximum(first[..., :2], second[..., :2]), minimum(first[..., 2:], second[..., 2:])
    common = _area(low, high)
    areas = _area(first[..., :2], first[..., 2:]) + _area(second[..., :2], second[..., 2:])
    return _share(common, areas - common), areas - common


def iou(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return 1 - IoU per box: one less intersection over union.

    Boxes that do not touch cost 1 wherever they are, with derivative 0: see `giou`.

    Args:
        y_true: boxes (…, 4): left, top, right, bottom.
        y_pred: boxes (…, 4).
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when a target's right or bottom is below its left or top. The area of such a
            prediction is 0.

    Example:
        >>> iou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0]]).tolist()
        [0.6666666269302368]
    """
    y_true, y_pred, counting = _boxes("iou", y_true, y_pred, weights, mask, reduction)
    return counting.reduced(_cost(y_true, y_pred, around=False))


def giou(
    y_true: TensorLike,
    y_pred: TensorLike,
    *,
    weights: TensorLike | None = None,
    mask: TensorLike | None = None,
    reduction: Reduction = "none",
) -> Tensor:
    """Return 1 - IoU + (H - U) / H per box; U is the union's area, H that of the box around both.

    So boxes that do not touch are drawn to each other.

    Source: Rezatofighi, Tsoi, Gwak, Sadeghian, Reid & Savarese, "Generalized intersection over
    union" (2019).

    Args:
        y_true: boxes (…, 4): left, top, right, bottom.
        y_pred: boxes (…, 4).
        weights, mask, reduction: see `unigrad.losses`.

    Raises:
        SettingError: when a target's right or bottom is below its left or top. The area of such a
            prediction is 0.

    Example:
        >>> giou([[0.0, 0.0, 1.0, 1.0]], [[3.0, 0.0, 4.0, 1.0]]).tolist()
        [1.5]
    """
    y_true, y_pred, counting = _boxes("giou", y_true, y_pred, weights, mask, reduction)
    return counting.reduced(_cost(y_true, y_pred, around=True))
