"""Comparisons, logic and bits.

Comparisons give bools; their derivative is zero (connected, never an error).
"""

from __future__ import annotations

from unigrad.core.op import TensorLike, binary
from unigrad.core.tensor import Tensor

__all__ = ["greater"]

@binary()
def greater(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return x₁ > x₂ as bools.

    Example:
        >>> greater([1, 2], 1).tolist()
        [False, True]
    """
    ...
