"""Elementary functions made of others: the cube root, degrees, and sums of powers of two.

Real numbers only: `DTypeError` for complex ones. Integers and bools are computed in the default
floating dtype, half precision in float32.
"""

from __future__ import annotations

import math

from unigrad.core.arguments import TensorLike, cast
from unigrad.core.elementwise import pairs_at_once, real_pair, unary
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import equal, isinf, where
from unigrad.ops.elementary import logaddexp, sqrt
from unigrad.ops.identity import stop_gradient
from unigrad.ops.reductions import widened

__all__ = ["cbrt", "deg2rad", "logaddexp2", "rad2deg"]


@composite
def _cbrt(x: Tensor) -> Tensor:
    wide = widened(x)
    zero, infinite = equal(wide, 0.0), isinf(wide)
    inside = where(zero | infinite, 1.0, wide)
    size = absolute(inside)
    near = size ** (1.0 / 3.0)
    # A third is rounded: one step of Newton's brings the digits back.
    near = near - (near - size / (near * near)) / 3.0
    root = where(inside < 0.0, -near, near)
    # A root of another order has the same value, sign and infinite slope at 0.
    edge = where(zero, sqrt(where(zero, wide, 1.0)), stop_gradient(wide))
    return cast(where(zero | infinite, edge, root), x.dtype)


@unary(of=_cbrt)
def cbrt(x: TensorLike, /) -> Tensor:
    """Return the real cube root, negative of negative numbers. Its derivative at 0 is ∞.

    Example:
        >>> cbrt([-8.0, 27.0]).tolist()
        [-2.0, 3.0]
    """
    ...


@composite
def _deg2rad(x: Tensor) -> Tensor:
    return x * (math.pi / 180.0)


@unary(of=_deg2rad)
def deg2rad(x: TensorLike, /) -> Tensor:
    """Return angles given in degrees in radians: x π / 180.

    Example:
        >>> round(deg2rad(180.0).item(), 5)
        3.14159
    """
    ...


@composite
def _rad2deg(x: Tensor) -> Tensor:
    return x * (180.0 / math.pi)


@unary(of=_rad2deg)
def rad2deg(x: TensorLike, /) -> Tensor:
    """Return angles given in radians in degrees: x 180 / π.

    Example:
        >>> rad2deg(0.0).item()
        0.0
    """
    ...


@composite
def _logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    unit = math.log(2.0)
    return cast(logaddexp(widened(x1) * unit, widened(x2) * unit) * (1.0 / unit), x1.dtype)


@pairs_at_once(_logaddexp2)
def logaddexp2(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return log₂(2ˣ¹ + 2ˣ²) without overflow; its derivative is 0 where it is -∞.

    Example:
        >>> logaddexp2(3.0, 3.0).item()
        4.0
    """
    first, second = real_pair("logaddexp2", x1, x2)
    out: Tensor = _logaddexp2(first, second)
    return out
