"""Continuous distributions with a shape or a scale, each a power or root of an exponential draw.

As the draws of `jax.random`, up to the rounding of the functions involved. All are functions of
their parameters, and are differentiated by them.
"""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum, pow
from unigrad.ops.elementary import exp, log, log1p, sqrt
from unigrad.random.continuous import smallest_normal
from unigrad.random.parameters import POSITIVE, draw, wide
from unigrad.random.uniforms import between

__all__ = ["pareto", "rayleigh", "weibull"]


def _unit(key: Tensor, shape: tuple[int, ...], dtype: DType) -> Tensor:
    return cast(between(key, shape, dtype, 0.0, 1.0), wide(dtype))


@composite
def _random_pareto(key: Tensor, b: Tensor, *, shape: tuple[int, ...], dtype: DType) -> Tensor:
    # In float64, since the exponential function multiplies what its argument is rounded by.
    e = -log1p(-cast(_unit(key, shape, dtype), dtypes.float64))
    return cast(exp(e / cast(b, dtypes.float64)), dtype)


def pareto(
    key: TensorLike,
    b: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return Pareto floats of density b · x⁻ᵇ⁻¹ for x ≥ 1: exp(e / b) of exponential e.

    ``shape`` is by default that of ``b``.

    Raises:
        SettingError: when ``b`` is not positive.
        ShapeError: when ``b`` does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> bool((pareto(key(0), 3.0, (100,)) >= 1.0).numpy().all())
        True
    """
    given = draw("pareto", key, shape, dtype, ("b", b, POSITIVE))
    out: Tensor = _random_pareto(given.key, *given.parameters, shape=given.shape, dtype=given.dtype)
    return out


@composite
def _random_weibull(
    key: Tensor, scale: Tensor, concentration: Tensor, *, shape: tuple[int, ...], dtype: DType
) -> Tensor:
    return cast(pow(-log1p(-_unit(key, shape, dtype)), 1.0 / concentration) * scale, dtype)


def weibull(
    key: TensorLike,
    scale: TensorLike,
    concentration: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return Weibull floats, scale · e^(1/concentration) of exponential e.

    ``shape`` is by default that to which the parameters broadcast.

    Raises:
        SettingError: when a parameter is not positive.
        ShapeError: when one does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> weibull(key(0), 2.0, 1.5, (3,)).shape
        (3,)
    """
    given = draw(
        "weibull", key, shape, dtype,
        ("scale", scale, POSITIVE), ("concentration", concentration, POSITIVE),
    )  # fmt: skip
    both = [cast(one, wide(given.dtype)) for one in given.parameters]
    out: Tensor = _random_weibull(given.key, *both, shape=given.shape, dtype=given.dtype)
    return out


@composite
def _random_rayleigh(key: Tensor, scale: Tensor, *, shape: tuple[int, ...], dtype: DType) -> Tensor:
    u = maximum(_unit(key, shape, dtype), smallest_normal(wide(dtype)))
    return cast(sqrt(log(u) * -2.0) * scale, dtype)


def rayleigh(
    key: TensorLike,
    scale: TensorLike = 1.0,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return Rayleigh floats, scale · √(-2 log u) of uniform u in (0, 1).

    Where u is 0, `jax.random` gives infinity; here the smallest normal float stands for it.
    ``shape`` is by default that of ``scale``.

    Raises:
        SettingError: when ``scale`` is not positive.
        ShapeError: when it does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> rayleigh(key(0), 2.0, (3,)).shape
        (3,)
    """
    given = draw("rayleigh", key, shape, dtype, ("scale", scale, POSITIVE))
    (scale,) = [cast(one, wide(given.dtype)) for one in given.parameters]
    out: Tensor = _random_rayleigh(given.key, scale, shape=given.shape, dtype=given.dtype)
    return out
