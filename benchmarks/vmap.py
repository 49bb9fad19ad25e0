"""Per-example gradients: ``vmap(grad)`` of an MLP with two layers over 256 examples, beside peers.

Peers are `torch.func` (eager and under `torch.compile`), `jax.vmap` of `jax.grad` under `jax.jit`,
and on NumPy a loop over the examples of our own gradient. All take turns in one process::

    taskset -c 0 env OMP_NUM_THREADS=1 GOMP_SPINCOUNT=0 python -m benchmarks.vmap --json vmap.json
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks.rows import OURS, Effort, Row, ratio
from benchmarks.timing import Candidate, compare
from unigrad.core.registry import load_backend

EXAMPLES, INPUTS, HIDDEN, CLASSES = 256, 64, 128, 10


def data() -> tuple[list[Any], Any, Any]:
    """Return weights and biases, inputs, and labels as ndarrays."""
    generator = np.random.default_rng(0)
    shapes = [(INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)]
    weights = [generator.normal(0, 0.1, shape).astype(np.float32) for shape in shapes]
    x = generator.normal(size=(EXAMPLES, INPUTS)).astype(np.float32)
    return weights, x, generator.integers(0, CLASSES, EXAMPLES)


def unigrad_candidates(backend: str, compiling: bool = False) -> dict[str, Candidate]:
    """Return ours: eager, jitted, on NumPy the loop, on torch by Inductor if asked for."""
    with ug.use_backend(backend):
        arrays, x, labels = data()
        weights = [ug.asarray(one) for one in arrays]
        x, labels = ug.asarray(x), ug.asarray(labels)

    def loss(weights: list[ug.Tensor], x: ug.Tensor, label: ug.Tensor) -> ug.Tensor:
        w1, b1, w2, b2 = weights
        hidden = ug.nn.relu(x @ w1 + b1)
        return ug.losses.sparse_categorical_crossentropy(label, hidden @ w2 + b2, from_logits=True)

    gradient = ug.grad(loss)
    mapped = ug.vmap(gradient, in_axes=(None, 0, 0))
    jitted = ug.jit(mapped)

    def wait(found: list[ug.Tensor]) -> None:
        if backend == "jax":
            for one in found:
                one.native.block_until_ready()

    def loop() -> None:
        for i in range(EXAMPLES):
            gradient(weights, x[i], labels[i])

    found: dict[str, Candidate] = {
        f"unigrad {backend} vmap(grad)": lambda: wait(mapped(weights, x, labels)),
        f"unigrad {backend} jit(vmap(grad))": lambda: wait(jitted(weights, x, labels)),
    }
    if backend == "numpy":
        found["unigrad numpy loop of grad"] = loop
    if compiling:
        compiled = ug.jit(options={"torch": {"compiler": "inductor"}})(mapped)
        found["unigrad torch jit(vmap(grad)), inductor"] = lambda: wait(
            compiled(weights, x, labels)
        )
    return found


def torch_candidates(compiling: bool) -> dict[str, Candidate]:
    """Return torch.func's."""
    import torch

    arrays, x, labels = data()
    weights = [torch.asarray(one) for one in arrays]
    x, labels = torch.asarray(x), torch.asarray(labels)

    def loss(weights: Any, x: Any, label: Any) -> Any:
        w1, b1, w2, b2 = weights
        hidden = torch.relu(x @ w1 + b1)
        return torch.nn.functional.cross_entropy(hidden @ w2 + b2, label)

    mapped = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    found: dict[str, Candidate] = {"torch.func": lambda: mapped(weights, x, labels)}
    if compiling:
        compiled = torch.compile(mapped)
        found["torch.compile(torch.func)"] = lambda: compiled(weights, x, labels)
    return found


def jax_candidates() -> dict[str, Candidate]:
    """Return JAX's."""
    import jax
    import jax.numpy as jnp

    arrays, x, labels = data()
    weights = [jnp.asarray(one) for one in arrays]
    x, labels = jnp.asarray(x), jnp.asarray(labels)

    def loss(weights: Any, x: Any, label: Any) -> Any:
        w1, b1, w2, b2 = weights
        hidden = jax.nn.relu(x @ w1 + b1)
        return -jnp.sum(jax.nn.one_hot(label, CLASSES) * jax.nn.log_softmax(hidden @ w2 + b2))

    mapped = jax.jit(jax.vmap(jax.grad(loss), in_axes=(None, 0, 0)))
    return {
        "jax.jit(jax.vmap(jax.grad))": lambda: jax.block_until_ready(mapped(weights, x, labels))
    }


#: The peers of each backend, and what ours may take beside the quickest.
PEERS = {
    "numpy": ("unigrad numpy loop of grad", 1 / 20),
    "torch": ("torch.func", 1.2),
    "jax": ("jax.jit(jax.vmap(jax.grad))", 1.2),
}


def rows(backend: str) -> list[Row]:
    """Return the row of a backend."""
    if backend not in PEERS:
        return []
    peer, most = PEERS[backend]

    def build(effort: Effort) -> dict[str, Candidate]:
        found = unigrad_candidates(backend)
        if backend != "numpy":
            found |= torch_candidates(False) if backend == "torch" else jax_candidates()
        return {OURS: found[f"unigrad {backend} jit(vmap(grad))"], peer: found[peer]}

    name = f"`vmap(grad)` of a 2-layer MLP over {EXAMPLES} examples, jitted"
    return [Row(name, backend, build, (ratio(most, peer),))]


def main() -> None:
    """Time each group by turns and print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", help="write <name>-<library>.json beside this name")
    parser.add_argument("--compile", action="store_true", help="time Inductor as well")
    options = parser.parse_args()
    groups: dict[str, dict[str, Candidate]] = {
        "numpy": unigrad_candidates("numpy"),
        "torch": {
            **torch_candidates(options.compile),
            **unigrad_candidates("torch", options.compile),
        },
        "jax": {**jax_candidates(), **unigrad_candidates("jax")},
    }
    for name, candidates in groups.items():
        path = None if options.json is None else options.json.removesuffix(".json")
        print(f"\n{name}: {EXAMPLES} examples, {INPUTS}-{HIDDEN}-{CLASSES}\n")
        compare(candidates, options.rounds, 3, json_path=path and f"{path}-{name}.json")


if __name__ == "__main__":
    load_backend("torch")
    main()
