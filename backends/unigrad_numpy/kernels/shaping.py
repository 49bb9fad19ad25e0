"""Moving elements. Views are fine: arrays are never changed in place."""

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


TABLE = {
    "identity": lambda x: x,
    "stop_gradient": lambda x: x,
    "reshape": lambda x, shape: x.reshape(shape),
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "permute_dims": lambda x, axes: x.transpose(axes),
    "stack": lambda *xs, axis: np.stack(xs, axis),
    "flip": lambda x, axis: np.flip(x, axis),
    "roll": lambda x, shift, axis: np.roll(x, shift, axis) if shift else x,
    "concat": lambda *xs, axis: np.concatenate(xs, axis),
    "split": split,
    "pad": lambda x, widths, value: np.pad(x, widths, constant_values=value),
    "tril": lambda x, k: np.tril(x, k),
    "triu": lambda x, k: np.triu(x, k),
    "tile": lambda x, repetitions: np.tile(x, repetitions),
    "repeat": lambda x, times, axis: x.repeat(times, axis),
    "unstack": lambda x, axis: list(np.moveaxis(x, axis, 0)),
}
