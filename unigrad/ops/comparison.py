"""Comparisons, logic and bits.

Comparisons give bools; their derivative is zero (connected, never an error).
"""

from __future__ import annotations

from collections.abc import Callable

from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    kind_of,
    promoted,
    weak_types,
)
from unigrad.core.dispatch import dispatch
from unigrad.core.elementwise import binary, unary
from unigrad.core.errors import DTypeError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "safe_where",
    "where",
]


def refuse_bools(name: str, x1: TensorLike, x2: TensorLike) -> None:
    """Raise `DTypeError` for two bools where an op takes numbers."""
    if all(type(x) is bool or (type(x) is Tensor and x.dtype == dtypes.bool_) for x in (x1, x2)):
        raise DTypeError(f"{name}: bools are no numbers; cast one of them with ug.astype")


@binary()
def greater(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ > x₂ as bools.

    Example:
        >>> greater([1, 2], 1).tolist()
        [False, True]
    """
    ...


@binary()
def greater_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ ≥ x₂ as bools.

    Example:
        >>> greater_equal([1, 2, 3], 2).tolist()
        [False, True, True]
    """
    ...


@binary()
def less(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ < x₂ as bools.

    Example:
        >>> less([1, 2, 3], 2).tolist()
        [True, False, False]
    """
    ...


@binary()
def less_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ ≤ x₂ as bools.

    Example:
        >>> less_equal([1, 2, 3], 2).tolist()
        [True, True, False]
    """
    ...


@binary()
def equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ = x₂ as bools.

    Example:
        >>> equal([1, 2, 3], 2).tolist()
        [False, True, False]
    """
    ...


@binary()
def not_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ ≠ x₂ as bools.

    Example:
        >>> not_equal([1, 2, 3], 2).tolist()
        [True, False, True]
    """
    ...


@binary()
def logical_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ and x₂ as bools; a number counts as its being other than 0.

    Example:
        >>> logical_and([False, True], True).tolist()
        [False, True]
    """
    ...


@binary()
def logical_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ or x₂ as bools; a number counts as its being other than 0.

    Example:
        >>> logical_or([False, True], True).tolist()
        [True, True]
    """
    ...


@binary()
def logical_xor(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return either x₁ or x₂ as bools; a number counts as its being other than 0.

    Example:
        >>> logical_xor([False, True], True).tolist()
        [True, False]
    """
    ...


@unary()
def logical_not(x: TensorLike, /) -> Tensor:
    """Return not x as bools; a number counts as its being other than 0.

    Example:
        >>> logical_not([False, True]).tolist()
        [True, False]
    """
    ...


@binary()
def bitwise_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the and of the bits of two integers or bools.

    Example:
        >>> bitwise_and([1, 3], 2).tolist()
        [0, 2]
    """
    ...


@binary()
def bitwise_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the or of the bits of two integers or bools.

    Example:
        >>> bitwise_or([1, 3], 2).tolist()
        [3, 3]
    """
    ...


@binary()
def bitwise_xor(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the exclusive or of the bits of two integers or bools.

    Example:
        >>> bitwise_xor([1, 3], 2).tolist()
        [3, 1]
    """
    ...


@unary()
def bitwise_invert(x: TensorLike, /) -> Tensor:
    """Return the inverted bits of integers; of bools, not x.

    Example:
        >>> bitwise_invert([0, 5]).tolist()
        [-1, -6]
    """
    ...


@binary()
def bitwise_left_shift(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ · 2^x₂ by shifting bits; 0 for a shift that is negative or beyond the width.

    Example:
        >>> bitwise_left_shift([1, 1], [3, 64]).tolist()
        [8, 0]
    """
    ...


@binary()
def bitwise_right_shift(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return ⌊x₁ / 2^x₂⌋ by shifting bits.

    A shift that is negative or beyond the width gives 0, or -1 for a negative x₁.

    Example:
        >>> bitwise_right_shift([8, -8], [2, 64]).tolist()
        [2, -1]
    """
    ...


@unary()
def isfinite(x: TensorLike, /) -> Tensor:
    """Return whether elements are neither infinite nor NaN.

    Example:
        >>> isfinite([1.0, float("inf"), float("nan")]).tolist()
        [True, False, False]
    """
    ...


@unary()
def isinf(x: TensorLike, /) -> Tensor:
    """Return whether elements are infinite.

    Example:
        >>> isinf([1.0, float("inf"), float("nan")]).tolist()
        [False, True, False]
    """
    ...


@unary()
def isnan(x: TensorLike, /) -> Tensor:
    """Return whether elements are NaN.

    Example:
        >>> isnan([1.0, float("inf"), float("nan")]).tolist()
        [False, False, True]
    """
    ...


_where = primitive("where")


def where(condition: TensorLike, x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ where the condition holds and x₂ elsewhere. All three broadcast.

    The derivative of the side not taken is 0 times that side's own: NaN where that is infinite
    (IEEE 754). `safe_where` never makes it.

    Raises:
        DTypeError: when the condition is not of dtype bool.
        ShapeError: when the shapes do not broadcast.

    Example:
        >>> where([True, False], [1, 2], 0).tolist()
        [1, 0]
    """
    if type(condition) is Tensor and type(x1) is Tensor and type(x2) is Tensor:
        backend = condition.backend
        mask, first, second = condition._native, x1._native, x2._native
        if (
            mask.dtype in backend.native_bools
            and x1.backend is backend
            and x2.backend is backend
            and first.dtype is second.dtype
        ):
            made: Tensor = dispatch(_where, backend, (condition, x1, x2), (mask, first, second))
            return made
    if type(condition) is not Tensor:
        like = x1 if type(x1) is Tensor else x2 if type(x2) is Tensor else None
        condition = as_tensor(condition, like)
    if condition.dtype != dtypes.bool_:
        raise DTypeError(f"where: the condition is bool, not {condition.dtype.name}")
    if type(x1) is not Tensor or type(x2) is not Tensor:
        x1, x2 = _beside(condition, x1, x2)
    x1, x2 = promoted(_where, x1, x2)
    out: Tensor = _where(condition, x1, x2)
    return out


def _beside(condition: Tensor, x1: TensorLike, x2: TensorLike) -> tuple[TensorLike, TensorLike]:
    """Make tensors on the condition's backend of what is no scalar; of one of two scalars too."""
    if type(x1) in weak_types and type(x2) in weak_types:
        kinds = [dtypes.default_dtype_of_kind(kind_of(one)) for one in (x1, x2)]
        return as_tensor(x1, condition, dtypes.promote(*kinds)), x2
    like = x1 if type(x1) is Tensor else x2 if type(x2) is Tensor else condition
    return (
        x1 if type(x1) in weak_types else as_tensor(x1, like),
        x2 if type(x2) in weak_types else as_tensor(x2, like),
    )


def safe_where(
    condition: TensorLike,
    fn: Callable[[Tensor], TensorLike],
    x: TensorLike,
    otherwise: TensorLike,
    /,
) -> Tensor:
    """Return fn(x) where the condition holds and ``otherwise`` elsewhere, guarded.

    Where the condition does not hold, fn sees a constant instead of x, and neither its value nor
    its derivative, infinite or NaN, ever reaches the result or a gradient.

    Example:
        >>> safe_where([True, False], lambda x: x ** 0.5, [4.0, -1.0], 0.0).tolist()
        [2.0, 0.0]
    """
    x = as_tensor(x)
    condition = as_tensor(condition, x)
    # ½ lies in the domain of every elementary function.
    inside = where(condition, x, 0.5 if x.dtype in dtypes.INEXACT else 1)
    return where(condition, fn(inside), otherwise)
