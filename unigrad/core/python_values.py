"""Dtypes of Python's numbers, and of nested lists of them and of NumPy's scalars and arrays."""

from __future__ import annotations

from array import array as array_of_python
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.errors import DTypeError
from unigrad.core.ndarrays import as_ndarray
from unigrad.core.tensor import Tensor

NUMBERS = frozenset((bool, int, float, complex))
#: Python's own arrays, whose elements have a type.
BUFFERS = (array_of_python, memoryview)


def examples(values: Sequence[Any], found: dict[Any, Any]) -> dict[Any, Any]:
    """Return one of each type among the elements of nested lists, and an ndarray of each dtype."""
    for kind in set(map(type, values)):
        if kind in NUMBERS:
            found[kind] = kind()
        elif issubclass(kind, (list, tuple)):
            for one in values:
                if type(one) is kind:
                    examples(one, found)
        else:
            for one in values:
                if type(one) is kind:
                    found[kind, getattr(one, "dtype", None) if kind is np.ndarray else None] = one
    return found


_WHOLE = frozenset((bool, int))


def dtype_of_scalars(found: dict[Any, Any]) -> dtypes.DType | None:
    """Return the dtype of a list that holds NumPy's scalars, or arrays: they are strong in it.

    Python's numbers beside them are weak, as beside a tensor.

    Raises:
        DTypeError: when there is no such dtype.
    """
    strong = [
        dtypes.as_dtype(as_ndarray(one).dtype)
        for one in found.values()
        if hasattr(one, "__array__") or isinstance(one, BUFFERS)
    ]
    if not strong:
        return None
    common = dtypes.result_dtype(*strong)
    for kind in NUMBERS.intersection(found):
        common = dtypes.promote_scalar(common, kind) or dtypes.default_dtype_of_kind(kind)
    return common


def python_dtype(
    found: np.dtype[Any], like: Tensor | None, kinds: Collection[Any] = ()
) -> dtypes.DType:
    """Return the dtype for Python values that NumPy would hold as ``found``.

    Args:
        found: NumPy's choice.
        like: a tensor that they are to meet.
        kinds: the types of a list's elements.
    """
    if found.kind == "f" and kinds and _WHOLE.issuperset(kinds):
        return dtypes.uint64  # NumPy takes floats for small integers beside such as these.
    kind = {"b": bool, "i": int, "u": int, "f": float, "c": complex}.get(found.kind)
    if found == np.uint64:
        return dtypes.uint64
    if kind is None:
        return dtypes.as_dtype(found)
    dtype = dtypes.default_dtype_of_kind(kind)
    if like is not None and like._native.dtype in like.backend.native_floats:
        wide = like.dtype in (dtypes.float64, dtypes.complex128)
        if wide and dtype in dtypes.INEXACT:
            return dtypes.float64 if kind is float else dtypes.complex128
    return dtype


def python_values(values: Any, array: npt.NDArray[Any], dtype: dtypes.DType) -> npt.NDArray[Any]:
    """Return Python values, held as ``array`` by NumPy's choice, in another dtype.

    Raises:
        DTypeError: when an integer does not fit.
    """
    if dtype not in dtypes.INTEGER or array.dtype.kind not in "iuf":
        return array.astype(dtype, copy=False)
    try:
        # From the values themselves: of mixed large integers NumPy's choice has lost digits.
        return np.array(values, dtype)
    except OverflowError as error:
        raise DTypeError(f"asarray: {error}") from None
