"""Quotients and remainders beyond those of `arithmetic`, and common divisors and multiples."""

from __future__ import annotations

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, common_tensors, to_floating
from unigrad.core.elementwise import pairs_at_once
from unigrad.core.errors import DTypeError
from unigrad.core.op import composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import equal, logical_and, not_equal, where
from unigrad.ops.rounding import floor_divide, remainder

__all__ = ["divide_no_nan", "fmod", "gcd", "lcm"]


@composite
def _divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    zero = equal(x2, 0.0)
    return where(zero, 0.0, x1 / where(zero, 1.0, x2))


@pairs_at_once(_divide_no_nan)
def divide_no_nan(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ / x₂, and 0 where x₂ is 0; both derivatives are 0 there.

    Integers and bools are computed in the default floating dtype.

    Example:
        >>> divide_no_nan([6.0, 1.0], [3.0, 0.0]).tolist()
        [2.0, 0.0]
    """
    first, second = common_tensors("divide_no_nan", (x1, x2))
    out: Tensor = _divide_no_nan(to_floating(first), to_floating(second))
    return out


@composite
def _fmod(x1: Tensor, x2: Tensor) -> Tensor:
    # Of numbers of one sign both kinds of remainder are the same, and exact.
    size, below = absolute(x2), x1 < 0.0
    found = remainder(where(below, -x1, x1), size)
    found = where(below, -found, found)
    # That of -0.0 is -0.0.
    return where(logical_and(equal(x1, 0.0), size > 0.0), x1, found)


def _fmod_of_integers(x1: Tensor, x2: Tensor) -> Tensor:
    found = remainder(x1, x2)
    if x1.dtype in dtypes.UNSIGNED:
        return found
    unlike = logical_and(not_equal(found, 0), not_equal(x1 < 0, found < 0))
    return where(unlike, found - x2, found)


@pairs_at_once(_fmod)
def fmod(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ - trunc(x₁ / x₂) x₂, the remainder with the sign of x₁, as C's ``fmod``.

    `remainder` has the sign of x₂. The derivatives are 1 and -trunc(x₁ / x₂).

    Raises:
        DTypeError: for complex numbers and bools.
        ZeroDivisionError: for integers by 0 in eager mode on a CPU; the result is 0 under `jit`.

    Example:
        >>> fmod([-7.0, 7.0], 3.0).tolist()
        [-1.0, 1.0]
    """
    first, second = common_tensors("fmod", (x1, x2))
    if first.dtype in dtypes.COMPLEX or first.dtype == dtypes.bool_:
        raise DTypeError(f"fmod: real numbers have a remainder, not {first.dtype.name}")
    if first.dtype in dtypes.INTEGER:
        return _fmod_of_integers(first, second)
    out: Tensor = _fmod(first, second)
    return out


_gcd = primitive("gcd")


def _integers(name: str, x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor]:
    first, second = common_tensors(name, (x1, x2))
    if first.dtype not in dtypes.INTEGER:
        raise DTypeError(f"{name}: takes integers, not {first.dtype.name}")
    return first, second


@pairs_at_once(_gcd, "native_integers")
def gcd(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the greatest common divisor of integers, 0 or more; of 0 and 0 it is 0.

    Raises:
        DTypeError: for other numbers.

    Example:
        >>> gcd([12, 0, -4], [18, 5, 6]).tolist()
        [6, 5, 2]
    """
    out: Tensor = _gcd(*_integers("gcd", x1, x2))
    return out


@composite
def _lcm(x1: Tensor, x2: Tensor) -> Tensor:
    common = _gcd(x1, x2)
    one = where(equal(common, 0), 1, common)
    return absolute(floor_divide(x1, one) * x2)


@pairs_at_once(_lcm, "native_integers")
def lcm(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the least common multiple of integers, 0 or more; 0 where one of them is.

    A multiple that does not fit the dtype wraps round, as products do.

    Raises:
        DTypeError: for other numbers.

    Example:
        >>> lcm([4, 0], [6, 5]).tolist()
        [12, 0]
    """
    out: Tensor = _lcm(*_integers("lcm", x1, x2))
    return out
