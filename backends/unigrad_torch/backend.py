"""PyTorch behind the backend contract."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import torch
from torch.autograd import forward_ad

from unigrad.core import dtypes
from unigrad.core.backend import Backend
from unigrad.core.dtypes import DType
from unigrad.core.errors import (
    LEAKED,
    DeviceMismatchError,
    DTypeError,
    OutOfBoundsError,
    ShapeError,
    TapeError,
    TracingError,
    UnigradError,
)
from unigrad.core.native_code import LayerData, NativeLayer
from unigrad.core.native_tape import Kernel, NativeTape
from unigrad.core.programs import Program
from unigrad_torch import functions
from unigrad_torch.bridge import differentiable
from unigrad_torch.compiler import finished
from unigrad_torch.kernels import BINDERS, SCALAR_OPS, TABLE, unsigned
from unigrad_torch.kernels.creation import device_of, making_on
from unigrad_torch.kernels.optimizers import IN_PLACE
from unigrad_torch.kernels.values import has_values
from unigrad_torch.modules import TorchLayer
from unigrad_torch.private import (
    FakeTensor,
    are_transforms_active,
    are_whole_and_alone,
    below_autograd,
    disable_current_modes,
    dispatch_modes,
    function_modes,
    is_batched,
    is_wrapped_by_transform,
    value_of,
)
from unigrad_torch.programs import BY_ARRAYS, FUSIONS, INTO, SAVINGS, UNCHECKED, VIEWS
from unigrad_torch.tape import TorchTape

_TO_NATIVE: dict[DType, torch.dtype] = {
    dtype: getattr(torch, "bool" if dtype == dtypes.bool_ else dtype.name) for dtype in dtypes.ALL
}
_FROM_NATIVE = {native: dtype for dtype, native in _TO_NATIVE.items()}

_JIT_OPTIONS = {"compiler": ("straight", "graph", "inductor")}


class TorchBackend(Backend):
    """Eager torch kernels; gradients by torch autograd."""

    name = "torch"
    array_type = torch.Tensor
    jit_options = _JIT_OPTIONS
    kernels = TABLE
    binders = BINDERS
    scalar_ops = SCALAR_OPS
    into = INTO
    # Of (64, 256) numbers a sum of two takes 2.8 µs, and 3.9 into an array that is there.
    least_kept = least_written_over = 2**18
    # Of (5, 42) numbers x == 2.0 takes 3.7 µs, and 1.0 where the number is an array.
    by_arrays = BY_ARRAYS
    in_place = IN_PLACE
    views = VIEWS
    by_rule = frozenset(("scan", "while_loop", "cond"))
    unchecked = UNCHECKED
    rare = unsigned.TABLE
    rare_dtypes = frozenset((dtypes.uint16, dtypes.uint32, dtypes.uint64))
    fusions = FUSIONS
    savings = SAVINGS
    differentiates = True
    composes_rows = True

    def __init__(self) -> None:
        super().__init__()
        # A torch.Size is a tuple.
        self.shape_key = attrgetter("shape")
        self.likeness = attrgetter("shape", "dtype")

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
        if native.is_cpu:
            return "cpu"
        device = native.device
        return "cpu" if device.type == "cpu" else f"gpu:{device.index or 0}"

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> torch.Tensor:
        if not array.flags.c_contiguous or 1 in array.shape:
            # torch refuses strides that are negative, even of an axis of length 1, or no multiple
            # of the item's size.
            array = array.copy()
        if array.dtype == dtypes.bfloat16:
            native = torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
        elif array.flags.writeable:
            # Half the time of torch.tensor, which is for arrays that torch warns not to write to.
            native = torch.from_numpy(array).clone()
        else:
            native = torch.tensor(array, device="cpu")
        return native if device in (None, "cpu") else native.to(device_of(self.place(device)))

    def number(self, value: float, dtype: DType) -> torch.Tensor:
        with torch.inference_mode(False):
            return super().number(value, dtype)

    def empty(self, shape: tuple[int, ...], dtype: DType) -> torch.Tensor:
        return torch.empty(shape, dtype=_TO_NATIVE[dtype], device="cpu")

    def from_dlpack(self, array: Any) -> Any:
        return torch.from_dlpack(array)

    def to_numpy(self, native: torch.Tensor) -> npt.NDArray[Any]:
        # By force: off graph and accelerator, with conjugates and torch's symbolic zeros resolved.
        if native.dtype is torch.bfloat16:
            return native.detach().view(torch.int16).numpy(force=True).view(ml_dtypes.bfloat16)
        return native.numpy(force=True)

    def to_device(self, native: torch.Tensor, device: str) -> torch.Tensor:
        return native.to(device_of(self.place(device)))

    def settle(self, native: Any) -> Any:
        # What is no plain tensor may have leaked from a trace; torch would go on computing with it.
        if isinstance(native, FakeTensor) and native.fake_mode in finished:
            raise TracingError(LEAKED)
        return native

    def check_array(self, native: torch.Tensor) -> None:
        if native.is_nested:
            raise DTypeError("unigrad takes torch's dense tensors, not a nested one")
        super().check_array(native)
        if native.layout is not torch.strided or native.is_meta:
            kind = "without values" if native.is_meta else f"of layout {native.layout}"
            raise DTypeError(f"unigrad takes torch's dense tensors, not one {kind}")

    def plain(self, native: torch.Tensor) -> torch.Tensor:
        return native.resolve_conj().resolve_neg()

    def owned(self, native: torch.Tensor) -> torch.Tensor:
        return native.clone(memory_format=torch.contiguous_format)

    def may_be_written(self, natives: Sequence[torch.Tensor]) -> list[bool]:
        if {*map(type, natives)} != {torch.Tensor} or any(map(torch.Tensor.is_inference, natives)):
            return [False] * len(natives)
        return are_whole_and_alone(natives)

    def handed_out(self, native: torch.Tensor, given: Sequence[Any]) -> torch.Tensor:
        # A view of what the caller gave stays one; else it may be a variable's or a kept value,
        # unless torch follows it: those are constants.
        if type(native) is not torch.Tensor or native.requires_grad or are_transforms_active():
            return native
        if dispatch_modes() or torch.compiler.is_compiling():
            return native
        memory = native.untyped_storage().data_ptr()
        for one in given:
            if isinstance(one, torch.Tensor) and one.untyped_storage().data_ptr() == memory:
                return native
        return native.clone()

    def owns(self, value: object) -> bool:
        return isinstance(value, torch.Tensor)

    def detach(self, native: torch.Tensor) -> torch.Tensor:
        return native.detach() if self.in_graph(native) else native

    def in_graph(self, native: torch.Tensor) -> bool:
        return bool(native.requires_grad) or is_wrapped_by_transform(native)

    def are_plain(self, natives: tuple[Any, ...]) -> bool:
        for x in natives:
            if type(x) is not torch.Tensor or x.requires_grad or not has_values(x):
                return False
        return not function_modes()

    def follows(self, native: torch.Tensor) -> bool:
        return bool(native.requires_grad) and torch.is_grad_enabled()

    def is_traced(self, native: torch.Tensor) -> bool:
        kind = type(native)
        if kind is torch.Tensor or kind is torch.nn.Parameter:
            # What ``torch.func`` transforms has no values either.
            return are_transforms_active() and is_wrapped_by_transform(native)
        return True

    def is_stand_in(self, native: torch.Tensor) -> bool:
        if type(native) is torch.Tensor or type(native) is torch.nn.Parameter:
            return False
        return isinstance(native, FakeTensor) or bool(dispatch_modes())

    def error_class(self, error: Exception) -> type[UnigradError] | None:
        text = str(error)
        if isinstance(error, AssertionError) and "fake mode" in text:
            return TracingError
        if isinstance(error, IndexError):
            return ShapeError if "Dimension out of range" in text else OutOfBoundsError
        if "the same device" in text or "on the expected device" in text:
            return DeviceMismatchError
        if isinstance(error, (TypeError, NotImplementedError)) or "dtype" in text:
            return DTypeError
        if "out of bounds" in text or "out of range" in text or "out of DATA" in text:
            return OutOfBoundsError
        return ShapeError if isinstance(error, (RuntimeError, ValueError)) else None

    def host_call(
        self,
        function: Callable[..., Sequence[npt.NDArray[Any]]],
        results: Sequence[tuple[tuple[int, ...], Any]],
        *natives: torch.Tensor,
    ) -> tuple[Any, ...]:
        if any(is_batched(x) for x in natives):
            raise TracingError(
                "pure_callback: torch.func.vmap has no values of single examples; use ug.vmap"
            )
        natives = tuple([value_of(x) for x in natives])
        if not any(self.is_traced(x) for x in natives):
            return super().host_call(function, results, *natives)
        from unigrad_torch.host_calls import call_in_graph

        def run(tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
            return [*super(TorchBackend, self).host_call(function, results, *tensors)]

        like = [(shape, self.native_dtype(dtype)) for shape, dtype in results]
        return call_in_graph(run, like, natives)

    def differentiable(self, kernel: Kernel, rule: Callable[[], Any]) -> Kernel:
        return differentiable(kernel, rule)

    def open_tape(self) -> NativeTape:
        if torch.is_inference_mode_enabled():
            raise TapeError("torch.inference_mode() is on, in which torch keeps no graph: leave it")
        return TorchTape()

    def init_scope(self) -> AbstractContextManager[Any]:
        return disable_current_modes()

    def on(self, device: str | None) -> AbstractContextManager[Any]:
        return nullcontext() if device is None else making_on(device_of(self.place(device)))

    def context(self) -> Hashable:
        settings: list[Any] = [torch.get_default_dtype()]
        # A default device is a mode; asking for it takes as long as making a tensor.
        if function_modes():
            settings.append(torch.get_default_device())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                settings += [kind, torch.get_autocast_dtype(kind)]
        return tuple(settings)

    def vjp(
        self, function: Callable[..., Sequence[Any]], primals: Sequence[Any]
    ) -> tuple[Sequence[Any], Callable[[Sequence[Any]], Sequence[Any]]]:
        return functions.vjp(function, primals)

    def jvp(
        self,
        function: Callable[..., Sequence[Any]],
        primals: Sequence[Any],
        tangents: Sequence[Any],
    ) -> tuple[Sequence[Any], Sequence[Any]]:
        return functions.jvp(function, primals, tangents)

    def layer(self, native: Any) -> NativeLayer:
        return TorchLayer(native)

    def layer_data(self, native: Any) -> LayerData:
        from unigrad_torch.conversion import layer_data

        return layer_data(native)

    def layer_from(self, data: LayerData) -> Any:
        from unigrad_torch.conversion import layer_from

        return layer_from(data)

    def unfollowed(self, run: Kernel, constants: Sequence[torch.Tensor]) -> Kernel:
        # A twentieth of the time of a program of small arrays.
        if any(type(one) is not torch.Tensor for one in constants):
            return run
        floating = [one for one in constants if one.is_floating_point() or one.is_complex()]

        def run_below_autograd(*natives: Any) -> Any:
            for x in natives:
                if type(x) is not torch.Tensor or x.requires_grad:
                    return run(*natives)
            for x in floating:
                if x.requires_grad:
                    return run(*natives)
            if forward_ad._current_level >= 0 or are_transforms_active():
                return run(*natives)
            if dispatch_modes() or function_modes():
                return run(*natives)
            with below_autograd():
                return run(*natives)

        return run_below_autograd

    def trace(
        self,
        function: Callable[..., Sequence[Any]],
        examples: Sequence[Any],
        options: Mapping[str, Any],
    ) -> Program | None:
        # Measured: unigrad's own program takes 0.98 of the time of the graph that torch captures on
        # the perceptron of the benchmarks, 1.05 on letters to phonemes, and a sixth to make.
        if options.get("compiler", "straight") == "straight":
            return None
        from unigrad_torch.compiler import trace

        return trace(function, examples, options)
