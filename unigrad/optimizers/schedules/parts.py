"""What schedules are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.dtypes import float64
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.elementary import cos

#: The number of steps done so far, to a rate.
Schedule: TypeAlias = Callable[[Any], Tensor]


def time_of(step: TensorLike) -> Tensor:
    """Return a number of steps as a float64 Tensor."""
    return cast(as_tensor(step), float64)


def require_finite(owner: str, **numbers: float) -> None:
    """Refuse numbers below 0, infinities and NaN.

    Raises:
        SettingError: then.
    """
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise SettingError(f"{owner}: {name}={number}: expected a finite number")
        if number < 0:
            raise SettingError(f"{owner}: {name}={number}: expected no negative number")


def require_positive(owner: str, **numbers: float) -> None:
    """Refuse numbers that are not above 0.

    Raises:
        SettingError: then.
    """
    require_finite(owner, **numbers)
    for name, number in numbers.items():
        if number == 0:
            raise SettingError(f"{owner}: {name}=0: expected a positive number")


def half_wave(start: float, end: float, share: Tensor) -> Tensor:
    """Return the way from start to end, along half of a cosine."""
    return end + (start - end) * 0.5 * (1.0 + cos(math.pi * share))
