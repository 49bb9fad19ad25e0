"""Sources of few widths, so that little is compiled."""

from __future__ import annotations

from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.decoding.steps import padding_of
from unigrad.ops.filling import full
from unigrad.ops.joining import concat

__all__ = ["pad_sources", "padded_width"]


def padded_width(width: int) -> int:
    """Return the next of 8, 12, 16, … 32, 40, 48, … 64, 80 …: at most a quarter more from 16 on.

    Example:
        >>> [padded_width(n) for n in (0, 8, 9, 26, 33, 100)]
        [8, 8, 12, 28, 40, 112]
    """
    unit = 4
    while 8 * unit < width:
        unit *= 2
    return max(8, -(-width // unit) * unit)


def pad_sources(source: TensorLike, padding: int = 0) -> Tensor:
    """Return tokens (batch, time) with padding behind, up to `padded_width`.

    A search that is compiled for them is compiled for a few widths, not for every length.

    Raises:
        ShapeError: when the source has not two axes.
        SettingError: when the padding is no integer.
        DTypeError: when the source's dtype cannot hold it.

    Example:
        >>> pad_sources([[3, 4]]).shape
        (1, 8)
    """
    tokens = as_tensor(source)
    if tokens.ndim != 2:
        raise ShapeError(f"pad_sources: sources are (batch, time), not {tokens.shape}")
    batch, width = tokens.shape
    missing = padded_width(width) - width
    if not missing:
        return tokens
    filling = padding_of("pad_sources", padding)
    behind = full((batch, missing), filling, dtype=tokens.dtype, like=tokens)
    return concat([tokens, behind], axis=1)
