"""Softmax cross-entropy from integer labels."""

from collections.abc import Callable
from typing import Any

import torch

#: No label is this one: none is left out.
_NONE_IGNORED = -(2**62)


def crossentropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """torch's own, over the last axis, one loss per example."""
    if labels.dim() == 1 and labels.dtype is torch.int64:
        return torch.nn.functional.cross_entropy(
            logits, labels, reduction="none", ignore_index=_NONE_IGNORED
        )
    losses = torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        labels.reshape(-1).to(torch.int64),
        reduction="none",
        ignore_index=_NONE_IGNORED,
    )
    return losses.reshape(labels.shape)


TABLE: dict[str, Callable[..., Any]] = {"sparse_softmax_crossentropy": crossentropy}
