"""Running sums, products and extremes along an axis, and differences of neighbours.

Errors, the same for all: `ShapeError` for a bad axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from unigrad.core import dtypes
from unigrad.core.arguments import (
    TensorLike,
    as_tensor,
    cast,
    common_tensors,
    constant,
    to_floating,
)
from unigrad.core.axes import normalize_axis, plain_axis
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import Op, composite, primitive
from unigrad.core.plans import planned
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import not_equal
from unigrad.ops.elementary import logaddexp
from unigrad.ops.identity import identity
from unigrad.ops.joining import concat
from unigrad.ops.reductions import accumulated, widened
from unigrad.ops.shaping import as_integer, broadcast_to

__all__ = [
    "cumulative_logsumexp", "cumulative_max", "cumulative_min", "cumulative_prod",
    "cumulative_sum", "diff",
]  # fmt: skip

#: ``reverse`` runs from the last element to the first: the transpose of a running sum.
_cumulative_sum = primitive("cumulative_sum")
_cumulative_max = primitive("cumulative_max")
_cumulative_min = primitive("cumulative_min")


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
    if type(x) is Tensor and type(axis) is int and dtype is None and include_initial is False:
        native_dtype, backend = x._native.dtype, x.backend
        if native_dtype is backend.native_single or native_dtype in backend.native_floats:
            return _summed(x, axis)
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
    if type(x) is Tensor and type(axis) is int and dtype is None and include_initial is False:
        native_dtype, backend = x._native.dtype, x.backend
        if native_dtype is backend.native_single or native_dtype in backend.native_floats:
            return _multiplied(x, axis)
    return _cumulated(_cumulative_prod, x, axis, dtype, 1 if include_initial else None)


def _cumulated(
    op: Op, x: TensorLike, axis: int | None, dtype: DTypeLike | None, initial: int | None
) -> Tensor:
    if type(x) is not Tensor or dtype is not None:
        x = as_tensor(x)
    x = accumulated(op.name, x, dtype)
    if axis is None:
        if x.ndim != 1:
            raise ShapeError(f"{op.name}: an axis must be named for {x.ndim} dimensions")
        axis = 0
    out: Tensor = _running[op](x, plain_axis(op.name, axis))
    if initial is None:
        return out
    axis = normalize_axis(op.name, axis, x.ndim)
    shape = tuple([1 if i == axis else n for i, n in enumerate(x.shape)])
    return concat([broadcast_to(constant(out, initial), shape), out], axis=axis)


def _plan(op: Op) -> Callable[..., Mapping[str, Any]]:
    settings = {"reverse": False} if op is _cumulative_sum else {}
    return lambda shape, axis: {"axis": normalize_axis(op.name, axis, len(shape)), **settings}


_running = {op: planned(op, _plan(op)) for op in (_cumulative_sum, _cumulative_prod)}
_summed, _multiplied = _running[_cumulative_sum], _running[_cumulative_prod]


def cumulative_max(x: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return the greatest element so far, y[k] = max x[i] over i ≤ k; NaN from the first NaN on.

    The axis must be named unless there is only one. The gradient of y[k] goes in equal parts to
    the elements up to k that are equal to it.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> cumulative_max([1, 3, 2, 4]).tolist()
        [1, 3, 3, 4]
    """
    return _extremes(_cumulative_max, x, axis)


def cumulative_min(x: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return the least element so far, y[k] = min x[i] over i ≤ k. See `cumulative_max`.

    Example:
        >>> cumulative_min([3, 1, 2, 0]).tolist()
        [3, 1, 1, 0]
    """
    return _extremes(_cumulative_min, x, axis)


def cumulative_logsumexp(x: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return y[k] = log Σ_{i ≤ k} exp x[i] along an axis, without overflow.

    The axis must be named unless there is only one. Integers are computed in the default float,
    half precision in float32. Where all are -∞ so far, so is the result, with derivative 0.

    Raises:
        DTypeError: for complex numbers.

    Example:
        >>> [round(one, 4) for one in cumulative_logsumexp([0.0, 0.0, 0.0]).tolist()]
        [0.0, 0.6931, 1.0986]
    """
    return _extremes(_cumulative_logsumexp, to_floating(as_tensor(x)), axis)


def _extremes(op: Op, x: TensorLike, axis: int | None) -> Tensor:
    x = as_tensor(x)
    if x.dtype in dtypes.COMPLEX:
        raise DTypeError(f"{op.name}: complex numbers have no order ({x.dtype.name})")
    if axis is None and x.ndim != 1:
        raise ShapeError(f"{op.name}: an axis must be named for {x.ndim} dimensions")
    out: Tensor = op(x, axis=normalize_axis(op.name, 0 if axis is None else axis, x.ndim))
    return out


@composite
def _cumulative_logsumexp(x: Tensor, *, axis: int) -> Tensor:
    length = x.shape[axis]
    if length < 2:
        return identity(x)
    dtype = x.dtype
    x = widened(x)
    window = 1
    while window < length:
        first = _along(x, axis, 0, window)
        both = logaddexp(_along(x, axis, window, length), _along(x, axis, 0, length - window))
        x = concat([first, both], axis=axis)
        window *= 2
    return cast(x, dtype)


def diff(
    x: TensorLike,
    /,
    n: int = 1,
    *,
    axis: int = -1,
    prepend: TensorLike | None = None,
    append: TensorLike | None = None,
) -> Tensor:
    """Return the differences x[i + 1] - x[i] along an axis, taken ``n`` times.

    ``prepend`` and ``append`` are joined to ``x`` first, unless ``n`` is 0; a 0-d one stands for a
    slice of it. Of bools: whether neighbours differ.

    Raises:
        ShapeError: when ``n`` is negative.

    Example:
        >>> diff([1, 4, 9, 16], n=2).tolist()
        [2, 2]
    """
    if type(x) is Tensor and prepend is None is append and type(axis) is type(n) is int and n > 0:
        return _differences(x, axis, n)
    n = as_integer("diff", n)
    if n < 0:
        raise ShapeError(f"diff: n must not be negative, not {n}")
    if n == 0:
        return identity(as_tensor(x))
    given = [one for one in (prepend, x, append) if one is not None]
    tensors = common_tensors("diff", given)
    shape = tensors[0 if prepend is None else 1].shape
    along = normalize_axis("diff", axis, len(shape))
    edge = (*shape[:along], 1, *shape[along + 1 :])
    parts = [one if one.ndim else broadcast_to(one, edge) for one in tensors]
    joined = parts[0] if len(parts) == 1 else concat(parts, axis=along)
    # Of nothing there are no more differences.
    out: Tensor = _diff(joined, axis=along, n=min(n, max(joined.shape[along], 1)))
    return out


@composite
def _diff(x: Tensor, *, axis: int, n: int) -> Tensor:
    subtract: Callable[[Tensor, Tensor], Tensor] = (
        not_equal if x.dtype == dtypes.bool_ else lambda a, b: a - b
    )
    for _ in range(n):
        length = x.shape[axis]
        x = subtract(_along(x, axis, 1, length), _along(x, axis, 0, max(length - 1, 0)))
    return x


def _plan_diff(shape: tuple[int, ...], axis: int, n: int) -> Mapping[str, Any]:
    along = normalize_axis("diff", axis, len(shape))
    return {"axis": along, "n": min(n, max(shape[along], 1))}


_differences = planned(_diff, _plan_diff)
