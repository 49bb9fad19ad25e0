"""Letters to phonemes: the training step (batch 128), and its first calls, beside native programs.

Native are eager torch with its Adam, `lax.scan` in one `jax.jit` (`tests.native`), and one
`tf.function` with unrolled loops (`benchmarks.native_g2p_tensorflow`), all from the same weights.
On NumPy our own eager step is the peer. A first call compiles the step for one padded length: the
row counts the calls for all lengths of `examples/data_pronunciations.py`, as a training run makes
them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

import unigrad as ug
from benchmarks.rows import OURS, Bar, Effort, Row, ratio, seconds
from benchmarks.timing import Candidate
from tests.native.weights import END, PADDING, START, Batch, Weights, initial_weights

BATCH, LETTERS, PHONEMES = 128, 28, 42
#: Padded lengths of letters: each is a program of its own.
LENGTHS = (8, 12, 28)
#: The length of the step that is timed.
LENGTH = 12
EAGER = "unigrad eager"
#: A training step of a batch, which ends when the loss is there.
Step: TypeAlias = Callable[[Batch], float]


def batch_of(length: int) -> Batch:
    """Return random words whose longest have a number of letters, and as many phonemes."""
    generator = np.random.default_rng(length)
    source = np.full((BATCH, length), PADDING, np.int64)
    target = np.full((BATCH, length + 2), PADDING, np.int64)
    for letters, sounds in zip(source, target, strict=True):
        count = generator.integers(length // 2, length + 1)
        letters[:count] = generator.integers(1, LETTERS, count)
        sounds[: count + 2] = [START, *generator.integers(3, PHONEMES, count), END]
    return source, target


def of_unigrad(backend: str, compiling: bool = True) -> Step:
    """Return our step of a new model."""
    with ug.use_backend(backend):
        model = ug.seq2seq.Seq2Seq(LETTERS, PHONEMES, padding=PADDING, start=START, end=END)
    optimizer = ug.optimizers.Adam(1e-3)

    def train(source: ug.Tensor, target: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as tape:
            loss = model.loss(source, target)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    step = ug.jit(train) if compiling else train

    def run(batch: Batch) -> float:
        with ug.use_backend(backend):
            return float(step(*map(ug.asarray, batch)))

    return run


def of_torch(weights: Weights) -> Step:
    """Eager torch."""
    import torch

    from tests.native import g2p_torch

    parameters = g2p_torch.to_parameters(weights)
    optimizer = torch.optim.Adam(parameters.values(), lr=1e-3)

    def run(batch: Batch) -> float:
        optimizer.zero_grad()
        loss = g2p_torch.loss_of(parameters, *map(torch.as_tensor, batch))
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


def of_jax(weights: Weights) -> Step:
    """`lax.scan` in one program."""
    import jax
    import jax.numpy as jnp

    from tests.native import g2p_jax

    parameters = g2p_jax.to_parameters(weights)
    state: Any = (parameters, *[jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)])
    # A program of this run's own: the module's would be compiled already by another.
    step = jax.jit(g2p_jax.training_step.__wrapped__, donate_argnums=(0, 1, 2))
    count = 0

    def run(batch: Batch) -> float:
        nonlocal state, count
        count += 1
        given = map(g2p_jax.indices, batch)
        *state, loss = step(*state, jnp.float32(count), *given, 1e-3, 1e-8)
        return float(loss)

    return run


def of_tensorflow(weights: Weights) -> Step:
    """One `tf.function`."""
    import tensorflow as tf

    from benchmarks.native_g2p_tensorflow import training_step

    step = training_step(weights)
    return lambda batch: float(step(*map(tf.constant, batch)))


#: The native step of each backend by its name, and what ours may take beside it.
NATIVE: dict[str, tuple[str, Callable[[Weights], Step], float]] = {
    "torch": ("torch eager", of_torch, 1.0),
    "jax": ("jax.jit of lax.scan", of_jax, 1.0),
    "tensorflow": ("tf.function", of_tensorflow, 1.05),
}
#: The most seconds of all first calls.
FIRST: dict[str, float] = {"torch": 5.0, "numpy": 3.0}


def _peers(backend: str) -> dict[str, Step]:
    if backend not in NATIVE:
        return {}
    name, make, _ = NATIVE[backend]
    return {name: make(initial_weights(LETTERS, PHONEMES, seed=0))}


def _step(backend: str) -> Row:
    def build(effort: Effort) -> dict[str, Candidate]:
        batch = batch_of(LENGTH)
        eager = of_unigrad(backend, compiling=False)
        steps = {OURS: of_unigrad(backend), EAGER: eager, **_peers(backend)}
        return {name: (lambda step=step: step(batch)) for name, step in steps.items()}

    bars = [ratio(1.0, EAGER)]
    if backend in NATIVE:
        name, _, most = NATIVE[backend]
        bars.insert(0, ratio(most, name))
    name = f"G2P step, jitted (batch {BATCH}, {LENGTH} letters)"
    return Row(name, backend, build, tuple(bars))


def _first_calls(backend: str) -> Row:
    def build(effort: Effort) -> dict[str, Candidate]:
        batches = [batch_of(length) for length in LENGTHS]
        steps = {OURS: of_unigrad(backend), **_peers(backend)}
        return {
            name: (lambda step=step: [step(one) for one in batches]) for name, step in steps.items()
        }

    bars: list[Bar] = [seconds(FIRST[backend])] if backend in FIRST else []
    if backend in ("jax", "tensorflow"):
        bars.append(ratio(1.0, NATIVE[backend][0]))
    name = f"first calls of the G2P step, {len(LENGTHS)} padded lengths"
    return Row(name, backend, build, tuple(bars), once=True)


def rows(backend: str) -> list[Row]:
    """Return the rows of a backend."""
    return [_step(backend), _first_calls(backend)]
