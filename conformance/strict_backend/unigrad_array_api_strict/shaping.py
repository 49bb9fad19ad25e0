"""Moving elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict as xp


def split(x: Any, *, axis: int, sizes: tuple[int, ...]) -> list[Any]:
    """Consecutive pieces."""
    before = (slice(None),) * axis
    pieces, start = [], 0
    for size in sizes:
        pieces.append(x[(*before, slice(start, start + size), ...)])
        start += size
    return pieces


def pad(x: Any, *, widths: tuple[tuple[int, int], ...], value: Any) -> Any:
    """A constant around."""
    sides = [*zip(x.shape, widths, strict=True)]
    shape = tuple([before + length + after for length, (before, after) in sides])
    out = xp.full(shape, value, dtype=x.dtype, device=x.device)
    if sides:
        out[tuple([slice(before, before + length) for length, (before, _) in sides])] = x
        return out
    return x


TABLE: dict[str, Callable[..., Any]] = {
    "broadcast_to": lambda x, shape: xp.broadcast_to(x, shape),
    "concat": lambda *xs, axis: xp.concat(xs, axis=axis),
    "flip": lambda x, axis: xp.flip(x, axis=axis),
    "identity": lambda x: x,
    "pad": pad,
    "permute_dims": lambda x, axes: xp.permute_dims(x, axes),
    "reshape": lambda x, shape: xp.reshape(x, shape),
    "roll": lambda x, shift, axis: xp.roll(x, shift, axis=axis),
    "split": split,
    "stack": lambda *xs, axis: xp.stack(xs, axis=axis),
    "stop_gradient": lambda x: x,
    "tril": lambda x, k: xp.tril(x, k=k),
    "triu": lambda x, k: xp.triu(x, k=k),
    "unstack": lambda x, axis: list(xp.unstack(x, axis=axis)),
}
