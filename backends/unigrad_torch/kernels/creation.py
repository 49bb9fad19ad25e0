"""Making tensors and placing them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import copysign
from typing import Any

import torch

from unigrad.core.dtypes import ALL

_DTYPES = {dtype: getattr(torch, dtype.name) for dtype in ALL}


def device_of(name: str) -> torch.device:
    """The device of a name that `Backend.place` gave."""
    kind, _, index = name.partition(":")
    return torch.device("cpu") if kind == "cpu" else torch.device("cuda", int(index))


class Place(threading.local):
    """Where a thread makes new arrays: not on torch's default device, which is the program's."""

    device = torch.device("cpu")


place = Place()


@contextmanager
def making_on(device: torch.device) -> Iterator[None]:
    """Make new arrays on a device inside the block."""
    before, place.device = place.device, device
    try:
        yield
    finally:
        place.device = before


def full(shape: tuple[int, ...], value: Any, dtype: Any) -> torch.Tensor:
    """A filled tensor."""
    return torch.full(shape, value, dtype=_DTYPES[dtype], device=place.device)


def _bind_full(shape: tuple[int, ...], value: Any, dtype: Any) -> Any:
    native = _DTYPES[dtype]
    return lambda: torch.full(shape, value, dtype=native, device=place.device)


def _bind_full_like(value: Any) -> Any:
    if value == 0 and not isinstance(value, complex) and copysign(1.0, value) > 0.0:
        return torch.zeros_like
    return partial(torch.full_like, fill_value=value)


TABLE = {
    "full": full,
    "full_like": lambda x, value: torch.full_like(x, value),
    "to_device": lambda x, device: x.to(device_of(device)),
}

BINDERS: dict[Any, Any] = {full: _bind_full, TABLE["full_like"]: _bind_full_like}
