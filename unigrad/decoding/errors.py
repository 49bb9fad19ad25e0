"""What goes wrong while decoding: the values of a step, not the settings of a search."""

from __future__ import annotations

from unigrad.core.errors import UnigradError

__all__ = ["DecodingError"]


class DecodingError(UnigradError, ValueError):
    """A step gave NaN, or left no token that may come next."""
