"""Making tensors and placing them."""

from typing import Any

import torch

from unigrad.core.dtypes import ALL

_DTYPES = {dtype: getattr(torch, dtype.name) for dtype in ALL}


def device_of(name: str) -> torch.device:
    """The device of a name that `Backend.place` gave."""
    kind, _, index = name.partition(":")
    return torch.device("cpu") if kind == "cpu" else torch.device("cuda", int(index))


def full(shape: tuple[int, ...], value: Any, dtype: Any) -> torch.Tensor:
    """A filled tensor."""
    return torch.full(shape, value, dtype=_DTYPES[dtype])


TABLE = {
    "full": full,
    "full_like": lambda x, value: torch.full_like(x, value),
    "to_device": lambda x, device: x.to(device_of(device)),
}
