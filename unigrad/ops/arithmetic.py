"""Elementwise arithmetic.

Two tensors broadcast against each other and are computed in their promoted dtype; a Python scalar
takes the tensor's dtype. Division and its like compute integers and bools in the default floating
dtype.

Errors, the same for all: `ShapeError` when shapes do not broadcast, `DTypeError` when dtypes do
not promote or the op does not take them, `BackendMismatchError` for tensors of two backends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import ml_dtypes
import numpy as np

from unigrad.core import dtypes
from unigrad.core.errors import DTypeError
from unigrad.core.op import (
    OPS,
    TensorLike,
    as_tensor,
    binary,
    cast,
    composite,
    unary,
)
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import greater, isnan, less, where

__all__ = [
    "abs",
    "add",
    "ceil",
    "clip",
    "conj",
    "copysign",
    "divide",
    "floor",
    "floor_divide",
    "maximum",
    "minimum",
    "multiply",
    "nan_to_num",
    "negative",
    "positive",
    "pow",
    "reciprocal",
    "remainder",
    "round",
    "sign",
    "square",
    "subtract",
    "trunc",
]

_Binary = Callable[[TensorLike, TensorLike], Tensor]


def _refusing_zero(run: _Binary) -> _Binary:
    """Make a division of integers raise on a zero divisor, where its values can be looked at."""
    op = OPS[run.__name__]

    @wraps(run)
    def checked(x1: TensorLike, x2: TensorLike, /) -> Tensor:
        if type(x2) is Tensor:
            if x2.native.dtype not in x2.backend.native_floats:
                _refuse_zero(op.name, x1, x2)
        elif type(x2) is not float and (type(x2) is not int or x2 == 0):
            _refuse_zero(op.name, x1, x2)
        return run(x1, x2)

    op.public = checked
    return checked


def _refuse_zero(name: str, x1: TensorLike, x2: TensorLike) -> None:
    """Raise `ZeroDivisionError` for integers on the CPU, outside of traced functions."""
    first = as_tensor(x1, x2 if type(x2) is Tensor else None)
    second = as_tensor(x2, first)
    if first.dtype in dtypes.INEXACT or second.dtype in dtypes.INEXACT:
        return
    for one in (first, second):
        if one.backend.is_traced(one.native) or one.device != "cpu":
            return
    if not np.all(second.backend.to_numpy(second.native)):
        raise ZeroDivisionError(
            f"{name}: division of integers by zero (divide a floating tensor for IEEE 754's "
            "infinities)"
        )


def _refusing_negative(run: _Binary) -> _Binary:
    """Make a power of integers raise on a negative exponent that is a Python integer."""

    @wraps(run)
    def checked(x1: TensorLike, x2: TensorLike, /) -> Tensor:
        if type(x2) is int and x2 < 0:
            x1 = as_tensor(x1)
            if x1.dtype not in dtypes.INEXACT:
                raise DTypeError(
                    f"pow: {x1.dtype.name}[...] ** {x2} is no integer: cast the base to float "
                    "(ug.astype), or write the exponent as a float"
                )
        return run(x1, x2)

    OPS[run.__name__].public = checked
    return checked


@binary()
def add(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ + x₂.

    Example:
        >>> add([1, 2], 3).tolist()
        [4, 5]
    """
    ...


