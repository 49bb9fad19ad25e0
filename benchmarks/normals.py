"""A million normal draws beside the libraries' own generators, as ratios.

python -m benchmarks.normals
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

import unigrad as ug

COUNT = 10**6
REPEATS = 15


def best(run: Callable[[], Any]) -> float:
    """Return the shortest time of several runs in milliseconds."""
    run()
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return 1e3 * min(times)


def natives() -> dict[str, tuple[str, Callable[[], Any], float]]:
    """Return each backend's own draw: its name, a call, and how many times it ours may take."""
    torch, jax = importlib.import_module("torch"), importlib.import_module("jax")
    generator, key = np.random.Generator(np.random.Philox(1)), jax.random.key(1)
    return {
        "numpy": (
            "Generator(Philox).standard_normal",
            lambda: generator.standard_normal(COUNT, "float32"),
            2.5,
        ),
        "torch": ("torch.randn", lambda: torch.randn(COUNT), 3.0),
        "jax": (
            "jax.random.normal",
            lambda: jax.random.normal(key, (COUNT,), "float32").block_until_ready(),
            1.1,
        ),
    }


def main() -> None:
    """Print a line per backend."""
    for backend, (name, native, bar) in natives().items():
        with ug.use_backend(backend):
            key = ug.random.key(1)

            def draw(key: ug.Tensor = key) -> Any:
                drawn = ug.random.normal(key, (COUNT,)).native
                return getattr(drawn, "block_until_ready", lambda: drawn)()

            ours, theirs = best(draw), best(native)
        print(
            f"{backend}: {ours:.1f} ms, {name} {theirs:.1f} ms: "
            f"{ours / theirs:.2f} times (bar {bar})"
        )


if __name__ == "__main__":
    main()
