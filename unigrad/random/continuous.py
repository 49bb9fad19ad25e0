"""Continuous distributions, each a function of a uniform draw.

They agree with `jax.random` and between backends up to the rounding of the functions involved.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf as exact_erf
from math import inf, sqrt

import numpy as np

from unigrad.core.arguments import TensorLike, constant
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum, minimum
from unigrad.ops.elementary import erf, erfinv, log, log1p
from unigrad.random.keys import as_key, common_shape, draw_shape, fitting, float_dtype, parameter
from unigrad.random.uniforms import between

__all__ = ["exponential", "gumbel", "normal", "truncated_normal"]


def normal(
    key: TensorLike, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None
) -> Tensor:
    """Return standard normal floats, √2 · erf⁻¹(u) of uniform u in (-1, 1).

    Raises:
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.
        ShapeError: when a length is negative, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> normal(key(0), (2, 3)).shape
        (2, 3)
    """
    chosen = float_dtype("normal", dtype)
    out: Tensor = _normal(as_key("normal", key), shape=draw_shape("normal", shape), dtype=chosen)
    return out


def _random_normal(key: Tensor, *, shape: tuple[int, ...], dtype: DType) -> Tensor:
    edge = float(np.nextafter(dtype.type(-1), dtype.type(0)))
    return erfinv(between(key, shape, dtype, edge, 1.0)) * constant(key, sqrt(2), dtype)


_normal = composite(_random_normal)


def truncated_normal(
    key: TensorLike,
    lower: TensorLike,
    upper: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return standard normal floats in the open interval (lower, upper).

    They are √2 · erf⁻¹(u) of u uniform between erf(lower/√2) and erf(upper/√2). ``shape`` is by
    default that to which the bounds broadcast.

    Raises:
        ShapeError: when the bounds do not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> x = truncated_normal(key(0), -2.0, 2.0, (100,))
        >>> bool((abs(x.numpy()) < 2).all())
        True
    """
    name = "truncated_normal"
    key = as_key(name, key)
    chosen = float_dtype(name, dtype)
    bounds = [_bound(key, lower, inf, chosen), _bound(key, upper, -inf, chosen)]
    (first, lowest), (last, highest) = bounds
    wanted = common_shape(name, first, last) if shape is None else draw_shape(name, shape)
    fitting(name, wanted, first, last)
    out: Tensor = _truncated_normal(key, first, last, lowest, highest, shape=wanted, dtype=chosen)
    return out


def _bound(key: Tensor, value: TensorLike, inwards: float, dtype: DType) -> tuple[Tensor, Tensor]:
    """Return erf(value/√2) and the float next to the bound on its inner side."""
    if isinstance(value, (int, float)):
        # Computed once here, so that no backend's rounding of erf moves all the numbers.
        bound = dtype.type(value)
        edge = constant(key, exact_erf(float(bound) / sqrt(2)), dtype)
        return edge, constant(key, np.nextafter(bound, dtype.type(inwards)), dtype)
    tensor = parameter("truncated_normal", key, value, dtype)
    # Source: Rump, Zimmermann, Boldo and Melquiond, "Computing predecessor and successor in
    # rounding to nearest", 2009: an addend of just more than half a unit in the last place.
    unit = float(dtype.type(1) - np.nextafter(dtype.type(1), dtype.type(0)))
    step = abs(tensor) * (unit * (1 + 2 * unit)) + smallest_normal(dtype)
    return erf(tensor / sqrt(2)), tensor + step if inwards > 0 else tensor - step


def _random_truncated_normal(
    key: Tensor,
    first: Tensor,
    last: Tensor,
    lowest: Tensor,
    highest: Tensor,
    *,
    shape: tuple[int, ...],
    dtype: DType,
) -> Tensor:
    x = erfinv(between(key, shape, dtype, first, last)) * constant(key, sqrt(2), dtype)
    return minimum(maximum(x, lowest), highest)


_truncated_normal = composite(_random_truncated_normal)


def gumbel(
    key: TensorLike, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None
) -> Tensor:
    """Return standard Gumbel floats, -log(-log u) of uniform u in (0, 1).

    Raises:
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.
        ShapeError: when a length is negative, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> gumbel(key(0), 3).shape
        (3,)
    """
    chosen = float_dtype("gumbel", dtype)
    out: Tensor = _gumbel(as_key("gumbel", key), shape=draw_shape("gumbel", shape), dtype=chosen)
    return out


def _random_gumbel(key: Tensor, *, shape: tuple[int, ...], dtype: DType) -> Tensor:
    return -log(-log(between(key, shape, dtype, smallest_normal(dtype), 1.0)))


_gumbel = composite(_random_gumbel)


def smallest_normal(dtype: DType) -> float:
    """Return the smallest positive float of a dtype that is not subnormal."""
    # bfloat16 has the exponents of float32.
    return float(np.finfo(np.float32 if dtype.name == "bfloat16" else dtype).smallest_normal)


def exponential(
    key: TensorLike, shape: int | Sequence[int] = (), dtype: DTypeLike | None = None
) -> Tensor:
    """Return standard exponential floats, -log(1 - u) of uniform u in [0, 1).

    Raises:
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.
        ShapeError: when a length is negative, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> exponential(key(0), 3).shape
        (3,)
    """
    chosen = float_dtype("exponential", dtype)
    out: Tensor = _exponential(
        as_key("exponential", key), shape=draw_shape("exponential", shape), dtype=chosen
    )
    return out


def _random_exponential(key: Tensor, *, shape: tuple[int, ...], dtype: DType) -> Tensor:
    return -log1p(-between(key, shape, dtype, 0.0, 1.0))


_exponential = composite(_random_exponential)
