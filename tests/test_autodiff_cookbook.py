"""Twenty lines of the JAX autodiff cookbook, in unigrad, on all backends: its numbers.

Source: https://docs.jax.dev/en/latest/notebooks/autodiff_cookbook.html. What it computes with
``jax.random`` is computed here with the same keys; the numbers are those of JAX itself.
"""

import importlib
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

load_backend("torch")
jax = importlib.import_module("jax")
jnp = jax.numpy

INPUTS = [[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]]
TARGETS = [True, True, False, True]


@pytest.fixture(autouse=True)
def x64() -> None:
    """Let the oracle have 64 bits."""
    with ug.use_backend("jax"):
        pass


def program(np_: Any, inputs: Any, targets: Any) -> Any:
    """Return the cookbook's functions in a namespace's ops."""

    def sigmoid(x: Any) -> Any:
        return 0.5 * (np_.tanh(x / 2) + 1)

    def predict(W: Any, b: Any, inputs: Any) -> Any:
        return sigmoid(np_.matmul(inputs, W) + b)

    def loss(W: Any, b: Any) -> Any:
        preds = predict(W, b, inputs)
        label_probs = preds * targets + (1 - preds) * (1 - targets)
        return -np_.sum(np_.log(label_probs))

    return predict, loss


def close(found: Any, want: Any, rtol: float = 1e-10) -> None:
    leaves = ug.tree.leaves(found)
    wanted = ug.tree.leaves(want)
    assert len(leaves) == len(wanted)
    for one, other in zip(leaves, wanted):
        values = one.numpy() if isinstance(one, ug.Tensor) else np.asarray(one)
        np.testing.assert_allclose(values, np.asarray(other), rtol=rtol, atol=1e-12)


def test_the_first_line(backend: str) -> None:
    close(ug.grad(ug.tanh)(ug.asarray(2.0, dtype="float64")), 0.07065082485316443)
    close(ug.grad(ug.grad(ug.tanh))(ug.asarray(2.0, dtype="float64")), -0.13621868742711296)
    third = ug.grad(ug.grad(ug.grad(ug.tanh)))(ug.asarray(2.0, dtype="float64"))
    t = np.tanh(2.0)
    close(third, -2 * (1 - t**2) * (1 - 3 * t**2))


def test_logistic_regression(backend: str) -> None:
    W0, b0 = np.array([0.3, -0.7, 1.1]), np.array(0.2)
    W, b = ug.asarray(W0), ug.asarray(b0)
    inputs, targets = ug.asarray(np.array(INPUTS)), ug.asarray(np.array(TARGETS, float))
    predict, loss = program(ug, inputs, targets)
    jpredict, jloss = program(jnp, jnp.asarray(INPUTS), jnp.asarray(TARGETS, float))
    jW, jb = jnp.asarray(W0), jnp.asarray(b0)
    v = np.array([0.5, 1.0, -1.5])

    # grad by position, several arguments, and the value with it
    close(ug.grad(loss, argnums=0)(W, b), jax.grad(jloss, argnums=0)(jW, jb))
    close(ug.grad(loss, argnums=1)(W, b), jax.grad(jloss, argnums=1)(jW, jb))
    close(ug.grad(loss, (0, 1))(W, b), jax.grad(jloss, (0, 1))(jW, jb))
    close(ug.value_and_grad(loss, (0, 1))(W, b), jax.value_and_grad(jloss, (0, 1))(jW, jb))

    # nested lists, tuples and dicts
    found = ug.grad(lambda p: loss(p["W"], p["b"]))({"W": W, "b": b})
    close(found, jax.grad(lambda p: jloss(p["W"], p["b"]))({"W": jW, "b": jb}))

    # the check against finite differences along a direction
    def along(t: float) -> float:
        return float(loss(ug.asarray(W0 + t * v), b))

    numeric = (along(1e-6) - along(-1e-6)) / 2e-6
    np.testing.assert_allclose(float(ug.sum(ug.grad(loss)(W, b) * v)), numeric, rtol=1e-7)

    # Hessian-vector products: reverse over reverse and forward over reverse
    vector = ug.asarray(v)
    want = jax.jvp(jax.grad(lambda W: jloss(W, jb)), (jW,), (jnp.asarray(v),))[1]
    close(ug.grad(lambda W: ug.sum(ug.grad(loss)(W, b) * vector))(W), want)
    close(ug.jvp(lambda W: ug.grad(loss)(W, b), (W,), (vector,))[1], want)
    close(ug.grad(lambda W: ug.jvp(lambda W: loss(W, b), (W,), (vector,))[1])(W), want)

    # Jacobian-vector and vector-Jacobian products, and a Jacobian row by row and column by column
    def f(W: Any) -> Any:
        return predict(W, b, inputs)

    def jf(W: Any) -> Any:
        return jpredict(W, jb, jnp.asarray(INPUTS))

    close(ug.jvp(f, (W,), (vector,)), jax.jvp(jf, (jW,), (jnp.asarray(v),)))
    u = np.array([1.0, -2.0, 0.5, 3.0])
    y, vjp = ug.vjp(f, W)
    jy, jvjp = jax.vjp(jf, jW)
    close((y, vjp(ug.asarray(u))), (jy, jvjp(jnp.asarray(u))))
    rows = ug.stack([vjp(ug.asarray(row))[0] for row in np.eye(4)])
    columns = ug.stack([ug.jvp(f, (W,), (ug.asarray(one),))[1] for one in np.eye(3)], axis=1)
    close(rows, jax.jacrev(jf)(jW))
    close(columns, jax.jacfwd(jf)(jW))
    with ug.GradientTape() as tape:
        tape.watch(W)
        y = f(W)
    close(tape.jacobian(y, W), jax.jacfwd(jf)(jW))


