"""The perceptron's training step beside Keras 3's `train_on_batch` on the same backend.

Keras takes its backend from ``KERAS_BACKEND`` when it is first imported, so that each backend needs
a process of its own, as `unigrad bench` gives it. Keras's NumPy backend does not train.
"""

from __future__ import annotations

import os

from benchmarks import mlp
from benchmarks.native_mlp import BATCH, SIZES, Array, Labels, Weights, random_batch
from benchmarks.native_mlp import initial_weights as weights_of_mlp
from benchmarks.rows import OURS, Effort, Row, ratio
from benchmarks.timing import Candidate

PEER = "Keras train_on_batch"


def train_on_batch(backend: str, weights: Weights, x: Array, y: Labels) -> Candidate:
    """Return Keras's step of the same model, which gives the loss as a float."""
    os.environ.setdefault("KERAS_BACKEND", backend)
    import keras

    if keras.backend.backend() != backend:
        raise RuntimeError(f"Keras was imported with backend {keras.backend.backend()!r}")
    *hidden, last = SIZES[1:]
    layers = [keras.layers.Dense(units, activation="relu") for units in hidden]
    model = keras.Sequential([keras.Input(SIZES[:1]), *layers, keras.layers.Dense(last)])
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3, epsilon=1e-8),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.set_weights(weights)
    return lambda: model.train_on_batch(x, y)


def rows(backend: str) -> list[Row]:
    """Return the row of a backend that Keras trains on."""
    if backend == "numpy":
        return []

    def build(effort: Effort) -> dict[str, Candidate]:
        weights, (x, y) = weights_of_mlp(), random_batch()
        step = mlp.step(backend, weights, x, y)
        return {
            OURS: lambda: float(step()),
            PEER: train_on_batch(backend, weights, x, y),
        }

    name = f"MLP step beside Keras 3 (784-100-100-10, batch {BATCH})"
    return [Row(name, backend, build, (ratio(0.5, PEER),))]
