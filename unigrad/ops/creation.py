"""Making tensors, and changing their dtype or device.

Creation functions make their tensor on the current backend (`ug.use_backend`) and on ``device``
(default: ``UNIGRAD_DEVICE``, else the backend's first device).
"""

from __future__ import annotations

from typing import Any

from unigrad.core import dtypes
from unigrad.core.dtypes import DTypeLike
from unigrad.core.op import TensorLike, as_tensor, cast, primitive, untracked
from unigrad.core.tensor import Tensor

__all__ = ["asarray", "astype", "full_like", "to_device"]

_full_like = primitive("full_like")


def asarray(
    x: TensorLike, /, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return a Tensor of nested lists, a scalar, an ndarray, a Tensor or a native array.

    A native array of a framework stays on its backend, as it is; anything else is copied to the
    current one. Python floats take the default floating dtype, ints int64; arrays keep theirs.

    Raises:
        DTypeError: when the elements are no numbers, or ``dtype`` is unknown.
        ShapeError: when the lists are ragged.

    Example:
        >>> asarray([1, 2], dtype="float32").dtype.name
        'float32'
    """
    tensor = as_tensor(x)
    if dtype is not None:
        tensor = cast(tensor, dtypes.as_dtype(dtype))
    return tensor if device is None else to_device(tensor, device)


def to_device(x: Tensor, /, device: str) -> Tensor:
    """Return the tensor on another device ("cpu", "gpu", "gpu:1").

    Example:
        >>> to_device(asarray(1.0), "cpu").device
        'cpu'
    """
    if x.device == device:
        return x
    out: Tensor = _to_device(x, device=device)
    return out


_to_device = primitive("to_device")


def astype(x: TensorLike, dtype: DTypeLike, /) -> Tensor:
    """Return ``x`` in another dtype. Floats become integers by truncation.

    Example:
        >>> astype([1.5, -1.5], "int32").tolist()
        [1, -1]
    """
    return cast(as_tensor(x), dtypes.as_dtype(dtype))


def full_like(x: TensorLike, /, fill_value: Any, *, dtype: DTypeLike | None = None) -> Tensor:
    """Return a tensor of the shape, dtype, backend and device of another, filled with a scalar.

    Example:
        >>> full_like([1, 2], 7).tolist()
        [7, 7]
    """
    x = as_tensor(x)
    if dtype is not None:
        x = cast(x, dtypes.as_dtype(dtype))
    out: Tensor = _full_like(untracked(x), value=fill_value)
    return out
