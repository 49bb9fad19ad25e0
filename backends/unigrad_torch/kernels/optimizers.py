"""Optimizer steps: the fused kernel of torch.optim, on copies where somebody holds the values."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from unigrad.optimizers.updates import columns
from unigrad_torch.bridge import by_rule
from unigrad_torch.compiler import quicker, runs_as_captured
from unigrad_torch.private import (
    are_transforms_active,
    fused_adam,
    get_proxy_mode,
    is_batched,
)

#: Python's, or a tensor: in a captured graph, or computed.
Number: TypeAlias = float | Tensor


def sgd_update(step: Tensor, rate: Number, *tensors: Tensor) -> list[Tensor]:
    """w ← w - α g."""
    parameters, gradients = columns(tensors, 0)
    if isinstance(rate, torch.Tensor):
        rate = rate.to(parameters[0].dtype)
    return [p - rate * g for p, g in zip(parameters, gradients, strict=True)]


def adam_update(
    step: Tensor, rate: Number, beta1: Number, beta2: Number, epsilon: Number, *tensors: Tensor
) -> list[Tensor]:
    """Kingma & Ba's algorithm 1 with torch's fused kernel where nothing looks inside it."""
    numbers = (rate, beta1, beta2, epsilon)
    traced = get_proxy_mode() is not None or type(step) is not Tensor
    if are_transforms_active() and any(
        isinstance(x, Tensor) and is_batched(x) for x in (step, *numbers, *tensors)
    ):
        return _formula(step, *numbers, *columns(tensors, 2))
    if not traced:
        return _fused(step, *numbers, *columns(tensors, 2))
    if runs_as_captured.get():
        return _in_graph(step, *map(_as_tensor, numbers), *map(list, columns(tensors, 2)))
    # A compiler fuses plain formulas itself.
    return _formula(step, *numbers, *columns(tensors, 2))


def _fused(
    step: Tensor,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    first: Sequence[Tensor],
    second: Sequence[Tensor],
) -> list[Tensor]:
    new = [x.clone(memory_format=torch.contiguous_format) for x in (*parameters, *first, *second)]
    count = len(parameters)
    with torch.no_grad():
        adam_in_place(step, rate, beta1, beta2, epsilon, *new[:count], *gradients, *new[count:])
    return new


def adam_in_place(
    step: Tensor, rate: Number, beta1: Number, beta2: Number, epsilon: Number, *tensors: Tensor
) -> None:
    """The same into contiguous parameters and slots, none of which is in a graph."""
    parameters, gradients, first, second = map(list, columns(tensors, 2))
    # The kernel walks each tensor's memory in its own order: all must have the same.
    fused_adam(
        parameters,
        [*map(torch.Tensor.contiguous, gradients)],
        first,
        second,
        [],
        [step.to(torch.float32)] * len(parameters),
        lr=float(rate),
        beta1=float(beta1),
        beta2=float(beta2),
        weight_decay=0.0,
        eps=float(epsilon),
        amsgrad=False,
        maximize=False,
    )


def _formula(
    step: Tensor,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    first: Sequence[Tensor],
    second: Sequence[Tensor],
) -> list[Tensor]:
    """The formula of `unigrad.optimizers.updates`, its scalars in float64."""
    time, dtype = step.to(torch.float64), parameters[0].dtype
    pace, share1, share2, least = map(_as_tensor, (rate, beta1, beta2, epsilon))
    correction = torch.sqrt(-torch.expm1(time * torch.log(share2)))
    scale = (correction / -torch.expm1(time * torch.log(share1)) * pace).to(dtype)
    floor = (correction * least).to(dtype)
    past1, now1, past2, now2 = (x.to(dtype) for x in (share1, 1 - share1, share2, 1 - share2))
    m = [past1 * m + now1 * g for m, g in zip(first, gradients, strict=True)]
    v = [past2 * v + now2 * (g * g) for v, g in zip(second, gradients, strict=True)]
    moved = [
        p - scale * mean / (torch.sqrt(square) + floor)
        for p, mean, square in zip(parameters, m, v, strict=True)
    ]
    return [*moved, *m, *v]


def _as_tensor(number: Number) -> Tensor:
    """Return a number as a tensor of no axes, in float64."""
    return torch.as_tensor(number, dtype=torch.float64, device="cpu")


#: Makes the fused kernel a node of captured graphs, which looks at its numbers when it is run.
library = torch.library.Library("unigrad", "DEF")
library.define(
    "fused_adam(Tensor step, Tensor rate, Tensor beta1, Tensor beta2, Tensor epsilon, "
    "Tensor[] parameters, Tensor[] gradients, Tensor[] first, Tensor[] second) -> Tensor[]"
)
library.impl("fused_adam", _fused, "CompositeExplicitAutograd")
_in_graph = torch.ops.unigrad.fused_adam.default
quicker(_in_graph, _fused)


@torch.library.register_fake("unigrad::fused_adam", lib=library)
def _shapes(*arguments: Any) -> list[Tensor]:
    *_, parameters, _, first, second = arguments
    return [
        torch.empty_like(x, memory_format=torch.contiguous_format)
        for x in (*parameters, *first, *second)
    ]


IN_PLACE: dict[str, Callable[..., None]] = {"adam_update": adam_in_place}

TABLE: dict[str, Callable[..., Any]] = {
    "sgd_update": sgd_update,
    # The fused kernel has no derivative.
    "adam_update": by_rule("adam_update", adam_update),
}
