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

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, visible
from unigrad.core.elementwise import binary, unary
from unigrad.core.errors import DTypeError
from unigrad.core.op import OPS, composite
from unigrad.core.tensor import Tensor
from unigrad.core.weak import Weak
from unigrad.ops.comparison import (
    bitwise_and,
    equal,
    less,
    logical_and,
    not_equal,
    refuse_bools,
    where,
)

__all__ = [
    "abs",
    "add",
    "conj",
    "copysign",
    "divide",
    "fmax",
    "fmin",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "positive",
    "pow",
    "reciprocal",
    "sign",
    "square",
    "subtract",
]

_Unary = Callable[[TensorLike], Tensor]
_Binary = Callable[[TensorLike, TensorLike], Tensor]


def _refusing_negative(run: _Binary) -> _Binary:
    """Make a power of integers raise on a negative exponent, where its values can be looked at."""

    @wraps(run)
    def checked(x1: TensorLike, x2: TensorLike, /) -> Tensor:
        if type(x2) is Tensor:
            if x2._native.dtype not in x2.backend.native_floats:
                return _checked_power(run, x1, x2)
        elif type(x2) is Weak and x2.kind is int:
            return _weak_power(run, x1, x2)
        elif type(x2) is not float and (type(x2) is not int or x2 < 0):
            return _checked_power(run, x1, x2)
        return run(x1, x2)

    OPS[run.__name__].public = checked
    return checked


def _weak_power(run: _Binary, x1: TensorLike, x2: Weak) -> Tensor:
    """Return a power whose exponent is an integer that is traced, and not negative for integers."""
    if type(x1) is Tensor and x1.dtype in dtypes.INEXACT:
        return run(x1, x2)
    if x2.origin is None:
        return _checked_power(run, x1, x2)
    x2.origin.require_power()
    return run(x1, x2)


def _truncated_power(run: _Binary, x1: TensorLike, x2: TensorLike) -> Tensor:
    """Return integers to powers that nobody can look at; x⁻ⁿ is 1 / xⁿ cut off, and 0 for 0."""
    inverse = less(x2, 0)
    # Of 1 and -1 the inverse is the number itself; nothing else has one among integers.
    power = run(x1, where(inverse, bitwise_and(x2, 1), x2))
    return where(logical_and(inverse, not_equal(abs(x1), 1)), 0, power)


@composite
def _complex_sign(x: Tensor) -> Tensor:
    size = abs(x)
    origin = equal(size, 0)
    return where(origin, 0.0, x / where(origin, 1.0, size))


def _checked_power(run: _Binary, x1: TensorLike, x2: TensorLike) -> Tensor:
    """Return a power. Raise `DTypeError` for integers to a negative one, and for two bools."""
    base = as_tensor(x1, x2 if type(x2) is Tensor else None)
    if base.dtype in dtypes.INEXACT:
        # Of complex numbers libraries take the way by logarithms, which may lose zeros.
        inverse = type(x2) is int and x2 == -1 and base.dtype in dtypes.COMPLEX
        return reciprocal(base) if inverse else run(x1, x2)
    refuse_bools("pow", base, x2)
    if type(x2) is not int:
        exponent = as_tensor(x2, base)
        if exponent.dtype not in dtypes.SIGNED:
            return run(x1, x2)
        values = visible(exponent)
        if values is None:
            return _truncated_power(run, x1, x2)
        if not np.any(values < 0):
            return run(x1, x2)
        x2 = np.min(values)
    raise DTypeError(
        f"pow: {base.dtype.name}[...] ** {x2} is no integer: cast the base to float "
        "(ug.astype), or write the exponent as a float"
    )


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


# That of complex numbers is an op of its own: its derivative is not zero.
@unary(of_complex=_complex_sign)
def sign(x: TensorLike, /) -> Tensor:
    """Return -1, 0 or 1 by the sign of x; NaN for NaN. Its derivative is 0.

    Of complex numbers it is x / |x|, and 0 with derivative 0 at 0.

    Example:
        >>> sign([-3, 0, 2]).tolist()
        [-1, 0, 1]
    """
    ...


@_refusing_negative
@binary()
def pow(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ to the power x₂.

    The derivative of x⁰ by x at 0 is 0, that of 0ʸ by y is 0 for y ≥ 0 and that of a negative
    base by its exponent NaN.

    Raises:
        DTypeError: for integers to a negative power, in eager mode on the CPU or with a Python
            integer as the exponent.

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


@binary()
def fmax(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the larger of the two; where one is NaN, the other. At a tie each has derivative ½.

    Example:
        >>> fmax([1.0, float("nan")], [0.0, 3.0]).tolist()
        [1.0, 3.0]
    """
    ...


@binary()
def fmin(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the smaller of the two; where one is NaN, the other. At a tie each has derivative ½.

    Example:
        >>> fmin([1.0, float("nan")], [0.0, 3.0]).tolist()
        [0.0, 3.0]
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
