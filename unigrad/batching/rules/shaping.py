"""Ops that move elements: the batch's axis stays the first."""

from collections.abc import Mapping, Sequence
from typing import Any

from unigrad.batching.registry import Batch, batching, spread, widened

Inputs = Sequence[Any]
Settings = Mapping[str, Any]


def _reshape(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    return batch.op(inputs[0], shape=(batch.size, *settings["shape"]))


def _broadcast_to(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    shape = settings["shape"]
    return batch.op(widened(inputs[0], len(shape)), shape=(batch.size, *shape))


def _permute_dims(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    return batch.op(inputs[0], axes=(0, *[axis + 1 for axis in settings["axes"]]))


def _pad(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    return batch.op(inputs[0], widths=((0, 0), *settings["widths"]), value=settings["value"])


def _tile(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    return batch.op(inputs[0], repetitions=(1, *settings["repetitions"]))


def _join(batch: Batch, inputs: Inputs, settings: Settings) -> Any:
    return batch.op(*spread(batch, inputs), axis=settings["axis"] + 1)


batching(_reshape, "reshape")
batching(_broadcast_to, "broadcast_to")
batching(_permute_dims, "permute_dims")
batching(_pad, "pad")
batching(_tile, "tile")
batching(_join, "concat", "stack")
