"""What `ug.interop` costs a caller: microseconds per eager call, and ops under the caller's jit.

Bars: at most 15 µs per eager call besides the ops in it, and no op added to what the caller's
own compiler is given. Run it pinned to one core, as `benchmarks.timing` says::

    taskset -c 0 env OMP_NUM_THREADS=1 python -m benchmarks.interop [output.json]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks.rows import BACKENDS, OURS, Bar, Effort, Row
from benchmarks.timing import Candidate, measure
from unigrad.core.registry import load_backend

#: Microseconds that a call may cost beside the ops in it.
BAR = 15.0


def body(x: Any, y: Any) -> Any:
    """Return tanh(x y) + sin x."""
    return ug.tanh(ug.matmul(x, y)) + ug.sin(x)


def overhead(name: str) -> dict[str, float]:
    """Return the times of the ops on Tensors, of the call by a caller, and of one without ops."""
    with ug.use_backend(name):
        tensor = ug.asarray(_ones())
    native, through, alone = tensor.native, ug.interop(body), ug.interop(lambda x, y: x)
    done: Callable[[Any], Any] = _waiter(name)
    timings = measure(
        {
            "ops": lambda: done(body(tensor, tensor).native),
            "call": lambda: done(through(native, native)),
            "alone": lambda: alone(native, native),
        },
        rounds=30,
        warmup=5,
    )
    return {one: 1e6 * timings[one].median for one in timings}


def _waiter(name: str) -> Callable[[Any], Any]:
    return (lambda array: array.block_until_ready()) if name == "jax" else (lambda array: array)


def _ones() -> Any:
    return np.ones((4, 4), np.float32)


def ops_of_torch(function: Any) -> int:
    """Return the number of ops in what torch's `make_fx` captures."""
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    x = torch.tensor(_ones())
    return sum(one.op == "call_function" for one in make_fx(function)(x, x).graph.nodes)


def ops_of_jax(function: Any) -> int:
    """Return the number of equations in the jaxpr."""
    import jax

    return len(jax.make_jaxpr(function)(_ones(), _ones()).jaxpr.eqns)


def ops_of_tensorflow(function: Any) -> int:
    """Return the number of operations in the graph."""
    import tensorflow as tf

    spec = tf.TensorSpec((4, 4))
    return len(tf.function(function).get_concrete_function(spec, spec).graph.get_operations())


def operations(backend: str) -> tuple[int, int]:
    """Return the number of ops of the call under the caller's jit, and of the formula itself."""
    through = ug.interop(body)
    if backend == "torch":
        import torch

        return ops_of_torch(through), ops_of_torch(lambda x, y: torch.tanh(x @ y) + torch.sin(x))
    if backend == "jax":
        import jax.numpy as jnp

        return ops_of_jax(through), ops_of_jax(lambda x, y: jnp.tanh(x @ y) + jnp.sin(x))
    import tensorflow as tf

    return (
        ops_of_tensorflow(through),
        ops_of_tensorflow(lambda x, y: tf.tanh(tf.matmul(x, y)) + tf.sin(x)),
    )


def rows(backend: str) -> list[Row]:
    """Return the rows of a backend: what a call costs without ops in it, and ops that it adds."""

    def call(effort: Effort) -> dict[str, Candidate]:
        with ug.use_backend(backend):
            native = ug.asarray(_ones()).native
        alone = ug.interop(lambda x, y: x)
        return {OURS: lambda: alone(native, native)}

    found = [
        Row(
            "`@ug.interop` call from native code",
            backend,
            call,
            (Bar(BAR, lambda s: 1e6 * s[OURS], "beside the ops in it", " µs"),),
        )
    ]
    if backend != "numpy":

        def added(seconds: Any) -> float:
            ours, theirs = operations(backend)
            return ours - theirs

        bar = Bar(0, added, "added under the caller's jit", " ops")
        found.append(Row("`@ug.interop` ops under the caller's jit", backend, call, (bar,)))
    return found


def main() -> None:
    """Measure, print, and write the figures if a file is named."""
    # torch before TensorFlow: see benchmarks.timing.
    for name in ("torch", *BACKENDS):
        load_backend(name)
    times = {name: overhead(name) for name in BACKENDS}
    counts = {name: operations(name) for name in BACKENDS if name != "numpy"}
    heads = "".join(f"{one:>10}" for one in ("ops µs", "call µs", "alone µs"))
    print(f"{'backend':12}{heads}{'ops in jit':>12}{'native':>8}")
    for name, one in times.items():
        ours, theirs = counts.get(name, ("", ""))
        figures = "".join(f"{one[key]:10.2f}" for key in ("ops", "call", "alone"))
        print(f"{name:12}{figures}{ours:>12}{theirs:>8}")
    over = [name for name, one in times.items() if one["alone"] > BAR]
    more = [name for name, (ours, theirs) in counts.items() if ours > theirs]
    print("within the bars" if not over + more else f"over the bars: {', '.join(over + more)}")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps({"times": times, "operations": counts}, indent=1))


if __name__ == "__main__":
    main()
