"""JAX behind the backend contract."""

from __future__ import annotations

import os
import warnings
import weakref
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from operator import attrgetter
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from unigrad.core.backend import Backend
from unigrad.core.dtypes import DType
from unigrad.core.errors import (
    DeviceMismatchError,
    DTypeError,
    NotDifferentiableError,
    OutOfBoundsError,
    ShapeError,
    TracingError,
    UnigradError,
)
from unigrad.core.host_errors import noted
from unigrad.core.native_tape import Kernel, Pullback
from unigrad.core.programs import Program
from unigrad.core.tensor import Tensor
from unigrad_jax import functions, looking
from unigrad_jax.bridge import differentiable
from unigrad_jax.devices import by_name, name_of
from unigrad_jax.kernels import TABLE, WHOLE
from unigrad_jax.kernels.widths import held
from unigrad_jax.pullback import BINDERS, JaxPullback, eager, run_with_pullback

_JIT_OPTIONS = {"donate": (False, True)}


class JaxBackend(Backend):
    """Ops jitted one by one; JAX's own vjp behind the tape."""

    name = "jax"
    array_type: type
    jit_options = _JIT_OPTIONS
    kernels = TABLE
    binders = BINDERS
    differentiates = True
    checks_bounds = False
    keeps_numbers = True
    composes_checked = True

    def __init__(self) -> None:
        # It may be loaded by a function that JAX traces, in which new arrays are tracers.
        with jax.ensure_compile_time_eval():
            self.array_type = type(jax.numpy.zeros(()))
        super().__init__()
        # An array's own attribute is a function of Python's.
        self.shape_key = attrgetter("aval.shape")
        self.likeness = attrgetter("aval")
        self.scalar_ops = WHOLE
        self._looking: weakref.WeakSet[looking.Looking] = weakref.WeakSet()

    def chosen(self) -> None:
        if not jax.config.jax_enable_x64 and "JAX_ENABLE_X64" not in os.environ:
            # unigrad promises the dtype that was asked for; float64 needs this switch.
            jax.config.update("jax_enable_x64", True)

    def clear_caches(self) -> None:
        jax.clear_caches()

    def share_programs(self, folder: str) -> None:
        # JAX does not write an entry in one step. Who reads half of one compiles it again.
        warnings.filterwarnings("ignore", "Error reading persistent compilation cache")
        jax.config.update("jax_compilation_cache_dir", folder)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

    @property
    def version(self) -> str:
        return str(jax.__version__)

    def devices(self) -> list[str]:
        return list(by_name())

    def native_dtype(self, dtype: DType) -> DType:
        return dtype

    def dtype(self, native: jax.Array) -> DType:
        dtype: DType = native.dtype
        return dtype

    def shape(self, native: jax.Array) -> tuple[int, ...]:
        return native.shape

    def device(self, native: jax.Array) -> str:
        if isinstance(native, jax.core.Tracer):
            return "cpu" if jax.default_backend() == "cpu" else "gpu:0"
        places = native.devices()
        # Of an array that is spread out, the first.
        found = next(iter(places)) if len(places) == 1 else min(places, key=lambda one: one.id)
        return name_of(found)

    def native_device(self, device: str | None) -> Any:
        """Translate a device's name; ``None`` leaves the choice to JAX."""
        if device is None:
            return None
        found = by_name()[self.place(device)]
        # JAX compiles anew for an array that was told its only device beside one that was not.
        return found if len(by_name()) > 1 else None

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> jax.Array:
        place = self.native_device(device)
        # The device may share the memory of an ndarray that its owner changes later.
        given = np.array(array)
        if array.dtype.itemsize >= 8 and (dtype := held(array.dtype)) != array.dtype:
            given = given.astype(dtype)
            if not np.array_equal(given, array):
                raise DTypeError(
                    f"JAX holds no {array.dtype.name} while its 64-bit mode is off, and these "
                    f"values do not fit into {dtype.name}: turn jax_enable_x64 on"
                )
        native: jax.Array = (
            jax.numpy.array(given) if place is None else jax.device_put(given, place)
        )
        return native

    def from_dlpack(self, array: Any) -> Any:
        if not jax.config.jax_enable_x64:
            raise BufferError("without its 64-bit mode JAX narrows what it reads")
        return jax.numpy.from_dlpack(array)

    def to_numpy(self, native: jax.Array) -> npt.NDArray[Any]:
        return np.asarray(native)

    def to_device(self, native: jax.Array, device: str) -> jax.Array:
        moved: jax.Array = jax.device_put(native, self.native_device(device))
        return moved

    def owns(self, value: object) -> bool:
        return isinstance(value, jax.Array)

    def settle(self, native: Any) -> Any:
        # Batched, some of JAX's functions give its literals, which are on no device yet.
        if isinstance(native, (jax.core.Tracer, self.array_type)):
            return native
        return jax.numpy.asarray(native)

    def is_traced(self, native: jax.Array) -> bool:
        # Python asks a tracer's class itself, which takes longer than to look at the array's.
        return type(native) is not self.array_type and isinstance(native, jax.core.Tracer)

    def shows(self, native: jax.Array) -> bool:
        if type(native) is not self.array_type:
            looking.looked(native)
        return super().shows(native)

    def note(self, check: Callable[..., None], tensors: Sequence[Tensor]) -> bool:
        return looking.note(check, tensors)

    def are_plain(self, natives: tuple[Any, ...]) -> bool:
        return super().are_plain(natives) and all(self.device(x)[:3] == "cpu" for x in natives)

    def gives(self, op: Any, natives: tuple[Any, ...]) -> type | None:
        run = op.kernels[self]
        if type(run) is not looking.Looking or not self.are_plain(natives):
            return None
        run.made(natives)
        return run.gives

    def kernel(self, op: Any) -> Kernel | None:
        if op.name not in self.kernels and (op.body is None or op.by_value or op.looks):
            return None
        return eager(op, self)

    def bound(
        self, op: Any, settings: Mapping[str, Any], scalars: tuple[Any, ...] = ()
    ) -> Kernel | None:
        if not op.declared.looks:
            return super().bound(op, settings, scalars)
        found = looking.Looking(op, self, settings)
        self._looking.add(found)
        return found

    def forget_rows(self) -> None:
        for one in [*self._looking]:
            one.forget()

    def run_watched(
        self,
        op: Any,
        kernel: Kernel,
        natives: Sequence[Any],
        uids: Sequence[int],
        settings: Mapping[str, Any],
        watchers: Sequence[Any],
    ) -> tuple[Any, Pullback | None]:
        # A derivative of zero is none of numbers: times an infinite slope these would be NaN.
        zero = op.rule is not None and op.rule.zero
        if zero or op.opaque or all(one.needs_rules for one in watchers):
            return kernel(*natives, **settings), None
        return run_with_pullback(op, self, natives, uids, settings)

    def differentiable(self, kernel: Kernel, rule: Callable[[], Any]) -> Kernel:
        bridged = differentiable(kernel, rule)

        def run(*natives: Any, **settings: Any) -> Any:
            # Only JAX's own transforms need to be told.
            traced = any(isinstance(x, jax.core.Tracer) for x in natives)
            return (bridged if traced else kernel)(*natives, **settings)

        return run

    def error_class(self, error: Exception) -> type[UnigradError] | None:
        text = str(error)
        if isinstance(error, jax.errors.UnexpectedTracerError):
            return TracingError
        if isinstance(error, IndexError):
            return OutOfBoundsError
        if "incompatible devices" in text:
            return DeviceMismatchError
        if "forward-mode autodiff" in text:
            return NotDifferentiableError
        if isinstance(error, TypeError):
            return ShapeError if "shape" in text and "dtype" not in text else DTypeError
        return ShapeError if isinstance(error, (ValueError, RuntimeError)) else None

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

    def trace(
        self,
        function: Callable[..., Sequence[Any]],
        examples: Sequence[Any],
        options: Mapping[str, Any],
    ) -> Program:
        from unigrad_jax.compiler import trace

        return trace(function, examples, options, self.context)

    def host_call(
        self,
        function: Callable[..., Sequence[npt.NDArray[Any]]],
        results: Sequence[tuple[tuple[int, ...], Any]],
        *natives: Any,
    ) -> tuple[Any, ...]:
        if not any(isinstance(x, jax.core.Tracer) for x in natives):
            return super().host_call(function, results, *natives)
        structs = [
            jax.ShapeDtypeStruct(shape, self.native_dtype(dtype)) for shape, dtype in results
        ]
        found = jax.pure_callback(noted(function), tuple(structs), *natives)
        return tuple(found)

    def context(self) -> Hashable:
        config = jax.config
        return (
            config.jax_enable_x64,
            config.jax_default_device,
            config.jax_default_matmul_precision,
            config.jax_numpy_dtype_promotion,
            config.jax_debug_nans,
        )

    def init_scope(self) -> AbstractContextManager[Any]:
        return jax.ensure_compile_time_eval()

    def beside(self, native: jax.Array) -> str | None:
        if len(by_name()) == 1:
            return self.device(native)
        # A traced array is where the program will run. What meets one that lies on several devices
        # goes to all of them.
        if self.is_traced(native) or not native.committed or len(native.devices()) > 1:
            return None
        return self.device(native)

    def on(self, device: str | None) -> AbstractContextManager[Any]:
        return jax.default_device(self.native_device(device))


__all__ = ["JaxBackend", "JaxPullback"]
