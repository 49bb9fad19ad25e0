"""`ug.native_call`: a library's function as one differentiable op, on all backends."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

# torch before TensorFlow: see unigrad_torch.triton_first.
load_backend("torch")
torch = importlib.import_module("torch")
jnp = importlib.import_module("jax.numpy")
tf = importlib.import_module("tensorflow")


def _of(sin: Callable[[Any], Any], total: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return y = sin(a) b² and z = Σ a b in a library's own functions."""
    return lambda a, b: {"y": sin(a) * b**2, "z": total(a * b)}


FUNCTIONS = {
    "numpy": _of(np.sin, np.sum),
    "torch": _of(torch.sin, torch.sum),
    "jax": _of(jnp.sin, jnp.sum),
    "tensorflow": _of(tf.sin, tf.reduce_sum),
}


def _vjp(g: Any, out: Any, a: Any, b: Any) -> tuple[Any, Any]:
    of_a = g["y"] * np.cos(a) * b**2 + g["z"] * b
    return of_a, g["y"] * np.sin(a) * 2 * b + g["z"] * a


def _jvp(tangents: Any, out: Any, a: Any, b: Any) -> Any:
    y = tangents[0] * np.cos(a) * b**2 + np.sin(a) * 2 * b * tangents[1]
    return {"y": y, "z": np.sum(tangents[0] * b + a * tangents[1])}


def call(a: Any, b: Any) -> Any:
    """Return Σ y + z."""
    backend = ug.get_backend()
    given = {"vjp": _vjp, "jvp": _jvp} if backend == "numpy" else {}
    found = ug.native_call(FUNCTIONS[backend], a, b, **given)
    return ug.sum(found["y"]) + found["z"]


def ours(a: Any, b: Any) -> Any:
    return ug.sum(ug.sin(a) * b**2) + ug.sum(a * b)


A, B = np.array([0.5, 1.0]), np.array([1.0, 2.0])


def same(found: Any, want: Any) -> None:
    for one, other in zip(ug.tree.leaves(found), ug.tree.leaves(want), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12)


@pytest.mark.parametrize("reference", [False, True])
def test_under_a_tape(backend: str, reference: bool) -> None:
    a, b = ug.asarray(A), ug.Variable(B)
    gradients = []
    for function in (call, ours):
        with ug.GradientTape(reference=reference) as tape:
            tape.watch(a)
            y = function(a, b)
        gradients.append(tape.gradient(y, [a, b]))
    same(*gradients)


def test_transforms(backend: str) -> None:
    a, b = ug.asarray(A), ug.asarray(B)
    for transform in (
        lambda f: f(a, b),
        lambda f: ug.grad(f, argnums=(0, 1))(a, b),
        lambda f: ug.jvp(f, (a, b), (ug.ones_like(a), b)),
        lambda f: ug.vjp(f, a, b)[1](ug.asarray(2.0, dtype="float64")),
        lambda f: ug.jit(lambda a, b: ug.grad(f, argnums=(0, 1))(a, b))(a, b),
    ):
        same(transform(call), transform(ours))


def test_second_order(backend: str) -> None:
    if backend == "numpy":
        pytest.skip("NumPy has the derivative that it is given, to first order")
    a, b = ug.asarray(A), ug.asarray(B)
    ones = ug.ones_like(a)
    for transform in (
        lambda f: ug.grad(lambda a: ug.sum(ug.grad(f)(a, b) ** 2))(a),
        lambda f: ug.grad(lambda a: ug.jvp(lambda a: f(a, b), (a,), (ones,))[1])(a),
        lambda f: ug.jvp(lambda a: ug.grad(f)(a, b), (a,), (ones,)),
    ):
        same(transform(call), transform(ours))
    gradients = []
    for function in (call, ours):
        with ug.GradientTape(reference=True) as outer:
            outer.watch(a)
            with ug.GradientTape(reference=True) as tape:
                tape.watch(a)
                y = function(a, b)
            first = tape.gradient(y, a)
        gradients.append(outer.gradient(first, a))
    same(*gradients)


@pytest.mark.filterwarnings("ignore:.*native_call:UserWarning")
def test_mapped_and_in_a_graph(backend: str) -> None:
    a, b = ug.asarray(np.stack([A, 2 * A, 3 * A])), ug.asarray(B)
    for transform in (
        lambda f: ug.vmap(lambda a: f(a, b))(a),
        lambda f: ug.vmap(ug.grad(lambda a: f(a, b)))(a),
        lambda f: ug.hvp(lambda a: f(a, b), (a[0],), (b,)) if backend != "numpy" else b,
    ):
        same(transform(call), transform(ours))
    graph = ug.graph.capture(call)(a[0], b)
    assert any(node.op.name == "native_call" for node in graph.nodes)
    same(graph.run(a[1], b), ours(a[1], b))


