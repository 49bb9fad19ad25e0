"""Whether numbers are equal within a tolerance."""

from __future__ import annotations

from typing import Any

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.dispatch import dispatch
from unigrad.core.op import OPS, composite
from unigrad.core.operands import operands
from unigrad.core.plans import ByNumbers
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import subtract
from unigrad.ops.comparison import equal, isfinite, isnan, less_equal, logical_and, logical_or
from unigrad.ops.reductions import all as all_of

__all__ = ["allclose", "isclose"]


def _measurable(x: Tensor) -> Tensor:
    """Return integers and bools as floats, whose differences do not wrap around."""
    if x.dtype in dtypes.INEXACT:
        return x
    return cast(x, dtypes.float32 if x.dtype.itemsize < 4 else dtypes.float64)


@operands("rtol", "atol")
def isclose(
    x1: TensorLike,
    x2: TensorLike,
    /,
    *,
    rtol: TensorLike = 1e-5,
    atol: TensorLike = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Return |x₁ - x₂| ≤ atol + rtol · |x₂| as bools; an infinity is close to itself alone.

    Integers and bools are compared in double precision, narrow ones in single.

    Example:
        >>> isclose([1.0, 2.0], [1.000001, 2.1]).tolist()
        [True, False]
    """
    made: Tensor | None = _compared(_tolerances, x1, x2, rtol, atol, equal_nan)
    if made is not None:
        return made
    x1 = as_tensor(x1, x2 if type(x2) is Tensor else None)
    return _isclose(x1, as_tensor(x2, x1), rtol=rtol, atol=atol, equal_nan=equal_nan)


def _isclose(
    x1: Tensor, x2: Tensor, *, rtol: TensorLike, atol: TensorLike, equal_nan: bool
) -> Tensor:
    first, second = _measurable(x1), _measurable(x2)
    near = less_equal(absolute(subtract(first, second)), absolute(second) * rtol + atol)
    close = logical_or(logical_and(near, isfinite(x2)), equal(x1, x2))
    if equal_nan:
        close = logical_or(close, logical_and(isnan(x1), isnan(x2)))
    return close


# A composite of two tensors of one floating dtype; of others only the formula is run.
composite(_isclose)
_tolerances = ByNumbers("isclose", "rtol", "atol", "equal_nan")


def _compared(
    plans: ByNumbers, x1: Any, x2: Any, rtol: Any, atol: Any, equal_nan: Any
) -> Tensor | None:
    """Run an op on two tensors of one real floating dtype and tolerances that are floats."""
    if type(x1) is type(x2) is Tensor and type(rtol) is type(atol) is float:
        backend, left, right = x1.backend, x1._native, x2._native
        dtype = left.dtype
        if (
            x2.backend is backend
            and dtype is right.dtype
            and type(equal_nan) is bool
            and (dtype is backend.native_single or dtype in backend.native_reals)
        ):
            found = plans.get((rtol, atol, equal_nan)) or plans.of(rtol, atol, equal_nan)
            made: Tensor = dispatch(found, backend, (x1, x2), (left, right))
            return made
    return None


OPS["isclose"].public = isclose


@operands("rtol", "atol")
def allclose(
    x1: TensorLike,
    x2: TensorLike,
    /,
    *,
    rtol: TensorLike = 1e-5,
    atol: TensorLike = 1e-8,
    equal_nan: bool = False,
) -> bool:
    """Tell, as a plain bool, whether |x₁ - x₂| ≤ atol + rtol |x₂| for all elements.

    Example:
        >>> allclose([1.0], [1.0 + 1e-7])
        True
    """
    every = _compared(_all_tolerances, x1, x2, rtol, atol, equal_nan)
    if every is None:
        every = all_of(isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))
    return bool(every)


@composite
def _allclose(
    x1: Tensor, x2: Tensor, *, rtol: TensorLike, atol: TensorLike, equal_nan: bool
) -> Tensor:
    return all_of(_isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


_all_tolerances = ByNumbers("allclose", "rtol", "atol", "equal_nan")
