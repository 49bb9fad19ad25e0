"""Elementary functions: powers, exponentials, logarithms, trigonometry.

Integers and bools are computed in the default floating dtype. Outside of its real domain a
function is NaN (IEEE 754). `DTypeError` for a dtype that the op does not take.
"""

from __future__ import annotations

import math

from unigrad.core.arguments import TensorLike
from unigrad.core.elementwise import binary, unary
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import isfinite, isinf, where

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "erfinv",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "rsqrt",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]


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


@unary(floating=True)
def exp2(x: TensorLike, /) -> Tensor:
    """Return 2ˣ.

    Example:
        >>> exp2(3.0).item()
        8.0
    """
    ...


@unary(floating=True)
def expm1(x: TensorLike, /) -> Tensor:
    """Return eˣ - 1, accurate near 0.

    Example:
        >>> expm1(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def log1p(x: TensorLike, /) -> Tensor:
    """Return log(1 + x), accurate near 0; -∞ at -1 and NaN below.

    Example:
        >>> log1p(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def log2(x: TensorLike, /) -> Tensor:
    """Return the logarithm to base 2; -∞ at 0 and NaN below.

    Example:
        >>> log2(8.0).item()
        3.0
    """
    ...


@unary(floating=True)
def log10(x: TensorLike, /) -> Tensor:
    """Return the logarithm to base 10; -∞ at 0 and NaN below.

    Example:
        >>> log10(1.0).item()
        0.0
    """
    ...


@unary(floating=True)
def sqrt(x: TensorLike, /) -> Tensor:
    """Return the square root; NaN below 0. Its derivative at 0 is ∞.

    Example:
        >>> sqrt(9.0).item()
        3.0
    """
    ...


@unary(floating=True)
def rsqrt(x: TensorLike, /) -> Tensor:
    """Return 1 / √x; ∞ at 0 and NaN below.

    Example:
        >>> rsqrt(4.0).item()
        0.5
    """
    ...


@unary(floating=True)
def tan(x: TensorLike, /) -> Tensor:
    """Return the tangent of an angle in radians.

    Example:
        >>> tan(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def asin(x: TensorLike, /) -> Tensor:
    """Return the inverse sine in [-π/2, π/2]; NaN outside of [-1, 1].

    Example:
        >>> asin(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def acos(x: TensorLike, /) -> Tensor:
    """Return the inverse cosine in [0, π]; NaN outside of [-1, 1].

    Example:
        >>> acos(1.0).item()
        0.0
    """
    ...


@unary(floating=True)
def atan(x: TensorLike, /) -> Tensor:
    """Return the inverse tangent in [-π/2, π/2].

    Example:
        >>> atan(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def sinh(x: TensorLike, /) -> Tensor:
    """Return the hyperbolic sine.

    Example:
        >>> sinh(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def cosh(x: TensorLike, /) -> Tensor:
    """Return the hyperbolic cosine.

    Example:
        >>> cosh(0.0).item()
        1.0
    """
    ...


@unary(floating=True)
def asinh(x: TensorLike, /) -> Tensor:
    """Return the inverse hyperbolic sine.

    Example:
        >>> asinh(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def acosh(x: TensorLike, /) -> Tensor:
    """Return the inverse hyperbolic cosine; NaN below 1.

    Example:
        >>> acosh(1.0).item()
        0.0
    """
    ...


@unary(floating=True)
def atanh(x: TensorLike, /) -> Tensor:
    """Return the inverse hyperbolic tangent; ±∞ at ±1 and NaN outside.

    Example:
        >>> atanh(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def erf(x: TensorLike, /) -> Tensor:
    """Return the error function 2/√π ∫₀ˣ exp(-t²) dt.

    Example:
        >>> erf(0.0).item()
        0.0
    """
    ...


@unary(floating=True)
def erfc(x: TensorLike, /) -> Tensor:
    """Return 1 - erf(x), with the digits of its tail that the difference would lose.

    Example:
        >>> erfc(0.0).item()
        1.0
    """
    ...


@unary(floating=True)
def erfinv(x: TensorLike, /) -> Tensor:
    """Return the inverse of `erf`; ±∞ at ±1 and NaN outside of [-1, 1].

    Example:
        >>> erfinv(0.0).item()
        0.0
    """
    ...


#: The coefficients of x⁰, x², x⁴ … in sin(πx) / (πx). Up to ½ the rest is below 10⁻¹⁸.
_SINC = [(-1) ** k * math.pi ** (2 * k) / math.factorial(2 * k + 1) for k in range(12)]


@composite
def _sinc(x: Tensor) -> Tensor:
    # The quotient's derivatives lose their digits near 0; the series keeps those of all orders.
    near = (x < 0.5) & (x > -0.5)
    # Where πx leaves the range x is an integer: the sine is 0.
    whole = isinf(x * math.pi) & isfinite(x)
    small, large = where(near, x, 0.0), where(near | whole, 1.0, x) * math.pi
    squared = small * small
    series = squared * _SINC[-1] + _SINC[-2]
    for coefficient in _SINC[-3::-1]:
        series = series * squared + coefficient
    return where(near, series, where(whole, 0.0, sin(large) / large))


@unary(of=_sinc)
def sinc(x: TensorLike, /) -> Tensor:
    """Return sin(πx) / (πx), which is 1 at 0, where its derivative is 0.

    Example:
        >>> sinc(0.0).item()
        1.0
    """
    ...


@binary(floating=True)
def atan2(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the angle of the point (x₂, x₁) in [-π, π]. Its derivative at the origin is 0.

    Example:
        >>> atan2(0.0, 1.0).item()
        0.0
    """
    ...


@binary(floating=True)
def hypot(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return √(x₁² + x₂²) without overflow between. Its derivative at the origin is 0.

    Example:
        >>> hypot(3.0, 4.0).item()
        5.0
    """
    ...


@binary(floating=True)
def logaddexp(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return log(exp(x₁) + exp(x₂)) without overflow; its derivative is 0 where it is -∞.

    Example:
        >>> logaddexp(0.0, float("-inf")).item()
        0.0
    """
    ...
