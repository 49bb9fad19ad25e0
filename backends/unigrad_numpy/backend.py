"""NumPy behind the backend contract. Arrays are ndarrays, on the CPU, treated as immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.backend import Backend
from unigrad.core.dtypes import DType
from unigrad.core.native_tape import Kernel
from unigrad_numpy.kernels import BINDERS, SCALAR_OPS, TABLE, unchecked
from unigrad_numpy.kernels.bfloat16 import BFLOAT16
from unigrad_numpy.kernels.optimizers import IN_PLACE
from unigrad_numpy.programs import FUSIONS, INTO, SAVINGS, VIEWS
from unigrad_numpy.pullbacks import PULLBACKS, SAVING


class NumpyBackend(Backend):
    """The reference: one eager kernel per op, no autograd of its own."""

    name = "numpy"
    array_type = np.ndarray
    kernels = TABLE
    binders = BINDERS
    scalar_ops = SCALAR_OPS
    pullbacks = PULLBACKS
    unchecked = unchecked.TABLE
    into = INTO
    in_place = IN_PLACE
    views = VIEWS
    fusions = FUSIONS
    savings = SAVINGS
    composes_rows = True

    def __init__(self) -> None:
        super().__init__()
        self.shape_key = attrgetter("shape")
        self.likeness = attrgetter("shape", "dtype")
        # Beside bfloat16 NumPy takes Python's floats for float64.
        self.weak[float] = {d: True for d in self.native_floats if d != BFLOAT16}

    @property
    def version(self) -> str:
        return np.__version__

    def devices(self) -> list[str]:
        return ["cpu"]

    def native_dtype(self, dtype: DType) -> DType:
        return dtype

    def dtype(self, native: npt.NDArray[Any]) -> DType:
        return native.dtype

    def shape(self, native: npt.NDArray[Any]) -> tuple[int, ...]:
        return native.shape

    def device(self, native: npt.NDArray[Any]) -> str:
        return "cpu"

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> npt.NDArray[Any]:
        if device is not None:
            self.place(device)
        return np.array(array)

    def from_dlpack(self, array: Any) -> Any:
        return np.from_dlpack(array)

    def to_numpy(self, native: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return native

    def to_device(self, native: npt.NDArray[Any], device: str) -> npt.NDArray[Any]:
        self.place(device)
        return native

    def empty(self, shape: tuple[int, ...], dtype: DType) -> npt.NDArray[Any]:
        return np.empty(shape, dtype)

    def may_be_written(self, natives: Sequence[npt.NDArray[Any]]) -> list[bool]:
        flags = [native.flags for native in natives]
        return [one.owndata and one.writeable and one.c_contiguous for one in flags]

    def are_apart(
        self, some: Sequence[npt.NDArray[Any]], others: Sequence[npt.NDArray[Any]]
    ) -> bool:
        return super().are_apart(some, [*map(_owner, others)])

    def owns(self, value: object) -> bool:
        return isinstance(value, np.ndarray)

    def owned(self, native: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return native.copy()

    def handed_out(self, native: npt.NDArray[Any], given: Sequence[Any]) -> npt.NDArray[Any]:
        # A view of what the caller gave stays one; else it may be a variable's or a kept value.
        arrays = [one for one in given if isinstance(one, np.ndarray)]
        return native if any(np.may_share_memory(native, one) for one in arrays) else native.copy()

    def run_watched(
        self,
        op: Any,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: Sequence[int],
        settings: Mapping[str, Any],
        watchers: Sequence[Any],
    ) -> tuple[Any, Any]:
        saving = SAVING.get(op.name)
        if saving is None:
            return (kernel(*natives, **settings) if settings else kernel(*natives)), None
        return saving(*natives, **settings)

    def settle(self, native: Any) -> npt.NDArray[Any]:
        # Ufuncs and reductions give scalars for 0-d results.
        return np.asarray(native)


def _owner(native: Any) -> Any:
    """Return the array whose memory an array is in, itself or what it is a view of."""
    while (base := getattr(native, "base", None)) is not None:
        native = base
    return native
