"""What tensors and dtypes are: shapes, promotion, limits; and the constants.

Nothing here computes on elements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import DTypeError
from unigrad.core.tensor import Tensor

__all__ = [
    "can_cast", "e", "finfo", "iinfo", "inf", "is_tensor", "nan", "ndim", "newaxis", "pi",
    "result_type", "shape", "size",
]  # fmt: skip

e = math.e
inf = math.inf
nan = math.nan
newaxis = None
pi = math.pi


@dataclass(frozen=True)
class FloatInfo:
    """The limits of a floating dtype, as Python floats."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """The limits of an integer dtype."""

    bits: int
    max: int
    min: int
    dtype: DType


def _dtype_of(what: Any) -> DType:
    """Return the dtype of a tensor, or the dtype that is given."""
    found = getattr(what, "dtype", None)
    return dtypes.as_dtype(what if found is None or isinstance(what, type) else found)


def finfo(dtype: DTypeLike | Tensor, /) -> FloatInfo:
    """Return the limits of a floating dtype (of a complex one: of its parts).

    Raises:
        DTypeError: when it is neither.

    Example:
        >>> finfo("float32").bits
        32
    """
    chosen = _dtype_of(dtype)
    if chosen not in dtypes.INEXACT:
        raise DTypeError(f"finfo: {chosen.name} is no floating dtype")
    limits: Any = (ml_dtypes if chosen == dtypes.bfloat16 else np).finfo(chosen)
    return FloatInfo(
        bits=int(limits.bits),
        eps=float(limits.eps),
        max=float(limits.max),
        min=float(limits.min),
        smallest_normal=float(limits.smallest_normal),
        dtype=dtypes.as_dtype(limits.dtype),
    )


def iinfo(dtype: DTypeLike | Tensor, /) -> IntegerInfo:
    """Return the limits of an integer dtype.

    Raises:
        DTypeError: when it is none.

    Example:
        >>> iinfo("int8").max
        127
    """
    chosen = _dtype_of(dtype)
    if chosen not in dtypes.INTEGER:
        raise DTypeError(f"iinfo: {chosen.name} is no integer dtype")
    limits = np.iinfo(chosen)
    return IntegerInfo(int(limits.bits), int(limits.max), int(limits.min), chosen)


def can_cast(from_: DTypeLike | Tensor, to: DTypeLike, /) -> bool:
    """Tell whether promotion would ever take one dtype to another.

    Example:
        >>> can_cast("int8", "int32"), can_cast("float64", "float32")
        (True, False)
    """
    target = dtypes.as_dtype(to)
    try:
        return dtypes.promote(_dtype_of(from_), target) == target
    except DTypeError:
        return False


def result_type(*arrays_and_dtypes: Any) -> DType:
    """Return the dtype in which tensors, dtypes and (weak) Python scalars meet.

    Raises:
        DTypeError: when they do not, or there are none.

    Example:
        >>> result_type("int32", "float32", 1.5).name
        'float32'
    """
    scalars = [one for one in arrays_and_dtypes if type(one) in (bool, int, float, complex)]
    strong = [_dtype_of(one) for one in arrays_and_dtypes if not any(one is s for s in scalars)]
    if not strong:
        if not scalars:
            raise DTypeError("result_type: needs at least one tensor or dtype")
        kinds: list[type] = [type(one) for one in scalars]
        return dtypes.result_dtype(*[dtypes.default_dtype_of_kind(kind) for kind in kinds])
    common = dtypes.result_dtype(*strong)
    for one in scalars:
        kind: type = type(one)
        common = dtypes.promote_scalar(common, kind) or dtypes.default_dtype_of_kind(kind)
    return common


def is_tensor(x: object, /) -> bool:
    """Tell whether a value is a Tensor (or a Variable).

    Example:
        >>> is_tensor([1.0])
        False
    """
    return isinstance(x, Tensor) or hasattr(x, "__unigrad_tensor__")


def shape(x: TensorLike, /) -> tuple[int, ...]:
    """Return the lengths of the axes.

    Example:
        >>> shape([[1, 2]])
        (1, 2)
    """
    return as_tensor(x).shape


def ndim(x: TensorLike, /) -> int:
    """Return the number of axes.

    Example:
        >>> ndim([[1, 2]])
        2
    """
    return as_tensor(x).ndim


def size(x: TensorLike, /) -> int:
    """Return the number of elements.

    Example:
        >>> size([[1, 2]])
        2
    """
    return as_tensor(x).size
