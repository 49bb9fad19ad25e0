"""Labels and scores that fit each other."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from unigrad.core.arguments import TensorLike, as_tensor, cast, visible
from unigrad.core.dtypes import int64
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import greater
from unigrad.ops.losses import check_label_values


def labels_and_scores(name: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Return integer labels (…) and scores (…, C).

    Raises:
        ShapeError: when the labels' shape is not that of the scores less the last axis.
        OutOfBoundsError: when a label that can be looked at is no class.
    """
    y_pred = as_tensor(y_pred)
    y_true = integers(name, as_tensor(y_true, y_pred))
    if not y_pred.shape or y_true.shape != y_pred.shape[:-1]:
        raise ShapeError(
            f"{name}: labels of shape {y_true.shape} for scores of shape {y_pred.shape}; "
            f"expected {y_pred.shape[:-1]}"
        )
    check_label_values(name, y_true, y_pred)
    return y_true, y_pred


def require_whole(owner: str, least: int = 1, **numbers: Any) -> None:
    """Refuse a setting that is no integer, or too small.

    Raises:
        SettingError: then.
    """
    for name, number in numbers.items():
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not whole or number < least:
            raise SettingError(f"{owner}: {name}={number!r}: expected an integer, at least {least}")


def require_threshold(owner: str, threshold: Any) -> None:
    """Refuse a threshold that nothing is above or below.

    Raises:
        SettingError: when it is NaN, or no number.
    """
    if not isinstance(threshold, Real) or math.isnan(threshold):
        raise SettingError(f"{owner}: threshold={threshold!r}: expected a number")


def pair_of_equal_shape(name: str, y_true: TensorLike, y_pred: TensorLike) -> tuple[Tensor, Tensor]:
    """Return truths and predictions of one shape.

    Raises:
        ShapeError: when the shapes differ.
    """
    y_pred = as_tensor(y_pred)
    y_true = as_tensor(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ShapeError(f"{name}: shapes {y_true.shape} and {y_pred.shape} differ")
    return y_true, y_pred


def events(name: str, y_true: Tensor) -> Tensor:
    """Return which truths are events: those above ½.

    Raises:
        SettingError: when one that can be looked at is outside of [0, 1].
    """
    values = visible(y_true)
    if values is not None and values.size:
        low, high = np.minimum.reduce(values, None), np.maximum.reduce(values, None)
        if low < 0 or high > 1:
            raise SettingError(
                f"{name}: y_true from {low:g} to {high:g}: expected 1 for an event, else 0"
            )
    return greater(y_true, 0.5)


def integers(name: str, labels: Tensor) -> Tensor:
    """Return labels as int64, with which those of every dtype can be compared.

    Raises:
        DTypeError: when they are no integers.
    """
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{name}: labels are integers, not {labels.dtype.name}")
    return cast(labels, int64)
