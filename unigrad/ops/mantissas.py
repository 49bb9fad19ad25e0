"""Floats taken apart into mantissa and exponent, and put together.

Powers of two come from a table, so that no digit is lost: libraries round theirs.
"""

from __future__ import annotations

import ml_dtypes
import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.dispatch import dispatch
from unigrad.core.elementwise import real_floating
from unigrad.core.errors import DTypeError
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import equal, isfinite, logical_not, where
from unigrad.ops.identity import stop_gradient
from unigrad.ops.indexing import take
from unigrad.ops.limits import clip
from unigrad.ops.reductions import widened
from unigrad.ops.sorting import searchsorted

__all__ = ["frexp", "ldexp"]


def _powers(like: Tensor) -> tuple[Tensor, int]:
    """Return 2ᵏ for all normal numbers of a dtype in rising order, and the first k."""
    limits = ml_dtypes.finfo(like.dtype)  # type: ignore[no-untyped-call]
    exponents = np.arange(int(limits.minexp), int(limits.maxexp))
    return constant(like, np.exp2(exponents)), int(limits.minexp)


def _times_power(x: Tensor, exponent: Tensor) -> Tensor:
    """Return x · 2ᵏ for exponents of normal numbers."""
    powers, first = _powers(x)
    return x * take(powers, exponent - first)


@composite
def _frexp(x: Tensor) -> tuple[Tensor, Tensor]:
    wide = widened(x)
    powers, first = _powers(wide)
    # What is below the normal numbers is brought up to them first.
    tiny = absolute(wide) < 2.0 ** (first // 2)
    lift = -(first // 2)
    lifted = where(tiny, where(tiny, wide, 0.0) * 2.0**lift, wide)
    # Some libraries take numbers below the normal ones for 0.
    ends = logical_not(isfinite(wide)) | equal(lifted, 0.0)
    size = absolute(stop_gradient(where(ends, 0.5, lifted)))
    exponent = cast(searchsorted(powers, size, side="right"), dtypes.int32) + first
    # In two steps, since the inverse of the least power is none of the numbers.
    half = exponent // 2
    mantissa = _times_power(_times_power(lifted, -half), half - exponent)
    exponent = where(ends, 0, where(tiny, exponent - lift, exponent))
    return cast(where(ends, wide, mantissa), x.dtype), exponent


def frexp(x: TensorLike, /) -> tuple[Tensor, Tensor]:
    """Return mantissas m and exponents e of floats, x = m · 2ᵉ with ½ ≤ |m| < 1.

    Exponents are int32, and 0 for 0, infinities and NaN, which are their own mantissas. The
    derivative of m by x is 2⁻ᵉ.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> mantissas, exponents = frexp([8.0, -3.0])
        >>> mantissas.tolist(), exponents.tolist()
        ([0.5, -0.75], [4, 2])
    """
    if type(x) is not Tensor or x._native.dtype not in x.backend.native_reals:
        x = real_floating("frexp", x)
    mantissa, exponent = dispatch(_frexp, x.backend, (x,), (x._native,))
    return mantissa, exponent


@composite
def _ldexp(x: Tensor, exponent: Tensor) -> Tensor:
    wide = widened(x)
    least = _powers(wide)[1]
    mantissa, own = _frexp(wide)
    total = cast(own, dtypes.int64) + cast(exponent, dtypes.int64)
    # The first product is exact, so that only one rounds.
    reach = -least - 22
    near = clip(total, -reach, reach)
    rest = clip(total - near, least, 1 - least)
    return cast(_times_power(_times_power(mantissa, near), rest), x.dtype)


_ldexp.broadcasts = True


def ldexp(x: TensorLike, exponent: TensorLike, /) -> Tensor:
    """Return x · 2ᵏ, rounded once, for integers k. The derivative by x is 2ᵏ.

    Raises:
        DTypeError: for complex numbers, or exponents that are no integers.

    Example:
        >>> ldexp([0.5, -0.75], [4, 2]).tolist()
        [8.0, -3.0]
    """
    if type(x) is not Tensor or x._native.dtype not in x.backend.native_reals:
        x = real_floating("ldexp", x)
    exponent = as_tensor(exponent, x)
    if exponent._native.dtype not in exponent.backend.native_integers:
        raise DTypeError(f"ldexp: exponents are integers, not {exponent.dtype.name}")
    out: Tensor = _ldexp(x, exponent)
    return out
