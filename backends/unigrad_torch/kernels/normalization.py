"""Rows of zero mean and unit variance."""

import torch
from torch.nn import functional

from unigrad.autodiff.bridge import body_of
from unigrad_torch.kernels.values import has_values

#: What is within the first has squares in range; of a greater ε a vanishing square is no loss.
_RANGE = {torch.float32: (2.0**59, 2.0**-60), torch.float64: (2.0**500, 2.0**-600)}
_in_units = body_of("torch", "normalized")


def _normalized(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """torch's own, which squares elements as they are."""
    if x.dtype in _RANGE and x.numel() and has_values(x):
        most, least = _RANGE[x.dtype]
        low, high = torch.aminmax(x.detach())
        if epsilon > least and -most < low.item() and high.item() < most:
            return functional.layer_norm(x, x.shape[-1:], eps=epsilon)
    return _in_units(x, epsilon=epsilon)


TABLE = {"normalized": _normalized}
