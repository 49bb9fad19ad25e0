"""Elementwise arithmetic.

Two tensors broadcast against each other and are computed in their promoted dtype; a Python scalar
takes the tensor's dtype. Division and its like compute integers and bools in the default floating
dtype.

Errors, the same for all: `ShapeError` when shapes do not broadcast, `DTypeError` when dtypes do
not promote or the op does not take them, `BackendMismatchError` for tensors of two backends.
"""

from __future__ import annotations

from unigrad.core.op import TensorLike, binary, unary
from unigrad.core.tensor import Tensor

__all__ = ["add", "divide", "multiply", "negative", "subtract"]

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
