"""A task that needs no file: which arm of a spiral is a point on?"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.data import dataset
from unigrad.layers import Dense, Sequential
from unigrad.losses import sparse_categorical_crossentropy
from unigrad.metrics import sparse_categorical_accuracy
from unigrad.random import fold_in, key, normal, uniform
from unigrad.training.tasks import Task

#: What a file leaves open.
DEFAULTS = {
    "optimizer": {"name": "Adam", "learning_rate": 0.01},
    "training": {"epochs": 30},
}


def task(
    *,
    rows: int = 600,
    arms: int = 3,
    noise: float = 0.05,
    units: int = 32,
    batch_size: int = 32,
    seed: int = 0,
) -> Task:
    """Return a network of two layers and points on the arms of a spiral.

    Args:
        rows: points to train on; a third as many are held out.
        arms: how many arms.
        noise: how far from its arm a point lies, on average.
        units: of the hidden layers.
        batch_size: points of a batch.
        seed: of the points and their order.

    Example:
        >>> [batch["x"].shape for batch in task(rows=40).training]
        [(32, 2), (8, 2)]
    """
    points = _points(rows + rows // 3, arms, noise, seed)
    training = dataset({name: one[:rows] for name, one in points.items()})
    held_out = dataset({name: one[rows:] for name, one in points.items()})
    model = Sequential(
        Dense(units, activation="tanh"), Dense(units, activation="tanh"), Dense(arms)
    )

    def loss(model: Any, batch: Any) -> Any:
        logits = model(batch["x"])
        value = sparse_categorical_crossentropy(batch["arm"], logits, from_logits=True)
        accuracy = sparse_categorical_accuracy(batch["arm"], logits)
        return value.mean(), {"accuracy": accuracy.mean()}

    return Task(model, loss, training.shuffle(seed).batch(batch_size), held_out.batch(batch_size))


def _points(number: int, arms: int, noise: float, seed: int) -> dict[str, Any]:
    """Return points and the arms that they are on."""
    own = key(seed)
    radius = np.sqrt(uniform(fold_in(own, 1), (number,)).numpy())
    arm = np.arange(number) % arms
    angle = math.pi * (radius + 2 * arm / arms)
    exact = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    noisy = exact + noise * normal(fold_in(own, 2), (number, 2)).numpy()
    return {"x": noisy.astype(np.float32), "arm": arm}
