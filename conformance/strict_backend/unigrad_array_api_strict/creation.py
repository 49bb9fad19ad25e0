"""Making arrays, and moving them between devices and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import array_api_strict as xp

from unigrad.core.dtypes import DType
from unigrad.core.errors import UnsupportedError

#: The library's devices that hold every dtype, by names as unigrad spells them.
DEVICES = {
    "cpu": xp.Device("CPU_DEVICE"),
    "device1": xp.Device("device1"),
    "device2": xp.Device("device2"),
}
_NAMES = {native: name for name, native in DEVICES.items()}

#: Where `Backend.on` says that new arrays go.
DEVICE: ContextVar[Any] = ContextVar("unigrad_array_api_strict_device", default=None)


def current() -> Any:
    """Return the device of new arrays; None is the library's default."""
    return DEVICE.get()


def name_of(device: Any) -> str:
    """Return unigrad's name of a device."""
    return _NAMES[device]


def native(dtype: DType) -> Any:
    """Return the library's dtype.

    Raises:
        UnsupportedError: when the standard has none like it.
    """
    found = getattr(xp, dtype.name, None)
    if found is None:
        raise UnsupportedError(f"array_api_strict has no {dtype.name}")
    return found


def like(x: Any, value: Any) -> Any:
    """Return a number as an array without axes, of the dtype and on the device of another."""
    return xp.asarray(value, dtype=x.dtype, device=x.device)


def is_complex(x: Any) -> bool:
    """Tell whether an array holds complex numbers."""
    found: bool = xp.isdtype(x.dtype, "complex floating")
    return found


def is_bool(x: Any) -> bool:
    """Tell whether an array holds bools."""
    found: bool = x.dtype == xp.bool
    return found


def truths(x: Any) -> Any:
    """Return where an array is not zero."""
    return x if is_bool(x) else x != like(x, 0)


def cast(x: Any, dtype: DType) -> Any:
    """Cast; of complex numbers the real parts, which the standard takes only on request."""
    if dtype.kind == "b":
        return truths(x)
    if is_complex(x) and dtype.kind != "c":
        x = xp.real(x)
    return xp.astype(x, native(dtype))


def _full(*, shape: tuple[int, ...], value: Any, dtype: DType) -> Any:
    return xp.full(shape, value, dtype=native(dtype), device=current())


TABLE: dict[str, Callable[..., Any]] = {
    "full": _full,
    "full_like": lambda x, value: xp.full_like(x, value),
    "astype": cast,
    "to_device": lambda x, device: x.to_device(DEVICES[device]),
}
