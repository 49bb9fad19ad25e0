"""Elementwise arithmetic and functions of one and two tensors.

Two tensors broadcast against each other and are computed in their promoted dtype; a Python scalar
takes the tensor's dtype. Functions that leave the integers (``exp``, ``divide`` …) compute
integers and bools in the default floating dtype.

Errors, the same for all: `ShapeError` when shapes do not broadcast, `DTypeError` when dtypes do
not promote or the op does not take them, `BackendMismatchError` for tensors of two backends.
"""

from __future__ import annotations

from unigrad.core.op import TensorLike, binary, unary
from unigrad.core.tensor import Tensor

# -- arithmetic


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


# -- exponential and hyperbolic functions


@unary(floating=True)
def exp(x: TensorLike, /) -> Tensor:
    """Return eˣ.

    Example:
        >>> exp(0.0).item()
        1.0
    """
    ...


@unary(floating=True)
def log(x: TensorLike, /) -> Tensor:
    """Return the natural logarithm; -∞ at 0 and NaN below.

    Example:
        >>> log(1.0).item()
        0.0
    """
    ...


@unary(floating=True)
def sin(x: TensorLike, /) -> Tensor:
    """Return the sine of an angle in radians.

    Example:
        >>> sin(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def cos(x: TensorLike, /) -> Tensor:
    """Return the cosine of an angle in radians.

    Example:
        >>> cos(0.0).item()
        1.0
    """
    ...


@unary(floating=True)
def tanh(x: TensorLike, /) -> Tensor:
    """Return the hyperbolic tangent.

    Example:
        >>> tanh(0.0).item()
        0.0
    """
    ...


# -- comparisons


@binary()
def greater(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ > x₂ as bools.

    Example:
        >>> greater([1, 2], 1).tolist()
        [False, True]
    """
    ...
