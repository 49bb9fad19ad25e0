"""array_api_strict behind the backend contract. Arrays are treated as immutable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import array_api_strict as xp
import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.backend import Backend
from unigrad.core.dtypes import DType
from unigrad.core.errors import UnsupportedError
from unigrad.core.native_tape import Kernel
from unigrad_array_api_strict import (
    creation,
    elementwise,
    fourier,
    indexing,
    linalg,
    linear,
    randomness,
    reductions,
    shaping,
    unchecked,
)

#: The standard's dtypes: all of unigrad's but the halves.
_DTYPES = tuple(d for d in dtypes.ALL if d not in (dtypes.float16, dtypes.bfloat16))
_NATIVE = {dtype: getattr(xp, dtype.name) for dtype in _DTYPES}
_OURS = {native: dtype for dtype, native in _NATIVE.items()}

_TABLE: dict[str, Kernel] = {
    **creation.TABLE,
    **elementwise.TABLE,
    **fourier.TABLE,
    **indexing.TABLE,
    **linalg.TABLE,
    **linear.TABLE,
    **randomness.TABLE,
    **reductions.TABLE,
    **shaping.TABLE,
}
_NO_SUCH_FUNCTION = "the Array API standard has no such function"


class StrictBackend(Backend):
    """The standard's functions, and what they can be put together to."""

    name = "array_api_strict"
    array_type = type(xp.asarray(0))
    kernels = _TABLE
    unchecked = unchecked.TABLE
    unsupported = dict.fromkeys(
        (
            "bitcast",
            "digamma",
            "erfinv",
            "expm",
            "gammainc",
            "gammaincc",
            "i0e",
            "i1e",
            "lu_packed",
            "zeta",
        ),
        _NO_SUCH_FUNCTION,
    )

    @property
    def version(self) -> str:
        found: str = xp.__version__
        return found

    def devices(self) -> list[str]:
        return list(creation.DEVICES)

    def dtypes(self) -> tuple[DType, ...]:
        return _DTYPES

    def native_dtype(self, dtype: DType) -> Any:
        try:
            return _NATIVE[dtype]
        except KeyError:
            raise UnsupportedError(f"{self.name} has no {dtype.name}") from None

    def dtype(self, native: Any) -> DType:
        return _OURS[native.dtype]

    def shape(self, native: Any) -> tuple[int, ...]:
        found: tuple[int, ...] = native.shape
        return found

    def device(self, native: Any) -> str:
        return creation.name_of(native.device)

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> Any:
        self.native_dtype(array.dtype)
        where = creation.current() if device is None else creation.DEVICES[self.place(device)]
        # Native byte order, a plain layout, and memory of its own.
        return xp.asarray(np.array(array, array.dtype.newbyteorder("="), order="C"), device=where)

    def to_numpy(self, native: Any) -> npt.NDArray[Any]:
        return np.asarray(native.to_device(creation.DEVICES["cpu"]))

    def to_device(self, native: Any, device: str) -> Any:
        return native.to_device(creation.DEVICES[self.place(device)])

    def owns(self, value: object) -> bool:
        return isinstance(value, self.array_type)

    def from_dlpack(self, array: Any) -> Any:
        return xp.from_dlpack(array)

    def owned(self, native: Any) -> Any:
        return xp.asarray(native, copy=True)

    def handed_out(self, native: Any, given: Sequence[Any]) -> Any:
        # The caller may write to it, and it may be a variable's or a kept value.
        return xp.asarray(native, copy=True)

    def on(self, device: str | None) -> AbstractContextManager[Any]:
        return _placing(None if device is None else creation.DEVICES[self.place(device)])


@contextmanager
def _placing(device: Any) -> Iterator[None]:
    if device is None:
        yield
        return
    token = creation.DEVICE.set(device)
    try:
        yield
    finally:
        creation.DEVICE.reset(token)
