"""Optimizer steps, array by array in as few passes as NumPy allows, into fresh arrays."""

import math
from collections.abc import Callable
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


def adam_update(
    step: Array, rate: Any, beta1: Any, beta2: Any, epsilon: Any, *tensors: Array
) -> list[Array]:
    """The formula of `unigrad.optimizers.updates`, eleven passes and three arrays a parameter."""
    parameters, gradients, first, second = columns(tensors, 2)
    beta1, beta2, epsilon = float(beta1), float(beta2), float(epsilon)
    time = int(step)
    correction = math.sqrt(-math.expm1(time * log_of(beta2)))
    scale = float(rate) * correction / -math.expm1(time * log_of(beta1))
    floor = epsilon * correction
    moved, means, squares = [], [], []
    for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
        out = np.asarray(g * (1.0 - beta1))
        m = np.asarray(m * beta1)
        m += out
        np.multiply(g, g, out=out)
        out *= 1.0 - beta2
        v = np.asarray(v * beta2)
        v += out
        np.sqrt(v, out=out)
        out += floor
        np.divide(m, out, out=out)
        out *= scale
        moved.append(np.subtract(p, out, out=out))
        means.append(m)
        squares.append(v)
    return [*moved, *means, *squares]


TABLE: dict[str, Callable[..., Any]] = {
    "sgd_update": through_float32(sgd_update),
    "momentum_update": through_float32(momentum_update),
    "adam_update": through_float32(adam_update),
}
