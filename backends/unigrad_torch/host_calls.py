"""Functions of ndarrays in torch's captured graphs: one op that knows them by number.

A graph holds no Python objects, so what it may call is kept here as long as the process lives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from unigrad.core.host_errors import noted
from unigrad_torch.kernels.optimizers import library

Function = Callable[[Sequence[torch.Tensor]], list[torch.Tensor]]
Results = Sequence[tuple[tuple[int, ...], torch.dtype]]

_calls: list[tuple[Function, Results]] = []


def call_in_graph(
    function: Function, results: Results, tensors: Sequence[torch.Tensor]
) -> tuple[torch.Tensor, ...]:
    """Put the call of a function of real tensors into the graph that is being captured."""
    _calls.append((noted(function), results))
    return tuple(torch.ops.unigrad.host_call(len(_calls) - 1, list(tensors)))


def _run(number: int, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    function, _ = _calls[number]
    return function(tensors)


library.define("host_call(int number, Tensor[] tensors) -> Tensor[]")
library.impl("host_call", _run, "CompositeExplicitAutograd")


@torch.library.register_fake("unigrad::host_call", lib=library)
def _like(number: int, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    _, results = _calls[number]
    device = tensors[0].device
    return [torch.empty(shape, dtype=dtype, device=device) for shape, dtype in results]
