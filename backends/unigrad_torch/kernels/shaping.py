"""Moving elements. Views are fine: arrays are never changed in place."""

from functools import partial
from operator import methodcaller
from typing import Any

import torch


def _pad(x: torch.Tensor, widths: tuple[tuple[int, int], ...], value: float) -> torch.Tensor:
    """A constant around; torch counts the axes from the last one on."""
    return torch.constant_pad_nd(x, _flat(widths), value)


def _flat(widths: tuple[tuple[int, int], ...]) -> list[int]:
    return [width for pair in reversed(widths) for width in pair]


TABLE = {
    "identity": lambda x: x,
    "stop_gradient": torch.Tensor.detach,
    "reshape": torch.reshape,
    "broadcast_to": lambda x, shape: x.expand(shape),
    "permute_dims": lambda x, axes: torch.permute(x, axes),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "flip": lambda x, axis: torch.flip(x, axis),
    "roll": lambda x, shift, axis: torch.roll(x, shift, axis) if shift else x,
    "concat": lambda *xs, axis: torch.cat(xs, axis),
    "split": lambda x, axis, sizes: torch.split_with_sizes(x, sizes, axis),
    "pad": _pad,
    "tril": lambda x, k: torch.tril(x, k),
    "triu": lambda x, k: torch.triu(x, k),
    "tile": lambda x, repetitions: x.repeat(repetitions),
    "repeat": lambda x, times, axis: torch.repeat_interleave(x, times, axis),
    "unstack": lambda x, axis: torch.unbind(x, axis),
    "diag": lambda x, k: torch.diag(x, k),
    "diagonal": lambda x, offset: torch.diagonal(x, offset, -2, -1),
}


def _bind_permute(axes: tuple[int, ...]) -> Any:
    # An exchange of two axes is a shorter way to the same view.
    return torch.Tensor.t if axes == (1, 0) else partial(torch.permute, dims=axes)


def _bind_roll(shift: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    return partial(torch.roll, shifts=shift, dims=axis) if shift else TABLE["identity"]


def _bind_pad(widths: tuple[tuple[int, int], ...], value: float) -> Any:
    return partial(torch.constant_pad_nd, pad=_flat(widths), value=value)


#: The same functions, called without a step in between.
BINDERS: dict[Any, Any] = {
    TABLE["diag"]: lambda k: partial(torch.diag, diagonal=k),
    TABLE["diagonal"]: lambda offset: partial(torch.diagonal, offset=offset, dim1=-2, dim2=-1),
    TABLE["broadcast_to"]: lambda shape: partial(torch.Tensor.expand, size=shape),
    TABLE["permute_dims"]: _bind_permute,
    TABLE["stack"]: lambda axis: lambda *xs: torch.stack(xs, axis),
    TABLE["concat"]: lambda axis: lambda *xs: torch.cat(xs, axis),
    TABLE["flip"]: lambda axis: partial(torch.flip, dims=axis),
    TABLE["roll"]: _bind_roll,
    TABLE["split"]: lambda axis, sizes: partial(
        torch.split_with_sizes, split_sizes=sizes, dim=axis
    ),
    TABLE["pad"]: _bind_pad,
    TABLE["tril"]: lambda k: partial(torch.tril, diagonal=k),
    TABLE["triu"]: lambda k: partial(torch.triu, diagonal=k),
    TABLE["tile"]: lambda repetitions: methodcaller("repeat", repetitions),
}
