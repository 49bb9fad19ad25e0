"""The update formulas as ops of all parameters of one dtype at once.

Each op takes the step's number (from 1), then its numbers, the learning rate first, and then as
many parameters as gradients as entries of each slot. It returns the new parameters and the new
slots in this order. A number is Python's or a 0-d floating tensor: in programs that may outlive
its value, and where it is computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

from unigrad.core.arguments import cast
from unigrad.core.dtypes import DType, float32, float64
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.elementary import expm1, log, sqrt

__all__: list[str] = []

Number: TypeAlias = float | Tensor


def columns(tensors: Sequence[Any], slots: int) -> list[Sequence[Any]]:
    """Split parameters, gradients and slots, which come in a row, into columns of equal length.

    Example:
        >>> columns(["p", "q", "g", "h"], 0)
        [['p', 'q'], ['g', 'h']]
    """
    count = len(tensors) // (2 + slots)
    return [tensors[i * count : (i + 1) * count] for i in range(2 + slots)]


def log_of(share: float) -> float:
    """Return log β for βᵗ = exp(t log β), for β = 0 as well: 0ᵗ = 0 = exp(-∞).

    Example:
        >>> log_of(1.0), log_of(0.0)
        (0.0, -inf)
    """
    return math.log(share) if share else -math.inf


def _log_of(share: Number) -> Number:
    return log(share) if isinstance(share, Tensor) else log_of(share)


def _in(number: Number, dtype: DType) -> Number:
    """Return a number in a dtype; Python's are absorbed by any."""
    return cast(number, dtype) if isinstance(number, Tensor) else number


def _both(share: Number, dtype: DType) -> tuple[Number, Number]:
    """Return β and 1 - β, of which the second would lose digits in a low precision."""
    return _in(share, dtype), _in(1.0 - share, dtype)


@composite
def _sgd_update(step: Tensor, rate: Number, *tensors: Tensor) -> Any:
    """w ← w - α g."""
    parameters, gradients = columns(tensors, 0)
    rate = _in(rate, parameters[0].dtype)
    return tuple(p - rate * g for p, g in zip(parameters, gradients, strict=True))


@composite
def _momentum_update(step: Tensor, rate: Number, beta: Number, *tensors: Tensor) -> Any:
    """v ← β v + (1 - β) g; w ← w - α v."""
    parameters, gradients, velocities = columns(tensors, 1)
    dtype = parameters[0].dtype
    rate, (past, now) = _in(rate, dtype), _both(beta, dtype)
    new = [past * v + now * g for v, g in zip(velocities, gradients, strict=True)]
    return (*(p - rate * v for p, v in zip(parameters, new, strict=True)), *new)


@composite
def _rmsprop_update(
    step: Tensor, rate: Number, rho: Number, epsilon: Number, *tensors: Tensor
) -> Any:
    """v ← ρ v + (1 - ρ) g²; w ← w - α g / (√v + ε)."""
    parameters, gradients, squares = columns(tensors, 1)
    dtype = parameters[0].dtype
    rate, floor, (past, now) = _in(rate, dtype), _in(epsilon, dtype), _both(rho, dtype)
    new = [past * v + now * (g * g) for v, g in zip(squares, gradients, strict=True)]
    moved = [
        p - rate * g / (sqrt(v) + floor) for p, g, v in zip(parameters, gradients, new, strict=True)
    ]
    return (*moved, *new)


@composite
def _adam_update(
    step: Tensor, rate: Number, beta1: Number, beta2: Number, epsilon: Number, *tensors: Tensor
) -> Any:
    """Algorithm 1 of Kingma & Ba (2015), bias correction moved out of the arrays:

    m̂ / (√v̂ + ε) = (√c₂ / c₁) · m / (√v + ε √c₂) with cᵢ = 1 - βᵢᵗ.
    """
    parameters, gradients, first, second = columns(tensors, 2)
    dtype = parameters[0].dtype
    time = cast(step, float64 if dtype == float64 else float32)
    # 1 - βᵗ loses its digits while βᵗ is close to 1; expm1 keeps them.
    correction = sqrt(-expm1(time * _log_of(beta2)))
    ratio = correction / -expm1(time * _log_of(beta1))
    scale = cast(ratio * _in(rate, ratio.dtype), dtype)
    floor = cast(correction * _in(epsilon, correction.dtype), dtype)
    (past1, now1), (past2, now2) = _both(beta1, dtype), _both(beta2, dtype)
    m = [past1 * m + now1 * g for m, g in zip(first, gradients, strict=True)]
    v = [past2 * v + now2 * (g * g) for v, g in zip(second, gradients, strict=True)]
    moved = [
        p - scale * mean / (sqrt(square) + floor)
        for p, mean, square in zip(parameters, m, v, strict=True)
    ]
    return (*moved, *m, *v)
