"""What one eager op costs through unigrad beside the library's own function, on (2, 2) arrays.

On arrays this small nearly all the time is dispatch. Run from the repository's root::

    taskset -c 0 env OMP_NUM_THREADS=1 python -m benchmarks.eager_ops --json build/eager-ops.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from timeit import repeat
from typing import Any

import unigrad as ug
from benchmarks.eager_ops_native import (
    jax_operations,
    numpy_operations,
    operands,
    tensorflow_operations,
    torch_operations,
)

#: torch before TensorFlow: see `unigrad_torch.triton_first`.
NATIVE: dict[str, Callable[[], dict[str, Callable[[], Any]]]] = {
    "numpy": numpy_operations,
    "torch": torch_operations,
    "jax": jax_operations,
    "tensorflow": tensorflow_operations,
}


def ours(backend: str) -> dict[str, Callable[[], Any]]:
    """Return the same operations through the front end."""
    with ug.use_backend(backend):
        a, b = (ug.asarray(array) for array in operands())
    return {
        "add": lambda: ug.add(a, b),
        "multiply": lambda: ug.multiply(a, b),
        "exp": lambda: ug.exp(a),
        "matmul": lambda: ug.matmul(a, b),
        "sum": lambda: ug.sum(a),
    }


def microseconds(pair: tuple[Callable[[], Any], Callable[[], Any]], calls: int) -> list[float]:
    """Return the least time per call of two functions, measured by turns."""
    best = [float("inf"), float("inf")]
    for _ in range(20):
        for i, function in enumerate(pair):
            best[i] = min(best[i], *repeat(function, number=calls, repeat=2))
    return [seconds / calls * 1e6 for seconds in best]


def main() -> None:
    """Print a table; write JSON if asked to."""
    parser = argparse.ArgumentParser(description="eager ops beside the native ones")
    parser.add_argument("--backend", action="append", choices=list(NATIVE))
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    print("| backend | op | native µs | unigrad µs | more µs | ratio |\n|---|---|---|---|---|---|")
    for backend in options.backend or NATIVE:
        native, mine = NATIVE[backend](), ours(backend)
        for op, function in native.items():
            base, found = microseconds((function, mine[op]), options.calls)
            rows.append({"backend": backend, "op": op, "native": base, "unigrad": found})
            print(
                f"| {backend} | {op} | {base:.2f} | {found:.2f} "
                f"| {found - base:+.2f} | {found / base:.2f} |"
            )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
