"""Elementwise functions with steps: rounding, and division with a whole quotient.

Two tensors broadcast and promote as in `unigrad.ops.arithmetic`; the errors are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, visible
from unigrad.core.elementwise import binary, unary
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import refuse_bools

__all__ = [
    "ceil",
    "floor",
    "floor_divide",
    "heaviside",
    "remainder",
    "round",
    "trunc",
]

_Binary = Callable[[TensorLike, TensorLike], Tensor]


def _refusing_zero(run: _Binary) -> _Binary:
    """Make a division of integers raise on a zero divisor, where its values can be looked at."""
    op = OPS[run.__name__]

    @wraps(run)
    def checked(x1: TensorLike, x2: TensorLike, /) -> Tensor:
        if type(x2) is Tensor:
            if x2._native.dtype not in x2.backend.native_floats:
                _refuse_zero(op.name, x1, x2)
        elif type(x2) is not float and (type(x2) is not int or x2 == 0):
            _refuse_zero(op.name, x1, x2)
        return run(x1, x2)

    op.public = checked
    return checked


def _refuse_zero(name: str, x1: TensorLike, x2: TensorLike) -> None:
    """Raise `ZeroDivisionError` for integers on the CPU, outside of traced functions.

    Raise `DTypeError` for two bools.
    """
    first = as_tensor(x1, x2 if type(x2) is Tensor else None)
    second = as_tensor(x2, first)
    if first.dtype in dtypes.INEXACT or second.dtype in dtypes.INEXACT:
        return
    refuse_bools(name, first, second)
    values = visible(second)
    if values is not None and not np.all(values):
        raise ZeroDivisionError(
            f"{name}: division of integers by zero (divide a floating tensor for IEEE 754's "
            "infinities)"
        )


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


@binary(floating=True)
def heaviside(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return 0 for x₁ < 0, x₂ for x₁ = 0 and 1 for x₁ > 0; NaN for NaN.

    The derivative by x₁ is 0, by x₂ it is 1 where x₁ = 0.

    Example:
        >>> heaviside([-1.5, 0.0, 2.0], 0.5).tolist()
        [0.0, 0.5, 1.0]
    """
    ...
