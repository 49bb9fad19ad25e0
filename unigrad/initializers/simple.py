"""Weights that know nothing of their kernel: constants, uniform and normal ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad import random
from unigrad.core.arguments import as_tensor, constant
from unigrad.core.dtypes import DType
from unigrad.core.tensor import Tensor
from unigrad.initializers.base import Initializer, check_spread, scaled


@dataclass(frozen=True)
class Constant(Initializer):
    """All weights alike. The key only says where they live; ``None`` is the current backend.

    Example:
        >>> Constant(0.5)(None, (2,)).tolist()
        [0.5, 0.5]
    """

    value: float = 0.0

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        values = np.full(shape, self.value, dtype)
        return as_tensor(values) if key is None else constant(as_tensor(key), values, dtype)


@dataclass(frozen=True)
class Zeros(Constant):
    """All zero."""


@dataclass(frozen=True)
class Ones(Constant):
    """All one."""

    value: float = 1.0


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform in [low, high)."""

    low: float = -0.05
    high: float = 0.05

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        return random.uniform(key, shape, dtype, self.low, self.high)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal.

    Raises:
        SettingError: when the standard deviation is negative or not finite.
    """

    stddev: float = 0.05
    mean: float = 0.0

    def __post_init__(self) -> None:
        check_spread(self, "stddev", self.stddev)

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        return scaled(random.normal(key, shape, dtype), self.stddev, self.mean)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal, cut at so many standard deviations (those before the cut).

    Raises:
        SettingError: when the standard deviation is negative or not finite.
    """

    stddev: float = 0.05
    mean: float = 0.0
    lower: float = -2.0
    upper: float = 2.0

    def __post_init__(self) -> None:
        check_spread(self, "stddev", self.stddev)

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        draw = random.truncated_normal(key, self.lower, self.upper, shape, dtype)
        return scaled(draw, self.stddev, self.mean)
