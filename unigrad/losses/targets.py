"""What losses are computed from: targets and predictions that fit each other, settings in range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.core.arguments import TensorLike, as_tensor, cast, promoted, to_floating, visible
from unigrad.core.dtypes import COMPLEX
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import OPS
from unigrad.core.operands import single
from unigrad.core.tensor import Tensor


def pair(
    name: str,
    y_true: TensorLike,
    y_pred: TensorLike,
    called: tuple[str, str] = ("y_true", "y_pred"),
) -> tuple[Tensor, Tensor]:
    """Return targets and predictions in one floating dtype and of one shape with a last axis.

    Args:
        name: the loss.
        y_true: the targets.
        y_pred: the predictions.
        called: the names of the two.

    Raises:
        ShapeError: when their shapes differ, or have no axis.
        DTypeError: when they are complex, or have no common dtype.
    """
    y_pred = to_floating(as_tensor(y_pred))
    y_true = as_tensor(y_true, y_pred)
    if y_true.dtype.kind in "biu":
        y_true = cast(y_true, y_pred.dtype)
    y_true, y_pred = promoted(OPS["subtract"], y_true, y_pred)
    if y_true.shape != y_pred.shape or not y_pred.shape:
        raise ShapeError(
            f"{name}: {called[0]} of shape {y_true.shape} and {called[1]} of shape {y_pred.shape}; "
            "they must be equal, with at least one axis"
        )
    if y_pred.dtype in COMPLEX:
        raise DTypeError(f"{name}: complex numbers have no order ({y_pred.dtype.name})")
    return y_true, y_pred


def check_shares(name: str, y_true: Tensor) -> None:
    """Refuse targets that are no probabilities, where their values are there to be looked at."""
    values = visible(y_true)
    if values is None or not values.size:
        return
    low, high = np.minimum.reduce(values, None), np.maximum.reduce(values, None)
    if low < 0 or high > 1:
        raise SettingError(
            f"{name}: y_true from {low:g} to {high:g}: expected probabilities, in [0, 1]"
        )


def check_least(name: str, what: str, x: Tensor, least: float) -> None:
    """Refuse values below a bound, where they are there to be looked at."""
    values = visible(x)
    if values is not None and values.size and np.minimum.reduce(values, None) < least:
        raise SettingError(
            f"{name}: {what} has {np.minimum.reduce(values, None):g}: expected at least {least:g}"
        )


def check_signs(name: str, y_true: Tensor) -> None:
    """Refuse targets other than -1 and 1, where their values are there to be looked at."""
    values = visible(y_true)
    if values is None or not values.size:
        return
    wrong = values[np.abs(values) != 1]
    if wrong.size and not np.isnan(wrong).all():
        raise SettingError(
            f"{name}: y_true has {wrong.flat[0]:g}: expected -1 and 1; of labels 0 and 1 take "
            "2 y - 1"
        )


def number(
    name: str, setting: str, value: TensorLike, least: float = -math.inf, most: float = math.inf
) -> Any:
    """Return a setting that is a number as an operand; see `unigrad.core.operands`.

    Raises:
        SettingError: when a Python number is outside of [least, most].
    """
    found = single(name, value)
    if isinstance(found, float) and not least <= found <= most:
        raise SettingError(f"{name}: {setting}={value}: expected a number in [{least:g}, {most:g}]")
    return found


def is_zero(value: Any) -> bool:
    """Tell whether an operand is the number 0."""
    return isinstance(value, float) and value == 0


def class_factors(name: str, given: TensorLike, like: Tensor) -> Tensor:
    """Return the factors of classes, (C,), beside predictions (…, C) and in their dtype.

    Raises:
        ShapeError: when there is not one factor per class.
    """
    factors = cast(as_tensor(given, like), like.dtype)
    if factors.shape != like.shape[-1:]:
        raise ShapeError(
            f"{name}: class_weights of shape {factors.shape} for {like.shape[-1]} classes; "
            f"expected {like.shape[-1:]}"
        )
    return factors