@binary()
def subtract(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ - x₂.

    Example:
        >>> subtract([1, 2], 3).tolist()
        [-2, -1]
    """
    ...


@binary()
def multiply(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ · x₂.

    Example:
        >>> multiply([1, 2], 3).tolist()
        [3, 6]
    """
    ...


@binary(floating=True)
def divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ / x₂ in a floating dtype; division by zero follows IEEE 754.

    Example:
        >>> divide([1, 2], 2).tolist()
        [0.5, 1.0]
    """
    ...


@unary()
def negative(x: TensorLike, /) -> Tensor:
    """Return -x.

    Example:
        >>> negative([1, -2]).tolist()
        [-1, 2]
    """
    ...


@unary()
def positive(x: TensorLike, /) -> Tensor:
    """Return +x: the same values as a new Tensor.

    Example:
        >>> positive([1, -2]).tolist()
        [1, -2]
    """
    ...


@unary()
def conj(x: TensorLike, /) -> Tensor:
    """Return the complex conjugate; a real tensor's values as they are.

    Example:
        >>> conj(1 + 2j).item()
        (1-2j)
    """
    ...


@unary()
def abs(x: TensorLike, /) -> Tensor:
    """Return |x|. Its derivative at 0 is 0.

    Example:
        >>> abs([1, -2]).tolist()
        [1, 2]
    """
    ...


@unary()
def sign(x: TensorLike, /) -> Tensor:
    """Return -1, 0 or 1 by the sign of x; NaN for NaN. Its derivative is 0.

    Example:
        >>> sign([-3, 0, 2]).tolist()
        [-1, 0, 1]
    """
    ...


@unary()
def floor(x: TensorLike, /) -> Tensor:
    """Return the largest integer ≤ x, in the dtype of x. Its derivative is 0.

    Example:
        >>> floor([-1.5, 1.5]).tolist()
        [-2.0, 1.0]
    """
    ...


@unary()
def ceil(x: TensorLike, /) -> Tensor:
    """Return the smallest integer ≥ x, in the dtype of x. Its derivative is 0.

    Example:
        >>> ceil([-1.5, 1.5]).tolist()
        [-1.0, 2.0]
    """
    ...


@unary()
def trunc(x: TensorLike, /) -> Tensor:
    """Return x without its fraction, in the dtype of x. Its derivative is 0.

    Example:
        >>> trunc([-1.5, 1.5]).tolist()
        [-1.0, 1.0]
    """
    ...


@unary()
def round(x: TensorLike, /) -> Tensor:
    """Return the nearest integer, halves to the even one, in the dtype of x.

    Its derivative is 0.

    Example:
        >>> round([0.5, 1.5, 2.4]).tolist()
        [0.0, 2.0, 2.0]
    """
    ...


@_refusing_zero
@binary()
def floor_divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return ⌊x₁ / x₂⌋, rounded towards -∞ as Python's ``//``. Its derivative is 0.

    Raises:
        ZeroDivisionError: for integers with a zero among the divisors, in eager mode on the CPU;
            where values cannot be looked at (under jit, on an accelerator) the result is 0.

    Example:
        >>> floor_divide([7, -7], 2).tolist()
        [3, -4]
    """
    ...


@_refusing_zero
@binary()
def remainder(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ - x₂ ⌊x₁ / x₂⌋, with the sign of x₂ as Python's ``%``.

    The derivative by x₁ is 1, by x₂ it is -⌊x₁ / x₂⌋.

    Raises:
        ZeroDivisionError: as `floor_divide`.

    Example:
        >>> remainder([7, -7], 4).tolist()
        [3, 1]
    """
    ...


@_refusing_negative
@binary()
def pow(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ to the power x₂.

    The derivative of x⁰ by x at 0 is 0, that of 0ʸ by y is 0 for y ≥ 0 and that of a negative
    base by its exponent NaN.

    Raises:
        DTypeError: for integers to the power of a negative Python integer.

    Example:
        >>> pow([1, 2, 3], 2).tolist()
        [1, 4, 9]
    """
    ...


@unary()
def square(x: TensorLike, /) -> Tensor:
    """Return x².

    Example:
        >>> square([1, -2]).tolist()
        [1, 4]
    """
    ...


@unary(floating=True)
def reciprocal(x: TensorLike, /) -> Tensor:
    """Return 1 / x in a floating dtype.

    Example:
        >>> reciprocal([2.0, -4.0]).tolist()
        [0.5, -0.25]
    """
    ...


@binary()
def maximum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the larger of the two; NaN if one is. At a tie each has derivative ½.

    Example:
        >>> maximum([1, 5], 3).tolist()
        [3, 5]
    """
    ...


@binary()
def minimum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the smaller of the two; NaN if one is. At a tie each has derivative ½.

    Example:
        >>> minimum([1, 5], 3).tolist()
        [1, 3]
    """
    ...


@binary(floating=True)
def copysign(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return |x₁| with the sign of x₂, that of a zero included.

    The derivative by x₁ at 0 is 0, as that of |x|; that by x₂ is 0.

    Example:
        >>> copysign([1.0, -2.0], -0.0).tolist()
        [-1.0, -2.0]
    """
    ...


def clip(x: TensorLike, /, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """Return x limited to [min, max]; ``None`` leaves a side open; max wins where min > max.

    The derivative by x is 1 inside and on the bounds and 0 outside, where the bound has it.

    Example:
        >>> clip([1, 5, 9], 2, 6).tolist()
        [2, 5, 6]
    """
    x = as_tensor(x, next((one for one in (min, max) if type(one) is Tensor), None))
    if min is None and max is None:
        return positive(x)
    if all(one is None or type(one) in (int, float) for one in (min, max)):
        if float in (type(min), type(max)) and x.dtype not in dtypes.INEXACT:
            x = cast(x, dtypes.default_dtype())
        limited: Tensor = OPS["clip"](x, low=min, high=max)
        return limited
    if min is not None:
        x = where(less(x, min), min, x)
    return x if max is None else where(greater(x, max), max, x)


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
