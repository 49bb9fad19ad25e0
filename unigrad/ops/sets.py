"""Tensors as sets: unique elements and membership.

How many unique elements there are depends on values, so ``unique_…`` cannot be traced. Every NaN is
different from every other; 0 and -0 are equal. Indices, counts and truths have derivative zero.

Errors, the same for all: `TracingError` inside a traced function, `DTypeError` for complex numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, common_tensors, constant
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import minimum
from unigrad.ops.comparison import equal, not_equal
from unigrad.ops.creation import full_like
from unigrad.ops.cumulative import cumulative_sum, diff
from unigrad.ops.indexing import nonzero, take
from unigrad.ops.joining import concat
from unigrad.ops.shaping import reshape
from unigrad.ops.sorting import argsort, searchsorted, sort

__all__ = ["isin", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


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
    flat = reshape(x, (-1,))
    order = argsort(flat)
    ascending = take(flat, order, axis=0)
    # A new value begins at the first place and wherever neighbours differ.
    begins = not_equal(ascending[1:], ascending[:-1])
    if x.size:
        begins = concat([reshape(constant(begins, True), (1,)), begins])
    (starts,) = nonzero(begins)
    ranks = cumulative_sum(cast(begins, dtypes.int64)) - 1
    return UniqueAll(
        take(ascending, starts, axis=0),
        take(order, starts, axis=0),
        reshape(take(ranks, argsort(order), axis=0), x.shape),
        diff(starts, append=reshape(constant(starts, x.size), (1,))),
    )


def unique_values(x: TensorLike, /) -> Tensor:
    """Return the unique elements in ascending order.

    Example:
        >>> unique_values([3, 1, 3]).tolist()
        [1, 3]
    """
    return unique_all(x).values


def unique_counts(x: TensorLike, /) -> UniqueCounts:
    """Return the unique elements in ascending order and how often each comes (int64).

    Example:
        >>> unique_counts([3, 1, 3]).counts.tolist()
        [1, 2]
    """
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: TensorLike, /) -> UniqueInverse:
    """Return the unique elements in ascending order and which one each element is (int64).

    Example:
        >>> unique_inverse([3, 1, 3]).inverse_indices.tolist()
        [1, 0, 1]
    """
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def isin(x1: TensorLike, x2: TensorLike, /, *, invert: bool = False) -> Tensor:
    """Tell for each element of ``x1`` whether it is (``invert``: is not) among those of ``x2``.

    Example:
        >>> isin([1, 2, 3], [3, 1]).tolist()
        [True, False, True]
    """
    x1, x2 = common_tensors("isin", (x1, x2))
    among = sort(reshape(x2, (-1,)))
    if among.size == 0:
        return full_like(x1, invert, dtype=dtypes.bool_)
    # The first element that is not less is the equal one, when there is one.
    place = minimum(searchsorted(among, x1), among.size - 1)
    candidate = take(among, place, axis=0)
    return not_equal(candidate, x1) if invert else equal(candidate, x1)
