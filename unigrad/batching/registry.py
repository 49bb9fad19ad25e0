"""How an op runs on a batch, written down: one line per op, or per class of ops, in ops.

A batching rule is a function ``rule(batch, inputs, settings)``. ``inputs`` are Tensors, whose first
axis is the batch's where `Batch.axes` says so, and Python scalars; the settings are those for one
example. It returns the result, or a tuple of them, with the batch's axis first in each; `Unbatched`
marks one that is the same for all examples.

Rules are made of ops, so they run on any backend, can be recorded and differentiated, and nest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from unigrad.core.op import OPS, Op
from unigrad.core.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """What a rule is told of a batch."""

    op: Op
    #: The number of examples.
    size: int
    #: For every input whether it has the batch's axis.
    axes: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Unbatched:
    """A result that is the same for all examples."""

    value: Tensor


BatchingRule: TypeAlias = Callable[[Batch, Sequence[Any], Mapping[str, Any]], Any]


def batching(rule: BatchingRule, *names: str) -> None:
    """Write down how ops run on a batch.

    A composite's rule may return ``NotImplemented``: the composite is then taken apart.
    """
    for name in names:
        OPS[name].batching = rule


def elementwise(batch: Batch, inputs: Sequence[Any], settings: Mapping[str, Any]) -> Any:
    """Line up the axes of examples at the end, so that they broadcast as they do for one."""
    rank = max([rank_of(x, has) for x, has in zip(inputs, batch.axes, strict=True)])
    lined = [widened(x, rank) if has else x for x, has in zip(inputs, batch.axes, strict=True)]
    return batch.op(*lined, **settings)


def rank_of(x: Any, batched: bool) -> int:
    """Return how many axes an input has for one example."""
    return x.ndim - batched if type(x) is Tensor else 0


def widened(x: Tensor, rank: int) -> Tensor:
    """Return a batch of examples of at least this rank: axes of length 1 go before their own."""
    shape = x.shape
    missing = rank - len(shape) + 1
    if missing <= 0:
        return x
    out: Tensor = OPS["reshape"](x, shape=(shape[0], *[1] * missing, *shape[1:]))
    return out


def spread(batch: Batch, inputs: Sequence[Any], first: int = 0) -> list[Any]:
    """Return the inputs with the batch's axis in each, from the first one on that needs it."""
    return [
        x if has or i < first else OPS["broadcast_to"](x, shape=(batch.size, *x.shape))
        for i, (x, has) in enumerate(zip(inputs, batch.axes, strict=True))
    ]