def test_inside_of_interop(backend: str) -> None:
    if backend == "numpy":
        pytest.skip("NumPy has no autograd")
    home = load_backend(backend)
    a, b = ug.asarray(A).native, ug.asarray(B).native
    found = []
    for function in (call, ours):
        _, pullback = home.vjp(lambda a, b, f=function: [ug.interop(f)(a, b)], [a, b])
        found.append([*map(ug.asarray, pullback([ug.asarray(1.0, dtype="float64").native]))])
    same(*found)


def test_integers_and_what_is_no_array(backend: str) -> None:
    def take(x: Any, index: Any, name: str, scale: float) -> Any:
        assert name == "name"
        return x[index] * scale if backend != "tensorflow" else tf.gather(x, index) * scale

    given = {}
    if backend == "numpy":

        def vjp(g: Any, out: Any, x: Any, index: Any, name: str, scale: float) -> Any:
            found = np.zeros_like(x)
            np.add.at(found, index, g * scale)
            return found, None, None, None

        given = {"vjp": vjp}
    x, index = ug.asarray(A), ug.asarray([1, 1])
    gradient = ug.grad(lambda x: ug.sum(ug.native_call(take, x, index, "name", 2.0, **given)))(x)
    assert gradient.tolist() == [0.0, 4.0]


def test_a_derivative_that_is_given_counts(backend: str) -> None:
    calls = []

    def copied(x: Any) -> Any:
        return x * 1

    def vjp(g: Any, out: Any, x: Any) -> Any:
        calls.append(type(g))
        return (g * 10,)

    x = ug.asarray(A)
    gradient = ug.grad(lambda x: ug.sum(ug.native_call(copied, x, vjp=vjp)))(x)
    assert gradient.tolist() == [10.0, 10.0]
    assert calls
    with pytest.raises(ug.NotDifferentiableError):
        ug.jvp(lambda x: ug.native_call(copied, x, vjp=vjp), (x,), (x,))


def test_numpy_needs_a_derivative() -> None:
    with ug.use_backend("numpy"):
        x = ug.asarray(A)
        assert ug.native_call(np.cumsum, x).tolist() == [0.5, 1.5]
        with pytest.raises(ug.NotDifferentiableError, match=r"cumsum.*give vjp="):
            ug.grad(lambda x: ug.sum(ug.native_call(np.cumsum, x)))(x)
        with pytest.raises(ug.NotDifferentiableError):
            ug.jvp(lambda x: ug.native_call(np.cumsum, x), (x,), (x,))


@pytest.mark.parametrize(
    "result",
    ["text", 3.0, None, (), [1], ug.asarray, {"deep": object()}],
    ids=["text", "number", "none", "empty", "list", "function", "deep"],
)
def test_results_that_are_no_arrays(backend: str, result: Any) -> None:
    with pytest.raises(ug.DTypeError, match=r"native_call: .*array"):
        ug.native_call(lambda x: result, ug.asarray(A))


def test_a_result_of_another_library(backend: str) -> None:
    other = np.ones(2) if backend != "numpy" else torch.ones(2)
    with pytest.raises(ug.DTypeError, match=f"an array of {backend} was expected"):
        ug.native_call(lambda x: other, ug.asarray(A))
    with pytest.raises(ug.DTypeError, match="Tensor"):
        ug.native_call(lambda x: ug.asarray(x), ug.asarray(A))


def test_arguments_of_two_backends(backend: str) -> None:
    with ug.use_backend("numpy" if backend != "numpy" else "torch"):
        other = ug.asarray(A)
    with pytest.raises(ug.BackendMismatchError, match=backend):
        ug.native_call(lambda x, y: x, ug.asarray(A), other)


def test_no_argument_is_a_tensor(backend: str) -> None:
    with pytest.raises(ug.DTypeError, match="no tensor"):
        ug.native_call(lambda n: n, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda g, out, x: g,
        lambda g, out, x: (g, g),
        lambda g, out, x: ({"x": g},),
        lambda g, out, x: (g[:1],),
        lambda g, out, x: None,
    ],
    ids=["array", "two", "structure", "shape", "none"],
)
def test_a_wrong_derivative(backend: str, wrong: Any) -> None:
    with pytest.raises(ug.ShapeError, match=r"native_call: .*vjp"):
        ug.grad(lambda x: ug.sum(ug.native_call(lambda x: x * 1, x, vjp=wrong)))(ug.asarray(A))


def test_errors_of_the_function_are_its_own(backend: str) -> None:
    def fail(x: Any) -> Any:
        raise ValueError("mine")

    for x in (ug.asarray(A), ug.Variable(A)):
        with ug.GradientTape(), pytest.raises(ValueError, match=r"^mine") as caught:
            ug.native_call(fail, x)
        assert type(caught.value) is ValueError


def test_an_array_taken_along(backend: str) -> None:
    add = ug.native_call(lambda x, y: x + y, ug.asarray(A), A)
    assert add.backend.name == backend
    assert add.tolist() == [1.0, 2.0]
