"""What unigrad's own programs use on torch beside the table: see `unigrad.tracing.straight`."""

from __future__ import annotations

from functools import wraps
from typing import Any

import torch

from unigrad.core import dtypes
from unigrad.core.native_tape import Kernel
from unigrad.core.programs import Fusion, Saving
from unigrad_torch.kernels import TABLE
from unigrad_torch.kernels.losses import crossentropy
from unigrad_torch.kernels.values import without_values
from unigrad_torch.private import log_softmax

#: Ops whose kernels look at indices where they can.
_LOOKING = (
    "take", "picked", "scatter_add", "scatter_set", "at_add", "at_multiply", "scatter_min",
    "scatter_max", "last_of_each", "take_along_axis", "add_along_axis", "ravel_index",
)  # fmt: skip


def _blind(kernel: Kernel) -> Kernel:
    """Return a kernel that treats wrong indices as if nobody could look at them.

    The kernel of the table runs first: it raises where an index is wrong, which is seldom.
    """

    @wraps(kernel)
    def run(*natives: Any, **settings: Any) -> Any:
        try:
            return kernel(*natives, **settings)
        except IndexError:
            with without_values():
                return kernel(*natives, **settings)

    return run


UNCHECKED: dict[str, Kernel] = {name: _blind(TABLE[name]) for name in _LOOKING if name in TABLE}


def _saving_crossentropy(logits: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, Any]:
    """Return the losses, and softmax(x) if it is as exact by way of the logarithms."""
    if logits.dtype.itemsize == 2 or logits.dim() != 2 or labels.dtype is not torch.int64:
        return crossentropy(logits, labels), (None, logits, labels)
    logs = log_softmax(logits, 1, False)
    index = labels.unsqueeze(1)
    return torch.neg(logs.gather(1, index).squeeze(1)), (logs, logits, index)


def _gradient_of_saved(g: torch.Tensor, saved: Any) -> torch.Tensor:
    """g · (softmax(x) - onehot(i))."""
    logs, logits, index = saved
    if logs is None:
        return _gradient(g, logits, index)
    slope = torch.exp(logs)
    slope.scatter_add_(1, index, slope.new_full((), -1.0).expand(index.shape))
    return slope.mul_(g.unsqueeze(1))


def _gradient(g: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    classes = torch.arange(logits.shape[-1], device=logits.device)
    ones = (labels.unsqueeze(-1).to(torch.int64) == classes).to(logits.dtype)
    return g.unsqueeze(-1) * (torch.softmax(logits, -1) - ones)


_threshold = torch.ops.aten.threshold_backward.default


def _alive(g: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return g where x > 0 and 0 elsewhere, as torch's own derivative of ``relu`` does."""
    found: torch.Tensor = _threshold(g, x, 0)
    return found


FUSIONS: list[Fusion] = [
    Fusion(
        "alive",
        ("where", ("greater", "x", 0.0), "g", 0.0),
        ("g", "x"),
        _alive,
        frozenset((dtypes.float32, dtypes.float64)),
    )
]

SAVINGS: list[Saving] = [
    Saving(
        "sparse_softmax_crossentropy",
        "sparse_softmax_crossentropy_gradient",
        _saving_crossentropy,
        _gradient_of_saved,
    )
]
