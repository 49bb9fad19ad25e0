"""Making tensors, and changing their dtype or device.

Creation functions make their tensor on the current backend (`ug.use_backend`) and on ``device``
(default: ``UNIGRAD_DEVICE``, else the backend's first device). With ``like=x`` they make it on the
backend and device of ``x``, whatever the current ones are; the dtype does not come from there. With
``backend="torch"`` they make it on that backend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, placed, untracked
from unigrad.core.backend import as_ndarray
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import another_handle, primitive
from unigrad.core.plans import Plans
from unigrad.core.registry import owner_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.placing import place_of
from unigrad.ops.shaping import as_shape

__all__ = [
    "asarray", "astype", "copy", "empty", "empty_like", "from_dlpack", "full", "full_like", "ones",
    "ones_like", "to_device", "to_numpy", "zeros", "zeros_like",
]  # fmt: skip

_full = primitive("full")
_full_like = primitive("full_like")
#: Run by `unigrad.core.arguments.cast`.
_astype = primitive("astype")

#: A length, or one per axis.
Shape = int | Sequence[int]


def asarray(
    x: TensorLike,
    /,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    copy: bool | None = None,
) -> Tensor:
    """Return a Tensor of nested lists, a scalar, an ndarray, a Tensor or a native array.

    A native array of a framework stays on its backend, as it is; anything else is copied to the
    current one. Python floats take the default floating dtype, ints int64; arrays keep theirs.
    Lists may hold Tensors, which are stacked and stay differentiable.

    Args:
        x: what to make a Tensor of.
        dtype: the result's dtype.
        device: where to put it.
        copy: True to have an array of its own even of a Tensor or a native array; ``None``
            shares it where possible (values never change, so nobody can tell); False is refused
            where that would take a copy.

    Raises:
        DTypeError: when the elements are no numbers or do not fit, or ``dtype`` is unknown.
        ShapeError: when the lists are ragged.
        SettingError: when ``copy=False`` cannot be had.
        UnigradError: when there is no such device.

    Example:
        >>> asarray([1, 2], dtype="float32").dtype.name
        'float32'
    """
    if type(x) is np.ndarray and dtype is None and device is None and copy is None:
        return as_tensor(x)
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    given = as_tensor(x, dtype=wanted)
    tensor = given if wanted is None else cast(given, wanted)
    if device is not None:
        tensor = to_device(tensor, device)
    shared = isinstance(x, (Tensor, Variable)) or owner_of(x) is given.backend
    if copy is False and (not shared or tensor.native is not given.native):
        raise SettingError("asarray: copy=False, but this takes a copy")
    if copy and shared and tensor.native is given.native:
        return _copy(tensor)
    return another_handle(tensor) if tensor is given else tensor


def _copy(x: Tensor) -> Tensor:
    """Return the value in memory of its own; of a tracked or traced one nobody shares any."""
    backend, native = x.backend, x.native
    if x.uid or backend.is_traced(native):
        return another_handle(x)
    return wrap(backend, backend.from_numpy(backend.to_numpy(native), backend.device(native)))


def to_device(x: TensorLike, /, device: str) -> Tensor:
    """Return the tensor on another device ("cpu", "gpu", "gpu:1").

    Raises:
        UnigradError: when the tensor's backend has no such device.

    Example:
        >>> to_device(asarray(1.0), "cpu").device
        'cpu'
    """
    x = as_tensor(x)
    place = x.backend.place(device)
    if x.device == place:
        return another_handle(x)
    out: Tensor = _to_device(x, device=place)
    return out


_to_device = primitive("to_device")


def astype(
    x: TensorLike, dtype: DTypeLike, /, *, copy: bool = True, device: str | None = None
) -> Tensor:
    """Return ``x`` in another dtype. Floats become integers by truncation, complex numbers real
    ones by their real parts.

    ``copy`` is there for the standard's sake: values never change, so a copy that is none cannot
    be told from one.

    Example:
        >>> astype([1.5, -1.5], "int32").tolist()
        [1, -1]
    """
    given = as_tensor(x)
    tensor = cast(given, dtypes.as_dtype(dtype))
    if tensor is given:
        tensor = another_handle(given)
    return tensor if device is None else to_device(tensor, device)


def full_like(
    x: TensorLike,
    /,
    fill_value: Any,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return a tensor of the shape, dtype, backend and device of another, filled with a scalar.

    Raises:
        DTypeError: when the value is no number, or an integer that does not fit.
        ShapeError: when it is more than one.

    Example:
        >>> full_like([1, 2], 7).tolist()
        [7, 7]
    """
    like = untracked(as_tensor(x))
    if dtype is not None:
        like = cast(like, dtypes.as_dtype(dtype))
    out: Tensor = _full_like(like, value=_scalar("full_like", fill_value, like.dtype))
    return out if device is None else to_device(out, device)


