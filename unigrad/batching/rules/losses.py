"""Losses from integer labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching, spread


def _rows(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Take the examples as further rows: the op looks at the last axis only."""
    return batch.op(*spread(batch, inputs), **settings)


batching(_rows, "sparse_softmax_crossentropy", "sparse_softmax_crossentropy_gradient")
