"""Elementwise limits: what lies outside of a range is put on its bound, or replaced.

Errors: `DTypeError` for complex numbers, which have no order.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, kind_of, weak_types
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import DTypeError
from unigrad.core.op import OPS, composite
from unigrad.core.operands import operand, operands
from unigrad.core.plans import ByNumbers, Planned, Plans
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


@operands("min", "max")
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
    if x._native.dtype not in x.backend.native_reals:
        if x.dtype in dtypes.COMPLEX:
            raise DTypeError(f"clip: complex numbers have no order ({x.dtype.name})")
        if type(min) is float or type(max) is float:
            x = cast(x, dtypes.default_dtype())
        else:
            x, min, max = _within_dtype(x, min, max)
    elif type(min) is int or type(max) is int:
        min, max = _as_floats(min), _as_floats(max)
    if min is None and max is None:
        return positive(x)
    if min != min or max != max:
        return multiply(x, math.nan)
    if min is not None and max is not None and min > max:
        min = max
    if not ((min == 0 and type(min) is float) or (max == 0 and type(max) is float)):
        key = (type(min), min, type(max), max)
        found = _limits.get(key)
        if found is None:
            found = _limits.keep(key, Planned(OPS["clip"], {"low": min, "high": max}))
        made: Tensor = dispatch(found, x.backend, (x,), (x._native,))
        return made
    limited: Tensor = OPS["clip"](x, low=min, high=max)
    return limited


#: The op by its bounds, but for the floats 0.0 and -0.0, which are one key to a dictionary.
_limits = Plans()


#: What bounds are that need no tensor.
_PLAIN = (int, float, type(None))


def _as_floats(bound: float | None) -> float | None:
    """Return a bound of floats; libraries take no integers beyond 64 bits."""
    if type(bound) is not int or -_FAR <= bound < _FAR:
        return bound
    try:
        return float(bound)
    except OverflowError:
        return math.inf if bound > 0 else -math.inf


#: From here on an integer is no int64.
_FAR = 2**63


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
        low = _bound(x, low)
        x = where(_beyond(less(x, low), low), low, x)
    if high is not None:
        high = _bound(x, high)
        x = where(_beyond(greater(x, high), high), high, x)
    return x


def _bound(x: Tensor, bound: TensorLike) -> Any:
    """Return a bound as a number or a tensor; an integer that is traced in what the dtype holds."""
    if type(bound) not in weak_types:
        return as_tensor(bound, x)
    if kind_of(bound) is not int or x.dtype not in dtypes.INTEGER:
        return bound
    limits = np.iinfo(x.dtype)
    least, most = int(limits.min), int(limits.max)
    if type(bound) is int:
        return max(least, min(bound, most))
    return cast(clip(bound.carrier, least, min(most, np.iinfo(np.int64).max)), x.dtype)


def _beyond(outside: Tensor, bound: TensorLike) -> Tensor:
    """Return where a bound takes the place of a value: where the value is outside or it is NaN."""
    if not isinstance(bound, Tensor):
        return outside if bound == bound else logical_or(outside, True)
    return logical_or(outside, isnan(bound)) if bound.dtype in dtypes.INEXACT else outside


@composite
def _clip(x: Tensor, *, low: float | None, high: float | None) -> Tensor:
    """Limit a tensor by scalars."""
    if low is not None:
        x = where(less(x, low), low, x)
    return x if high is None else where(greater(x, high), high, x)


OPS["clip"].public = clip


@operands("nan", "posinf", "neginf")
def nan_to_num(
    x: TensorLike,
    /,
    *,
    nan: TensorLike = 0.0,
    posinf: TensorLike | None = None,
    neginf: TensorLike | None = None,
) -> Tensor:
    """Return x with NaN and the infinities replaced: those by default by the extreme numbers.

    The derivative by x is 1 at finite elements and 0 at replaced ones, where what replaces them
    has it.

    Example:
        >>> nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0).tolist()
        [1.0, 0.0, 9.0]
    """
    if type(x) is not Tensor:
        x = as_tensor(x)
    dtype = x._native.dtype
    if dtype is not x.backend.native_single and dtype not in x.backend.native_reals:
        if x.dtype in dtypes.COMPLEX:
            raise DTypeError(f"nan_to_num: expected real numbers, not {x.dtype.name}")
        return positive(x)
    if posinf is None is neginf and type(nan) is float and repr(nan) == "0.0":
        out: Tensor = dispatch(_usually, x.backend, (x,), (x._native,))
        return out
    if _is_everywhere(nan) and _is_everywhere(posinf) and _is_everywhere(neginf):
        found = _replacing.of(nan, posinf, neginf)
        made: Tensor = dispatch(found, x.backend, (x,), (x._native,))
        return made
    nan, posinf, neginf = (
        one if one is None else operand("nan_to_num", one) for one in (nan, posinf, neginf)
    )
    return _nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _is_everywhere(number: Any) -> bool:
    """Tell whether a number is none, or a float that every floating dtype holds."""
    return number is None or (type(number) is float and -6e4 < number < 6e4)


def _nan_to_num(x: Tensor, *, nan: Any, posinf: Any, neginf: Any) -> Tensor:
    """Replace what is not finite, by the extreme numbers for ``None``."""
    largest = _largest(x.dtype)
    above, below = greater(x, largest), less(x, -largest)
    x = where(isnan(x), nan, x)
    x = where(above, largest if posinf is None else posinf, x)
    return where(below, -largest if neginf is None else neginf, x)


# Of numbers that a dtype does not hold only the formula makes the same everywhere.
composite(_nan_to_num)
OPS["nan_to_num"].public = nan_to_num
_replacing = ByNumbers("nan_to_num", "nan", "posinf", "neginf")
_usually = _replacing.of(0.0, None, None)


def _largest(dtype: dtypes.DType) -> float:
    """Return the largest finite number of a floating dtype."""
    library: Any = np if dtype != dtypes.bfloat16 else ml_dtypes
    return float(library.finfo(dtype).max)
