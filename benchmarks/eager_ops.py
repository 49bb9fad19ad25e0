"""What an eager op costs through unigrad beside what one writes natively, on (4, 4) arrays.

On arrays this small nearly all the time is dispatch. The rows are those of
`benchmarks.eager_table`; the worst come first. Both sides run in turns in one process, and the
least time of each counts. JAX's are not waited for, on either side. Run from the repository's
root::

    taskset -c 0 env OMP_NUM_THREADS=1 python -m benchmarks.eager_ops --json build/eager-ops.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from timeit import repeat
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks.eager_table import ROWS, Row
from unigrad.core.registry import load_backend

#: torch before TensorFlow: see `unigrad_torch.triton_first`.
BACKENDS = ("numpy", "torch", "jax", "tensorflow")


def operands() -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays that the rows name."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4, 4)).astype(np.float32)
    return {
        "x": x,
        "y": y,
        "p": np.abs(x) + np.float32(0.5),
        "v": y[0].copy(),
        "i": np.array([0, 2, 3]),
        "n": np.array([[0, 1, 2, 3], [3, 2, 1, 0], [0, 0, 1, 1], [2, 3, 2, 3]]),
        "m": x > 0,
        "r": np.array([True, False, True, True]),
    }


def native_names(backend: str) -> dict[str, Any]:
    """Return what the native expressions of a backend may name."""
    arrays = operands()
    names: dict[str, Any] = {"a": arrays["x"], "np": np}
    if backend == "numpy":
        return names | arrays
    if backend == "jax":
        import jax
        import jax.numpy as jnp

        return names | {"jax": jax, "jnp": jnp} | {k: jnp.asarray(v) for k, v in arrays.items()}
    library = import_module(backend)
    make = library.tensor if backend == "torch" else library.constant
    short = "torch" if backend == "torch" else "tf"
    return names | {short: library} | {k: make(v) for k, v in arrays.items()}


def our_names(backend: str) -> dict[str, Any]:
    """Return what the expressions in unigrad may name."""
    arrays = operands()
    with ug.use_backend(backend):
        return {"ug": ug, "a": arrays["x"]} | {k: ug.asarray(v) for k, v in arrays.items()}


def microseconds(ours: Callable[[], Any], native: Callable[[], Any], rounds: int) -> list[float]:
    """Return the least time per call of two functions, measured by turns."""
    calls = 10
    while calls < 2000 and sum(repeat(ours, number=calls, repeat=1)) < 1e-3:
        calls *= 2
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for place, function in enumerate((ours, native)):
            best[place] = min(best[place], *repeat(function, number=calls, repeat=2))
    return [seconds / calls * 1e6 for seconds in best]


def timed(backend: str, row: Row, rounds: int) -> dict[str, Any] | None:
    """Time one row, if the framework has the op."""
    expression = getattr(row, backend)
    if expression is None:
        return None
    found = []
    for code, names in ((row.unigrad, our_names(backend)), (expression, native_names(backend))):
        found.append(eval(f"lambda: {code}", names))
    load_backend(backend)
    with ug.use_backend(backend):
        ours, native = microseconds(found[0], found[1], rounds)
    return {"backend": backend, "op": row.name, "unigrad": ours, "native": native}


def main() -> None:
    """Print a table per backend, the worst row first; write JSON if asked to."""
    parser = argparse.ArgumentParser(description="eager ops beside the native ones")
    parser.add_argument("--backend", action="append", choices=BACKENDS)
    parser.add_argument("--only", help="rows whose name contains this")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    everything: list[dict[str, Any]] = []
    for backend in options.backend or BACKENDS:
        rows = [
            timed(backend, row, options.rounds)
            for row in ROWS
            if options.only is None or options.only in row.name
        ]
        found = [row for row in rows if row is not None]
        by_ratio = backend in ("jax", "tensorflow")
        found.sort(
            key=lambda row: (
                -(row["unigrad"] / row["native"] if by_ratio else row["unigrad"] - row["native"])
            )
        )
        print(f"\n| {backend} | native µs | unigrad µs | more µs | ratio |\n|---|---|---|---|---|")
        for row in found:
            ours, native = row["unigrad"], row["native"]
            print(
                f"| {row['op']} | {native:.2f} | {ours:.2f} | {ours - native:+.2f} "
                f"| {ours / native:.2f} |"
            )
        more = median(row["unigrad"] - row["native"] for row in found)
        ratio = median(row["unigrad"] / row["native"] for row in found)
        print(f"\n{backend}: median {more:+.2f} µs, ratio {ratio:.2f}, of {len(found)} operations")
        everything += found
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(everything, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
