"""Jacobian, Hessian and its products of a perceptron with 200 inputs, compiled, beside peers.

The perceptron 200-64-10 is a function of its inputs: its Jacobian is (10, 200), and of the mean of
its outputs' squares the Hessian is (200, 200). Peers are `torch.func`, JAX's own under `jax.jit`,
and HIPS autograd on NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from benchmarks.rows import OURS, Effort, Row, ratio
from benchmarks.timing import Candidate

INPUTS, HIDDEN, OUTPUTS = 200, 64, 10
KINDS = ("jacobian", "hessian", "hvp")
Arrays = list[Any]


def arrays() -> Arrays:
    """Return inputs, a direction, and weights and biases, float32."""
    generator = np.random.default_rng(0)
    shapes = [(INPUTS,), (INPUTS,), (INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, OUTPUTS), (OUTPUTS,)]
    return [(0.1 * generator.normal(size=one)).astype(np.float32) for one in shapes]


def functions(namespace: Any, weights: Arrays) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """Return the perceptron and its mean square in a library's language."""
    w1, b1, w2, b2 = weights

    def outputs(x: Any) -> Any:
        return namespace.matmul(namespace.tanh(namespace.matmul(x, w1) + b1), w2) + b2

    return outputs, lambda x: namespace.mean(outputs(x) ** 2)


def of_unigrad(kind: str, backend: str) -> Candidate:
    """Return ours, jitted."""
    with ug.use_backend(backend):
        x, direction, *weights = map(ug.asarray, arrays())
    outputs, loss = functions(ug, weights)
    run = ug.jit(
        {
            "jacobian": lambda x, v: ug.jacobian(outputs)(x),
            "hessian": lambda x, v: ug.hessian(loss)(x),
            "hvp": lambda x, v: ug.hvp(loss, (x,), (v,)),
        }[kind]
    )
    if backend == "jax":
        return lambda: run(x, direction).native.block_until_ready()
    return lambda: run(x, direction)


def of_torch(kind: str) -> Candidate:
    """`torch.func`: a reverse Jacobian, forward over reverse for the Hessian and its product."""
    import torch
    from torch import func

    x, direction, *weights = map(torch.tensor, arrays())
    outputs, loss = functions(torch, weights)
    if kind == "hvp":
        return lambda: func.jvp(func.grad(loss), (x,), (direction,))[1]
    function = func.jacrev(outputs) if kind == "jacobian" else func.hessian(loss)
    return lambda: function(x)


def of_jax(kind: str) -> Candidate:
    """JAX's own, under `jax.jit`."""
    import jax
    import jax.numpy as jnp

    x, direction, *weights = map(jnp.asarray, arrays())
    outputs, loss = functions(jnp, weights)
    run = jax.jit(
        {
            "jacobian": lambda x, v: jax.jacrev(outputs)(x),
            "hessian": lambda x, v: jax.hessian(loss)(x),
            "hvp": lambda x, v: jax.jvp(jax.grad(loss), (x,), (v,))[1],
        }[kind]
    )
    return lambda: run(x, direction).block_until_ready()


def of_autograd(kind: str) -> Candidate:
    """HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    x, direction, *weights = arrays()
    outputs, loss = functions(anp, weights)
    if kind == "hvp":
        product = autograd.make_hvp(loss)
        return lambda: product(x)[0](direction)
    function = autograd.jacobian(outputs) if kind == "jacobian" else autograd.hessian(loss)
    return lambda: function(x)


#: The peer of each backend: its name, how it is made, and the ratio that is allowed.
PEERS: dict[str, tuple[str, Callable[[str], Candidate], float]] = {
    "numpy": ("HIPS autograd", of_autograd, 1 / 3),
    "torch": ("torch.func", of_torch, 1.1),
    "jax": ("JAX's own", of_jax, 1.1),
}


def rows(backend: str) -> list[Row]:
    """Return the rows of a backend."""
    if backend not in PEERS:
        return []
    name, peer, most = PEERS[backend]

    def row(kind: str) -> Row:
        def build(effort: Effort) -> dict[str, Candidate]:
            return {OURS: of_unigrad(kind, backend), name: peer(kind)}

        return Row(f"`{kind}` of a 200-input MLP, jitted", backend, build, (ratio(most, name),))

    return [row(kind) for kind in KINDS]