def zeros_like(
    x: TensorLike, /, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return zeros of the shape, dtype, backend and device of another tensor.

    Example:
        >>> zeros_like([1, 2]).tolist()
        [0, 0]
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(
    x: TensorLike, /, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return ones of the shape, dtype, backend and device of another tensor.

    Example:
        >>> ones_like([1, 2]).tolist()
        [1, 1]
    """
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(
    x: TensorLike, /, *, dtype: DTypeLike | None = None, device: str | None = None
) -> Tensor:
    """Return a tensor like another with values that nobody should rely on (zeros).

    Example:
        >>> empty_like([1, 2]).shape
        (2,)
    """
    return full_like(x, 0, dtype=dtype, device=device)


def _scalar(name: str, value: Any, dtype: DType) -> Any:
    """Return a fill value as a Python scalar of the dtype's own kind, which every library takes."""
    if isinstance(value, (Tensor, Variable)):
        value = value.item()
    array = as_ndarray(value)
    if array.ndim:
        raise ShapeError(f"{name}: the fill value is one number, not an array of {array.shape}")
    if type(value) is int and dtype in dtypes.INTEGER:
        limits = np.iinfo(dtype)
        if not limits.min <= value <= limits.max:
            raise DTypeError(f"{name}: {value} does not fit {dtype.name}")
        return value
    return array.astype(dtype).item()


def full(
    shape: Shape,
    fill_value: bool | int | float | complex,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return a tensor filled with a scalar, in the default dtype of the scalar's kind.

    Raises:
        DTypeError: when the value is no number, or an integer that does not fit.
        ShapeError: when it is more than one, or the shape has a negative length.

    Example:
        >>> full((2,), 7).tolist()
        [7, 7]
    """
    return _filled("full", shape, fill_value, dtype, device, like, backend)


def _filled(
    name: str,
    shape: Shape,
    fill_value: Any,
    dtype: DTypeLike | None,
    device: str | None,
    like: TensorLike | None,
    on: str | None,
) -> Tensor:
    """Do what `full` does; errors are those of the function ``name``."""
    lengths = as_shape(name, shape)
    settings = key = None
    kind = type(fill_value)
    # Not the floats ±0.0, which are one key to a dictionary.
    if type(dtype) in _NAMED and (kind is int or (kind is float and fill_value)):
        key = (lengths, kind, fill_value, dtype, dtypes.default_dtype())
        settings = _fillings.get(key)
    if settings is None:
        settings = _plan_filling(name, lengths, fill_value, dtype)
        if key is not None:
            _fillings.keep(key, settings)
    backend, place = placed(device) if like is on is None else place_of(device, like, on)
    kernel: Any = _full.kernels[backend]
    if place is None:
        return wrap(backend, kernel(**settings))
    with backend.on(place):
        made = wrap(backend, kernel(**settings))
    return to_device(made, place)


#: Settings of `full` by shape, number, dtype and default dtype.
_fillings = Plans()
#: The ways to name a dtype that hash as they compare.
_NAMED = frozenset((type(None), str, *map(type, dtypes.ALL)))


def _plan_filling(
    name: str, lengths: tuple[int, ...], fill_value: Any, dtype: DTypeLike | None
) -> Mapping[str, Any]:
    """Return the settings of `full`."""
    if lengths and min(lengths) < 0:
        raise ShapeError(f"{name}: a shape has no negative lengths, as {lengths} has")
    if dtype is not None:
        chosen = dtypes.as_dtype(dtype)
    elif isinstance(fill_value, (bool, int, float, complex)):
        chosen = dtypes.default_dtype_of_kind(type(fill_value))
    else:
        chosen = as_tensor(fill_value).dtype
    return {"shape": lengths, "value": _scalar(name, fill_value, chosen), "dtype": chosen}


def zeros(
    shape: Shape,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return zeros, in the default floating dtype.

    Args:
        shape: its shape.
        dtype: its dtype, if not the default one.
        device: where to put it.
        like: a tensor, a variable or a native array, on whose backend and device it is made.
        backend: the name of the backend on which it is made.

    Example:
        >>> zeros((2,)).tolist()
        [0.0, 0.0]
        >>> zeros((), like=asarray(1.0)).backend is asarray(1.0).backend
        True
    """
    return _filled("zeros", shape, 0, dtype or dtypes.default_dtype(), device, like, backend)


def ones(
    shape: Shape,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return ones, in the default floating dtype.

    Example:
        >>> ones((2,)).tolist()
        [1.0, 1.0]
    """
    return _filled("ones", shape, 1, dtype or dtypes.default_dtype(), device, like, backend)


def empty(
    shape: Shape,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: TensorLike | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return a tensor with values that nobody should rely on (zeros: no op writes in place).

    Example:
        >>> empty((2,)).shape
        (2,)
    """
    return _filled("empty", shape, 0, dtype or dtypes.default_dtype(), device, like, backend)


def from_host(
    array: npt.NDArray[Any],
    dtype: DType,
    device: str | None,
    like: TensorLike | None = None,
    on: str | None = None,
) -> Tensor:
    """Return values computed once, for all backends alike, as a tensor of one of them."""
    backend, place = place_of(device, like, on)
    return wrap(backend, backend.from_numpy(array.astype(dtype, copy=False), place))


def copy(x: TensorLike, /) -> Tensor:
    """Return a tensor of the same value, in memory of its own.

    Example:
        >>> x = asarray([1, 2])
        >>> y = copy(x)
        >>> y[0] = 5
        >>> x.tolist()
        [1, 2]
    """
    return _copy(as_tensor(x))


def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """Return an array that speaks DLPack as a Tensor.

    A native array of a backend stays there; anything else goes to the current backend by value.

    Example:
        >>> import numpy as np
        >>> from_dlpack(np.ones(2)).tolist()
        [1.0, 1.0]
    """
    if not isinstance(x, Tensor) and not hasattr(x, "__dlpack__"):
        raise DTypeError(f"from_dlpack: a {type(x).__name__} has no __dlpack__")
    try:
        return asarray(x, device=device, copy=copy)
    except DTypeError:
        return asarray(np.from_dlpack(x), device=device, copy=copy)


def to_numpy(x: TensorLike, /) -> npt.NDArray[Any]:
    """Return a copy of the values as an ndarray.

    Example:
        >>> to_numpy([1, 2])
        array([1, 2])
    """
    return as_tensor(x).numpy()
