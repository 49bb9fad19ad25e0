"""Sets of labels as vectors of zeros and ones."""

from __future__ import annotations

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.axes import normalize_axis
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.reductions import any as some
from unigrad.ops.shaping import as_integer
from unigrad.ops.softmax import one_hot

__all__ = ["multi_hot"]


def multi_hot(
    indices: TensorLike, /, num_classes: int, *, axis: int = -1, dtype: DTypeLike | None = None
) -> Tensor:
    """Return 1 at each index along an axis, which becomes of length ``num_classes``; else 0.

    An index out of range, such as -1 for padding, counts for nothing; ``dtype`` is the default
    floating one unless given.

    Raises:
        DTypeError: when the indices are no integers.
        ShapeError: for a bad axis or a negative ``num_classes``.

    Example:
        >>> multi_hot([[0, 2], [1, -1]], 3, dtype="int64").tolist()
        [[1, 0, 1], [0, 1, 0]]
    """
    indices = as_tensor(indices)
    if not indices.ndim:
        raise ShapeError("multi_hot: a single index has no axis: use one_hot")
    place = normalize_axis("multi_hot", as_integer("multi_hot", axis), indices.ndim)
    hot = some(one_hot(indices, num_classes, axis=place, dtype="bool"), axis=place + 1)
    return cast(hot, dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype))
