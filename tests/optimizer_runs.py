"""Runs the optimizers of torch, optax and Keras over given gradients, and unigrad's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import unigrad as ug
from unigrad import optimizers as ours

Arrays = list[np.ndarray]
STEPS = 20


class Case(NamedTuple):
    """One optimizer of another library."""

    name: str
    ours: Callable[[], ours.Optimizer]
    theirs: Callable[[Arrays, list[Arrays]], list[Arrays]]
    #: 1e-10, or more where the source computes in float32.
    tolerance: float = 1e-10


def start() -> Arrays:
    """Return parameters: matrices both ways round, a vector, one number."""
    rng = np.random.default_rng(11)
    return [rng.normal(size=shape) for shape in ((3, 4), (5, 2), (4,), ())]


def gradients(steps: int = STEPS) -> list[Arrays]:
    """Return gradients of mixed signs with zeros, and one step's a hundred times as large."""
    rng = np.random.default_rng(7)
    found = []
    for step in range(steps):
        some = [np.asarray(rng.normal(size=w.shape)) for w in start()]
        some = [np.where(rng.random(g.shape) < 0.2, 0.0, g) for g in some]
        found.append([100.0 * g if step == 9 else g for g in some])
    return found


def by_torch(make: str, **settings: Any) -> Callable[[Arrays, list[Arrays]], list[Arrays]]:
    """Return a function that runs an optimizer of torch."""

    def run(parameters: Arrays, steps: list[Arrays]) -> list[Arrays]:
        import torch

        weights = [torch.tensor(w, requires_grad=True) for w in parameters]
        if make not in ("Adafactor",):
            settings.setdefault("foreach", False)
        optimizer = getattr(torch.optim, make)(weights, **settings)
        found = []
        for some in steps:
            for w, g in zip(weights, some):
                w.grad = torch.tensor(g)
            optimizer.step()
            found.append([w.detach().numpy().copy() for w in weights])
        return found

    return run


def by_optax(
    make: str, *args: Any, **settings: Any
) -> Callable[[Arrays, list[Arrays]], list[Arrays]]:
    """Return a function that runs an optimizer of optax."""

    def run(parameters: Arrays, steps: list[Arrays]) -> list[Arrays]:
        import jax.numpy as jnp
        import optax
        import optax.contrib

        with ug.use_backend("jax"):  # It turns 64 bits on.
            weights = [jnp.asarray(w) for w in parameters]
            where = optax.contrib if hasattr(optax.contrib, make) else optax
            optimizer = getattr(where, make)(*args, **settings)
            state = optimizer.init(weights)
            found = []
            for some in steps:
                given = [jnp.asarray(g) for g in some]
                updates, state = optimizer.update(given, state, weights)
                weights = optax.apply_updates(weights, updates)
                found.append([np.asarray(w) for w in weights])
            return found

    return run


def by_keras(make: str, **settings: Any) -> Callable[[Arrays, list[Arrays]], list[Arrays]]:
    """Return a function that runs an optimizer of Keras, on whichever backend Keras has."""

    def run(parameters: Arrays, steps: list[Arrays]) -> list[Arrays]:
        import keras

        before = keras.config.floatx()
        keras.config.set_floatx("float64")
        try:
            weights = [keras.Variable(w, dtype="float64") for w in parameters]
            optimizer = getattr(keras.optimizers, make)(**settings)
            optimizer.build(weights)
            found = []
            for some in steps:
                given = [keras.ops.convert_to_tensor(g, dtype="float64") for g in some]
                optimizer.apply(given, weights)
                found.append([keras.ops.convert_to_numpy(w.value).copy() for w in weights])
            return found
        finally:
            keras.config.set_floatx(before)

    return run


def trajectory(make: Callable[[], ours.Optimizer]) -> list[Arrays]:
    """Return the parameters after each step of unigrad's optimizer on the current backend."""
    optimizer, variables = make(), [ug.Variable(w) for w in start()]
    found = []
    for some in gradients():
        optimizer.apply_gradients([(ug.asarray(g), v) for g, v in zip(some, variables)])
        found.append([v.numpy().copy() for v in variables])
    return found


def distance(found: list[Arrays], expected: list[Arrays]) -> float:
    """Return the largest deviation, relative to numbers above 1."""
    worst = 0.0
    for some, others in zip(found, expected, strict=True):
        for a, b in zip(some, others, strict=True):
            worst = max(worst, float(np.max(np.abs(a - b) / np.maximum(1.0, np.abs(b)))))
    return worst
