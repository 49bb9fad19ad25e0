"""Programs that look at values, or loop, under the transforms of their callers' libraries.

What ``torch.func`` and JAX give is what unigrad's own transforms give.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

load_backend("torch")
torch = importlib.import_module("torch")
jax = importlib.import_module("jax")
tf = importlib.import_module("tensorflow")
jnp = jax.numpy

rng = np.random.default_rng(0)
A, V = rng.normal(size=(3, 3)), rng.normal(size=3)


def three(x: ug.Tensor) -> ug.Tensor:
    return 3.0 * ug.eye(3, dtype=x.dtype)


def until_large(x: ug.Tensor) -> Any:
    """A loop that ends at another step for each example."""
    return ug.while_loop(lambda c: ug.sum(c * c) < 20.0, lambda c: 1.5 * c + 0.1, x, max_steps=9)


@ug.custom_gradient
def sine(x: Any) -> Any:
    return ug.sin(x), lambda g: g * ug.cos(x)


PROGRAMS: dict[str, Callable[..., Any]] = {
    "solve": lambda a, v: ug.linalg.solve(a + three(a), v),
    "inv": lambda a, v: ug.linalg.inv(a + three(a)) @ v,
    "cholesky": lambda a, v: ug.linalg.cholesky(a @ a.T + three(a)) @ v,
    "svdvals": lambda a, v: ug.linalg.svdvals(a + ug.diag(ug.asarray([5.0, 10.0, 20.0]))) * v,
    "segment_sum": lambda a, v: ug.segment_sum(a * v, ug.asarray([0, 1, 0]), num_segments=2),
    "fori_loop": lambda a, v: ug.fori_loop(0, 3, lambda i, c: ug.sin(a @ c) * (i + 1), v),
    "while_loop": lambda a, v: a @ until_large(v),
    "while_loop of a matrix": lambda a, v: until_large(a) @ v,
    "scan": lambda a, v: ug.scan(lambda c, x: (ug.tanh(a @ c) + x, ug.sum(c * c)), v, v)[1],
    "cond": lambda a, v: ug.cond(ug.sum(a) > 0.0, lambda v: a @ v, lambda v: v**3, v),
    "custom_gradient": lambda a, v: sine(a @ v),
    "checkpoint": lambda a, v: ug.checkpoint(ug.tanh)(a @ v),
}


def scalar(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, v: ug.sum(ug.sin(f(a, v)))


def expected(f: Callable[..., Any], backend: str) -> list[Any]:
    with ug.use_backend(backend):
        a, v = ug.asarray(A), ug.asarray(V)
        batch = ug.stack([a, 0.5 * a])
        return [
            ug.jacobian(f)(a, v).numpy(),
            ug.hessian(scalar(f), argnums=1)(a, v).numpy(),
            ug.vmap(ug.grad(scalar(f)), in_axes=(0, None))(batch, v).numpy(),
        ]


def same(found: list[Any], wanted: list[Any]) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:FutureWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_torch_func(name: str) -> None:
    f = PROGRAMS[name]
    f_of_torch, scalar_of_torch = ug.interop(f), ug.interop(scalar(f))
    a, v = torch.tensor(A), torch.tensor(V)
    grad = torch.func.vmap(torch.func.grad(scalar_of_torch), in_dims=(0, None))
    second = grad(torch.stack([a, 0.5 * a]), v)
    hessian = torch.func.hessian(scalar_of_torch, argnums=1)(a, v)
    wanted = expected(f, "torch")
    same([torch.func.jacrev(f_of_torch)(a, v), hessian, second], wanted)
    same([torch.func.jacfwd(f_of_torch)(a, v)], wanted[:1])


def test_jax() -> None:
    f = PROGRAMS["while_loop of a matrix"]
    wanted = expected(f, "torch")
    scalar_of_jax = ug.interop(scalar(f))
    with ug.use_backend("jax"):
        a, v = jnp.asarray(A), jnp.asarray(V)
    grad = jax.jit(jax.vmap(jax.grad(scalar_of_jax), in_axes=(0, None)))
    same([jax.jit(jax.jacrev(ug.interop(f)))(a, v), grad(jnp.stack([a, 0.5 * a]), v)], wanted[::2])


def test_batches_of_gradients_of_torch() -> None:
    solver = ug.implicit_diff(lambda t: ug.cos(t) * 0.0 + 0.5 * t, lambda z, t: 2.0 * z - t)
    x = torch.tensor(V, requires_grad=True)
    assert torch.autograd.gradcheck(ug.interop(solver), (x,), check_batched_grad=True)
    looped = ug.interop(ug.jit(PROGRAMS["scan"]))
    a = torch.tensor(A, requires_grad=True)
    assert torch.autograd.gradcheck(looped, (a, x), check_batched_grad=True)


def slope_of_torch(f: Callable[..., Any], x: Any) -> Any:
    x = torch.tensor(x, requires_grad=True)
    f(x).sum().backward()
    return x.grad


def slope_of_jax(f: Callable[..., Any], x: Any) -> Any:
    return jax.grad(lambda x: f(x).sum())(x)


def slope_of_tensorflow(f: Callable[..., Any], x: Any) -> Any:
    @tf.function
    def slope(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(f(x))
        return tape.gradient(y, x)

    return slope(tf.constant(x))


@pytest.mark.parametrize("slope", [slope_of_torch, slope_of_jax, slope_of_tensorflow])
def test_derivatives_by_hand_make_constants_at_home(slope: Callable[..., Any]) -> None:
    """They run long after the call, when NumPy is the current backend again."""
    f, g = ug.custom_vjp(lambda x: 2.0 * x), ug.custom_jvp(lambda x: 2.0 * x)
    f.defvjp(lambda x: (2.0 * x, None), lambda _, g: (g * ug.asarray([1.0, 2.0]),))
    g.defjvp(lambda primals, tangents: (2.0 * primals[0], ug.asarray([1.0, 2.0]) * tangents[0]))
    again = ug.checkpoint(lambda x: x * ug.asarray([1.0, 2.0]))
    for one in (f, g, again):
        assert np.asarray(slope(ug.interop(one), np.ones(2, "float32"))).tolist() == [1.0, 2.0]


@pytest.mark.filterwarnings("ignore:`torch.jit.script`:FutureWarning")
def test_forward_mode_through_a_reverse_rule() -> None:
    f = ug.custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: (x * x, x), lambda x, g: (2.0 * x * g,))
    x = torch.tensor(V)
    with pytest.raises(ug.NotDifferentiableError, match="forward derivative"):
        torch.func.jvp(ug.interop(f), (x,), (x,))


def test_a_checkpoint_of_torch() -> None:
    """Its recomputation is stopped by an exception of torch's that passes through the ops."""
    run = ug.interop(lambda a, v: ug.sum(ug.tanh(a @ v) ** 2))
    a, v = torch.tensor(A, requires_grad=True), torch.tensor(V)
    torch.utils.checkpoint.checkpoint(run, a, v, use_reentrant=False).backward()
    y = np.tanh(A @ V)
    np.testing.assert_allclose(a.grad, np.outer(2.0 * y * (1.0 - y * y), V))


def test_torchs_compiler_is_given_the_function_itself() -> None:
    run = ug.interop(lambda a, v: ug.sum(a @ v) ** 2 + v[0] * v[1])
    a, v = torch.tensor(A), torch.tensor(V)
    torch._dynamo.reset()
    found = torch.compile(run, backend="eager")(a, v)
    np.testing.assert_allclose(found, np.sum(A @ V) ** 2 + V[0] * V[1])


@pytest.mark.parametrize("kind", [ug.optimizers.SGD, ug.optimizers.Adam])
def test_steps_of_optimizers_in_batches_of_torch(kind: Any) -> None:
    optimizer = kind(0.1)

    def moved(w: Any, g: Any) -> Any:
        state = optimizer.init([w])
        return optimizer.update([g], state, [w])[0][0]

    weights, slopes = torch.tensor(A), torch.tensor(A[::-1].copy())
    found = torch.func.vmap(ug.interop(moved))(weights, slopes)
    wanted = torch.stack([ug.interop(moved)(w, g) for w, g in zip(weights, slopes, strict=True)])
    torch.testing.assert_close(found, wanted)
