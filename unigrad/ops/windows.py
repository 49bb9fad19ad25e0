"""Windows: blocks of a tensor at a start that may be known only when the function runs.

A start that would let the window reach beyond the tensor is moved so that it fits, on every
backend, in eager mode and traced alike (a start is a place to look, not an index).
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.creation import astype
from unigrad.ops.identity import identity
from unigrad.ops.shaping import as_shape, reshape
from unigrad.ops.updating import at_set

__all__ = ["dynamic_slice", "slice", "slice_update"]

#: One start per axis: ints, 0-d integer tensors, or one tensor of them all.
Starts = Sequence[Any] | TensorLike


def dynamic_slice(x: TensorLike, starts: Starts, shape: Sequence[int], /) -> Tensor:
    """Return the block of a shape that begins at the starts, moved inside of ``x`` if need be.

    Example:
        >>> dynamic_slice([1, 2, 3, 4], [3], (2,)).tolist()
        [3, 4]
    """
    x = as_tensor(x)
    key = _known_window(x, starts, shape)
    if key is not None:
        window: Tensor = x[key]
        return window
    found = _indices("dynamic_slice", x, starts, shape)
    if all(index is None for index in found):
        return identity(x)
    for axis, index in enumerate(found):
        if index is not None:
            x = OPS["take"](x, index, axis=axis)
    out: Tensor = x
    return out


def slice(x: TensorLike, starts: Starts, shape: Sequence[int], /) -> Tensor:
    """Return the block of a shape that begins at the starts; see `dynamic_slice`.

    Example:
        >>> slice([[1, 2], [3, 4]], [0, 1], (2, 1)).tolist()
        [[2], [4]]
    """
    return dynamic_slice(x, starts, shape)


def slice_update(x: TensorLike, starts: Starts, values: TensorLike, /) -> Tensor:
    """Return ``x`` with the block that begins at the starts replaced by values of its shape.

    Example:
        >>> slice_update([1, 2, 3], [1], [7, 8]).tolist()
        [1, 7, 8]
    """
    x = as_tensor(x)
    values = as_tensor(values, x)
    key = _known_window(x, starts, values.shape)
    if key is not None:
        return at_set(x, key, values)
    found = _indices("slice_update", x, starts, values.shape)
    grid = []
    for axis, index in enumerate(found):
        every = as_tensor(np.arange(x.shape[axis]), x) if index is None else index
        column = tuple([-1 if i == axis else 1 for i in range(x.ndim)])
        grid.append(reshape(every, column))
    return at_set(x, tuple(grid), values)


def _known_window(x: Tensor, starts: Any, shape: Any) -> tuple[builtins.slice, ...] | None:
    """Return the key of a window whose numbers are Python's own and fit; else ``None``."""
    lengths = x.shape
    if not lengths or type(starts) not in _SEQUENCES or type(shape) not in _SEQUENCES:
        return None
    if not len(starts) == len(shape) == len(lengths):
        return None
    key = []
    for start, count, length in zip(starts, shape, lengths, strict=True):
        if type(start) is not int or type(count) is not int or not 0 <= count <= length:
            return None
        first = min(max(start, 0), length - count)
        key.append(builtins.slice(first, first + count))
    return tuple(key)


_SEQUENCES = frozenset((tuple, list))


def _indices(name: str, x: Tensor, starts: Starts, shape: Sequence[int]) -> list[Tensor | None]:
    """Return the indices of a window along each axis; None for a whole axis."""
    lengths = as_shape(name, shape)
    given = [starts[i] for i in range(len(starts))]
    if len(lengths) != x.ndim or len(given) != x.ndim:
        raise ShapeError(
            f"{name}: {len(given)} starts and a window of shape {lengths} do not fit a tensor of "
            f"shape {x.shape}"
        )
    found: list[Tensor | None] = []
    for start, count, length in zip(given, lengths, x.shape, strict=True):
        if not 0 <= count <= length:
            raise ShapeError(f"{name}: a window of shape {lengths} is not inside of {x.shape}")
        if count == length:
            found.append(None)
            continue
        first = astype(as_tensor(start, x), "int64")
        first = minimum(maximum(first, 0), length - count)
        found.append(first + as_tensor(np.arange(count), x))
    return found
