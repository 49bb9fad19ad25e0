"""What an initializer is: a small frozen object, called as ``init(key, shape, dtype=None)``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from math import inf
from typing import Any, TypeAlias

from unigrad.core.arguments import constant
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.random.keys import draw_shape, float_dtype

Shape: TypeAlias = int | Sequence[int]


class Initializer(ABC):
    """What makes initial weights. A function of the same signature serves as well."""

    def __call__(self, key: Any, shape: Shape, dtype: DTypeLike | None = None) -> Tensor:
        """Return weights, drawn from the key, on its backend and device.

        Raises:
            DTypeError: when ``dtype`` is not floating, or ``key`` is no key.
            ShapeError: when a length is negative, or ``key`` is no key.
        """
        name = type(self).__name__
        return self.draw(key, draw_shape(name, shape), float_dtype(name, dtype))

    @abstractmethod
    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        """Return weights; shape and dtype are normalised."""


def check_spread(initializer: Initializer, what: str, value: float) -> None:
    """Refuse a standard deviation, or a scale of variances, that is negative or not finite."""
    if not 0.0 <= value < inf:
        name = type(initializer).__name__
        raise SettingError(f"{name}: {what}={value}: expected a finite number, at least 0")


def scaled(draw: Tensor, factor: float, shift: float = 0.0) -> Tensor:
    """Return factor · draw + shift, in the draw's dtype."""
    draw = draw * constant(draw, factor)
    return draw + constant(draw, shift) if shift else draw
