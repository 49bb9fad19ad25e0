"""What an eager op costs through unigrad beside what one writes natively, on (4, 4) arrays.

On arrays this small nearly all the time is dispatch. The rows are those of
`benchmarks.eager_table`; the worst come first. Both sides run in turns in one process, and the
least time of each counts, in blocks that are short enough to find a moment when nothing else runs.
JAX's are not waited for, on either side. The first call of each, which may compile, stands beside.
``--shape`` and ``--dtype`` ask for other arrays; rows that these do not fit are left out, and
named at the end. Run from the repository's root::

    taskset -c 0 env OMP_NUM_THREADS=1 python -m benchmarks.eager_ops --json build/eager-ops.json
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import median
from timeit import repeat
from typing import Any, NamedTuple

import numpy as np

import unigrad as ug
from benchmarks.eager_rows import NOTES, Row
from benchmarks.eager_table import ROWS
from unigrad.core.registry import load_backend

#: torch before TensorFlow: see `unigrad_torch.triton_first`.
BACKENDS = ("numpy", "torch", "jax", "tensorflow")


class Arrays(NamedTuple):
    """What arrays the rows are run on."""

    shape: tuple[int, int] = (4, 4)
    dtype: str = "float32"


def operands(arrays: Arrays) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays that the rows name."""
    rng = np.random.default_rng(0)
    rows, columns = arrays.shape
    x, y = rng.normal(size=(2, rows, columns)).astype(arrays.dtype)
    positive = (np.abs(x) + 0.5).astype(arrays.dtype)
    return {
        "x": x,
        "y": y,
        "p": positive,
        "q": positive + x.dtype.type(1),
        "c": np.tanh(x),
        "v": y[0].copy(),
        "i": np.array([0, rows // 2, rows - 1]),
        "n": rng.integers(0, min(columns, 8), (rows, columns)),
        "s": rng.integers(0, columns, rows),
        "m": x > 0,
        "r": np.arange(rows) != 1,
        "t": np.sort(y[0]),
        "o": (np.tanh(x) / 2 + 0.5).astype(arrays.dtype),
        "h": (x.T @ x + 4 * np.eye(columns)).astype(arrays.dtype),
        "z": (x + 1j * y).astype(np.result_type(arrays.dtype, np.complex64)),
        "u": rng.normal(size=(1, 4, 4, 4)).astype(arrays.dtype),
        "w": rng.normal(size=(2, 2, 4, 4)).astype(arrays.dtype),
    }


def native_names(backend: str, chosen: Arrays) -> dict[str, Any]:
    """Return what the native expressions of a backend may name."""
    arrays = operands(chosen)
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


def our_names(backend: str, chosen: Arrays) -> dict[str, Any]:
    """Return what the expressions in unigrad may name."""
    arrays = operands(chosen)
    with ug.use_backend(backend):
        return {"ug": ug, "a": arrays["x"]} | {k: ug.asarray(v) for k, v in arrays.items()}


def first_call(function: Callable[[], Any]) -> float:
    """Return the milliseconds of a call that nothing went before."""
    return repeat(function, number=1, repeat=1)[0] * 1e3


def microseconds(ours: Callable[[], Any], native: Callable[[], Any], rounds: int) -> list[float]:
    """Return the least time per call of two functions, measured by turns."""
    calls = 1
    while calls < 1000 and sum(repeat(ours, number=calls, repeat=1)) < _BLOCK:
        calls *= 2
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for place, function in enumerate((ours, native)):
            best[place] = min(best[place], *repeat(function, number=calls, repeat=2))
    return [seconds / calls * 1e6 for seconds in best]


#: How long calls in a row take: less than what a busy machine leaves to a process at a time.
_BLOCK = 5e-4


def timed(backend: str, row: Row, rounds: int, chosen: Arrays) -> dict[str, Any] | None:
    """Time one row, if the framework has the op; its error where the arrays do not fit."""
    expression = getattr(row, backend)
    if expression is None:
        return None
    load_backend(backend)
    ours, native = (
        eval(f"lambda: {code}", names)
        for code, names in (
            (row.unigrad, our_names(backend, chosen)),
            (expression, native_names(backend, chosen)),
        )
    )
    found: dict[str, Any] = {"backend": backend, "op": row.name}
    with ug.use_backend(backend):
        try:
            found["first"] = first_call(ours)
            native()
        except Exception as error:
            return found | {"error": str(error)}
        found["unigrad"], found["native"] = microseconds(ours, native, rounds)
    return found


def untimed() -> list[str]:
    """Return the public ops that no row of the table names."""
    words = {*re.findall(r"\w+", " ".join(row.unigrad for row in ROWS))}
    public = [name for name in ug.__all__ if _is_op(getattr(ug, name))]
    return sorted({*public} - words)


def _is_op(function: Any) -> bool:
    return callable(function) and getattr(function, "__module__", "").startswith("unigrad.ops.")


def report(backend: str, timings: list[dict[str, Any]]) -> None:
    """Print the rows of a backend, the worst first."""
    by_ratio = backend in ("jax", "tensorflow")
    found = [one for one in timings if "error" not in one]
    for one in found:
        one["more"], one["ratio"] = one["unigrad"] - one["native"], one["unigrad"] / one["native"]
    found.sort(key=lambda one: -one["ratio" if by_ratio else "more"])
    print(f"\n| {backend} | native µs | unigrad µs | more µs | ratio | first ms |\n{'|---' * 6}|")
    for one in found:
        print(
            f"| {one['op']} | {one['native']:.2f} | {one['unigrad']:.2f} | {one['more']:+.2f} "
            f"| {one['ratio']:.2f} | {one['first']:.2f} |"
        )
    if found:
        more, ratio = (median(one[name] for one in found) for name in ("more", "ratio"))
        print(f"\n{backend}: median {more:+.2f} µs, ratio {ratio:.2f}, of {len(found)} operations")
    for one in found:
        if (note := NOTES.get(one["op"])) is not None:
            print(f"{one['op']}: {note}")
    for one in timings:
        if "error" in one:
            print(f"{one['op']} does not take these arrays: {one['error'].splitlines()[0]}")


def main() -> None:
    """Print a table per backend, the worst row first; write JSON if asked to."""
    parser = argparse.ArgumentParser(description="eager ops beside the native ones")
    parser.add_argument("--backend", action="append", choices=BACKENDS)
    parser.add_argument("--only", help="rows whose name contains this")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--shape", default="4,4", help="of x and y, such as 100,784")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64", "float16"))
    parser.add_argument("--untimed", action="store_true", help="list the public ops without a row")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.untimed:
        print("\n".join(untimed()))
        return
    rows, columns = map(int, options.shape.split(","))
    chosen = Arrays((rows, columns), options.dtype)
    everything: list[dict[str, Any]] = []
    for backend in options.backend or BACKENDS:
        timings = [
            timed(backend, row, options.rounds, chosen)
            for row in ROWS
            if options.only is None or options.only in row.name
        ]
        everything += [one for one in timings if one is not None]
        report(backend, [one for one in timings if one is not None])
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(everything, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
