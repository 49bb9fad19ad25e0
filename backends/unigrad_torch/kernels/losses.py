"""Softmax cross-entropy from integer labels."""

from collections.abc import Callable
from typing import Any

import torch

#: No label is this one: none is left out.
_NONE_IGNORED = -(2**62)


#: What torch.nn.functional.cross_entropy calls, once it has looked at its options.
_cross_entropy = torch._C._nn.cross_entropy_loss
_PER_EXAMPLE = 0


def crossentropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """torch's own, over the last axis, one loss per example."""
    if labels.dtype is torch.int64 and labels.dim() == 1:
        return _cross_entropy(logits, labels, None, _PER_EXAMPLE, _NONE_IGNORED)
    rows = logits.reshape(-1, logits.shape[-1])
    picks = labels.reshape(-1).to(torch.int64)
    losses = _cross_entropy(rows, picks, None, _PER_EXAMPLE, _NONE_IGNORED)
    return losses.reshape(labels.shape)


TABLE: dict[str, Callable[..., Any]] = {"sparse_softmax_crossentropy": crossentropy}
