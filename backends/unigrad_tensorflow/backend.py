"""TensorFlow behind the backend contract."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from unigrad.core import dtypes
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap, wrap_all
from unigrad.core.dtypes import DType
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError, TracingError, UnigradError
from unigrad.core.host_errors import noted
from unigrad.core.native_code import LayerData
from unigrad.core.native_tape import Kernel, NativeTape
from unigrad.core.op import Op
from unigrad.core.programs import Program
from unigrad.core.tensor import Tensor
from unigrad_tensorflow import functions
from unigrad_tensorflow.bridge import UNWATCHED, differentiable
from unigrad_tensorflow.kernels import SCALAR_OPS, TABLE
from unigrad_tensorflow.kernels.creation import device_of
from unigrad_tensorflow.private import (
    could_possibly_record,
    eager_context,
    from_dlpack,
    is_on_a_tape,
    is_variable,
    numpy_of,
    shape_tuple,
)
from unigrad_tensorflow.raw import BINDERS
from unigrad_tensorflow.tape import TensorflowTape
from unigrad_tensorflow.whole import Graphs, graph_of, looked

_TO_NATIVE = {
    dtype: tf.bool if dtype == dtypes.bool_ else getattr(tf, dtype.name) for dtype in dtypes.ALL
}
_FROM_NATIVE = {native: dtype for dtype, native in _TO_NATIVE.items()}

_JIT_OPTIONS = {"jit_compile": (False, True)}


class TensorflowBackend(Backend):
    """Eager TensorFlow kernels; gradients by ``tf.GradientTape``."""

    name = "tensorflow"
    array_type = type(tf.constant(0.0))
    jit_options = _JIT_OPTIONS
    kernels = TABLE
    scalar_ops = SCALAR_OPS
    binders = BINDERS
    differentiates = True
    checks_bounds = False
    zeros_for_none = True
    composes_whole = True
    composes_rows = True
    fewest_joined = 4

    def __init__(self) -> None:
        super().__init__()
        self.shape_key = shape_tuple
        self._graphs: dict[Op, Graphs] = defaultdict(Graphs)

    @property
    def version(self) -> str:
        return str(tf.__version__)

    def devices(self) -> list[str]:
        count = len(tf.config.list_logical_devices("GPU"))
        return ["cpu", *(f"gpu:{i}" for i in range(count))]

    def native_dtype(self, dtype: DType) -> Any:
        return _TO_NATIVE[dtype]

    def dtype(self, native: Any) -> DType:
        return _FROM_NATIVE[native.dtype]

    def shape(self, native: Any) -> tuple[int, ...]:
        return tuple(native.shape.as_list())

    def device(self, native: Any) -> str:
        device = getattr(native, "device", "") or ""
        kind, _, index = device.rpartition("device:")[2].partition(":")
        return f"gpu:{index or 0}" if kind.upper() == "GPU" else "cpu"

    def native_device(self, device: str | None) -> str | None:
        """Translate a device's name."""
        return None if device is None else device_of(self.place(device))

    def from_numpy(self, array: npt.NDArray[Any], device: str | None) -> Any:
        if device is None:
            return tf.constant(array)
        with tf.device(self.native_device(device)):
            return tf.constant(array)

    def from_dlpack(self, array: Any) -> Any:
        return from_dlpack(array.__dlpack__())

    def to_numpy(self, native: Any) -> npt.NDArray[Any]:
        if type(native) is self.array_type:
            return np.asarray(numpy_of(native))
        array: npt.NDArray[Any] = np.asarray(native.numpy())
        return array

    def to_device(self, native: Any, device: str) -> Any:
        with tf.device(self.native_device(device)):
            return tf.identity(native)

    def owns(self, value: object) -> bool:
        return isinstance(value, (tf.Tensor, tf.Variable))

    def settle(self, native: Any) -> Any:
        return native if isinstance(native, tf.Tensor) else tf.convert_to_tensor(native)

    def host_call(
        self,
        function: Callable[..., Sequence[npt.NDArray[Any]]],
        results: Sequence[tuple[tuple[int, ...], Any]],
        *natives: Any,
    ) -> tuple[Any, ...]:
        if not any(self.is_traced(x) for x in natives):
            return super().host_call(function, results, *natives)
        dtypes = [self.native_dtype(dtype) for _, dtype in results]
        found = tf.numpy_function(noted(function), natives, dtypes, stateful=False)
        for one, (shape, _) in zip(found, results, strict=True):
            one.set_shape(shape)
        return tuple(found)

    def detach(self, native: Any) -> Any:
        return self.settle(native)

    def in_graph(self, native: Any) -> bool:
        return isinstance(native, tf.Tensor) and is_on_a_tape(native)

    def is_traced(self, native: Any) -> bool:
        if isinstance(native, self.array_type) or is_variable(native):
            return False
        looked()
        return True

    def composed(
        self,
        op: Any,
        inputs: tuple[Any, ...],
        natives: tuple[Any, ...],
        settings: Mapping[str, Any],
    ) -> Any:
        declared: Op = op.declared
        if declared.looks:
            return super().composed(op, inputs, natives, settings)
        if not (declared.by_value or declared.opaque or declared.foreign):
            chosen = settings or op.settings
            graph = self._graphs[declared].of(
                partial(self._run_body, op, settings), natives, chosen
            )
            if graph is not None:
                found = graph(natives)
                return tuple(wrap_all(self, found)) if type(found) is tuple else wrap(self, found)
        return op.body(*inputs, **settings)

    def are_plain(self, natives: tuple[Any, ...]) -> bool:
        if could_possibly_record() or eager_context() is None:
            return False
        eager = self.array_type
        return all(type(x) is eager and "CPU" in x.device for x in natives)

    def unwatched(self, kernel: Kernel) -> Kernel:
        return UNWATCHED.get(kernel, kernel)

    def joined(
        self, function: Callable[..., tuple[Any, ...]], natives: Sequence[Any]
    ) -> Callable[[tuple[Any, ...]], Sequence[Any]] | None:
        return graph_of(function, natives) or None

    def _run_body(self, op: Any, settings: Mapping[str, Any], *natives: Any) -> Any:
        found = op.body(*[wrap(self, x) for x in natives], **settings)
        if type(found) is Tensor:
            return found._native
        return tuple([one._native for one in found])

    def error_class(self, error: Exception) -> type[UnigradError] | None:
        if isinstance(error, IndexError):
            return OutOfBoundsError
        if isinstance(error, (TypeError, ValueError)) and "out of scope" in str(error):
            return TracingError
        if isinstance(error, (TypeError, NotImplementedError, tf.errors.UnimplementedError)):
            return DTypeError
        if isinstance(error, tf.errors.NotFoundError):
            return DTypeError
        if isinstance(error, tf.errors.InvalidArgumentError):
            text = str(error)
            if "CheckNumerics" in text or "Detected Infinity or NaN" in text:
                return None  # The program asked for it: tf.debugging.enable_check_numerics.
            if "cannot compute" in text and "was expected to be a" in text:
                return DTypeError
            if "Value for attr" in text and "is not in the list of allowed values" in text:
                return DTypeError
            return OutOfBoundsError if "is not in [0" in text else ShapeError
        return ShapeError if isinstance(error, (ValueError, RuntimeError)) else None

    def differentiable(self, kernel: Kernel, rule: Callable[[], Any]) -> Kernel:
        return differentiable(kernel, rule)

    def open_tape(self) -> NativeTape:
        return TensorflowTape()

    def layer_data(self, native: Any) -> LayerData:
        # Keras is imported by those who want its layers only.
        from unigrad_tensorflow.conversion import layer_data

        return layer_data(native)

    def layer_from(self, data: LayerData) -> Any:
        from unigrad_tensorflow.conversion import layer_from

        return layer_from(data)

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
        from unigrad_tensorflow.compiler import trace

        return trace(function, examples, options)

    def init_scope(self) -> AbstractContextManager[Any]:
        scope: AbstractContextManager[Any] = tf.init_scope()
        return scope

    def on(self, device: str | None) -> AbstractContextManager[Any]:
        context: AbstractContextManager[Any] = tf.device(self.native_device(device))
        return context
