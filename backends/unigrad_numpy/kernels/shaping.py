"""Moving elements. Views are fine: arrays are never changed in place."""

from operator import itemgetter, methodcaller
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]


def split(x: Array, axis: int, sizes: tuple[int, ...]) -> list[Array]:
    """Views of consecutive pieces."""
    before = (slice(None),) * axis
    pieces, start = [], 0
    for size in sizes:
        pieces.append(x[(*before, slice(start, start + size))])
        start += size
    return pieces


def pad(x: Array, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    """A constant around: ``np.pad`` takes five times as long to find out what to do."""
    sides = [*zip(x.shape, widths, strict=True)]
    out = np.full([before + length + after for length, (before, after) in sides], value, x.dtype)
    out[tuple([slice(before, before + length) for length, (before, _) in sides])] = x
    return out


def stack(*xs: Array, axis: int) -> Array:
    """Join along a new axis: ``np.stack``, which looks at the shapes again, takes twice as long."""
    key = (*(slice(None),) * axis, None)
    return np.concatenate([x[key] for x in xs], axis)


def _backwards(axis: tuple[int, ...]) -> tuple[slice, ...]:
    """Return the key that reverses axes."""
    last = max(axis, default=-1) + 1
    return tuple([slice(None, None, -1 if i in axis else 1) for i in range(last)])


def _broadcast_to(x: Array, shape: tuple[int, ...]) -> Array:
    """A view that is not to be written to: what `numpy.broadcast_to` does, in half of its time."""
    iterator = np.nditer((x,), _ANY_ARRAY, _READ, itershape=shape, order="C")
    view: Array = iterator.itviews[0]
    return view


_ANY_ARRAY: Any = ["multi_index", "refs_ok", "zerosize_ok"]
_READ: Any = ["readonly"]

TABLE = {
    "diagonal": lambda x, offset: x.diagonal(offset, -2, -1).copy(),
    "identity": lambda x: x,
    "stop_gradient": lambda x: x,
    "reshape": lambda x, shape: x.reshape(shape),
    "broadcast_to": _broadcast_to,
    "permute_dims": lambda x, axes: x.transpose(axes),
    "stack": stack,
    "flip": lambda x, axis: x[_backwards(axis)],
    "roll": lambda x, shift, axis: np.roll(x, shift, axis) if shift else x,
    "concat": lambda *xs, axis: np.concatenate(xs, axis),
    "split": split,
    "pad": pad,
    "tril": lambda x, k: np.tril(x, k),
    "triu": lambda x, k: np.triu(x, k),
    "tile": lambda x, repetitions: np.tile(x, repetitions),
    "repeat": lambda x, times, axis: x.repeat(times, axis),
    "unstack": lambda x, axis: list(np.moveaxis(x, axis, 0) if axis else x),
    # NumPy's own of a matrix is a view that nobody may write into.
    "diag": lambda x, k: np.diag(x, k) if x.ndim == 1 else np.diag(x, k).copy(),
}

#: The same methods, called without a step in between.
BINDERS: dict[Any, Any] = {
    TABLE["reshape"]: lambda shape: methodcaller("reshape", shape),
    TABLE["permute_dims"]: lambda axes: methodcaller("transpose", axes),
    TABLE["concat"]: lambda axis: lambda *xs: np.concatenate(xs, axis),
    TABLE["flip"]: lambda axis: itemgetter(_backwards(axis)),
    _broadcast_to: lambda shape: lambda x: _broadcast_to(x, shape),
    TABLE["repeat"]: lambda times, axis: methodcaller("repeat", times, axis),
}
