"""Weights whose variance is a number over the fans of their kernel.

The fans of a kernel are its numbers of inputs and outputs times its window: a dense kernel has
shape (inputs, outputs), a convolution's (*window, inputs, outputs), a recurrent one's (inputs,
gates · units), of which each gate is a kernel of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

from unigrad import random
from unigrad.core.dtypes import DType
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.initializers.base import Initializer, Shape, check_spread, scaled
from unigrad.random.keys import draw_shape

#: The standard deviation of a standard normal variable truncated at ±2.
_TRUNCATED_DEVIATION = 0.87962566103423978


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Draws with mean zero and variance scale/fan.

    Args:
        scale: the numerator.
        mode: "fan_in", "fan_out" or their mean, "fan_avg".
        distribution: "uniform", "truncated_normal" or "untruncated_normal"; "normal" is truncated,
            as in Keras and unlike in JAX.
        in_axis: the kernel's axis of inputs.
        out_axis: the kernel's axis of outputs.
        gates: how many kernels lie side by side along the axis of outputs.

    Raises:
        SettingError: when the mode or the distribution is unknown, or the scale is negative or not
            finite.

    Example:
        >>> VarianceScaling(2.0, "fan_out")(random.key(0), (3, 4)).shape
        (3, 4)
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "normal"
    in_axis: int = -2
    out_axis: int = -1
    gates: int = 1

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise SettingError(f"mode {self.mode!r} is none of {', '.join(_MODES)}")
        if self.distribution not in _DISTRIBUTIONS:
            known = ", ".join(_DISTRIBUTIONS)
            raise SettingError(f"distribution {self.distribution!r} is none of {known}")
        check_spread(self, "scale", self.scale)

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        fan = _MODES[self.mode](*fans(shape, self.in_axis, self.out_axis, self.gates))
        return _DISTRIBUTIONS[self.distribution](key, shape, dtype, sqrt(self.scale / max(fan, 1)))


_MODES: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


def _uniform(key: Any, shape: tuple[int, ...], dtype: DType, deviation: float) -> Tensor:
    # The draw from (-1, 1) is exact, so only the product rounds, alike everywhere.
    return scaled(random.uniform(key, shape, dtype, -1.0, 1.0), sqrt(3) * deviation)


def _truncated(key: Any, shape: tuple[int, ...], dtype: DType, deviation: float) -> Tensor:
    draw = random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return scaled(draw, deviation / _TRUNCATED_DEVIATION)


def _normal(key: Any, shape: tuple[int, ...], dtype: DType, deviation: float) -> Tensor:
    return scaled(random.normal(key, shape, dtype), deviation)


_DISTRIBUTIONS: dict[str, Callable[[Any, tuple[int, ...], DType, float], Tensor]] = {
    "uniform": _uniform,
    "normal": _truncated,
    "truncated_normal": _truncated,
    "untruncated_normal": _normal,
}


@dataclass(frozen=True)
class GlorotUniform(VarianceScaling):
    """Uniform in ±√(6 / (fan_in + fan_out))."""

    mode: str = "fan_avg"
    distribution: str = "uniform"


@dataclass(frozen=True)
class GlorotNormal(VarianceScaling):
    """Truncated normal of variance 2 / (fan_in + fan_out)."""

    mode: str = "fan_avg"


@dataclass(frozen=True)
class HeUniform(VarianceScaling):
    """Uniform in ±√(6 / fan_in)."""

    scale: float = 2.0
    distribution: str = "uniform"


@dataclass(frozen=True)
class HeNormal(VarianceScaling):
    """Truncated normal of variance 2 / fan_in."""

    scale: float = 2.0


@dataclass(frozen=True)
class LecunUniform(VarianceScaling):
    """Uniform in ±√(3 / fan_in)."""

    distribution: str = "uniform"


@dataclass(frozen=True)
class LecunNormal(VarianceScaling):
    """Truncated normal of variance 1 / fan_in."""


def fans(shape: Shape, in_axis: int = -2, out_axis: int = -1, gates: int = 1) -> tuple[int, int]:
    """Return the numbers of inputs and of outputs that a kernel's weights connect.

    A vector counts as many of both as it has elements, a scalar one. ``gates`` kernels that lie
    side by side along the axis of outputs share it.

    Raises:
        ShapeError: when the axes are out of range, or the gates do not divide the outputs.

    Example:
        >>> fans((3, 4)), fans((5, 5, 3, 8))
        ((3, 4), (75, 200))
        >>> fans((10, 3 * 20), gates=3)
        (10, 20)
    """
    lengths = draw_shape("fans", shape)
    if len(lengths) < 2:
        return (prod(lengths),) * 2
    try:
        inputs, outputs = lengths[in_axis], lengths[out_axis]
    except IndexError:
        raise ShapeError(
            f"a kernel of shape {lengths} lacks axis {in_axis} or {out_axis}"
        ) from None
    window = prod(
        n
        for i, n in enumerate(lengths)
        if i not in (in_axis % len(lengths), out_axis % len(lengths))
    )
    if gates < 1 or outputs % gates:
        raise ShapeError(f"a kernel of shape {lengths} has no {gates} gates of one size")
    return inputs * window, outputs // gates * window
