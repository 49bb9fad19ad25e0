"""The perceptron's sizes, weights and batch, and Adam's settings: the same for everybody."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Labels = NDArray[np.int64]
Weights = list[Array]  # kernel, bias, kernel, bias, kernel, bias; kernels are (in, out)
Candidate = Callable[[], Any]
Builder = Callable[[Weights, Array, Labels], Candidate]

SIZES = (784, 100, 100, 10)
BATCH = 100
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def initial_weights(seed: int = 0) -> Weights:
    """Glorot-uniform kernels and zero biases, float32."""
    generator = np.random.default_rng(seed)
    weights: Weights = []
    for fan_in, fan_out in itertools.pairwise(SIZES):
        limit = np.sqrt(6.0 / (fan_in + fan_out))
        kernel = generator.uniform(-limit, limit, (fan_in, fan_out))
        weights += [kernel.astype(np.float32), np.zeros(fan_out, np.float32)]
    return weights


def random_batch(seed: int = 1, batch: int = BATCH) -> tuple[Array, Labels]:
    """Images in [0, 1) and labels below 10."""
    generator = np.random.default_rng(seed)
    x = generator.random((batch, SIZES[0]), dtype=np.float32)
    return x, generator.integers(0, SIZES[-1], batch)
