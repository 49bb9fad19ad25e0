"""Arrays of other libraries on the same memory: DLPack."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core.arguments import as_tensor
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.errors import DTypeError, SettingError
from unigrad.core.ndarrays import as_ndarray
from unigrad.core.registry import current_backend, owner_of
from unigrad.core.tensor import Tensor
from unigrad.ops.creation import asarray, own_memory, to_device
from unigrad.ops.placing import place_of

__all__ = ["from_dlpack"]


def from_dlpack(
    x: Any,
    /,
    *,
    device: str | None = None,
    copy: bool | None = None,
    backend: str | None = None,
) -> Tensor:
    """Return an array that speaks DLPack as a Tensor, on the same memory where that can be.

    A Tensor or a native array stays on its backend unless another one is named; anything else goes
    to the current one. Memory that is shared must not be changed by its owner. An array whose
    memory does not hold its values as they are (torch's lazily negated and conjugated ones, another
    byte order), or that the backend cannot read there, is copied.

    Args:
        x: the array.
        device: where to put it.
        copy: True for memory of its own, False to refuse where a copy is needed.
        backend: the backend of the result.

    Raises:
        DTypeError: when it does not speak DLPack, or has a dtype or a layout that unigrad lacks.
        SettingError: when ``copy=False`` cannot be had.

    Example:
        >>> import numpy as np
        >>> from_dlpack(np.ones(2)).tolist()
        [1.0, 1.0]
    """
    if not isinstance(x, Tensor) and not hasattr(x, "__dlpack__"):
        raise DTypeError(f"from_dlpack: a {type(x).__name__} has no __dlpack__")
    owner = x.backend if isinstance(x, Tensor) else owner_of(x)
    home = owner if backend is None else place_of(None, backend=backend)[0]
    if home is owner and home is not None:
        return asarray(x, device=device, copy=copy)
    home = current_backend() if home is None else home
    # Arrays that a backend knows are first taken out of graphs, odd layouts and byte orders.
    source, shows = (x, True) if owner is None else _plain(owner, x)
    try:
        if copy is False and not shows:
            raise BufferError("its memory does not hold the values as they are")
        shared = wrap(home, home.from_dlpack(source))
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        if copy is False:
            raise SettingError(f"from_dlpack: {home.name} must copy: {error}") from None
        shared = wrap(home, home.from_numpy(_host_values(owner, source), None))
    tensor = own_memory(shared) if copy else shared
    return tensor if device is None else to_device(tensor, device)


def _plain(owner: Backend, x: Any) -> tuple[Any, bool]:
    """Return a backend's array whose memory holds its values as they are, outside of any graph,
    and whether that is the memory of the given one."""
    if isinstance(x, np.ndarray):
        array = as_ndarray(x)
        return array, array is x
    detached = owner.detach(as_tensor(x)._native)
    plain = owner.plain(detached)
    # A Tensor hands out its plain array, and says so to those who follow it.
    return x if isinstance(x, Tensor) else plain, plain is detached


def _host_values(owner: Backend | None, source: Any) -> npt.NDArray[Any]:
    """Return an array's values by way of NumPy.

    Raises:
        DTypeError: when there is no way.
    """
    if isinstance(source, Tensor):
        return source.numpy()
    if owner is not None:
        return owner.to_numpy(source)
    try:
        return as_ndarray(np.from_dlpack(source))
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        kind = type(source).__name__
        raise DTypeError(f"from_dlpack: a {kind} cannot be read: {error}") from None
