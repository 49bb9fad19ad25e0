"""JAX behind the backend contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from unigrad.core.backend import Backend, Kernel, Program, Pullback
from unigrad.core.dtypes import DType
from unigrad.core.errors import (
    DTypeError,
    OutOfBoundsError,
    ShapeError,
    TracingError,
    UnigradError,
)
from unigrad_jax.devices import by_name, name_of
from unigrad_jax.kernels import TABLE, WHOLE
from unigrad_jax.pullback import JaxPullback, eager, run_with_pullback


class JaxBackend(Backend):
    """Ops jitted one by one; JAX's own vjp behind the tape."""

    name = "jax"
    array_type: type
    kernels = TABLE
    differentiates = True
    checks_bounds = False

    def __init__(self) -> None:
        if "JAX_ENABLE_X64" not in os.environ:
            # unigrad promises the dtype that was asked for; float64 needs this switch.
            jax.config.update("jax_enable_x64", True)
        self.array_type = type(jax.numpy.zeros(()))
        super().__init__()
        self.scalar_ops = WHOLE

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
        return name_of(next(iter(native.devices())))

    def native_device(self, device: str | None) -> Any:
        """Translate a device's name; ``None`` leaves the choice to JAX."""
        if device is None:
            return None
        found = by_name()[self.place(device)]
        # JAX compiles anew for an array that was told its only device beside one that was not.
        return found if len(by_name()) > 1 else None

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> jax.Array:
        native: jax.Array = jax.device_put(
            # The device may share the memory of an ndarray that its owner changes later.
            np.array(array),
            self.native_device(device),
        )
        if native.dtype != array.dtype:
            raise DTypeError(
                f"JAX holds no {array.dtype.name} while its 64-bit mode is off "
                "(JAX_ENABLE_X64=0): unset that variable, or ask for 32 bits"
            )
        return native

    def to_numpy(self, native: jax.Array) -> npt.NDArray[Any]:
        return np.asarray(native)

    def to_device(self, native: jax.Array, device: str) -> jax.Array:
        moved: jax.Array = jax.device_put(native, self.native_device(device))
        return moved

    def owns(self, value: object) -> bool:
        return isinstance(value, jax.Array)

    def is_traced(self, native: jax.Array) -> bool:
        return isinstance(native, jax.core.Tracer)

    def kernel(self, op: Any) -> Kernel | None:
        if op.name not in self.kernels and (op.body is None or op.by_value):
            return None
        return eager(op, self)

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
        if (op.rule is not None and op.rule.zero) or all(one.needs_rules for one in watchers):
            return kernel(*natives, **settings), None
        return run_with_pullback(op, self, natives, uids, settings)

    def error_class(self, error: Exception) -> type[UnigradError] | None:
        text = str(error)
        if isinstance(error, jax.errors.UnexpectedTracerError):
            return TracingError
        if isinstance(error, IndexError):
            return OutOfBoundsError
        if isinstance(error, TypeError):
            return ShapeError if "shape" in text and "dtype" not in text else DTypeError
        return ShapeError if isinstance(error, (ValueError, RuntimeError)) else None

    def trace(
        self,
        function: Callable[..., Sequence[Any]],
        examples: Sequence[Any],
        options: Mapping[str, Any],
    ) -> Program:
        from unigrad_jax.compiler import trace

        return trace(function, examples, options)

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

    def on(self, device: str | None) -> AbstractContextManager[Any]:
        return jax.default_device(self.native_device(device))


__all__ = ["JaxBackend", "JaxPullback"]
