"""The dtypes and the one promotion table, that of the Array API standard.

unigrad's dtypes *are* NumPy's dtype objects (``ml_dtypes`` supplies bfloat16), so
``x.dtype == ug.float32 == np.float32`` and either can be handed to the other's functions.
Promotion is decided here, once for all backends, and remembered per pair. Where the standard is
silent: bool gives way to every number, an integer meeting a float takes the float's dtype, and
``uint64`` with a signed integer has no common dtype and is an error.

Source: Python array API standard 2025.12, "Type Promotion Rules".
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np

from unigrad.core.context import register_context
from unigrad.core.errors import DTypeError

__all__ = [
    "DType",
    "bfloat16",
    "complex64",
    "complex128",
    "default_dtype",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "set_default_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

DType: TypeAlias = np.dtype[Any]
DTypeLike: TypeAlias = Any

bool_: DType = np.dtype(np.bool_)
int8: DType = np.dtype(np.int8)
int16: DType = np.dtype(np.int16)
int32: DType = np.dtype(np.int32)
int64: DType = np.dtype(np.int64)
uint8: DType = np.dtype(np.uint8)
uint16: DType = np.dtype(np.uint16)
uint32: DType = np.dtype(np.uint32)
uint64: DType = np.dtype(np.uint64)
float16: DType = np.dtype(np.float16)
bfloat16: DType = np.dtype(ml_dtypes.bfloat16)
float32: DType = np.dtype(np.float32)
float64: DType = np.dtype(np.float64)
complex64: DType = np.dtype(np.complex64)
complex128: DType = np.dtype(np.complex128)

SIGNED: tuple[DType, ...] = (int8, int16, int32, int64)
UNSIGNED: tuple[DType, ...] = (uint8, uint16, uint32, uint64)
INTEGER = frozenset(SIGNED + UNSIGNED)
FLOATING = frozenset((float16, bfloat16, float32, float64))
COMPLEX = frozenset((complex64, complex128))
INEXACT = FLOATING | COMPLEX
ALL: tuple[DType, ...] = (
    bool_, *SIGNED, *UNSIGNED, float16, bfloat16, float32, float64, complex64, complex128,
)  # fmt: skip

_BY_NAME = {dtype.name: dtype for dtype in ALL}
#: For those that are ours already: NumPy takes microseconds to spell a dtype's name.
_THEMSELVES = {dtype: dtype for dtype in ALL}
_default_float = float32


def as_dtype(dtype: DTypeLike) -> DType:
    """Return the dtype that a name, a NumPy dtype or a Python type stands for.

    ``float``, ``int``, ``bool`` and ``complex`` mean the default dtype of their kind.

    Raises:
        DTypeError: when it is none of unigrad's dtypes.
    """
    if isinstance(dtype, np.dtype):
        if dtype in _THEMSELVES:
            return _THEMSELVES[dtype]
        if dtype.name in _BY_NAME:
            return _BY_NAME[dtype.name]
    if isinstance(dtype, type) and dtype in (bool, int, float, complex):
        return default_dtype_of_kind(dtype)
    if isinstance(dtype, str):
        if dtype in _BY_NAME:
            return _BY_NAME[dtype]
    elif dtype is not None:
        # Native dtypes carry their name: torch.float32 prints as such, tf.float32 has `.name`.
        name = getattr(dtype, "name", None) or str(dtype).rsplit(".", 1)[-1]
        if isinstance(name, str) and name in _BY_NAME:
            return _BY_NAME[name]
        try:
            return _BY_NAME[np.dtype(dtype).name]
        except (TypeError, KeyError):
            pass
    known = ", ".join(_BY_NAME)
    raise DTypeError(f"{dtype!r} is no dtype of unigrad; the dtypes are {known}")


def default_dtype() -> DType:
    """Return the floating dtype that Python floats and creation functions take (float32).

    Example:
        >>> default_dtype().name
        'float32'
    """
    return _default_float


def set_default_dtype(dtype: DTypeLike) -> None:
    """Set the default floating dtype.

    Raises:
        DTypeError: when it is not a floating dtype.

    Example:
        >>> set_default_dtype(float64)
        >>> default_dtype().name
        'float64'
        >>> set_default_dtype(float32)
    """
    global _default_float
    chosen = as_dtype(dtype)
    if chosen not in FLOATING:
        raise DTypeError(f"the default dtype must be floating, not {chosen.name}")
    _default_float = chosen


register_context("default dtype", default_dtype)


def default_dtype_of_kind(kind: type) -> DType:
    """Return the dtype that a Python scalar of this type takes when nothing else decides."""
    if kind is bool:
        return bool_
    if kind is int:
        return int64
    if kind is float:
        return _default_float
    return complex128 if _default_float == float64 else complex64


@cache
def promote(first: DType, second: DType) -> DType:
    """Return the dtype in which an op on two arrays of these dtypes is computed.

    Raises:
        DTypeError: when the two have no common dtype (``uint64`` with a signed integer).

    Example:
        >>> promote(int64, float16).name, promote(int8, uint8).name
        ('float16', 'int16')
    """
    if first == second:
        return first
    pair = {first, second}
    if bool_ in pair:
        return second if first == bool_ else first
    if pair <= INTEGER:
        return _promote_integers(first, second)
    if pair & COMPLEX:
        wide = any(d in (complex128, float64) for d in pair)
        return complex128 if wide else complex64
    floats = pair & FLOATING
    if len(floats) == 1:
        return next(iter(floats))
    if floats == {float16, bfloat16}:
        return float32
    return max(floats, key=lambda dtype: dtype.itemsize)


def _promote_integers(first: DType, second: DType) -> DType:
    """Promote two different integer dtypes."""
    if (first in UNSIGNED) == (second in UNSIGNED):
        return max(first, second, key=lambda dtype: dtype.itemsize)
    unsigned, signed = (first, second) if first in UNSIGNED else (second, first)
    for candidate in SIGNED:
        if candidate.itemsize > unsigned.itemsize and candidate.itemsize >= signed.itemsize:
            return candidate
    raise DTypeError(
        f"{first.name} and {second.name} have no common dtype (no integer holds both): "
        "cast one of them with ug.astype"
    )


@cache
def promote_scalar(dtype: DType, kind: type) -> DType | None:
    """Return the dtype of an array of this dtype with a weak Python scalar of this type.

    ``None`` stands for the default dtype of the scalar's kind, which the caller looks up (it may
    change; this answer is remembered).

    Example:
        >>> promote_scalar(float16, int).name, promote_scalar(int8, float)
        ('float16', None)
    """
    if kind is bool or dtype in COMPLEX:
        return dtype
    if kind is int:
        return None if dtype == bool_ else dtype
    if kind is float:
        return dtype if dtype in FLOATING else None
    if dtype in FLOATING:
        return complex128 if dtype == float64 else complex64
    return None


def result_dtype(*dtypes: DType) -> DType:
    """Promote any number of dtypes from left to right."""
    result = dtypes[0]
    for dtype in dtypes[1:]:
        result = promote(result, dtype)
    return result


_KINDS = {
    "bool": frozenset((bool_,)),
    "signed integer": frozenset(SIGNED),
    "unsigned integer": frozenset(UNSIGNED),
    "integral": INTEGER,
    "real floating": FLOATING,
    "complex floating": COMPLEX,
    "numeric": INTEGER | INEXACT,
}


def isdtype(dtype: DTypeLike, kind: Any) -> bool:
    """Tell whether a dtype is of a kind: a dtype, a kind's name of the standard, or a tuple.

    Example:
        >>> isdtype(float32, "real floating"), isdtype(int8, ("bool", int16))
        (True, False)
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if isinstance(kind, str) and kind in _KINDS:
        return as_dtype(dtype) in _KINDS[kind]
    return as_dtype(dtype) == as_dtype(kind)


def most(dtype: DType) -> float:
    """Return the largest number of a floating or complex dtype as a float; infinity of others.

    Example:
        >>> most(float16)
        65504.0
    """
    return _MOST.get(dtype, math.inf)


def in_range(value: float, dtype: DType) -> float:
    """Return a float that a dtype holds: beyond its range what it is rounded to, without a word.

    Example:
        >>> in_range(-1e300, float32), in_range(2.0, float16)
        (-inf, 2.0)
    """
    if not most(dtype) < abs(value) < math.inf:
        return value
    with np.errstate(over="ignore"):
        return float(np.asarray(value).astype(dtype).real)


_MOST = {
    float16: 65504.0,
    bfloat16: (2.0 - 2.0**-7) * 2.0**127,
    **dict.fromkeys((float32, complex64), (2.0 - 2.0**-23) * 2.0**127),
}
