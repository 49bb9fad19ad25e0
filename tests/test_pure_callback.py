"""`ug.pure_callback`: functions of ndarrays on the host, on every backend, eager and compiled."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug

Run = Callable[[Any], Any]
THREE = ug.ShapeDtypeStruct((3,), "float32")
RUNS = pytest.mark.parametrize("run", [lambda f: f, ug.jit], ids=["eager", "compiled"])


def cube(x: ug.Tensor) -> Any:
    return ug.pure_callback(lambda a: a**3, THREE, x)


def x_of_three() -> ug.Tensor:
    return ug.asarray([1.0, 2.0, 3.0])


def test_a_program_calls_it_at_every_run(backend: str) -> None:
    given: list[Any] = []

    def callback(a: np.ndarray) -> np.ndarray:
        given.append(a.tolist())
        return a + 1.0

    f = ug.jit(lambda x: ug.pure_callback(callback, THREE, x) * 2.0)
    f.lower(x_of_three())
    given.clear()
    assert f(x_of_three()).tolist() == [4.0, 6.0, 8.0]
    assert f(x_of_three() * 2.0).tolist() == [6.0, 10.0, 14.0]
    assert given == [[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]


@RUNS
def test_arguments_and_results_are_pytrees(backend: str, run: Run) -> None:
    def callback(given: dict[str, Any], *, k: Any, how: str) -> Any:
        assert how == "sum"
        assert isinstance(given["x"], np.ndarray)
        return {"total": np.float32(given["x"].sum() * k), "large": [given["x"] > 1.0, 7]}

    like = {
        "total": ug.ShapeDtypeStruct((), "float32"),
        "large": [ug.ShapeDtypeStruct((3,), bool), ug.ShapeDtypeStruct((), "int8")],
    }
    found = run(lambda x, k: ug.pure_callback(callback, like, {"x": x}, k=k, how="sum"))(
        x_of_three(), 2.0
    )
    assert found["total"].item() == 12.0
    assert found["large"][0].tolist() == [False, True, True]
    assert (found["large"][1].dtype, found["large"][1].item()) == (ug.int8, 7)


@RUNS
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64", "complex64", "uint8", "bool"])
def test_dtypes(backend: str, run: Run, dtype: str) -> None:
    x = ug.asarray([0, 1, 1], dtype=dtype)
    like = ug.ShapeDtypeStruct((3,), dtype)
    found = run(lambda x: ug.pure_callback(lambda a: a[::-1], like, x))(x)
    assert found.dtype.name == dtype
    assert found.tolist() == x.tolist()[::-1]


@RUNS
@pytest.mark.parametrize(
    "method", ["sequential", "sequential_unrolled", "expand_dims", "broadcast_all"]
)
def test_vmap(backend: str, run: Run, method: Any) -> None:
    def product(x: ug.Tensor, y: ug.Tensor) -> Any:
        return ug.pure_callback(lambda a, b: a * b, THREE, x, y, vmap_method=method)

    x = ug.stack([x_of_three(), 2.0 * x_of_three()])
    rows = run(ug.vmap(product, in_axes=(0, None)))(x, x[0])
    assert rows.tolist() == [[1.0, 4.0, 9.0], [2.0, 8.0, 18.0]]
    pairs = run(ug.vmap(ug.vmap(product, in_axes=(None, 0)), in_axes=(0, None)))(x, x)
    assert pairs.tolist() == (x[:, None] * x[None]).tolist()
    assert run(ug.vmap(product, in_axes=(0, None)))(x[:0], x[0]).shape == (0, 3)


@RUNS
def test_derivatives_by_hand(backend: str, run: Run) -> None:
    by_vjp, by_jvp = ug.custom_vjp(cube), ug.custom_jvp(cube)
    by_vjp.defvjp(lambda x: (cube(x), x), lambda x, g: (3.0 * x * x * g,))
    by_jvp.defjvp(lambda primals, tangents: (by_jvp(*primals), 3.0 * primals[0] ** 2 * tangents[0]))
    x = x_of_three()
    assert run(ug.grad(lambda x: ug.sum(by_vjp(x))))(x).tolist() == [3.0, 12.0, 27.0]
    second = run(ug.hessian(lambda x: ug.sum(by_jvp(x))))(x)
    assert second.tolist() == [[6.0, 0.0, 0.0], [0.0, 12.0, 0.0], [0.0, 0.0, 18.0]]


@RUNS
def test_no_derivative_of_its_own(backend: str, run: Run) -> None:
    for derivative in (
        ug.grad(lambda x: ug.sum(cube(x))),
        lambda x: ug.jvp(cube, (x,), (x,)),
    ):
        with pytest.raises(ug.NotDifferentiableError, match="pure_callback"):
            run(derivative)(x_of_three())


@RUNS
def test_inside_of_loops_and_branches(backend: str, run: Run) -> None:
    def sine(x: ug.Tensor) -> Any:
        return ug.pure_callback(np.sin, ug.ShapeDtypeStruct((), "float32"), x)

    _, found = run(lambda x: ug.scan(lambda c, _: (c + sine(c), c), x, None, length=3))(
        ug.asarray(1.0)
    )
    wanted = [1.0, 1.0 + np.sin(1.0), 1.0 + np.sin(1.0) + np.sin(1.0 + np.sin(1.0))]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6)
    chosen = run(lambda x: ug.cond(x > 0.0, sine, lambda x: x, x))(ug.asarray(1.0))
    np.testing.assert_allclose(chosen.item(), np.sin(1.0), rtol=1e-6)


class Own(KeyError):
    """An error of the program's."""


def raises(*_: Any) -> Any:
    raise Own("mine")


@RUNS
@pytest.mark.parametrize(
    ("callback", "error", "words"),
    [
        (raises, Own, "mine"),
        (lambda a: a.sort(), ValueError, "read-only"),
        (lambda a: a[:2], ug.ShapeError, r"the shape \(2,\)"),
        (lambda a: (a, a), ug.ShapeError, "structure"),
        (lambda a: a.astype("float64"), ug.DTypeError, "returned float64"),
    ],
)
def test_errors(backend: str, run: Run, callback: Any, error: Any, words: str) -> None:
    f = run(lambda x: ug.pure_callback(callback, THREE, x))
    for _ in range(2):
        with pytest.raises(error, match=words) as caught:
            f(x_of_three())
        assert caught.type is error


@RUNS
def test_errors_of_native_functions_are_their_own(run: Run) -> None:
    with ug.use_backend("numpy"):
        f = run(lambda x: ug.native_call(lambda a: a if a[0] < 2.0 else raises(), x))
        f(x_of_three())
        with pytest.raises(Own):
            f(2.0 * x_of_three())


def test_bad_calls(backend: str) -> None:
    x = x_of_three()
    with pytest.raises(ug.SettingError, match="vmap_method="):
        ug.vmap(lambda x: ug.pure_callback(np.sin, ug.ShapeDtypeStruct((), "float32"), x))(x)
    with pytest.raises(ug.SettingError, match="vmap_method is one of"):
        ug.pure_callback(np.sin, THREE, x, vmap_method="all")  # type: ignore[arg-type]
    with pytest.raises(ug.DTypeError, match="ShapeDtypeStruct"):
        ug.pure_callback(np.sin, "float32", x)


def test_in_a_captured_graph_of_torch() -> None:
    with ug.use_backend("torch"):
        f = ug.jit(lambda x: cube(x) + 1.0, options={"torch": {"compiler": "graph"}})
        assert f(x_of_three()).tolist() == [2.0, 9.0, 28.0]
        assert f(2.0 * x_of_three()).tolist() == [9.0, 65.0, 217.0]
