"""Searching in sorted vectors. (Sorting itself runs along an axis: see the reductions.)"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from unigrad.batching.registry import Batch, batching, spread
from unigrad.core.arguments import cast
from unigrad.core.dtypes import int64
from unigrad.core.op import OPS
from unigrad.ops.comparison import greater_equal
from unigrad.ops.cumulative import cumulative_sum
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.joining import concat
from unigrad.ops.shaping import reshape
from unigrad.ops.sorting import argsort


def _searchsorted(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Search in one vector, or merge: a value fits behind as many as come before it when merged.

    The sort is stable, so of equal ones those that are given first come first.
    """
    if not batch.axes[0]:
        return batch.op(*inputs, right=settings["right"])
    x1, x2 = spread(batch, inputs)
    found = x2.shape
    length = x1.shape[1]
    x2 = reshape(x2, (batch.size, prod(found[1:])))
    count = x2.shape[1]
    if settings["right"]:
        joined, first, behind = [x1, x2], length, 0
    else:
        joined, first, behind = [x2, x1], 0, count
    order = argsort(concat(joined, axis=1), axis=1)
    rank = argsort(order, axis=1)[:, first : first + count]
    of_x1 = greater_equal(order, behind) if behind else OPS["less"](order, length)
    before = cumulative_sum(cast(of_x1, int64), axis=1)
    return reshape(take_along_axis(before, rank, axis=1), found)


batching(_searchsorted, "searchsorted")
