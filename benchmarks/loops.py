"""A thousand steps of a GRU, forward and backward, compiled: `ug.scan` beside the native loop.

What: the sum of squares of all states, and its gradient by inputs, first state and weights. Beside
unigrad stand `lax.scan` under `jax.jit`, a loop in Python by torch's autograd, and `tf.scan` in a
`tf.function`; on NumPy our own eager loop. Figures are medians of rounds by turns
(`benchmarks.timing`), and the first call's seconds for two lengths.

Run from the repository's root (on threads see `benchmarks.timing`)::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 python -m benchmarks.loops jax
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks.rows import OURS, Effort, Row, ratio
from benchmarks.timing import Candidate, compare
from unigrad.core.registry import load_backend
from unigrad.ops.recurrent import _gru_step

STEPS, BATCH, UNITS = 1000, 32, 64


def arrays(steps: int = STEPS) -> list[Any]:
    """Return projected inputs, first state, kernel and bias."""
    generator = np.random.default_rng(0)
    shapes = [(steps, BATCH, 3 * UNITS), (BATCH, UNITS), (UNITS, 3 * UNITS), (3 * UNITS,)]
    return [(0.1 * generator.normal(size=shape)).astype(np.float32) for shape in shapes]


def gradient(x: Any, state: Any, kernel: Any, bias: Any) -> Any:
    """Return the loss and its gradients, by `ug.scan`."""

    def loss(x: Any, state: Any, kernel: Any, bias: Any) -> Any:
        def step(state: Any, projected: Any) -> Any:
            state = _gru_step(projected, state, kernel, bias)
            return state, state

        return ug.sum(ug.scan(step, state, x)[1] ** 2)

    return ug.value_and_grad(loss, (0, 1, 2, 3))(x, state, kernel, bias)


def ours(run: Callable[..., Any], steps: int = STEPS) -> Candidate:
    """Return a call that ends when its results are there."""
    given = [ug.asarray(one) for one in arrays(steps)]

    def candidate() -> None:
        for one in run(*given)[1]:
            one.numpy()

    return candidate


def of_jax(steps: int = STEPS) -> Candidate:
    """`lax.scan` under `jax.jit`."""
    import jax
    import jax.numpy as jnp

    def loss(x: Any, state: Any, kernel: Any, bias: Any) -> Any:
        def step(state: Any, projected: Any) -> Any:
            x_reset, x_update, x_new = jnp.split(projected, 3, -1)
            h_reset, h_update, h_new = jnp.split(state @ kernel + bias, 3, -1)
            update = jax.nn.sigmoid(x_update + h_update)
            new = jnp.tanh(x_new + jax.nn.sigmoid(x_reset + h_reset) * h_new)
            state = new + update * (state - new)
            return state, state

        return jnp.sum(jax.lax.scan(step, state, x)[1] ** 2)

    run = jax.jit(jax.value_and_grad(loss, (0, 1, 2, 3)))
    given = [jnp.asarray(one) for one in arrays(steps)]
    return lambda: [np.asarray(one) for one in run(*given)[1]]


def of_torch(steps: int = STEPS) -> Candidate:
    """A loop in Python, differentiated by autograd."""
    import torch

    given = [torch.tensor(one, requires_grad=True) for one in arrays(steps)]

    def candidate() -> Any:
        x, state, kernel, bias = given
        states = []
        for projected in x.unbind(0):
            x_reset, x_update, x_new = projected.chunk(3, -1)
            h_reset, h_update, h_new = torch.addmm(bias, state, kernel).chunk(3, -1)
            update = torch.sigmoid(x_update + h_update)
            new = torch.tanh(x_new + torch.sigmoid(x_reset + h_reset) * h_new)
            state = new + update * (state - new)
            states.append(state)
        return torch.autograd.grad((torch.stack(states) ** 2).sum(), given)

    return candidate


def of_tensorflow(steps: int = STEPS) -> Candidate:
    """`tf.scan` in a `tf.function`."""
    import tensorflow as tf

    given = [tf.constant(one) for one in arrays(steps)]

    @tf.function(autograph=False)
    def run(x: Any, state: Any, kernel: Any, bias: Any) -> Any:
        def step(state: Any, projected: Any) -> Any:
            x_reset, x_update, x_new = tf.split(projected, 3, -1)
            h_reset, h_update, h_new = tf.split(state @ kernel + bias, 3, -1)
            update = tf.sigmoid(x_update + h_update)
            new = tf.tanh(x_new + tf.sigmoid(x_reset + h_reset) * h_new)
            return new + update * (state - new)

        with tf.GradientTape() as tape:
            tape.watch([x, state, kernel, bias])
            loss = tf.reduce_sum(tf.scan(step, x, state) ** 2)
        return tape.gradient(loss, [x, state, kernel, bias])

    return lambda: [one.numpy() for one in run(*given)]


NATIVE: dict[str, Callable[[int], Candidate]] = {
    "jax": of_jax,
    "torch": of_torch,
    "tensorflow": of_tensorflow,
    "numpy": lambda steps: ours(gradient, steps),
}
#: The names of these, and what ours may take beside them.
PEERS: dict[str, tuple[str, float | None]] = {
    "numpy": ("unigrad eager", 1.0),
    "torch": ("a loop by hand", 1.1),
    "jax": ("lax.scan", 1.1),
    "tensorflow": ("tf.scan", None),
}


def rows(backend: str) -> list[Row]:
    """Return the row of a backend."""
    name, most = PEERS[backend]

    def build(effort: Effort) -> dict[str, Candidate]:
        with ug.use_backend(backend):
            return {OURS: ours(ug.jit(gradient)), name: NATIVE[backend](STEPS)}

    bars = () if most is None else (ratio(most, name),)
    title = f"`scan` of {STEPS:,} GRU steps, forward and backward, jitted"
    return [Row(title, backend, build, bars)]


def main(names: list[str]) -> None:
    """Measure on some backends."""
    for name in names or list(NATIVE):
        with ug.use_backend(name):
            for steps in (10, STEPS):
                start = time.perf_counter()
                ours(ug.jit(gradient), steps)()
                print(f"{name}: first call of {steps} steps {time.perf_counter() - start:.2f} s")
            candidates = {"native": NATIVE[name](STEPS), "ug.scan": ours(ug.jit(gradient))}
            compare(candidates, rounds=7, warmup=2)


if __name__ == "__main__":
    load_backend("torch")
    main(sys.argv[1:])
