"""Elementary functions made of others: the cube root, degrees, and sums of powers of two.

Real numbers only: `DTypeError` for complex ones. Integers and bools are computed in the default
floating dtype, half precision in float32.
"""

from __future__ import annotations

import math

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, common_tensors, to_floating
from unigrad.core.errors import DTypeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import equal, isinf, where
from unigrad.ops.elementary import logaddexp, sqrt
from unigrad.ops.identity import stop_gradient
from unigrad.ops.reductions import widened

__all__ = ["cbrt", "deg2rad", "logaddexp2", "rad2deg"]


def real_floating(name: str, x: TensorLike) -> Tensor:
    """Return real numbers in a floating dtype.

    Raises:
        DTypeError: for complex numbers.
    """
    x = as_tensor(x)
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{name}: complex numbers ({x.dtype.name}) are not taken")
    floating: Tensor = to_floating(x)
    return floating


def real_pair(name: str, x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    """Return two of them in one dtype. Raises as `real_floating`."""
    first, second = common_tensors(name, (x1, x2))
    return real_floating(name, first), real_floating(name, second)


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


_cbrt.broadcasts = True


def cbrt(x: TensorLike, /) -> Tensor:
    """Return the real cube root, negative of negative numbers. Its derivative at 0 is ∞.

    Example:
        >>> cbrt([-8.0, 27.0]).tolist()
        [-2.0, 3.0]
    """
    out: Tensor = _cbrt(real_floating("cbrt", x))
    return out


def deg2rad(x: TensorLike, /) -> Tensor:
    """Return angles given in degrees in radians: x π / 180.

    Example:
        >>> round(deg2rad(180.0).item(), 5)
        3.14159
    """
    return real_floating("deg2rad", x) * (math.pi / 180.0)


def rad2deg(x: TensorLike, /) -> Tensor:
    """Return angles given in radians in degrees: x 180 / π.

    Example:
        >>> rad2deg(0.0).item()
        0.0
    """
    return real_floating("rad2deg", x) * (180.0 / math.pi)


def logaddexp2(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return log₂(2ˣ¹ + 2ˣ²) without overflow; its derivative is 0 where it is -∞.

    Example:
        >>> logaddexp2(3.0, 3.0).item()
        4.0
    """
    first, second = real_pair("logaddexp2", x1, x2)
    out: Tensor = _logaddexp2(first, second)
    return out


@composite
def _logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    unit = math.log(2.0)
    return cast(logaddexp(widened(x1) * unit, widened(x2) * unit) * (1.0 / unit), x1.dtype)


_logaddexp2.broadcasts = True
