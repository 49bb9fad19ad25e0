"""Products of matrices and tensors."""

from __future__ import annotations

import numpy as np

from unigrad.core.errors import ShapeError
from unigrad.core.op import TensorLike, primitive, promoted
from unigrad.core.tensor import Tensor

__all__ = ["matmul"]

_matmul = primitive("matmul")


def matmul(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the matrix product over the last two axes; the others broadcast.

    A one-dimensional factor is a row on the left and a column on the right, and the axis that
    this adds is not in the result.

    Raises:
        ShapeError: when a factor has no axis or the inner lengths differ.

    Example:
        >>> matmul([[1, 2]], [[3], [4]]).tolist()
        [[11]]
    """
    x1, x2 = promoted(_matmul, x1, x2)
    first, second = x1.shape, x2.shape
    if not first or not second or first[-1] != second[-2 if len(second) > 1 else 0]:
        raise ShapeError(f"matmul: shapes {first} and {second} do not fit")
    if len(first) > 2 or len(second) > 2:
        try:
            np.broadcast_shapes(first[:-2], second[:-2])
        except ValueError:
            raise ShapeError(f"matmul: shapes {first} and {second} do not broadcast") from None
    out: Tensor = _matmul(x1, x2)
    return out
