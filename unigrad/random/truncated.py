"""The normal distribution between two bounds, also far out in a tail."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf as exact_erf
from math import inf, nan, sqrt
from statistics import NormalDist

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, constant, visible
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import SettingError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum, minimum
from unigrad.ops.comparison import logical_not, where
from unigrad.ops.elementary import erf
from unigrad.random.continuous import epsilon, inverse_erf, smallest_normal
from unigrad.random.keys import as_key, common_shape, draw_shape, fitting, float_dtype, parameter
from unigrad.random.mills import in_tail
from unigrad.random.parameters import known, wide
from unigrad.random.uniforms import between

__all__ = ["truncated_normal"]

#: Beyond this distance from the lower bound nothing is left of a tail in float64.
_FAR = 40.0


def truncated_normal(
    key: TensorLike,
    lower: TensorLike,
    upper: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return standard normal floats in the open interval (lower, upper).

    They are √2 · erf⁻¹(u) of u uniform between erf(lower/√2) and erf(upper/√2), as in
    `jax.random`. Where both bounds are on one side of 0, the same function of the same uniform
    number is computed from the tail's complement in float64, so that no bound is too far out.
    ``shape`` is by default that to which the bounds broadcast.

    Raises:
        SettingError: when ``lower`` is not below ``upper``.
        ShapeError: when the bounds do not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> x = truncated_normal(key(0), 8.0, 20.0, (100,)).numpy()
        >>> bool((x > 8).all()), bool((x < 10).all())
        (True, True)
    """
    name = "truncated_normal"
    key = as_key(name, key)
    chosen = float_dtype(name, dtype)
    bounds = [parameter(name, key, one, chosen) for one in (lower, upper)]
    wanted = common_shape(name, *bounds) if shape is None else draw_shape(name, shape)
    fitting(name, wanted, *bounds)
    _check_order(bounds, (lower, upper))
    out: Tensor = _truncated_normal(
        key, *bounds, _edge(key, lower, chosen), _edge(key, upper, chosen),
        _next(key, lower, inf, chosen), _next(key, upper, -inf, chosen),
        shape=wanted, dtype=chosen, side=_side(bounds),
    )  # fmt: skip
    return out


def _check_order(bounds: list[Tensor], given: tuple[TensorLike, TensorLike]) -> None:
    """Raise a SettingError when bounds are the wrong way round for all to see."""
    low, high = bounds
    # Compared as Tensors: under vmap only these know which axis of their values is the batch's.
    right = visible(low < high)
    first, last = map(known, bounds, given)
    if first is None or last is None:
        return
    if not np.all(first < last if right is None else right):
        raise SettingError(
            "random.truncated_normal: lower is below upper, not "
            f"{first.tolist()} and {last.tolist()}"
        )


def _side(bounds: list[Tensor]) -> str:
    """Tell on which side of 0 all intervals lie: "upper", "lower", "middle", or "each" for any."""
    low, high = bounds
    first, last = visible(low), visible(high)
    if first is None or last is None:
        return "each"
    if np.all(first >= 0):
        return "upper"
    if np.all(last <= 0):
        return "lower"
    return "middle" if np.all(first < 0) and np.all(last > 0) else "each"


def _edge(key: Tensor, value: TensorLike, dtype: DType) -> Tensor:
    """Return erf(bound / √2)."""
    if isinstance(value, (int, float)):
        # Computed once here, so that no backend's rounding of erf moves all the numbers.
        return constant(key, exact_erf(float(dtype.type(value)) / sqrt(2)), dtype)
    # Near 1 a unit of a narrow dtype's erf would move the numbers of the tail.
    bound = cast(parameter("truncated_normal", key, value, dtype), dtypes.float64)
    return cast(erf(bound / sqrt(2)), dtype)


def _next(key: Tensor, value: TensorLike, inwards: float, dtype: DType) -> Tensor:
    """Return the float next to a bound on its inner side."""
    if isinstance(value, (int, float)):
        return constant(key, np.nextafter(dtype.type(value), dtype.type(inwards)), dtype)
    tensor = parameter("truncated_normal", key, value, dtype)
    # Source: Rump, Zimmermann, Boldo and Melquiond, "Computing predecessor and successor in
    # rounding to nearest", 2009: an addend of just more than half a unit in the last place.
    unit = epsilon(dtype, below=True)
    finite = where(abs(tensor) < inf, tensor, 0.0)
    step = abs(finite) * (unit * (1 + 2 * unit)) + smallest_normal(dtype)
    return tensor + step if inwards > 0 else tensor - step


def _random_truncated_normal(
    key: Tensor,
    low: Tensor,
    high: Tensor,
    first: Tensor,
    last: Tensor,
    lowest: Tensor,
    highest: Tensor,
    *,
    shape: tuple[int, ...],
    dtype: DType,
    side: str,
) -> Tensor:
    def middle(first: Tensor, last: Tensor) -> Tensor:
        return _from_middle(between(key, shape, dtype, first, last), dtype)

    def tail(which: str, low: Tensor, high: Tensor) -> Tensor:
        u = cast(between(key, shape, dtype, 0.0, 1.0), dtypes.float64)
        return _from_tail(u, cast(low, dtypes.float64), cast(high, dtypes.float64), which, dtype)

    def each() -> Tensor:
        # A case that does not hold gets bounds for which it would: its derivatives are finite.
        above, below = low >= 0.0, high <= 0.0
        across = logical_not(above | below)
        upper = tail("upper", where(above, low, 0.0), where(above, high, 1.0))
        lower = tail("lower", where(below, low, -1.0), where(below, high, 0.0))
        both = middle(where(across, first, -0.5), where(across, last, 0.5))
        x = where(above, upper, where(below, lower, both))
        return where(low < high, x, nan)

    if side == "each":
        x = each()
    elif side == "middle":
        x = middle(first, last)
    else:
        x = tail(side, low, high)
    return minimum(maximum(x, lowest), highest)


_truncated_normal = composite(_random_truncated_normal)


def _from_middle(u: Tensor, dtype: DType) -> Tensor:
    """Return the draw of u between the edges, which lie on both sides of 0."""
    x = inverse_erf(cast(u, wide(dtype))) * constant(u, sqrt(2), wide(dtype))
    # An edge may be rounded to ±1, whose inverse is infinite: the float before stands for it.
    most = -NormalDist().inv_cdf(epsilon(dtype, below=True) / 2)
    return cast(minimum(maximum(x, -most), most), dtype)


def _from_tail(u: Tensor, low: Tensor, high: Tensor, side: str, dtype: DType) -> Tensor:
    """Return the draw of u in [0, 1) for bounds of one sign."""
    upper = side == "upper"
    # On the lower side all is mirrored, and u runs from the far end inwards.
    near, far = (low, high) if upper else (-high, -low)
    part = u if upper else minimum(1.0 - u, 1.0 - epsilon(dtype, below=True) / 2)
    step = in_tail(near, minimum(far - near, _FAR), part)
    x = near + step
    return cast(x if upper else -x, dtype)
