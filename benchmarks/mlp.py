"""unigrad's tape on the 784-100-100-10 perceptron beside the native programs, in one run.

Forward and backward pass, eager: the same function on every backend against hand-written NumPy,
HIPS autograd, torch autograd, un-jitted ``jax.value_and_grad`` and ``tf.GradientTape``; then the
whole training step under ``ug.jit`` against the best native way.

Run from the repository's root (on threads see `benchmarks.timing`)::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 python -m benchmarks.mlp
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import unigrad as ug
from benchmarks.native_mlp import (
    BATCH,
    GRADIENTS,
    STEPS,
    Labels,
    Weights,
    initial_weights,
    random_batch,
)
from benchmarks.rows import OURS, Bar, Effort, Row, ratio
from benchmarks.timing import Candidate, compare

#: For each backend the native programs that it is compared with; the first is the base.
RIVALS = {
    "numpy": ["numpy by hand", "autograd"],
    "torch": ["torch eager"],
    "jax": ["jax", "jax.jit"],
    "tensorflow": ["tf eager", "tf.function"],
}
STEP_RIVALS = {
    "numpy": ["numpy by hand, Adam in place"],
    "torch": ["torch fused Adam", "torch.compile + fused Adam"],
    "jax": ["jax.jit step"],
    "tensorflow": ["tf.function step"],
}


#: What the jitted step may take, beside which candidates.
EAGER = "unigrad eager"
BARS: dict[str, tuple[Bar, ...]] = {
    "numpy": (ratio(1 / 1.25, EAGER), ratio(1.1, *STEP_RIVALS["numpy"])),
    "torch": (ratio(0.95, *STEP_RIVALS["torch"]),),
    "jax": (ratio(1.03, *STEP_RIVALS["jax"]),),
    "tensorflow": (ratio(1.05, *STEP_RIVALS["tensorflow"]),),
}


def loss_of(weights: list[ug.Variable], x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
    """Return the mean cross-entropy of the perceptron."""
    w1, b1, w2, b2, w3, b3 = weights
    h = ug.relu(ug.linear(x, w1, b1))
    h = ug.relu(ug.linear(h, w2, b2))
    logits = ug.linear(h, w3, b3)
    return ug.losses.sparse_categorical_crossentropy(y, logits, from_logits=True).mean()


def _prepare(backend: str, weights: Weights, x: Any, y: Labels) -> tuple[Any, Any, Any]:
    with ug.use_backend(backend):
        return [ug.Variable(one) for one in weights], ug.asarray(x), ug.asarray(y)


def gradient(backend: str, weights: Weights, x: Any, y: Labels) -> Callable[[], Any]:
    """Return the forward and backward pass through the tape."""
    variables, images, labels = _prepare(backend, weights, x, y)

    def run() -> Any:
        with ug.GradientTape() as tape:
            loss = loss_of(variables, images, labels)
        gradients = tape.gradient(loss, variables)
        if backend == "jax":
            gradients[0].native.block_until_ready()
        return loss, gradients

    return run


def step(
    backend: str, weights: Weights, x: Any, y: Labels, jit: bool = True, **options: Any
) -> Callable[[], Any]:
    """Return the whole training step, under `ug.jit` or eager."""
    variables, images, labels = _prepare(backend, weights, x, y)
    optimizer = ug.optimizers.Adam(1e-3)

    def train(images: ug.Tensor, labels: ug.Tensor) -> ug.Tensor:
        with ug.GradientTape() as tape:
            loss = loss_of(variables, images, labels)
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    compiled = ug.jit(options={backend: options})(train) if jit else train

    def run() -> Any:
        loss = compiled(images, labels)
        if backend == "jax":
            loss.native.block_until_ready()
        return loss

    return run


def rows(backend: str) -> list[Row]:
    """Return the row of a backend: the whole step under `ug.jit`."""

    def build(effort: Effort) -> dict[str, Candidate]:
        weights, (x, y) = initial_weights(), random_batch()
        rivals = [one for one in STEP_RIVALS[backend] if not (effort.quick and "compile" in one)]
        return {
            OURS: step(backend, weights, x, y),
            EAGER: step(backend, weights, x, y, jit=False),
            **{name: STEPS[name](weights, x, y) for name in rivals},
        }

    name = f"MLP step, jitted (784-100-100-10, batch {BATCH}, Adam)"
    return [Row(name, backend, build, BARS[backend])]


def main() -> None:
    """Print a table per backend."""
    parser = argparse.ArgumentParser(description="the tape on the 784-100-100-10 perceptron")
    parser.add_argument("--backend", action="append", choices=list(RIVALS))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--warmup", type=int, default=10)
    parser.add_argument("--steps", action="store_true", help="also whole steps under ug.jit")
    parser.add_argument("--inductor", action="store_true", help="with torch's Inductor too")
    parser.add_argument("--json", help="prefix of the JSON files to write")
    options = parser.parse_args()
    weights, (x, y) = initial_weights(), random_batch()
    for backend in options.backend or RIVALS:
        candidates = {name: GRADIENTS[name](weights, x, y) for name in RIVALS[backend]}
        candidates[f"unigrad {backend} tape"] = gradient(backend, weights, x, y)
        print(f"\n### forward and backward, {backend}, 784-100-100-10, batch {BATCH}\n")
        path = f"{options.json}gradient-{backend}.json" if options.json else None
        compare(candidates, options.rounds, options.warmup, json_path=path)
        if not options.steps:
            continue
        candidates = {name: STEPS[name](weights, x, y) for name in STEP_RIVALS[backend]}
        candidates[f"unigrad {backend} eager step"] = step(backend, weights, x, y, jit=False)
        candidates[f"unigrad {backend} jit step"] = step(backend, weights, x, y)
        if backend == "torch" and options.inductor:
            candidates["unigrad torch jit step, Inductor"] = step(
                backend, weights, x, y, compiler="inductor"
            )
        print(f"\n### whole step, {backend}, Adam\n")
        path = f"{options.json}step-{backend}.json" if options.json else None
        compare(candidates, options.rounds, options.warmup, json_path=path)


if __name__ == "__main__":
    main()
