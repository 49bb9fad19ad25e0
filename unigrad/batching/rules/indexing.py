"""Reading and writing by index.

Where the indices differ from example to example, the batch's axis and the one that is indexed
become one: index i of example b is index b n + i of that. `ravel_index` says so also of negative
indices and of those out of bounds.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from unigrad.batching.registry import Batch, batching, spread
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.dtypes import int64
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.shaping import moveaxis, reshape

Inputs = Sequence[Any]
Settings = Mapping[str, Any]


def examples(like: Tensor, size: int, rank: int) -> Tensor:
    """Return the examples' numbers as a batch of indices of this rank, beside other indices."""
    numbers = np.arange(size, dtype=like.dtype).reshape(size, *[1] * rank)
    return as_tensor(numbers, like)


def merged(index: Tensor, size: int, length: int) -> Tensor:
    """Return a batch of indices into an axis as indices into that axis of all examples in turn."""
    # Narrow integers may not hold as many.
    index = cast(index, int64)
    out: Tensor = OPS["ravel_index"](
        examples(index, size, index.ndim - 1), index, dims=(size, length)
    )
    return out


# -- reading


def _take(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    x, index = inputs
    axis = settings["axis"]
    if batch.axes == (True, False):
        return batch.op(x, index, axis=axis + 1)
    if batch.axes == (False, True):
        return moveaxis(batch.op(x, index, axis=axis), axis, 0)
    if x.ndim == 2:
        flat = reshape(index, (batch.size, prod(index.shape[1:])))
        return reshape(OPS["take_along_axis"](x, flat, axis=1), index.shape)
    x = moveaxis(x, axis + 1, 1)
    rows = reshape(x, (batch.size * x.shape[1], *x.shape[2:]))
    taken = batch.op(rows, merged(index, batch.size, x.shape[1]), axis=0)
    places = range(1, index.ndim)
    return moveaxis(taken, (*places,), tuple([axis + i for i in places]))


def _along_axis(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    """Read, or add, element by element: both inputs have all axes."""
    return batch.op(*spread(batch, inputs), **{**settings, "axis": settings["axis"] + 1})


def _last_of_each(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    [index], length = inputs, settings["length"]
    return batch.op(merged(index, batch.size, length), length=batch.size * length)


batching(_take, "take")
batching(_along_axis, "add_along_axis", "take_along_axis")
batching(_last_of_each, "last_of_each")


# -- writing


def _spread_both(batch: Batch, inputs: Inputs) -> list[Tensor]:
    """Return what is written to, and what is written, with the batch's axis."""
    return spread(Batch(batch.op, batch.size, batch.axes[:2]), inputs[:2])


def _write(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    """Write v at indices along an axis of x."""
    axis = settings["axis"]
    if not batch.axes[2]:
        return batch.op(*_spread_both(batch, inputs), inputs[2], axis=axis + 1)
    x, v, index = spread(batch, inputs)
    length = x.shape[axis + 1]
    x = moveaxis(x, axis + 1, 1)
    rows = reshape(x, (batch.size * length, *x.shape[2:]))
    written = batch.op(
        rows, _first(v, axis, index.ndim - 1), merged(index, batch.size, length), axis=0
    )
    return moveaxis(reshape(written, x.shape), 1, axis + 1)


def _first(v: Tensor, axis: int, count: int) -> Tensor:
    """Bring the axes of the indices, of each example, before the others."""
    places = range(count)
    return moveaxis(v, tuple([axis + 1 + i for i in places]), tuple([1 + i for i in places]))


def _scatter_add(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    axis, length = settings["axis"], settings["length"]
    if not batch.axes[1]:
        return batch.op(*inputs, axis=axis + 1, length=length)
    v, index = spread(batch, inputs)
    v = _first(v, axis, index.ndim - 1)
    places = merged(index, batch.size, length)
    rows = batch.op(v, places, axis=0, length=batch.size * length)
    return moveaxis(reshape(rows, (batch.size, length, *rows.shape[1:])), 1, axis + 1)


batching(_write, "at_add", "at_multiply", "scatter_max", "scatter_min", "scatter_set")
batching(_scatter_add, "scatter_add")


# -- by a basic key, whose starts are the same for all examples


def _getitem(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    return batch.op(*inputs, spec=("all", *settings["spec"]))


def _place_slice(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    shape = (batch.size, *settings["shape"])
    return batch.op(*inputs, spec=("all", *settings["spec"]), shape=shape)


def _slice_update(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    x, v, *starts = inputs
    return batch.op(*_spread_both(batch, (x, v)), *starts, spec=("all", *settings["spec"]))


batching(_getitem, "getitem")
batching(_place_slice, "place_slice")
batching(_slice_update, "slice_update")
