"""PyTorch behind the backend contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import torch
from torch.utils._python_dispatch import _disable_current_modes

from unigrad.core import dtypes
from unigrad.core.backend import Backend, NativeTape, Program
from unigrad.core.dtypes import DType
from unigrad.core.errors import (
    DTypeError,
    OutOfBoundsError,
    ShapeError,
    TapeError,
    UnigradError,
)
from unigrad_torch.kernels import SCALAR_OPS, TABLE
from unigrad_torch.kernels.creation import device_of
from unigrad_torch.tape import TorchTape

_TO_NATIVE: dict[DType, torch.dtype] = {
    dtype: getattr(torch, "bool" if dtype == dtypes.bool_ else dtype.name) for dtype in dtypes.ALL
}
_FROM_NATIVE = {native: dtype for dtype, native in _TO_NATIVE.items()}


class TorchBackend(Backend):
    """Eager torch kernels; gradients by torch autograd."""

    name = "torch"
    array_type = torch.Tensor
    kernels = TABLE
    scalar_ops = SCALAR_OPS
    differentiates = True

    @property
    def version(self) -> str:
        return str(torch.__version__)

    def devices(self) -> list[str]:
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return ["cpu", *(f"gpu:{i}" for i in range(count))]

    def native_dtype(self, dtype: DType) -> torch.dtype:
        return _TO_NATIVE[dtype]

    def dtype(self, native: torch.Tensor) -> DType:
        return _FROM_NATIVE[native.dtype]

    def shape(self, native: torch.Tensor) -> tuple[int, ...]:
        return tuple(native.shape)

    def device(self, native: torch.Tensor) -> str:
        device = native.device
        return "cpu" if device.type == "cpu" else f"gpu:{device.index or 0}"

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> torch.Tensor:
        if not array.flags.c_contiguous or min(array.strides, default=0) < 0:
            # torch refuses strides that are negative, even of an axis of length 1, or no multiple
            # of the item's size.
            array = array.copy()
        if array.dtype == dtypes.bfloat16:
            native = torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
        else:
            native = torch.tensor(array, dtype=_TO_NATIVE[dtypes.as_dtype(array.dtype)])
        return native if device in (None, "cpu") else native.to(device_of(self.place(device)))

    def to_numpy(self, native: torch.Tensor) -> npt.NDArray[Any]:
        native = native.detach().cpu().resolve_conj().resolve_neg()
        if native.dtype == torch.bfloat16:
            return native.view(torch.int16).numpy().view(ml_dtypes.bfloat16)
        # By force, since a derivative may come as one of torch's symbolic zeros.
        return native.numpy(force=True)

    def to_device(self, native: torch.Tensor, device: str) -> torch.Tensor:
        return native.to(device_of(self.place(device)))

    def owns(self, value: object) -> bool:
        return isinstance(value, torch.Tensor)

    def detach(self, native: torch.Tensor) -> torch.Tensor:
        return native.detach() if native.requires_grad else native

    def in_graph(self, native: torch.Tensor) -> bool:
        return bool(native.requires_grad)

    def is_traced(self, native: torch.Tensor) -> bool:
        return type(native) is not torch.Tensor and type(native) is not torch.nn.Parameter

    def error_class(self, error: Exception) -> type[UnigradError] | None:
        text = str(error)
        if isinstance(error, IndexError):
            return ShapeError if "Dimension out of range" in text else OutOfBoundsError
        if isinstance(error, (TypeError, NotImplementedError)) or "dtype" in text:
            return DTypeError
        if "out of bounds" in text or "out of range" in text or "out of DATA" in text:
            return OutOfBoundsError
        return ShapeError if isinstance(error, (RuntimeError, ValueError)) else None

    def open_tape(self) -> NativeTape:
        if torch.is_inference_mode_enabled():
            raise TapeError("torch.inference_mode() is on, in which torch keeps no graph: leave it")
        return TorchTape()

    def init_scope(self) -> AbstractContextManager[Any]:
        return _disable_current_modes()

    def on(self, device: str | None) -> AbstractContextManager[Any]:
        return nullcontext() if device is None else device_of(self.place(device))

    def trace(
        self,
        function: Callable[..., Sequence[Any]],
        examples: Sequence[Any],
        options: Mapping[str, Any],
    ) -> Program:
        from unigrad_torch.compiler import trace

        return trace(function, examples, options)
