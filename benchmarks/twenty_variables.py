"""A compiled call that reads twenty Variables, or writes them, beside the library's own.

Whatever a call costs beside its ops, the price of the signature, the Variables and the result, is
seen here: the ops are additions of (4, 4) arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks.rows import OURS, Effort, Row, extra
from benchmarks.timing import Candidate

COUNT = 20
ONES = np.ones((4, 4), np.float32)
PEER = "native"
#: Microseconds that a call may cost beyond the native one.
MOST = 60.0


def total(x: Any, values: Any) -> Any:
    """Return x + Σ values."""
    for one in values:
        x = x + one
    return x


def of_unigrad(backend: str, writing: bool) -> Candidate:
    """Return ours."""
    with ug.use_backend(backend):
        variables, x = [ug.Variable(ONES) for _ in range(COUNT)], ug.asarray(ONES)

    @ug.jit
    def run(x: ug.Tensor) -> ug.Tensor:
        if not writing:
            return total(x, variables)
        for one in variables:
            one.assign_add(x)
        return x

    if backend == "jax":
        return lambda: run(x).native.block_until_ready()
    return lambda: run(x)


def _plain(
    function: Callable[..., Any], x: Any, make: Callable[[], Any], writing: bool
) -> Candidate:
    """Return a candidate of a function of ``x`` and a list, which a writing one replaces."""
    values = [make() for _ in range(COUNT)]

    def run() -> Any:
        nonlocal values
        if not writing:
            return function(x, values)
        result, values = function(x, values)
        return result

    return run


def _added(x: Any, values: Any) -> Any:
    return x, [one + x for one in values]


def of_numpy(writing: bool) -> Candidate:
    """Plain NumPy."""
    return _plain(_added if writing else total, ONES, ONES.copy, writing)


def of_torch(writing: bool) -> Candidate:
    """Plain torch, without autograd."""
    import torch

    function = torch.no_grad()(_added if writing else total)
    return _plain(function, torch.tensor(ONES), lambda: torch.tensor(ONES), writing)


def of_jax(writing: bool) -> Candidate:
    """`jax.jit` of the values as arguments."""
    import jax
    import jax.numpy as jnp

    function = jax.jit(_added if writing else total)
    run = _plain(function, jnp.asarray(ONES), lambda: jnp.asarray(ONES), writing)
    return lambda: run().block_until_ready()


def of_tensorflow(writing: bool) -> Candidate:
    """`tf.function` of variables."""
    import tensorflow as tf

    variables, x = [tf.Variable(ONES) for _ in range(COUNT)], tf.constant(ONES)

    @tf.function(autograph=False)
    def run(x: Any) -> Any:
        if not writing:
            return total(x, variables)
        for one in variables:
            one.assign_add(x)
        return x

    return lambda: run(x)


NATIVE: dict[str, Callable[[bool], Candidate]] = {
    "numpy": of_numpy, "torch": of_torch, "jax": of_jax, "tensorflow": of_tensorflow,
}  # fmt: skip


def rows(backend: str) -> list[Row]:
    """Return the rows of a backend."""

    def row(verb: str, writing: bool) -> Row:
        def build(effort: Effort) -> dict[str, Candidate]:
            return {OURS: of_unigrad(backend, writing), PEER: NATIVE[backend](writing)}

        name = f"jitted call that {verb} {COUNT} Variables"
        return Row(name, backend, build, (extra(MOST, PEER),))

    return [row("reads", False), row("writes", True)]
