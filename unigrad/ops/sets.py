"""Tensors as sets: unique elements, membership, unions and intersections.

How many unique elements there are depends on values, so only `isin` can be traced. Every NaN is
different from every other; 0 and -0 are equal. Complex numbers are in order of their real, then of
their imaginary parts. Indices, counts and truths have derivative zero.

Errors, the same for all: `TracingError` inside a traced function.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, common_tensors, constant
from unigrad.core.dispatch import dispatch
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import minimum
from unigrad.ops.comparison import equal, logical_not, not_equal
from unigrad.ops.cumulative import cumulative_sum, diff
from unigrad.ops.filling import full_like
from unigrad.ops.indexing import getitem, nonzero, take
from unigrad.ops.joining import concat
from unigrad.ops.parts import imag, real
from unigrad.ops.reductions import any
from unigrad.ops.shaping import expand_dims, ravel, reshape
from unigrad.ops.sorting import argsort, searchsorted, sort

__all__ = [
    "intersect1d", "isin", "setdiff1d", "union1d", "unique_all", "unique_counts",
    "unique_inverse", "unique_values",
]  # fmt: skip


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


def unique_all(x: TensorLike, /) -> UniqueAll:
    """Return the unique elements in ascending order, and three ways in which ``x`` holds them.

    ``indices`` says where each comes first in the flattened ``x``, ``inverse_indices`` (of the
    shape of ``x``) which one each element is, ``counts`` how often each comes; all int64.

    Example:
        >>> found = unique_all([3, 1, 3])
        >>> found.values.tolist(), found.indices.tolist(), found.counts.tolist()
        ([1, 3], [1, 0], [1, 2])
        >>> found.inverse_indices.tolist()
        [1, 0, 1]
    """
    x = as_tensor(x)
    if "unique_all" in x.backend.kernels and x._native.dtype not in x.backend.native_complex:
        return UniqueAll(*dispatch(_unique_all, x.backend, (x,), (x._native,)))
    return UniqueAll(*_uniques(x))


def _uniques(x: Tensor) -> tuple[Tensor, ...]:
    """Return what `unique_all` does, by other ops."""
    flat = reshape(x, (-1,))
    order = _order(flat)
    ascending = take(flat, order, axis=0)
    begins = _beginnings(ascending)
    (starts,) = nonzero(begins)
    ranks = cumulative_sum(cast(begins, dtypes.int64)) - 1
    return (
        take(ascending, starts, axis=0),
        take(order, starts, axis=0),
        reshape(take(ranks, argsort(order), axis=0), x.shape),
        diff(starts, append=reshape(constant(starts, x.size), (1,))),
    )


@composite
def _unique_all(x: Tensor) -> tuple[Tensor, ...]:
    return _uniques(x)


_unique_all.by_value = True


@whole.as_one_op("native_integers", looks=True)
def unique_values(x: TensorLike, /) -> Tensor:
    """Return the unique elements in ascending order.

    Example:
        >>> unique_values([3, 1, 3]).tolist()
        [1, 3]
    """
    x = as_tensor(x)
    flat = ravel(x)
    complex_numbers = flat.dtype in dtypes.COMPLEX
    ascending = take(flat, _order(flat), axis=0) if complex_numbers else sort(flat)
    found: Tensor = ascending[_beginnings(ascending)]
    return found


def _order(flat: Tensor) -> Tensor:
    """Return the indices that put elements in ascending order."""
    if flat.dtype not in dtypes.COMPLEX:
        return argsort(flat)
    by_imaginary = argsort(imag(flat))
    return take(by_imaginary, argsort(take(real(flat), by_imaginary, axis=0)), axis=0)


@composite
def _beginnings(ascending: Tensor) -> Tensor:
    """Tell where a new value begins: at the first place, and wherever neighbours differ."""
    changes = not_equal(ascending[1:], ascending[:-1])
    if not ascending.size:
        return changes
    return concat([constant(changes, [True]), changes])


@whole.as_one_op("native_integers", looks=True)
def unique_counts(x: TensorLike, /) -> UniqueCounts:
    """Return the unique elements in ascending order and how often each comes (int64).

    Example:
        >>> unique_counts([3, 1, 3]).counts.tolist()
        [1, 2]
    """
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


@whole.as_one_op("native_integers", looks=True)
def unique_inverse(x: TensorLike, /) -> UniqueInverse:
    """Return the unique elements in ascending order and which one each element is (int64).

    Example:
        >>> unique_inverse([3, 1, 3]).inverse_indices.tolist()
        [1, 0, 1]
    """
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


@whole.as_one_op("native_dtypes")
def isin(x1: TensorLike, x2: TensorLike, /, *, invert: bool = False) -> Tensor:
    """Tell for each element of ``x1`` whether it is (``invert``: is not) among those of ``x2``.

    Example:
        >>> isin([1, 2, 3], [3, 1]).tolist()
        [True, False, True]
    """
    x1, x2 = common_tensors("isin", (x1, x2))
    if x2.size == 0:
        return full_like(x1, invert, dtype=dtypes.bool_)
    if x1.dtype in dtypes.COMPLEX:
        found = any(equal(expand_dims(x1, -1), reshape(x2, (-1,))), axis=-1)
        return logical_not(found) if invert else found
    among = sort(reshape(x2, (-1,)))
    # The first element that is not less is the equal one, when there is one.
    place = minimum(searchsorted(among, x1), among.size - 1)
    candidate = take(among, place, axis=0)
    return not_equal(candidate, x1) if invert else equal(candidate, x1)


def union1d(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the unique elements of both tensors in ascending order.

    Example:
        >>> union1d([3, 1], [[1, 2]]).tolist()
        [1, 2, 3]
    """
    x1, x2 = common_tensors("union1d", (x1, x2))
    return unique_values(concat([x1, x2], axis=None))


def setdiff1d(x1: TensorLike, x2: TensorLike, /, *, assume_unique: bool = False) -> Tensor:
    """Return the unique elements of ``x1`` that are not in ``x2``, in ascending order.

    With ``assume_unique`` those of ``x1`` are taken as they come, in their order.

    Example:
        >>> setdiff1d([3, 1, 2, 3], [1]).tolist()
        [2, 3]
    """
    x1, x2 = common_tensors("setdiff1d", (x1, x2))
    own = ravel(x1) if assume_unique else unique_values(x1)
    return getitem(own, isin(own, x2, invert=True))


def intersect1d(
    x1: TensorLike,
    x2: TensorLike,
    /,
    *,
    assume_unique: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the unique elements that are in both tensors, in ascending order.

    ``return_indices`` also returns where each comes first in the flattened ``x1`` and ``x2``
    (int64). The derivative goes to the elements of ``x1``. ``assume_unique`` is there for NumPy's
    sake: elements are made unique whatever it says.

    Example:
        >>> intersect1d([3, 1, 3], [2, 3, 1]).tolist()
        [1, 3]
        >>> [one.tolist() for one in intersect1d([3, 1], [1, 2], return_indices=True)]
        [[1], [1], [0]]
    """
    x1, x2 = common_tensors("intersect1d", (x1, x2))
    if not return_indices:
        values = unique_values(x1)
        return getitem(values, isin(values, x2))
    first = unique_all(x1)
    both = isin(first.values, x2)
    found = getitem(first.values, both)
    second = unique_all(x2)
    return (
        found,
        getitem(first.indices, both),
        getitem(second.indices, isin(second.values, x1)),
    )
