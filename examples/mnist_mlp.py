"""Recognise handwritten digits: 784-100-100-10, relu, Adam, 200 steps of 100 real digits.

    python examples/mnist_mlp.py --backend jax

The same file runs on every backend, from the same weights and the same batches. The training step
is one function of forward pass, backward pass and update; `ug.jit` makes it one program.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from data_digits import Digits, read_digits
from training import Run, flags, run_program, say

import unigrad as ug

BATCH = 100
STEPS = 200
LEARNING_RATE = 1e-3


def make_model() -> ug.layers.Sequential:
    """Return the network of the lecture."""
    return ug.layers.Sequential(
        ug.layers.Dense(100, activation="relu", kernel_initializer="he_uniform"),
        ug.layers.Dense(100, activation="relu", kernel_initializer="he_uniform"),
        ug.layers.Dense(10),
    )


def loss() -> ug.Tensor:
    """Return the loss of a few digits, for ``unigrad graph examples/mnist_mlp.py:loss``."""
    digits, _ = read_digits(0)
    logits = make_model()(ug.asarray(digits.images[:8]))
    return ug.losses.sparse_categorical_crossentropy(
        ug.asarray(digits.labels[:8]), logits, from_logits=True
    ).mean()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, test, and leave losses, curve and weights in the output folder."""
    chosen = flags(__doc__.splitlines()[0], "mnist_mlp").parse_args(arguments)
    with ug.use_backend(chosen.backend):
        ug.layers.set_seed(chosen.seed)
        training, test = read_digits(chosen.seed)
        training = Digits(training.images[: chosen.limit], training.labels[: chosen.limit])
        if len(training) < BATCH:
            sys.exit(f"--limit {chosen.limit}: a batch takes {BATCH} digits")
        total = STEPS if chosen.steps is None else chosen.steps
        if chosen.epochs is not None:
            most = chosen.epochs * (len(training) // BATCH)
            total = most if chosen.steps is None else min(chosen.steps, most)

        model = make_model()
        model(training.images[:1])  # makes the weights
        optimizer = ug.optimizers.Adam(LEARNING_RATE)

        def train_step(images: ug.Tensor, labels: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
            with ug.GradientTape() as tape:
                logits = model(images)
                loss = ug.losses.sparse_categorical_crossentropy(
                    labels, logits, from_logits=True
                ).mean()
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables))
            return loss, ug.metrics.sparse_categorical_accuracy(labels, logits).sum()

        # Measured: compiling pays within these 200 steps on every backend that has a compiler.
        if chosen.jit is not False:
            train_step = ug.jit(train_step)

        def step(images: ug.Tensor, labels: ug.Tensor) -> float:
            loss, right = train_step(images, labels)
            run.checkpoint.right += int(right)
            return float(loss)

        folder = chosen.output or Path("runs") / f"mnist_mlp-{chosen.backend}"
        run = Run(
            folder, model, optimizer, chosen.checkpoint, chosen.resume,
            counts=["right"], seed=chosen.seed, limit=chosen.limit,
        )  # fmt: skip
        batches = ug.data.batches(
            (training.images, training.labels),
            BATCH,
            key=ug.random.key(chosen.seed + 1),
            drop_remainder=True,
            epochs=None,
        )
        run.train(step, batches, total)

        guesses = model(ug.asarray(test.images))
        held_out = float(ug.metrics.sparse_categorical_accuracy(test.labels, guesses).mean())
        seen = run.checkpoint.step * BATCH
        running = run.checkpoint.right / seen if seen else None
        during = "No digit seen" if running is None else f"Running accuracy {running:.4f}"
        say(f"{during}, on held-out digits {held_out:.4f}")
        run.finish(
            f"digits on {chosen.backend}",
            backend=chosen.backend,
            running_accuracy=running,
            test=held_out,
        )


if __name__ == "__main__":
    run_program(main)
