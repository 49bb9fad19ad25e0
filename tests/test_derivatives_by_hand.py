"""Derivatives given by hand that contradict their function, and native callers of them."""

import importlib
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
torch = importlib.import_module("torch")
jax = importlib.import_module("jax")
jnp = jax.numpy


def _reverse(forward: Any) -> Any:
    f = ug.custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: (forward(x), x), lambda x, g: (2.0 * x * g,))
    return ug.grad(lambda x: ug.sum(f(x)))


def _forward(result: Any) -> Any:
    f = ug.custom_jvp(lambda x: x * x)
    f.defjvp(lambda primals, tangents: (result(*primals), 2.0 * primals[0] * tangents[0]))
    return ug.grad(lambda x: ug.sum(f(x)))


WRONG = {
    "structure": (lambda x: (x * x, x), ug.ShapeError, "structure"),
    "shape": (lambda x: ug.sum(x), ug.ShapeError, r"shape \(\), that of the function \(2,\)"),
    "dtype": (lambda x: ug.astype(x, "float16"), ug.DTypeError, "float16"),
}


@pytest.mark.parametrize("make", [_reverse, _forward])
@pytest.mark.parametrize("jitted", [False, True])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_result_that_contradicts_the_function(
    backend: str, make: Any, jitted: bool, wrong: str
) -> None:
    x = ug.asarray([1.0, 3.0])
    result, error, words = WRONG[wrong]
    run, right = make(result), make(lambda x: x * x)
    if jitted:
        run, right = ug.jit(run), ug.jit(right)
    assert right(x).tolist() == [2.0, 6.0]
    with pytest.raises(error, match=words):
        run(x)


def test_the_function_is_compared_once_for_each_kind_of_arguments(backend: str) -> None:
    calls: list[Any] = []

    @ug.custom_vjp
    def f(x: Any, power: int) -> Any:
        calls.append(x.shape)
        return x**power

    f.defvjp(lambda x, power: (x**power, x), lambda x, g: (x * g, None))
    slope = ug.grad(lambda x: ug.sum(f(x, 2)))
    for values in ([1.0, 2.0], [3.0, 4.0], [5.0]):
        assert slope(ug.asarray(values)).tolist() == values
    assert calls == [(2,), (1,)]


def test_an_argument_without_a_hash(backend: str) -> None:
    f = ug.custom_vjp(lambda how, x: x * how["by"], nondiff_argnums=0)
    f.defvjp(lambda how, x: (x * how["by"], None), lambda how, _, g: (g * how["by"],))
    for by in (2.0, 3.0):
        assert float(ug.grad(lambda x: f({"by": by}, x))(1.0)) == by  # noqa: B023


def test_forward_mode_of_jax_through_a_reverse_rule() -> None:
    f = ug.custom_vjp(lambda x: x * x)
    f.defvjp(lambda x: (x * x, x), lambda x, g: (2.0 * x * g,))
    x = jnp.asarray([1.0, 2.0])
    assert jax.vjp(ug.interop(f), x)[1](x)[0].tolist() == [2.0, 8.0]
    with pytest.raises(ug.NotDifferentiableError, match="forward-mode"):
        jax.jvp(ug.interop(f), (x,), (x,))


def test_jacobian_of_jax_of_a_gradient_through_a_compiled_loop() -> None:
    @ug.jit
    def loop(x: ug.Tensor) -> Any:
        return ug.while_loop(
            lambda carry: carry[0] < 3,
            lambda carry: (carry[0] + 1, carry[1] * carry[1]),
            (0, x),
            max_steps=4,
        )[1]

    slope = ug.interop(ug.grad(lambda x: ug.sum(loop(x))))
    x = jnp.asarray([1.0, 0.5])
    np.testing.assert_allclose(slope(x), 8.0 * x**7, rtol=1e-6)
    np.testing.assert_allclose(jax.jacrev(slope)(x), np.diag(56.0 * x**6), rtol=1e-5)


def test_each_example_of_torchs_vmap_takes_its_branch() -> None:
    @ug.interop
    def f(x: ug.Tensor) -> Any:
        # The derivative of the branch that is not taken is infinite.
        return ug.cond(ug.sum(x) > 0, lambda x: ug.sum(ug.sqrt(x)), lambda x: ug.sum(x * x), x)

    x = torch.tensor([[1.0, 4.0], [0.0, 0.0], [-3.0, 1.0]])
    values, slopes = torch.func.vmap(f)(x), torch.func.vmap(torch.func.grad(f))(x)
    assert values.tolist() == [3.0, 0.0, 10.0]
    assert slopes.tolist() == [[0.5, 0.25], [0.0, 0.0], [-6.0, 2.0]]
    assert torch.func.grad(lambda x: torch.func.vmap(f)(x).sum())(x).tolist() == slopes.tolist()


def test_what_is_handed_out_is_nobody_elses() -> None:
    with ug.use_backend("torch"):
        w, constant = ug.Variable([1.0, 2.0]), ug.asarray([3.0, 4.0])
        kept: list[Any] = []

        @ug.interop
        def f(x: Any) -> Any:
            kept.append(x * 1.0)
            return w, w.value.reshape((2, 1)), constant, constant[::1], kept[0], x.reshape((2, 1))

        x = torch.tensor([5.0, 6.0])
        *others, view = f(x)
        for one in (*others, view):
            one.add_(100.0)
        assert w.tolist() == [1.0, 2.0]
        assert constant.tolist() == [3.0, 4.0]
        assert kept[0].tolist() == [5.0, 6.0]
        # A view of the caller's own array stays one.
        assert x.tolist() == [105.0, 106.0]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ug.floor(x) * 3.0 + ug.maximum(x, 1.0),
        lambda x: ug.sum(ug.sqrt(ug.abs(ug.clip(x, -1.0, 1.0)))),
        lambda x: ug.nan_to_num(x) ** 2.0,
    ],
)
def test_torchs_grad_of_its_vmap_takes_the_textbooks_derivatives(f: Any) -> None:
    g = ug.interop(lambda x: ug.sum(f(x)))
    x = torch.tensor([[1.0, 4.0], [0.5, -3.0]])
    expected = torch.stack([torch.func.grad(g)(one) for one in x])
    around = torch.func.grad(lambda x: torch.func.vmap(g)(x).sum())(x)
    assert around.tolist() == expected.tolist()
    assert torch.func.vmap(torch.func.grad(g))(x).tolist() == expected.tolist()
