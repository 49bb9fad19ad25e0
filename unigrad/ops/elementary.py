"""Elementary functions: powers, exponentials, logarithms, trigonometry.

Integers and bools are computed in the default floating dtype. Outside of its real domain a
function is NaN (IEEE 754). `DTypeError` for a dtype that the op does not take.
"""

from __future__ import annotations

from unigrad.core.op import TensorLike, unary
from unigrad.core.tensor import Tensor

__all__ = ["cos", "exp", "log", "sin", "tanh"]

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
