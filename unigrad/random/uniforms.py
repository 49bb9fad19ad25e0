"""Uniform floats, from which the other continuous draws are made.

The numbers of [0, 1) are exact. A wider range is ``unit · (high - low) + low`` with one rounding,
as if by a fused multiply-add: XLA fuses it wherever it can, so the other backends do, too. In half
precision it has two, since XLA does not fuse that on every processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, visible
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import SettingError
from unigrad.core.op import composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import where
from unigrad.random.keys import as_key, draw_shape, fitting, float_dtype, parameter

_unit = primitive("random_uniform")


def uniform(
    key: TensorLike,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
    minval: TensorLike = 0.0,
    maxval: TensorLike = 1.0,
) -> Tensor:
    """Return uniform floats in [minval, maxval), a grid of 2⁻²³ (float32) times the range.

    The bounds broadcast to ``shape`` and are differentiated: the result is a function of them. In
    a range other than [0, 1) rounding can give ``maxval`` itself.

    Raises:
        SettingError: when ``minval`` is above ``maxval``, or the dtype does not hold their
            difference; in a compiled program the result is NaN.
        ShapeError: when a bound does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> [round(one, 3) for one in uniform(key(0), (2,), "float64").tolist()]
        [0.418, 0.216]
    """
    key = as_key("uniform", key)
    chosen = float_dtype("uniform", dtype)
    wanted = draw_shape("uniform", shape)
    if type(minval) is float and type(maxval) is float and minval == 0.0 and maxval == 1.0:
        return unit(key, wanted, chosen)
    low, high = _ordered(key, chosen, minval, maxval)
    return between(key, wanted, chosen, low, high)


def _ordered(
    key: Tensor, dtype: DType, low: TensorLike, high: TensorLike
) -> tuple[TensorLike, TensorLike]:
    """Return bounds, NaN where they are the wrong way round and nobody can look at them.

    Raises:
        SettingError: when they are for all to see.
    """
    first, last = [
        np.asarray(one) if isinstance(one, (int, float)) else parameter("uniform", key, one, dtype)
        for one in (low, high)
    ]
    found = [visible(one) if isinstance(one, Tensor) else one for one in (first, last)]
    before, after = found
    batched = any(isinstance(one, Tensor) and one.backend.depth for one in (first, last))
    if before is None or after is None or batched:
        lower, upper = [parameter("uniform", key, one, dtype) for one in (low, high)]
        span = upper - lower
        fine = (span >= 0.0) & (span < np.inf)
        seen = visible(fine)
        if seen is not None and not seen.all():
            raise SettingError(
                f"random.uniform: minval is at most maxval, and {dtype.name} holds their "
                "difference; in this batch they are not all so"
            )
        return where(fine, lower, np.nan), upper
    with np.errstate(all="ignore"):
        before, after = np.asarray(before).astype(dtype), np.asarray(after).astype(dtype)
        span = after - before
        wrong = ~((span >= 0) & np.isfinite(span))
    if wrong.any():
        pair = [np.broadcast_to(one, wrong.shape)[wrong].flat[0] for one in (before, after)]
        raise SettingError(
            f"random.uniform: minval is at most maxval, and {dtype.name} holds their difference; "
            f"they are {pair[0]} and {pair[1]}"
        )
    return low, high


def unit(key: Tensor, shape: tuple[int, ...], dtype: DType) -> Tensor:
    """Return uniform floats in [0, 1): whole multiples of 2⁻²³ (float32) or 2⁻⁵² (float64)."""
    out: Tensor = _unit(key, shape=shape, dtype=dtype)
    return out


def between(
    key: Tensor, shape: tuple[int, ...], dtype: DType, low: TensorLike, high: TensorLike
) -> Tensor:
    """Return uniform floats between bounds; `uniform` with its arguments normalised."""
    exact = False
    if isinstance(low, (int, float)) and isinstance(high, (int, float)):
        first, last = np.asarray([low, high], dtype)
        if first == 0 and last == 1:
            return unit(key, shape, dtype)
        span = float(last - first)
        # With such bounds the product is exact, and two roundings are one. (A compiler may scale
        # the range first: by a unit in the last place, which is to leave its digits.)
        exact = bool(first == 0 or abs(frexp(span)[0]) == 0.5) and span >= _least_span(dtype)
    lower = parameter("uniform", key, low, dtype)
    upper = parameter("uniform", key, high, dtype)
    fitting("uniform", shape, lower, upper)
    out: Tensor = _between(key, lower, upper, shape=shape, dtype=dtype, exact=exact)
    return out


def _least_span(dtype: DType) -> float:
    """Return the least range that a unit in the last place times it has all digits."""
    if dtype.itemsize == 2:
        return np.inf
    return float(np.finfo(dtype).smallest_normal / np.finfo(dtype).eps)


def _random_uniform_between(
    key: Tensor, low: Tensor, high: Tensor, *, shape: tuple[int, ...], dtype: DType, exact: bool
) -> Tensor:
    drawn = unit(key, shape, dtype)
    span = high - low
    if exact:
        return maximum(low, drawn * span + low)
    if dtype.itemsize == 2:
        return maximum(low, _random_in_halves(drawn, span, low))
    if dtype == dtypes.float64:
        return maximum(low, _random_fused(drawn, span, low))
    wide = [cast(x, dtypes.float64) for x in (drawn, span, low)]
    return maximum(low, cast(wide[0] * wide[1] + wide[2], dtype))


_between = composite(_random_uniform_between)


@composite
def _random_in_halves(unit: Tensor, span: Tensor, low: Tensor) -> Tensor:
    """Return unit · span + low of half precision, rounded after each step.

    In float32 the product is exact. Compilers fuse the two steps where a processor has arithmetic
    of half precision, or scale the span first, which may be left without digits.
    """
    product = cast(unit, dtypes.float32) * cast(span, dtypes.float32)
    return cast(product, unit.dtype) + low


@composite
def _random_fused(unit: Tensor, span: Tensor, low: Tensor) -> Tensor:
    """Return unit · span + low with the rounding errors of both steps put back.

    Source: Dekker, "A floating-point technique for extending the available precision", 1971
    (the product's error); Knuth, "The Art of Computer Programming" 2, 4.2.2 (the sum's).
    """
    product = unit * span
    total = product + low
    unit_high, unit_low = _halves(unit)
    span_high, span_low = _halves(span)
    error = unit_high * span_high - product + unit_high * span_low + unit_low * span_high
    error = error + unit_low * span_low
    rest = total - product
    return total + ((product - (total - rest)) + (low - rest) + error)


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return two floats of 26 bits each that sum to a float64 (Veltkamp's splitting)."""
    # Scaled down in between, so that the factor cannot overflow.
    scaled = x * 2.0**-28
    spread = scaled * (2.0**27 + 1)
    high = (spread - (spread - scaled)) * 2.0**28
    return high, x - high


__all__ = ["between", "uniform", "unit"]
