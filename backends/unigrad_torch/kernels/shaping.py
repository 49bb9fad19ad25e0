"""Moving elements. Views are fine: arrays are never changed in place."""

import torch


def pad(x: torch.Tensor, widths: tuple[tuple[int, int], ...], value: float) -> torch.Tensor:
    """A constant around; torch counts the axes from the last one on."""
    flat = [width for pair in reversed(widths) for width in pair]
    return torch.nn.functional.pad(x, flat, value=value)


TABLE = {
    "identity": lambda x: x,
    "stop_gradient": torch.Tensor.detach,
    "reshape": torch.reshape,
    "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
    "permute_dims": lambda x, axes: torch.permute(x, axes),
    "stack": lambda *xs, axis: torch.stack(xs, axis),
    "flip": lambda x, axis: torch.flip(x, axis),
    "roll": lambda x, shift, axis: torch.roll(x, shift, axis) if shift else x,
    "concat": lambda *xs, axis: torch.cat(xs, axis),
    "split": lambda x, axis, sizes: torch.split(x, sizes, axis),
    "pad": pad,
    "tril": lambda x, k: torch.tril(x, k),
    "triu": lambda x, k: torch.triu(x, k),
    "tile": lambda x, repetitions: x.repeat(repetitions),
    "repeat": lambda x, times, axis: torch.repeat_interleave(x, times, axis),
    "unstack": lambda x, axis: torch.unbind(x, axis),
}
