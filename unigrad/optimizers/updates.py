"""The update formulas as ops of all parameters of one dtype at once.

Each op takes the step's number (from 1), the learning rate as a tensor if the setting
``learning_rate`` is None, and then as many parameters as gradients as entries of each slot. It
returns the new parameters and the new slots in this order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from unigrad.core.arguments import cast
from unigrad.core.dtypes import float32, float64
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.elementary import expm1, sqrt

__all__: list[str] = []


def columns(
    tensors: Sequence[Any], slots: int, learning_rate: float | None
) -> tuple[Any, list[Sequence[Any]]]:
    """Split what an update op takes into the rate and columns of equal length.

    Example:
        >>> columns(["p", "q", "g", "h"], 0, 0.1)
        (0.1, [['p', 'q'], ['g', 'h']])
    """
    rate: Any = learning_rate
    if rate is None:
        rate, tensors = tensors[0], tensors[1:]
    count = len(tensors) // (2 + slots)
    return rate, [tensors[i * count : (i + 1) * count] for i in range(2 + slots)]


def log_of(share: float) -> float:
    """Return log β for βᵗ = exp(t log β), for β = 0 as well: 0ᵗ = 0 = exp(-∞).

    Example:
        >>> log_of(1.0), log_of(0.0)
        (0.0, -inf)
    """
    return math.log(share) if share else -math.inf


@composite
def _sgd_update(step: Tensor, *tensors: Tensor, learning_rate: float | None) -> Any:
    """w ← w - α g."""
    rate, (parameters, gradients) = columns(tensors, 0, learning_rate)
    return tuple(p - rate * g for p, g in zip(parameters, gradients, strict=True))


@composite
def _momentum_update(
    step: Tensor, *tensors: Tensor, learning_rate: float | None, beta: float
) -> Any:
    """v ← β v + (1 - β) g; w ← w - α v."""
    rate, (parameters, gradients, velocities) = columns(tensors, 1, learning_rate)
    new = [beta * v + (1.0 - beta) * g for v, g in zip(velocities, gradients, strict=True)]
    return (*(p - rate * v for p, v in zip(parameters, new, strict=True)), *new)


@composite
def _rmsprop_update(
    step: Tensor, *tensors: Tensor, learning_rate: float | None, rho: float, epsilon: float
) -> Any:
    """v ← ρ v + (1 - ρ) g²; w ← w - α g / (√v + ε)."""
    rate, (parameters, gradients, squares) = columns(tensors, 1, learning_rate)
    new = [rho * v + (1.0 - rho) * (g * g) for v, g in zip(squares, gradients, strict=True)]
    moved = [
        p - rate * g / (sqrt(v) + epsilon)
        for p, g, v in zip(parameters, gradients, new, strict=True)
    ]
    return (*moved, *new)


@composite
def _adam_update(
    step: Tensor,
    *tensors: Tensor,
    learning_rate: float | None,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> Any:
    """Algorithm 1 of Kingma & Ba (2015), bias correction moved out of the arrays:

    m̂ / (√v̂ + ε) = (√c₂ / c₁) · m / (√v + ε √c₂) with cᵢ = 1 - βᵢᵗ.
    """
    rate, (parameters, gradients, first, second) = columns(tensors, 2, learning_rate)
    dtype = parameters[0].dtype
    time = cast(step, float64 if dtype == float64 else float32)
    # 1 - βᵗ loses its digits while βᵗ is close to 1; expm1 keeps them.
    correction = sqrt(-expm1(time * log_of(beta2)))
    scale = cast(correction / -expm1(time * log_of(beta1)), dtype) * rate
    floor = cast(correction * epsilon, dtype)
    m = [beta1 * m + (1.0 - beta1) * g for m, g in zip(first, gradients, strict=True)]
    v = [beta2 * v + (1.0 - beta2) * (g * g) for v, g in zip(second, gradients, strict=True)]
    moved = [
        p - scale * mean / (sqrt(square) + floor)
        for p, mean, square in zip(parameters, m, v, strict=True)
    ]
    return (*moved, *m, *v)
