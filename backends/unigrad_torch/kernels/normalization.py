"""Rows of zero mean and unit variance, or of unit mean square."""

import torch
from torch.nn import functional

from unigrad.autodiff.bridge import body_of
from unigrad_torch.kernels.values import has_values

#: What is within the first has squares in range; of a greater ε a vanishing square is no loss.
_RANGE = {torch.float32: (2.0**59, 2.0**-60), torch.float64: (2.0**500, 2.0**-600)}


def _are_squared(x: torch.Tensor, epsilon: float) -> bool:
    """Tell whether elements may be squared as they are, beside an ε."""
    if x.dtype not in _RANGE or not x.numel() or not has_values(x):
        return False
    most, least = _RANGE[x.dtype]
    if epsilon <= least:
        return False
    low, high = torch.aminmax(x.detach())
    return -most < low.item() and high.item() < most


def _normalized(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """torch's own, which squares elements as they are."""
    if _are_squared(x, epsilon):
        return functional.layer_norm(x, x.shape[-1:], eps=epsilon)
    return _in_units(x, epsilon=epsilon)


def _rms_normalized(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """torch's own, which squares elements as they are."""
    if _are_squared(x, epsilon):
        return functional.rms_norm(x, x.shape[-1:], eps=epsilon)
    return _rms_in_units(x, epsilon=epsilon)


_in_units = body_of("torch", "normalized")
_rms_in_units = body_of("torch", "rms_normalized")

TABLE = {"normalized": _normalized, "rms_normalized": _rms_normalized}
