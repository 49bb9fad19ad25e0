"""`pure_callback`: a function of ndarrays that runs on the host, in programs too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unigrad.batching.registry import Batch, spread
from unigrad.control.scanning import map
from unigrad.core import recorders, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.calls import check_function
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import DType, as_dtype
from unigrad.core.errors import DTypeError, NotDifferentiableError, SettingError, ShapeError
from unigrad.core.host_errors import own_errors
from unigrad.core.native_tape import Kernel
from unigrad.core.ndarrays import refuse_mask
from unigrad.core.op import Op
from unigrad.core.registry import current_backend
from unigrad.core.tensor import Tensor
from unigrad.functions.function_op import FunctionRule
from unigrad.ops.joining import stack
from unigrad.ops.shaping import as_shape, expand_dims
from unigrad.tracing.signature import is_input

__all__ = ["ShapeDtypeStruct", "pure_callback"]

VmapMethod = Literal["sequential", "sequential_unrolled", "expand_dims", "broadcast_all"]
_METHODS = ("sequential", "sequential_unrolled", "expand_dims", "broadcast_all")


@dataclass(frozen=True, init=False)
class ShapeDtypeStruct:
    """The shape and the dtype of a tensor that is not there.

    Source of name and meaning: ``jax.ShapeDtypeStruct``.

    Raises:
        DTypeError: when the shape is not made of integers, or there is no such dtype.

    Example:
        >>> ShapeDtypeStruct((2, 3), "float32").shape
        (2, 3)
    """

    shape: tuple[int, ...]
    dtype: DType

    def __init__(self, shape: int | Sequence[int], dtype: Any) -> None:
        object.__setattr__(self, "shape", as_shape("ShapeDtypeStruct", shape))
        object.__setattr__(self, "dtype", as_dtype(dtype))


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    /,
    *args: Any,
    vmap_method: VmapMethod | None = None,
    **kwargs: Any,
) -> Any:
    """Call a function of ndarrays on the host, as one op.

    In a program it is called whenever the program runs, and gets the values; while the program is
    traced it is not called. It must be pure: it may be called more often than the program says, or
    not at all where its result is not used.

    It has no derivative. Give one by `custom_vjp` or `custom_jvp`, whose functions may call back
    too.

    Args:
        callback: takes read-only ndarrays where tensors, arrays and numbers are in the arguments,
            and the rest as it is; returns a pytree of arrays.
        result_shape_dtypes: what it returns, in the same structure: of each array something with a
            shape and a dtype, `ShapeDtypeStruct` or a tensor.
        args, kwargs: pytrees.
        vmap_method: what `vmap` does. ``"sequential"`` calls it for one example after the other,
            in a loop, ``"sequential_unrolled"`` in so many ops. ``"expand_dims"`` calls it once, on
            arrays with the examples along a new first axis, which has length 1 where an argument is
            the same for all; ``"broadcast_all"`` repeats those. Without it `vmap` is refused.

    Returns:
        Tensors of these shapes and dtypes.

    Raises:
        ShapeError: when the callback returns another structure or shape.
        DTypeError: when it returns another dtype; Python's numbers take the one that is expected.
        NotDifferentiableError: when a derivative is asked for.
        SettingError: when there is no such ``vmap_method``, or `vmap` meets it without one.

    What the callback raises is left as it is.

    Source of name and meaning: ``jax.pure_callback``.

    Example:
        >>> import numpy as np
        >>> import unigrad as ug
        >>> def steps(x):
        ...     return np.ceil(x).astype("int32")
        >>> like = ug.ShapeDtypeStruct((2,), "int32")
        >>> ug.jit(lambda x: pure_callback(steps, like, x))(ug.asarray([0.5, 1.5])).tolist()
        [1, 2]
    """
    check_function("pure_callback: callback", callback)
    if vmap_method is not None and vmap_method not in _METHODS:
        raise SettingError(
            f"pure_callback: vmap_method is one of {', '.join(_METHODS)}, not {vmap_method!r}"
        )
    leaves, structure = tree.flatten((args, kwargs))
    moving = [is_input(x) or hasattr(x, "__unigrad_tensor__") for x in leaves]
    tensors = [as_tensor(x) for x, one in zip(leaves, moving, strict=True) if one]
    expected, result = tree.flatten(result_shape_dtypes)
    call = _Call(callback, _structs(expected), result, structure, leaves, moving)
    if not tensors:
        backend = current_backend()
        found = [wrap(backend, backend.from_numpy(x, None)) for x in call()]
    else:
        found = [*_run(call, vmap_method, tensors)]
    return tree.unflatten(result, found)


def _structs(expected: Sequence[Any]) -> list[ShapeDtypeStruct]:
    """Return what is said of results.

    Raises:
        DTypeError: when something has no shape or no dtype.
    """
    for one in expected:
        if not hasattr(one, "shape") or not hasattr(one, "dtype"):
            raise DTypeError(
                "pure_callback: result_shape_dtypes says shapes and dtypes, as "
                f"ug.ShapeDtypeStruct does, not {one!r}"
            )
    return [ShapeDtypeStruct(tuple(one.shape), one.dtype) for one in expected]


@dataclass(frozen=True)
class _Call:
    """A callback with all that it is given besides arrays: a function of ndarrays."""

    callback: Callable[..., Any]
    structs: Sequence[ShapeDtypeStruct]
    #: The result's structure.
    result: Any
    structure: Any
    leaves: Sequence[Any]
    #: Which of the leaves are arrays.
    moving: Sequence[bool]

    def __call__(self, *arrays: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        rest = iter(arrays)
        given = [
            _read_only(next(rest)) if one else x
            for x, one in zip(self.leaves, self.moving, strict=True)
        ]
        args, kwargs = tree.unflatten(self.structure, given)
        with recorders.only([]), own_errors():
            found, structure = tree.flatten(self.callback(*args, **kwargs))
        if structure != self.result:
            raise ShapeError(
                f"pure_callback: the callback returned the structure {structure}, "
                f"result_shape_dtypes says {self.result}"
            )
        return tuple([_checked(x, s) for x, s in zip(found, self.structs, strict=True)])

    def of_batch(self, size: int) -> _Call:
        """Return the call for a batch, with the examples along the first axis of each array."""
        structs = [ShapeDtypeStruct((size, *one.shape), one.dtype) for one in self.structs]
        return replace(self, structs=structs)


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def _checked(found: Any, struct: ShapeDtypeStruct) -> npt.NDArray[Any]:
    """Return an array that a callback gave.

    Raises:
        ShapeError, DTypeError: when it is not what was said.
    """
    refuse_mask(found)
    weak = isinstance(found, (bool, int, float, complex)) and not isinstance(found, np.generic)
    array = np.asarray(found, struct.dtype if weak else None)
    if array.shape != struct.shape:
        raise ShapeError(
            f"pure_callback: the callback returned the shape {array.shape}, result_shape_dtypes "
            f"says {struct.shape}"
        )
    if array.dtype != struct.dtype:
        raise DTypeError(
            f"pure_callback: the callback returned {array.dtype.name}, result_shape_dtypes says "
            f"{struct.dtype.name}"
        )
    return array


def _run(call: _Call, method: VmapMethod | None, tensors: Sequence[Tensor]) -> Sequence[Tensor]:
    """Run a callback as an op of its own."""
    op = Op("pure_callback")
    op.foreign = op.opaque = True
    op.rule = FunctionRule(op.name, _refused, _refused)
    op.kernels = _Kernels(op, call)
    op.batching = partial(_batched, call, method)
    op.example = partial(_like, call)
    found: Sequence[Tensor] = op(*tensors)
    return found


class _Kernels(dict[Backend, Kernel | None]):
    """The kernels of a callback: what each library makes of it."""

    def __init__(self, op: Op, call: _Call) -> None:
        self._op = op
        self._call = call

    def __missing__(self, backend: Backend) -> Kernel | None:
        if backend.depth:
            return backend.kernel(self._op)
        structs = [(one.shape, one.dtype) for one in self._call.structs]
        plain = partial(backend.host_call, self._call, structs)
        kernel = self[backend] = backend.differentiable(plain, lambda: self._op.rule)
        return kernel


def _refused(*_: Any) -> Any:
    raise NotDifferentiableError(
        "pure_callback: what runs on the host has no derivative; give it one by ug.custom_vjp or "
        "ug.custom_jvp"
    )


def _like(call: _Call, op: Op, inputs: Sequence[Tensor], settings: Mapping[str, Any]) -> Any:
    """Return zeros like the results, for captures."""
    backend = inputs[0].backend.root
    return tuple(
        [wrap(backend, backend.from_numpy(np.zeros(s.shape, s.dtype), None)) for s in call.structs]
    )


def _batched(
    call: _Call,
    method: VmapMethod | None,
    batch: Batch,
    inputs: Sequence[Tensor],
    settings: Mapping[str, Any],
) -> Any:
    """Run a callback on a batch, in the way that was chosen."""
    if method is None:
        raise SettingError(
            f"vmap: a pure_callback says by vmap_method= how it is mapped: {', '.join(_METHODS)}"
        )
    whole = call.of_batch(batch.size)
    if not batch.size:
        return _like(whole, batch.op, inputs, settings)
    if method == "broadcast_all":
        return _run(whole, method, spread(batch, inputs))
    if method == "expand_dims":
        given = [
            x if has else expand_dims(x, axis=0) for x, has in zip(inputs, batch.axes, strict=True)
        ]
        return _run(whole, method, given)

    def of_one(rows: Sequence[Tensor]) -> tuple[Tensor, ...]:
        rest = iter(rows)
        given = [next(rest) if has else x for x, has in zip(inputs, batch.axes, strict=True)]
        return tuple(_run(call, method, given))

    rows = [x for x, has in zip(inputs, batch.axes, strict=True) if has]
    if method == "sequential":
        return map(of_one, rows)
    found = [of_one([x[i] for x in rows]) for i in range(batch.size)]
    return tuple([stack(column) for column in zip(*found, strict=True)])
