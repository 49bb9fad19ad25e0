"""How times grow: with the number of ops, the length of a sequence, and the size of a batch.

Each `Series` has points; at each, ours and its peer take turns. Series of one name share a plot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks import loops, mlp
from benchmarks.native_mlp import STEPS as NATIVE_STEPS
from benchmarks.native_mlp import initial_weights, random_batch
from benchmarks.rows import OURS, Effort
from benchmarks.timing import Candidate, block_seconds, collect_rounds

#: A series ends after the point at which a call of one candidate took longer than this, in seconds.
LONGEST = 20.0


@dataclass(frozen=True)
class Series:
    """Times over a growing number on one backend.

    Attributes:
        name: what is measured.
        axis: what the number counts.
        points: the numbers.
        build: makes the candidates for a number.
    """

    name: str
    axis: str
    points: Sequence[int]
    build: Callable[[int], dict[str, Candidate]]

    def run(self, effort: Effort) -> dict[str, dict[int, float]]:
        """Return the median seconds per call of each candidate at each number."""
        found: dict[str, dict[int, float]] = {}
        for point in self.points[: 3 if effort.quick else None]:
            candidates = self.build(point)
            # What is compiled is compiled now.
            start = time.perf_counter()
            slowest = max(block_seconds(one, 1) for one in candidates.values())
            slowest = min(slowest, time.perf_counter() - start)
            rounds = 1 if slowest > 1.0 else 5
            samples = collect_rounds(candidates, dict.fromkeys(candidates, 1), rounds)
            for name, values in samples.items():
                found.setdefault(name, {})[point] = float(np.median(values))
            if max(map(max, samples.values())) > LONGEST:
                break
        return found


def chain(backend: str, count: int) -> dict[str, Candidate]:
    """Return gradients of a chain of multiplications, eager, ours and the library's own."""
    with ug.use_backend(backend):
        x = ug.asarray(np.float32(1.0))

    def ours() -> Any:
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(count):
                y = y * 1.0
        return tape.gradient(y, x)

    name, native = CHAINS[backend]
    return {OURS: ours, name: native(count)}


def _multiplied(x: Any, count: int) -> Any:
    for _ in range(count):
        x = x * 1.0
    return x


def chain_of_autograd(count: int) -> Candidate:
    """HIPS autograd."""
    from autograd import grad

    gradient = grad(lambda x: _multiplied(x, count))
    return lambda: gradient(1.0)


def chain_of_torch(count: int) -> Candidate:
    """torch's autograd."""
    import torch

    x = torch.tensor(1.0, requires_grad=True)
    return lambda: torch.autograd.grad(_multiplied(x, count), x)


def chain_of_jax(count: int) -> Candidate:
    """`jax.grad` without jit."""
    import jax
    import jax.numpy as jnp

    x, gradient = jnp.float32(1.0), jax.grad(lambda x: _multiplied(x, count))
    return lambda: gradient(x).block_until_ready()


def chain_of_tensorflow(count: int) -> Candidate:
    """`tf.GradientTape`."""
    import tensorflow as tf

    x = tf.constant(1.0)

    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = _multiplied(x, count)
        return tape.gradient(y, x)

    return run


CHAINS: dict[str, tuple[str, Callable[[int], Candidate]]] = {
    "numpy": ("HIPS autograd", chain_of_autograd),
    "torch": ("torch autograd", chain_of_torch),
    "jax": ("jax.grad", chain_of_jax),
    "tensorflow": ("tf.GradientTape", chain_of_tensorflow),
}


def sequence(backend: str, length: int) -> dict[str, Candidate]:
    """Return forward and backward pass of a compiled GRU over so many steps."""
    with ug.use_backend(backend):
        ours = loops.ours(ug.jit(loops.gradient), length)
        return {OURS: ours, loops.PEERS[backend][0]: loops.NATIVE[backend](length)}


def batch(backend: str, size: int) -> dict[str, Candidate]:
    """Return the perceptron's jitted step on so many examples."""
    weights, (x, y) = initial_weights(), random_batch(batch=size)
    rival = mlp.STEP_RIVALS[backend][0]
    return {
        OURS: mlp.step(backend, weights, x, y),
        rival: NATIVE_STEPS[rival](weights, x, y),
    }


def series(backend: str) -> list[Series]:
    """Return the series of a backend."""
    return [
        Series(
            "gradient of a chain of ops, eager", "ops", [10**n for n in range(2, 7)],
            lambda count: chain(backend, count),
        ),
        Series(
            "GRU, forward and backward, jitted", "length of the sequence",
            [10, 30, 100, 300, 1000, 3000], lambda length: sequence(backend, length),
        ),
        Series(
            "MLP step, jitted", "examples in a batch", [1, 4, 16, 64, 256, 1024],
            lambda size: batch(backend, size),
        ),
    ]  # fmt: skip