def test_a_hessian(backend: str) -> None:
    def of(np_: Any) -> Any:
        return lambda x: np_.sum(np_.sin(x) ** 2 * x)

    x = np.array([0.3, 1.2, -0.5])

    def hvp(v: Any) -> Any:
        return ug.jvp(ug.grad(of(ug)), (ug.asarray(x),), (ug.asarray(v),))[1]

    close(ug.stack([hvp(one) for one in np.eye(3)]), jax.hessian(of(jnp))(jnp.asarray(x)))


def test_jit_and_grad(backend: str) -> None:
    def of(np_: Any) -> Any:
        return lambda x: np_.sum(np_.exp(np_.sin(x)) / (1.0 + x**2))

    x = np.array([0.3, 1.2, -0.5])
    close(ug.jit(ug.grad(of(ug)))(ug.asarray(x)), jax.grad(of(jnp))(jnp.asarray(x)))


def test_complex_numbers(backend: str) -> None:
    """The gradient of a real function of z is the direction of ascent: the conjugate of JAX's."""
    z = np.array(3.0 + 4.0j)

    def of(np_: Any) -> Any:
        return lambda z: np_.abs(z) ** 2 + 3.0 * np_.abs(z * z - 1.0j)

    want = np.conj(jax.grad(of(jnp))(jnp.asarray(z)))
    close(ug.grad(of(ug))(ug.asarray(z)), want)


def test_the_cookbook_through_interop() -> None:
    """The same functions, written in unigrad, under JAX's own transforms: the same numbers."""
    inputs, targets = jnp.asarray(INPUTS), jnp.asarray(TARGETS, float)
    _, jloss = program(jnp, inputs, targets)

    @ug.interop
    def loss(W: Any, b: Any) -> Any:
        return program(ug, inputs, targets)[1](W, b)

    W, b = jnp.array([0.3, -0.7, 1.1]), jnp.array(0.2)
    for transform in (
        lambda f: f,
        lambda f: jax.grad(f, (0, 1)),
        lambda f: jax.value_and_grad(f),
        lambda f: jax.hessian(f),
        lambda f: jax.jacfwd(jax.jacrev(f)),
        lambda f: jax.jit(jax.grad(f)),
        lambda f: jax.vmap(jax.grad(f), (0, None)),
        lambda f: lambda W, b: jax.jvp(lambda W: f(W, b), (W,), (W,)),
        lambda f: jax.jit(jax.linearize(f, W, b)[1]),
    ):
        at = jnp.stack([W, 2 * W]) if "vmap" in transform.__code__.co_names else W
        close(transform(loss)(at, b), transform(jloss)(at, b))
