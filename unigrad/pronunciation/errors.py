"""What goes wrong while pronouncing: the words, not the model's file."""

from __future__ import annotations

from unigrad.core.errors import UnigradError

__all__ = ["WordError"]


class WordError(UnigradError, ValueError):
    """A word is empty, too long, or has a symbol that the model does not know."""
