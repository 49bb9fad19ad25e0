"""Softmax cross-entropy from integer labels."""

from collections.abc import Callable
from typing import Any

import torch

from unigrad_torch.private import cross_entropy

#: No label is this one: none is left out.
_NONE_IGNORED = -(2**62)
_PER_EXAMPLE = 0


def crossentropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """torch's own, over the last axis, one loss per example."""
    if labels.dtype is torch.int64 and labels.dim() == 1:
        return cross_entropy(logits, labels, None, _PER_EXAMPLE, _NONE_IGNORED)
    rows = logits.reshape(-1, logits.shape[-1])
    picks = labels.reshape(-1).to(torch.int64)
    losses = cross_entropy(rows, picks, None, _PER_EXAMPLE, _NONE_IGNORED)
    return losses.reshape(labels.shape)


TABLE: dict[str, Callable[..., Any]] = {"sparse_softmax_crossentropy": crossentropy}
