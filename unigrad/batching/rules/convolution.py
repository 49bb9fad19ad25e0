"""Convolutions and pooling: the examples are further members of one batch."""

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching
from unigrad.ops.shaping import reshape


def _one_batch(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Join the batches where the kernels, if there are, are the same for all examples."""
    if any(batch.axes[1:]):
        return NotImplemented
    x = inputs[0]
    joined = reshape(x, (batch.size * x.shape[1], *x.shape[2:]))
    out = batch.op(joined, *inputs[1:], **settings)
    return reshape(out, (batch.size, x.shape[1], *out.shape[1:]))


batching(_one_batch, "convolution", "convolution_input", "max_pool", "sum_pool")
