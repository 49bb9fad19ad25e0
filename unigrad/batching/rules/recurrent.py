"""Steps of recurrent networks: the examples are further rows of one step."""

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching, spread
from unigrad.ops.shaping import reshape


def _step(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Run one step where the weights are the same for all examples."""
    if any(batch.axes[2:]):
        return NotImplemented
    both = Batch(batch.op, batch.size, batch.axes[:2])
    projected, state = spread(both, inputs[:2])
    rows = [x if x.ndim == 2 else reshape(x, (-1, x.shape[-1])) for x in (projected, state)]
    return reshape(batch.op(*rows, *inputs[2:]), state.shape)


batching(_step, "gru_step", "gru_step_reset_before")
