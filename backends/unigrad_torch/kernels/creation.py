"""Making tensors and placing them."""

from typing import Any

import torch

from unigrad.core.dtypes import ALL
from unigrad.core.errors import UnigradError

_DTYPES = {dtype: getattr(torch, dtype.name) for dtype in ALL}


def to_device(x: torch.Tensor, device: str) -> torch.Tensor:
    """The tensor on another device."""
    kind, _, index = device.partition(":")
    if kind == "cpu":
        return x.to("cpu")
    if kind == "gpu" and torch.cuda.is_available():
        return x.to(torch.device("cuda", int(index or 0)))
    raise UnigradError(f"torch has no device {device!r} here")


def full(shape: tuple[int, ...], value: Any, dtype: Any) -> torch.Tensor:
    """A filled tensor."""
    return torch.full(shape, value, dtype=_DTYPES[dtype])


TABLE = {
    "full": full,
    "full_like": lambda x, value: torch.full_like(x, value),
    "to_device": to_device,
}
