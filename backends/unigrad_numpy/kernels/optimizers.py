"""Optimizer steps in as few passes as NumPy allows, into fresh arrays or in place."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import numpy as np

from unigrad.optimizers.updates import columns, log_of
from unigrad_numpy.kernels.bfloat16 import through_float32

Array = Any


def sgd_update(step: Array, rate: Any, *tensors: Array) -> list[Array]:
    """w ← w - α g."""
    parameters, gradients = columns(tensors, 0)
    rate = float(rate)
    new = []
    for p, g in zip(parameters, gradients, strict=True):
        out = np.asarray(g * rate)
        new.append(np.subtract(p, out, out=out))
    return new


def _scratch(parameters: Sequence[Array]) -> Iterator[Array]:
    """Give an array like each parameter: one memory for all, which stays in the cache."""
    memory = np.empty(max(p.size for p in parameters), parameters[0].dtype)
    return (memory[: p.size].reshape(p.shape) for p in parameters)


def momentum_update(step: Array, rate: Any, beta: Any, *tensors: Array) -> list[Array]:
    """v ← β v + (1 - β) g; w ← w - α v."""
    parameters, gradients, velocities = columns(tensors, 1)
    rate, beta = float(rate), float(beta)
    new, moved = [], []
    for p, g, v in zip(parameters, gradients, velocities, strict=True):
        out = np.asarray(g * (1.0 - beta))
        v = np.asarray(v * beta)
        v += out
        np.multiply(v, rate, out=out)
        moved.append(np.subtract(p, out, out=out))
        new.append(v)
    return [*moved, *new]


def momentum_in_place(step: Array, rate: Any, beta: Any, *tensors: Array) -> None:
    """The same into the parameters and slots."""
    parameters, gradients, velocities = columns(tensors, 1)
    rate, beta = float(rate), float(beta)
    for p, g, v, out in zip(parameters, gradients, velocities, _scratch(parameters), strict=True):
        np.multiply(g, 1.0 - beta, out=out)
        np.multiply(v, beta, out=v)
        np.add(v, out, out=v)
        np.multiply(v, rate, out=out)
        np.subtract(p, out, out=p)


def adam_update(
    step: Array, rate: Any, beta1: Any, beta2: Any, epsilon: Any, *tensors: Array
) -> list[Array]:
    """The formula of `unigrad.optimizers.updates`, into fresh arrays."""
    parameters, gradients, means, squares = columns(tensors, 2)
    factors = _factors(step, rate, beta1, beta2, epsilon, parameters[0].dtype)
    new = [[np.empty_like(p) for p in parameters] for _ in range(3)]
    for p, g, m, v, moved, mean, square in zip(
        parameters, gradients, means, squares, *new, strict=True
    ):
        _adam(p, g, m, v, moved, mean, square, moved, *factors)
    return [array for column in new for array in column]


def adam_in_place(
    step: Array, rate: Any, beta1: Any, beta2: Any, epsilon: Any, *tensors: Array
) -> None:
    """The same into the parameters and slots."""
    parameters, gradients, means, squares = columns(tensors, 2)
    factors = _factors(step, rate, beta1, beta2, epsilon, parameters[0].dtype)
    scratch = _scratch(parameters)
    for p, g, m, v, out in zip(parameters, gradients, means, squares, scratch, strict=True):
        _adam(p, g, m, v, p, m, v, out, *factors)


def _factors(
    step: Array, rate: Any, beta1: Any, beta2: Any, epsilon: Any, dtype: Any
) -> list[Array]:
    """Return β₁, 1 - β₁, β₂, 1 - β₂, and what √v is raised and m / (√v + …) multiplied by."""
    beta1, beta2 = float(beta1), float(beta2)
    time = int(step)
    correction = math.sqrt(-math.expm1(time * log_of(beta2)))
    scale = float(rate) * correction / -math.expm1(time * log_of(beta1))
    floor = float(epsilon) * correction
    # Beside an array, NumPy takes a Python number in twice the time of an array.
    numbers = np.array((beta1, 1.0 - beta1, beta2, 1.0 - beta2, floor, scale), dtype)
    return [numbers[i, ...] for i in range(6)]


def _adam(
    p: Array, g: Array, m: Array, v: Array, moved: Array, mean: Array, square: Array, out: Array,
    past1: Array, now1: Array, past2: Array, now2: Array, floor: Array, scale: Array,
) -> None:  # fmt: skip
    """Write a parameter and its slots into three arrays, in twelve passes, by way of a fourth.

    The first three may be the inputs, or the first the fourth.
    """
    np.multiply(g, now1, out)
    np.multiply(m, past1, mean)
    np.add(mean, out, mean)
    np.multiply(g, g, out)
    np.multiply(out, now2, out)
    np.multiply(v, past2, square)
    np.add(square, out, square)
    np.sqrt(square, out)
    np.add(out, floor, out)
    np.divide(mean, out, out)
    np.multiply(out, scale, out)
    np.subtract(p, out, moved)


def _to_its_end(kernel: Callable[..., None]) -> Callable[..., None]:
    """Return a kernel that numbers out of range do not stop, whatever the caller's `np.seterr`.

    Half a step would be left in the variables.
    """

    @wraps(kernel)
    def run(*args: Any) -> None:
        with np.errstate(all="ignore"):
            kernel(*args)

    return run


IN_PLACE: dict[str, Callable[..., None]] = {
    "momentum_update": _to_its_end(momentum_in_place),
    "adam_update": _to_its_end(adam_in_place),
}

TABLE: dict[str, Callable[..., Any]] = {
    "sgd_update": through_float32(sgd_update),
    "momentum_update": through_float32(momentum_update),
    "adam_update": through_float32(adam_update),
}
