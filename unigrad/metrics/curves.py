"""The area under the receiver operating characteristic."""

from __future__ import annotations

import math

from unigrad.core.arguments import TensorLike, as_tensor, cast, visible
from unigrad.core.dtypes import int64
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.metrics.labels import events, pair_of_equal_shape, require_whole
from unigrad.metrics.metric import Metric, State, counted, counting_dtype, ratio, weights_of
from unigrad.ops.comparison import equal, isnan, where
from unigrad.ops.cumulative import cumulative_sum
from unigrad.ops.filling import zeros_like
from unigrad.ops.limits import clip
from unigrad.ops.reductions import any as any_of
from unigrad.ops.reductions import sum
from unigrad.ops.rounding import floor
from unigrad.ops.scattering import scatter_add
from unigrad.ops.shaping import reshape
from unigrad.ops.sorting import searchsorted, sort


def roc_auc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """Return the probability that an event's score is above that of what is none; ties count ½.

    It is the area under the receiver operating characteristic, exactly, by the ranks of all
    scores (Mann & Whitney, 1947). NaN if there are no events, or nothing else, or if a score is.

    Raises:
        ShapeError: when the shapes differ.
        SettingError: when a truth that can be looked at is outside of [0, 1].

    Example:
        >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).item()
        0.75
    """
    y_true, y_pred = pair_of_equal_shape("roc_auc", y_true, y_pred)
    scores, yes = reshape(y_pred, (-1,)), reshape(events("roc_auc", y_true), (-1,))
    ordered = sort(scores)
    below = searchsorted(ordered, scores, side="left")
    up_to = searchsorted(ordered, scores, side="right")
    wide = counting_dtype(scores.backend.root)
    # The mean rank of equal scores, from 1 on.
    ranks = 0.5 * cast(below + up_to + 1, wide)
    yes = cast(yes, wide)
    many = sum(yes)
    area = ratio(sum(yes * ranks) - 0.5 * many * (many + 1.0), many * sum(1.0 - yes))
    return where(any_of(isnan(scores)), math.nan, area)


class AUC(Metric):
    """The area under the receiver operating characteristic, of scores in [0, 1].

    Scores are counted by the multiple of 1/bins that is next to them, which makes the state small:
    those of one multiple are ties, so the area is `roc_auc` of scores rounded to multiples.

    Args:
        bins: how many there are above 0.

    Raises:
        SettingError: when that is no integer, at least 2.

    Example:
        >>> auc = AUC()
        >>> auc.update([0, 0], [0.1, 0.4])
        >>> auc.update([1, 1], [0.35, 0.8])
        >>> auc.result()
        0.75
    """

    def __init__(self, bins: int = 1000) -> None:
        require_whole("AUC", 2, bins=bins)
        self.bins = bins

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return what is counted: events, and what is none, by score."""
        return {"events": (self.bins + 1,), "others": (self.bins + 1,)}

    def accumulate(
        self,
        state: State,
        y_true: TensorLike,
        y_pred: TensorLike,
        weights: TensorLike | None = None,
    ) -> State:
        """Take in events (0 or 1) and scores, with weights or a mask of their shape.

        Raises:
            ShapeError: when the shapes do not fit.
            SettingError: when a truth or score that can be looked at is outside of [0, 1].
        """
        like = state["events"]
        y_true, y_pred = pair_of_equal_shape(
            "AUC", as_tensor(y_true, like), as_tensor(y_pred, like)
        )
        weight = weights_of("AUC", state, weights, y_pred.shape)
        nothing = equal(weight, 0.0)
        scores = where(nothing, 0.0, counted(state, y_pred))
        values = visible(scores)
        if values is not None and values.size and not (values.min() >= 0 and values.max() <= 1):
            raise SettingError(
                f"AUC: scores from {values.min():g} to {values.max():g}: expected [0, 1]"
            )
        bins = cast(clip(floor(scores * self.bins + 0.5), 0, self.bins), int64)
        event = cast(events("AUC", where(nothing, 0.0, counted(state, y_true))), weight.dtype)
        return {
            "events": _added(state["events"], bins, weight * event),
            "others": _added(state["others"], bins, weight * (1.0 - event)),
        }

    def compute(self, state: State) -> Tensor:
        """Return the area so far; NaN without events, or without anything else."""
        events, others = state["events"], state["others"]
        # Of each event: what is none and lies below, and half of what lies in the same bin.
        beaten = cumulative_sum(others) - 0.5 * others
        return ratio(sum(events * beaten), sum(events) * sum(others))


def _added(counts: Tensor, bins: Tensor, weights: Tensor) -> Tensor:
    """Return counts with weights added where they belong."""
    places = reshape(bins, (-1, 1))
    return counts + scatter_add(zeros_like(counts), places, reshape(weights, (-1,)))
