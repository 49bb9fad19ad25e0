"""Reductions along axes.

``axis`` is an int, a tuple of ints or ``None`` (all axes); ``keepdims`` keeps reduced axes with
length one. Errors, the same for all: `ShapeError` for a bad axis.
"""

from __future__ import annotations

from unigrad.core import dtypes
from unigrad.core.dtypes import DTypeLike
from unigrad.core.op import (
    TensorLike,
    as_tensor,
    cast,
    normalize_axes,
    primitive,
)
from unigrad.core.tensor import Tensor

__all__ = ["sum"]

Axis = int | tuple[int, ...] | None

_sum = primitive("sum")


def sum(
    x: TensorLike, /, *, axis: Axis = None, dtype: DTypeLike | None = None, keepdims: bool = False
) -> Tensor:
    """Return the sum Σ x over axes. Bools and small integers are summed in int64 (uint64).

    Example:
        >>> sum([[1, 2], [3, 4]], axis=0).tolist()
        [4, 6]
    """
    x = as_tensor(x)
    if dtype is not None:
        x = cast(x, dtypes.as_dtype(dtype))
    elif x.native.dtype not in x.backend.native_floats:
        x = cast(x, dtypes.uint64 if x.dtype in dtypes.UNSIGNED else dtypes.int64)
    out: Tensor = _sum(x, axis=normalize_axes("sum", axis, x.ndim), keepdims=bool(keepdims))
    return out
