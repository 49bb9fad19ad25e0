"""One eager step of Adam over a hundred tensors, a million parameters, beside the native ways.

unigrad's `apply_gradients` on Variables, and its pure ``update``, against hand-written NumPy in
place, torch's fused Adam, ``jax.jit`` of optax's, and Keras's and TensorFlow's own in eager mode,
each on its backend, by turns in one run. What one program gives is there all at once: on JAX one
of its results is waited for.

Run from the repository's root (on threads see `benchmarks.timing`)::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 python -m benchmarks.optimizers
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks.timing import compare

Arrays = list[np.ndarray[Any, Any]]
#: A hundred shapes, a million numbers.
SHAPES = [(250, 79), (250,)] * 50


def arrays(seed: int) -> Arrays:
    """Return float32 arrays of all shapes."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


def by_numpy(weights: Arrays, gradients: Arrays) -> Callable[[], Any]:
    """Adam as one writes it by hand: in place, with one buffer that all parameters share."""
    weights = [w.copy() for w in weights]
    means, squares = ([np.zeros_like(w) for w in weights] for _ in range(2))
    largest = max(w.size for w in weights)
    buffers = np.empty(largest, np.float32)
    step = 0

    def run() -> Any:
        nonlocal step
        step += 1
        root = np.sqrt(1 - 0.999**step)
        scale, floor = np.float32(1e-3 * root / (1 - 0.9**step)), np.float32(1e-8 * root)
        for w, g, m, v in zip(weights, gradients, means, squares, strict=True):
            out = buffers[: w.size].reshape(w.shape)
            m *= np.float32(0.9)
            np.multiply(g, np.float32(0.1), out=out)
            m += out
            v *= np.float32(0.999)
            np.multiply(g, g, out=out)
            out *= np.float32(0.001)
            v += out
            np.sqrt(v, out=out)
            out += floor
            np.divide(m, out, out=out)
            out *= scale
            w -= out
        return weights

    return run


def by_torch(weights: Arrays, gradients: Arrays) -> Callable[[], Any]:
    """torch's fused Adam."""
    import torch

    leaves = [torch.tensor(w, requires_grad=True) for w in weights]
    for leaf, g in zip(leaves, gradients, strict=True):
        leaf.grad = torch.tensor(g)
    optimizer = torch.optim.Adam(leaves, lr=1e-3, fused=True)
    return lambda: optimizer.step()


def by_optax(weights: Arrays, gradients: Arrays) -> Callable[[], Any]:
    """optax's Adam and the addition of its updates, in one program."""
    import jax
    import optax

    given = [jax.numpy.asarray(g) for g in gradients]
    optimizer = optax.adam(1e-3)
    held = [jax.numpy.asarray(w) for w in weights]
    state = optimizer.init(held)

    # Gradients are arguments: of constants XLA would compute a part of the step as it compiles.
    @jax.jit
    def step(gradients: Any, held: Any, state: Any) -> Any:
        updates, state = optimizer.update(gradients, state, held)
        return optax.apply_updates(held, updates), state

    def run() -> Any:
        nonlocal held, state
        held, state = step(given, held, state)
        return jax.block_until_ready(held[-1])

    return run


def by_keras(weights: Arrays, gradients: Arrays) -> Callable[[], Any]:
    """Keras's Adam on TensorFlow, eager."""
    import tensorflow as tf

    variables = [tf.Variable(w) for w in weights]
    given = [tf.constant(g) for g in gradients]
    optimizer = tf.keras.optimizers.Adam(1e-3)
    optimizer.build(variables)
    return lambda: optimizer.apply_gradients(zip(given, variables, strict=True))


def by_unigrad(backend: str, weights: Arrays, gradients: Arrays) -> Callable[[], Any]:
    """`apply_gradients`."""
    with ug.use_backend(backend):
        variables = [ug.Variable(w) for w in weights]
        given = [ug.asarray(g) for g in gradients]
    optimizer = ug.optimizers.Adam(1e-3)

    def run() -> Any:
        optimizer.apply_gradients(zip(given, variables, strict=True))
        if backend == "jax":
            variables[-1].native.block_until_ready()

    return run


def by_pure_unigrad(backend: str, weights: Arrays, gradients: Arrays) -> Callable[[], Any]:
    """``update`` of a pytree."""
    with ug.use_backend(backend):
        held = [ug.asarray(w) for w in weights]
        given = [ug.asarray(g) for g in gradients]
    optimizer = ug.optimizers.Adam(1e-3)
    state = optimizer.init(held)

    def run() -> Any:
        nonlocal held, state
        held, state = optimizer.update(given, state, held)
        if backend == "jax":
            held[-1].native.block_until_ready()

    return run


#: For each backend the native way, which is the base.
NATIVE: dict[str, tuple[str, Callable[[Arrays, Arrays], Callable[[], Any]]]] = {
    "numpy": ("numpy in place", by_numpy),
    "torch": ("torch fused Adam", by_torch),
    "jax": ("jax.jit of optax", by_optax),
    "tensorflow": ("Keras, eager", by_keras),
}


def main() -> None:
    """Time all backends that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", nargs="*", default=list(NATIVE), choices=list(NATIVE))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", help="write the figures to <JSON>-<backend>.json")
    options = parser.parse_args()
    for backend in options.backends:
        ug.core.registry.load_backend(backend)
        weights, gradients = arrays(0), arrays(1)
        name, native = NATIVE[backend]
        path = f"{options.json}-{backend}.json" if options.json else None
        compare(
            {
                name: native(weights, gradients),
                f"ug on {backend}": by_unigrad(backend, weights, gradients),
                f"ug.update on {backend}": by_pure_unigrad(backend, weights, gradients),
            },
            options.rounds,
            json_path=path,
        )


if __name__ == "__main__":
    main()
