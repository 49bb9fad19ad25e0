"""Updates of parameters: formulas for each element, given as rows of columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, BatchingRule, batching, spread


def _update(numbers: int) -> BatchingRule:
    """Return the rule of an update that takes so many numbers before the tensors."""

    def rule(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
        """Update all examples' parameters, each of which then has the batch's axis."""
        if any(batch.axes[:numbers]):
            return NotImplemented
        return batch.op(*spread(batch, inputs, numbers), **settings)

    return rule


# The step's number, the learning rate, and what each formula has besides.
batching(_update(2), "sgd_update")
batching(_update(3), "momentum_update")
batching(_update(4), "rmsprop_update")
batching(_update(5), "adam_update")
