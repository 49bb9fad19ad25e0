"""Making tensors, and changing their dtype or device.

Creation functions make their tensor on the current backend (`ug.use_backend`) and on ``device``
(default: ``UNIGRAD_DEVICE``, else the backend's first device). With ``like=x`` they make it on the
backend and device of ``x``, whatever the current ones are; the dtype does not come from there. With
``backend="torch"`` they make it on that backend.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, beside, cast, placed
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import SettingError
from unigrad.core.op import copied_handle, primitive
from unigrad.core.registry import at_home, owner_of
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.placing import place_of

__all__ = [
    "asarray", "astype", "copy", "to_device", "to_numpy",
]  # fmt: skip

#: Run by `unigrad.core.arguments.cast`.
_astype = primitive("astype")


def asarray(
    x: TensorLike,
    /,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    copy: bool | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return a Tensor of nested lists, a scalar, an ndarray, a Tensor or a native array.

    A native array of a framework stays on its backend, as it is, unless ``like`` or ``backend``
    names another one, to which its values are copied; anything else is copied to the current one.
    Python floats take the default floating dtype, ints int64; arrays keep theirs, and so do NumPy's
    scalars, in lists too. Lists may hold Tensors, which are stacked and stay differentiable.

    Args:
        x: what to make a Tensor of.
        dtype: the result's dtype.
        device: where to put it.
        copy: True to have an array of its own even of a Tensor or a native array; ``None``
            shares it where possible (values never change, so nobody can tell); False is refused
            where that would take a copy.
        like: a tensor, on whose backend and device the result is to be.
        backend: the name of the result's backend.

    Raises:
        DTypeError: when the elements are no numbers or do not fit, or ``dtype`` is unknown.
        ShapeError: when the lists are ragged.
        SettingError: when ``copy=False`` cannot be had.
        UnigradError: when there is no such device.

    Example:
        >>> asarray([1, 2], dtype="float32").dtype.name
        'float32'
    """
    if like is not None or backend is not None:
        return _at(*place_of(device, like, backend), x, dtype, copy)
    if type(x) is np.ndarray and dtype is None and device is None and copy is None:
        return as_tensor(x)
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    given = as_tensor(x, dtype=wanted)
    tensor = given if wanted is None else cast(given, wanted)
    if device is not None:
        tensor = to_device(tensor, device)
    # An ndarray has been copied: its owner may change it.
    shared = isinstance(x, (Tensor, Variable)) or (
        owner_of(x) is given.backend and not isinstance(x, np.ndarray)
    )
    if copy is False and (not shared or tensor._native is not given._native):
        raise SettingError("asarray: copy=False, but this takes a copy")
    if copy and shared and tensor._native is given._native:
        return own_memory(tensor)
    return copied_handle(tensor) if tensor is given else tensor


def _at(
    home: Backend, device: str | None, x: Any, dtype: DTypeLike | None, copy: bool | None
) -> Tensor:
    """Return `asarray` of a value, on a backend and a device.

    Raises:
        SettingError: when ``copy=False`` and the value lives on another backend.
    """
    with at_home(home, device):
        owned = isinstance(x, (Tensor, Variable)) or (owner_of(x) is not None)
        if not owned or as_tensor(x).backend.root is home:
            return asarray(x, dtype=dtype, device=device, copy=copy)
        if copy is False:
            raise SettingError("asarray: copy=False, but the value lives on another backend")
        return asarray(as_tensor(x).numpy(), dtype=dtype, device=device)


def own_memory(x: Tensor) -> Tensor:
    """Return the value in memory of its own; of a followed or traced one nobody shares any."""
    backend, native = x.backend, x._native
    if x.uid or backend.is_traced(native) or backend.in_graph(native):
        return copied_handle(x)
    return beside(x, backend.to_numpy(native))


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
    if x.backend.beside(x._native) == place:
        return copied_handle(x)
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
        tensor = copied_handle(given)
    return tensor if device is None else to_device(tensor, device)


def from_host(
    array: npt.NDArray[Any],
    dtype: DType,
    device: str | None,
    like: TensorLike | None = None,
    on: str | None = None,
) -> Tensor:
    """Return values computed once, for all backends alike, as a tensor of one of them."""
    backend, place = placed(device) if like is on is None else place_of(device, like, on)
    values = array if array.dtype is dtype else array.astype(dtype)
    return wrap(backend, backend.from_numpy(values, place))


def copy(x: TensorLike, /) -> Tensor:
    """Return a tensor of the same value, in memory of its own.

    Example:
        >>> x = asarray([1, 2])
        >>> y = copy(x)
        >>> y[0] = 5
        >>> x.tolist()
        [1, 2]
    """
    return own_memory(as_tensor(x))


def to_numpy(x: TensorLike, /) -> npt.NDArray[Any]:
    """Return a copy of the values as an ndarray.

    Example:
        >>> to_numpy([1, 2])
        array([1, 2])
    """
    return as_tensor(x).numpy()
