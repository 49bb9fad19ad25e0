"""Running sums and products along an axis, and differences of neighbours.

Errors, the same for all: `ShapeError` for a bad axis.
"""

from __future__ import annotations

from collections.abc import Callable

from unigrad.control import identity
from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    common_tensors,
    constant,
    normalize_axis,
)
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import ShapeError
from unigrad.core.op import Op, composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import not_equal
from unigrad.ops.joining import concat
from unigrad.ops.reductions import accumulated, widened
from unigrad.ops.shaping import broadcast_to

__all__ = ["cumulative_prod", "cumulative_sum", "diff"]

#: ``reverse`` runs from the last element to the first: the transpose of a running sum.
_cumulative_sum = primitive("cumulative_sum")


@composite
def _cumulative_prod(x: Tensor, *, axis: int) -> Tensor:
    # Products over windows that double (Hillis and Steele's scan): made of products alone, its
    # derivative is exact where factors are zero, to any order.
    length = x.shape[axis]
    if length < 2:
        return identity(x)
    dtype = x.dtype
    x = widened(x)
    window = 1
    while window < length:
        first = _along(x, axis, 0, window)
        product = _along(x, axis, window, length) * _along(x, axis, 0, length - window)
        x = concat([first, product], axis=axis)
        window *= 2
    return cast(x, dtype)


def _along(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    """Return the elements from start to stop along an axis."""
    out: Tensor = x[(*[slice(None)] * axis, slice(start, stop))]
    return out


def cumulative_sum(
    x: TensorLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Tensor:
    """Return the running sums y[k] = Σ_{i ≤ k} x[i] along an axis.

    The axis must be named unless there is only one. Dtypes as in `sum`. ``include_initial`` puts
    the empty sum, 0, first, so that the axis is longer by one.

    Example:
        >>> cumulative_sum([1, 2, 3], include_initial=True).tolist()
        [0, 1, 3, 6]
    """
    return _cumulated(_cumulative_sum, x, axis, dtype, 0 if include_initial else None)


def cumulative_prod(
    x: TensorLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Tensor:
    """Return the running products y[k] = Π_{i ≤ k} x[i] along an axis.

    Dtypes as in `sum`; ``include_initial`` puts the empty product, 1, first. The
    derivative is exact also where factors are zero.

    Example:
        >>> cumulative_prod([1, 2, 3]).tolist()
        [1, 2, 6]
    """
    return _cumulated(_cumulative_prod, x, axis, dtype, 1 if include_initial else None)


def _cumulated(
    op: Op, x: TensorLike, axis: int | None, dtype: DTypeLike | None, initial: int | None
) -> Tensor:
    x = accumulated(op.name, as_tensor(x), dtype)
    if axis is None:
        if x.ndim != 1:
            raise ShapeError(f"{op.name}: an axis must be named for {x.ndim} dimensions")
        axis = 0
    axis = normalize_axis(op.name, axis, x.ndim)
    settings = {"reverse": False} if op is _cumulative_sum else {}
    out: Tensor = op(x, axis=axis, **settings)
    if initial is None:
        return out
    shape = tuple([1 if i == axis else n for i, n in enumerate(x.shape)])
    return concat([broadcast_to(constant(out, initial), shape), out], axis=axis)


def diff(
    x: TensorLike,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: TensorLike | None = None,
    append: TensorLike | None = None,
) -> Tensor:
    """Return the differences x[i + 1] - x[i] along an axis, taken ``n`` times.

    ``prepend`` and ``append`` are joined to ``x`` first, unless ``n`` is 0. Of bools: whether
    neighbours differ.

    Raises:
        ShapeError: when ``n`` is negative.

    Example:
        >>> diff([1, 4, 9, 16], n=2).tolist()
        [2, 2]
    """
    if n < 0:
        raise ShapeError(f"diff: n must not be negative, not {n}")
    if n == 0:
        return identity(as_tensor(x))
    given = [one for one in (prepend, x, append) if one is not None]
    tensors = common_tensors("diff", given)
    along = normalize_axis("diff", axis, tensors[0 if prepend is None else 1].ndim)
    joined = tensors[0] if len(tensors) == 1 else concat(tensors, axis=along)
    subtract: Callable[[Tensor, Tensor], Tensor] = (
        not_equal if joined.dtype == dtypes.bool_ else lambda a, b: a - b
    )
    for _ in range(n):
        length = joined.shape[along]
        joined = subtract(
            _along(joined, along, 1, length), _along(joined, along, 0, max(length - 1, 0))
        )
    return joined
