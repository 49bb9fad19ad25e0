"""Elementwise limits: what lies outside of a range is put on its bound, or replaced.

Errors: `DTypeError` for complex numbers, which have no order.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.errors import DTypeError
from unigrad.core.op import OPS, composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import multiply, positive
from unigrad.ops.comparison import (
    greater,
    isnan,
    less,
    logical_or,
    where,
)

__all__ = ["clip", "nan_to_num"]


def clip(x: TensorLike, /, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Return x limited to [min, max]; ``None`` leaves a side open; max wins where min > max.

    Where a bound is NaN the result is NaN. A number beyond what an integer dtype holds is no
    bound. The derivative by x is 1 inside and on the bounds and 0 outside, where the bound has it.

    Raises:
        DTypeError: for complex numbers, which have no order.

    Example:
        >>> clip([1, 5, 9], 2, 6).tolist()
        [2, 5, 6]
    """
    if type(x) is not Tensor:
        x = as_tensor(x, min if type(min) is Tensor else max if type(max) is Tensor else None)
    if type(min) not in _PLAIN or type(max) not in _PLAIN:
        return _clip_by_tensors(x, min, max)
    if x.native.dtype not in x.backend.native_reals:
        if x.dtype in dtypes.COMPLEX:
            raise DTypeError(f"clip: complex numbers have no order ({x.dtype.name})")
        if type(min) is float or type(max) is float:
            x = cast(x, dtypes.default_dtype())
        else:
            x, min, max = _within_dtype(x, min, max)
    if min is None and max is None:
        return positive(x)
    if min != min or max != max:
        return multiply(x, math.nan)
    if min is not None and max is not None and min > max:
        min = max
    limited: Tensor = OPS["clip"](x, low=min, high=max)
    return limited


#: What bounds are that need no tensor.
_PLAIN = (int, float, type(None))


def _within_dtype(
    x: Tensor, low: int | None, high: int | None
) -> tuple[Tensor, int | None, int | None]:
    """Return integers (bools as such) and bounds that their dtype holds."""
    if low is None and high is None:
        return x, None, None
    if x.dtype == dtypes.bool_:
        x = cast(x, dtypes.int64)
    limits = np.iinfo(x.dtype)
    least, most = int(limits.min), int(limits.max)
    return (
        x,
        None if low is None or low <= least else low if low <= most else most,
        None if high is None or high >= most else high if high >= least else least,
    )


def _clip_by_tensors(x: Tensor, low: TensorLike | None, high: TensorLike | None) -> Tensor:
    """Limit by bounds of which one or both are tensors."""
    if low is not None:
        if type(low) is not float and type(low) is not int:
            low = as_tensor(low, x)
        x = where(_beyond(less(x, low), low), low, x)
    if high is not None:
        if type(high) is not float and type(high) is not int:
            high = as_tensor(high, x)
        x = where(_beyond(greater(x, high), high), high, x)
    return x


def _beyond(outside: Tensor, bound: TensorLike) -> Tensor:
    """Return where a bound takes the place of a value: where the value is outside or it is NaN."""
    if type(bound) is not Tensor:
        return outside if bound == bound else logical_or(outside, True)
    return logical_or(outside, isnan(bound)) if bound.dtype in dtypes.INEXACT else outside


@composite
def _clip(x: Tensor, *, low: float | None, high: float | None) -> Tensor:
    """Limit a tensor by scalars."""
    if low is not None:
        x = where(less(x, low), low, x)
    return x if high is None else where(greater(x, high), high, x)


OPS["clip"].public = clip


def nan_to_num(
    x: TensorLike,
    /,
    *,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Return x with NaN and the infinities replaced: those by default by the extreme numbers.

    The derivative is 1 at finite elements and 0 at replaced ones.

    Example:
        >>> nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0).tolist()
        [1.0, 0.0, 9.0]
    """
    x = as_tensor(x)
    if x.dtype not in dtypes.FLOATING:
        if x.dtype in dtypes.COMPLEX:
            raise DTypeError(f"nan_to_num: expected real numbers, not {x.dtype.name}")
        return positive(x)
    largest = _largest(x.dtype)
    x = where(isnan(x), float(nan), x)
    x = where(greater(x, largest), largest if posinf is None else float(posinf), x)
    return where(less(x, -largest), -largest if neginf is None else float(neginf), x)


def _largest(dtype: dtypes.DType) -> float:
    """Return the largest finite number of a floating dtype."""
    library: Any = np if dtype != dtypes.bfloat16 else ml_dtypes
    return float(library.finfo(dtype).max)
