"""MAML: learn weights from which one gradient step fits a new task.

    python examples/maml.py --backend torch

A task is a sine of its own amplitude and phase. The outer gradient goes through the inner step, so
it is a gradient of a gradient; `vmap` runs all tasks of a batch at once, and `jit` makes it one
program.

Source: Finn, Abbeel and Levine, Model-Agnostic Meta-Learning (2017).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

import unigrad as ug

Weights = dict[str, Any]
HIDDEN, TASKS, SHOTS, STEPS = 24, 16, 10, 60
INNER_RATE, OUTER_RATE = 0.02, 0.01


def network(weights: Weights, x: ug.Tensor) -> ug.Tensor:
    """Return the function's values at some points, (n,) to (n,)."""
    hidden = ug.tanh(x[:, None] * weights["w1"] + weights["b1"])
    out: ug.Tensor = (hidden @ weights["w2"])[:, 0]
    return out


def loss(weights: Weights, x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
    """Return the mean squared error on one task."""
    return ug.mean((network(weights, x) - y) ** 2)


def adapted(weights: Weights, x: ug.Tensor, y: ug.Tensor) -> Weights:
    """Take one gradient step on a task."""
    gradient = ug.grad(loss)(weights, x, y)
    return {name: one - INNER_RATE * gradient[name] for name, one in weights.items()}


def after_one_step(weights: Weights, task: Sequence[ug.Tensor]) -> ug.Tensor:
    """Return the loss on a task's second half after a step on its first."""
    x1, y1, x2, y2 = task
    return loss(adapted(weights, x1, y1), x2, y2)


def meta_loss(weights: Weights, tasks: Sequence[ug.Tensor]) -> ug.Tensor:
    """Return the mean over tasks."""
    return ug.mean(ug.vmap(after_one_step, in_axes=(None, 0))(weights, tasks))


def sines(rng: np.random.Generator) -> tuple[ug.Tensor, ...]:
    """Draw a batch of tasks."""
    amplitude, phase = rng.uniform(0.5, 2.0, (TASKS, 1)), rng.uniform(0.0, np.pi, (TASKS, 1))
    points = [rng.uniform(-2.0, 2.0, (TASKS, SHOTS)) for _ in range(2)]
    pairs = [(x, amplitude * np.sin(x + phase)) for x in points]
    return tuple(ug.asarray(one.astype(np.float32)) for pair in pairs for one in pair)


def main(arguments: Sequence[str] | None = None) -> tuple[float, float]:
    """Train; return the meta-loss on the same tasks before and after."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", default=ug.get_backend())
    chosen = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    with ug.use_backend(chosen.backend):
        weights: Weights = {
            "w1": ug.asarray(rng.normal(size=(1, HIDDEN)).astype(np.float32)),
            "b1": ug.asarray(rng.normal(size=HIDDEN).astype(np.float32)),
            "w2": ug.asarray(rng.normal(size=(HIDDEN, 1)).astype(np.float32) / HIDDEN),
        }

        @ug.jit
        def step(weights: Weights, tasks: Sequence[ug.Tensor]) -> Weights:
            gradient = ug.grad(meta_loss)(weights, tasks)
            return {name: one - OUTER_RATE * gradient[name] for name, one in weights.items()}

        held_out = sines(np.random.default_rng(1))
        before = float(meta_loss(weights, held_out))
        for _ in range(STEPS):
            weights = step(weights, sines(rng))
        after = float(meta_loss(weights, held_out))
    print(f"loss after one step on new tasks: {before:.4f} before training, {after:.4f} after")
    return before, after


if __name__ == "__main__":
    main()
