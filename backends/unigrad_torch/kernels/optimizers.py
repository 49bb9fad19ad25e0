"""Optimizer steps: the fused kernel of torch.optim on copies, else torch's list-wise ops."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import get_proxy_mode

from unigrad.optimizers.updates import columns, log_of
from unigrad_torch.bridge import by_rule
from unigrad_torch.compiler import runs_as_captured


def sgd_update(
    step: torch.Tensor, *tensors: torch.Tensor, learning_rate: float | None
) -> list[torch.Tensor]:
    """w ← w - α g."""
    rate, (parameters, gradients) = columns(tensors, 0, learning_rate)
    return [p - rate * g for p, g in zip(parameters, gradients, strict=True)]


def adam_update(
    step: torch.Tensor,
    *tensors: torch.Tensor,
    learning_rate: float | None,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> list[torch.Tensor]:
    """Kingma & Ba's algorithm 1 with torch's fused kernel where nothing looks inside it."""
    rate, (parameters, gradients, first, second) = columns(tensors, 2, learning_rate)
    # A compiler fuses plain formulas itself.
    traced = get_proxy_mode() is not None or type(step) is not torch.Tensor
    if traced and not runs_as_captured.get():
        return _formula(step, rate, parameters, gradients, first, second, beta1, beta2, epsilon)
    new = [x.clone() for x in (*parameters, *first, *second)]
    count = len(parameters)
    with torch.no_grad():
        torch._fused_adam_(
            new[:count],
            list(gradients),
            new[count : 2 * count],
            new[2 * count :],
            [],
            [step.to(torch.float32)] * count,
            lr=rate,
            beta1=beta1,
            beta2=beta2,
            weight_decay=0.0,
            eps=epsilon,
            amsgrad=False,
            maximize=False,
        )
    return new


def _formula(
    step: torch.Tensor,
    rate: Any,
    parameters: Sequence[torch.Tensor],
    gradients: Sequence[torch.Tensor],
    first: Sequence[torch.Tensor],
    second: Sequence[torch.Tensor],
    beta1: float,
    beta2: float,
    epsilon: float,
) -> list[torch.Tensor]:
    """The formula of `unigrad.optimizers.updates`, its scalars in float64."""
    time = step.to(torch.float64)
    correction = torch.sqrt(-torch.expm1(time * log_of(beta2)))
    dtype = parameters[0].dtype
    scale = (correction / -torch.expm1(time * log_of(beta1)) * rate).to(dtype)
    floor = (correction * epsilon).to(dtype)
    m = [beta1 * m + (1 - beta1) * g for m, g in zip(first, gradients, strict=True)]
    v = [beta2 * v + (1 - beta2) * (g * g) for v, g in zip(second, gradients, strict=True)]
    moved = [
        p - scale * mean / (torch.sqrt(square) + floor)
        for p, mean, square in zip(parameters, m, v, strict=True)
    ]
    return [*moved, *m, *v]


TABLE: dict[str, Callable[..., Any]] = {
    "sgd_update": sgd_update,
    # The fused kernel has no derivative.
    "adam_update": by_rule("adam_update", adam_update),
}
