"""Initial values of weights: small frozen objects, called as ``init(key, shape, dtype=None)``.

The scaled families draw with variance scale/fan, where the fans of a kernel are its numbers of
inputs and outputs times its window: a dense kernel has shape (inputs, outputs), a convolution's
(*window, inputs, outputs). Their ``*_normal`` members draw from a normal distribution truncated
at two standard deviations and widened so that the variance is right after the cut, as in Keras
and `jax.nn.initializers`. The same key gives the same weights on every backend.

| name | variance | source |
| --- | --- | --- |
| glorot | 2 / (fan_in + fan_out) | Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010 |
| he | 2 / fan_in | He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015 |
| lecun | 1 / fan_in | LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998 |
"""  # noqa: E501  (a table)

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, TypeAlias

import numpy as np

from unigrad import random
from unigrad.core.arguments import as_tensor, constant
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.random.keys import draw_shape, float_dtype

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Normal",
    "Ones",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "Zeros",
    "fans",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "truncated_normal",
    "uniform",
    "zeros",
]

Shape: TypeAlias = int | Sequence[int]

#: The standard deviation of a standard normal variable truncated at ±2.
_TRUNCATED_DEVIATION = 0.87962566103423978


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
    """Normal."""

    stddev: float = 0.05
    mean: float = 0.0

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        return _scaled(random.normal(key, shape, dtype), self.stddev, self.mean)


@dataclass(frozen=True)
class TruncatedNormal(Initializer):
    """Normal, cut at two standard deviations (those before the cut)."""

    stddev: float = 0.05
    mean: float = 0.0

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        draw = random.truncated_normal(key, -2.0, 2.0, shape, dtype)
        return _scaled(draw, self.stddev, self.mean)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    """Draws with mean zero and variance scale/fan.

    Args:
        scale: the numerator.
        mode: "fan_in", "fan_out" or their mean, "fan_avg".
        distribution: "uniform", "normal" (truncated) or "untruncated_normal".
        in_axis: the kernel's axis of inputs.
        out_axis: the kernel's axis of outputs.

    Raises:
        SettingError: when the mode or the distribution is unknown, or the scale negative.

    Example:
        >>> VarianceScaling(2.0, "fan_out")(random.key(0), (3, 4)).shape
        (3, 4)
    """

    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "normal"
    in_axis: int = -2
    out_axis: int = -1

    def __post_init__(self) -> None:
        if self.mode not in _MODES:
            raise SettingError(f"mode {self.mode!r} is none of {', '.join(_MODES)}")
        if self.distribution not in _DISTRIBUTIONS:
            known = ", ".join(_DISTRIBUTIONS)
            raise SettingError(f"distribution {self.distribution!r} is none of {known}")
        if self.scale < 0:
            raise SettingError(f"the scale of a variance is not negative: {self.scale}")

    def draw(self, key: Any, shape: tuple[int, ...], dtype: DType) -> Tensor:
        fan = _MODES[self.mode](*fans(shape, self.in_axis, self.out_axis))
        return _DISTRIBUTIONS[self.distribution](key, shape, dtype, sqrt(self.scale / max(fan, 1)))


_MODES: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


def _scaled(draw: Tensor, factor: float, shift: float = 0.0) -> Tensor:
    draw = draw * constant(draw, factor)
    return draw + constant(draw, shift) if shift else draw


def _uniform(key: Any, shape: tuple[int, ...], dtype: DType, deviation: float) -> Tensor:
    # The draw from (-1, 1) is exact, so only the product rounds, alike everywhere.
    return _scaled(random.uniform(key, shape, dtype, -1.0, 1.0), sqrt(3) * deviation)


def _truncated(key: Any, shape: tuple[int, ...], dtype: DType, deviation: float) -> Tensor:
    draw = random.truncated_normal(key, -2.0, 2.0, shape, dtype)
    return _scaled(draw, deviation / _TRUNCATED_DEVIATION)


def _normal(key: Any, shape: tuple[int, ...], dtype: DType, deviation: float) -> Tensor:
    return _scaled(random.normal(key, shape, dtype), deviation)


_DISTRIBUTIONS: dict[str, Callable[[Any, tuple[int, ...], DType, float], Tensor]] = {
    "uniform": _uniform,
    "normal": _truncated,
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


def fans(shape: Shape, in_axis: int = -2, out_axis: int = -1) -> tuple[int, int]:
    """Return the numbers of inputs and of outputs that a kernel's weights connect.

    A vector counts as many of both as it has elements, a scalar one.

    Raises:
        ShapeError: when the axes are out of range.

    Example:
        >>> fans((3, 4)), fans((5, 5, 3, 8))
        ((3, 4), (75, 200))
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
    return inputs * window, outputs * window


zeros = Zeros()
ones = Ones()
uniform = Uniform()
normal = Normal()
truncated_normal = TruncatedNormal()
glorot_uniform = GlorotUniform()
glorot_normal = GlorotNormal()
he_uniform = HeUniform()
he_normal = HeNormal()
lecun_uniform = LecunUniform()
lecun_normal = LecunNormal()

_BY_NAME: dict[str, Initializer] = {
    "zeros": zeros,
    "ones": ones,
    "uniform": uniform,
    "normal": normal,
    "truncated_normal": truncated_normal,
    "glorot_uniform": glorot_uniform,
    "glorot_normal": glorot_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "lecun_uniform": lecun_uniform,
    "lecun_normal": lecun_normal,
}


def get(initializer: str | Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the initializer of a name; what can be called is returned as it is.

    Raises:
        SettingError: when no initializer has that name.

    Example:
        >>> get("glorot_uniform") is glorot_uniform
        True
    """
    if callable(initializer):
        return initializer
    try:
        return _BY_NAME[initializer]
    except (KeyError, TypeError):
        known = ", ".join(_BY_NAME)
        raise SettingError(
            f"no initializer is called {initializer!r}; known are: {known}"
        ) from None
