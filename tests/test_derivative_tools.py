"""What is made of `grad`, `jvp`, `vjp` and `vmap`, on every backend."""

from typing import Any

import numpy as np
import pytest

import unigrad as ug

X = np.array([0.3, -0.7, 1.2])


def _f(x: Any) -> ug.Tensor:
    return ug.sin(x) * x[0] + ug.exp(x[::-1])


def test_modes_of_jacobians_agree(backend: str) -> None:
    x = ug.asarray(X)
    wanted = ug.jacobian(_f)(x).numpy()
    for found in (ug.jacfwd(_f)(x), ug.jacrev(_f)(x), ug.jit(ug.jacfwd(_f))(x)):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12)
    first, second = ug.jacrev(lambda x, y: x * y, (0, 1))(x, x + 1.0)
    np.testing.assert_allclose(first.numpy(), np.diag(X + 1.0))
    np.testing.assert_allclose(second.numpy(), np.diag(X))


def test_elementwise_grad_to_second_order(backend: str) -> None:
    x = ug.asarray(X)
    once = ug.elementwise_grad(ug.tanh)
    np.testing.assert_allclose(once(x).numpy(), 1 - np.tanh(X) ** 2)
    twice = ug.elementwise_grad(once)(x).numpy()
    np.testing.assert_allclose(twice, -2 * np.tanh(X) * (1 - np.tanh(X) ** 2), rtol=1e-12)


def test_holomorphic_grad(backend: str) -> None:
    z = ug.asarray(np.array(0.4 - 1.1j))
    found = ug.holomorphic_grad(lambda z: ug.exp(z) * z)
    assert found(z).item() == pytest.approx(np.exp(z.item()) * (1 + z.item()))
    assert ug.holomorphic_grad(found)(z).item() == pytest.approx(np.exp(z.item()) * (2 + z.item()))
    many = ug.asarray(np.array([1 + 1j, 2 - 1j]))
    each = ug.holomorphic_grad(lambda z: ug.sum(z**3))(many).numpy()
    np.testing.assert_allclose(each, 3 * many.numpy() ** 2)
    with pytest.raises(ug.DTypeError, match="not complex"):
        ug.holomorphic_grad(lambda x: x)(1.0)
    with pytest.raises(ug.DTypeError, match="result"):
        ug.holomorphic_grad(lambda z: ug.abs(z))(z)


def test_laplacian(backend: str) -> None:
    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.sum(ug.sin(x)) * x[0, 1] ** 2

    x = ug.asarray(X[:, None] + np.arange(2.0))
    wanted = np.trace(ug.hessian(f)(x).numpy().reshape(6, 6))
    for run in (ug.laplacian(f), ug.jit(ug.laplacian(f))):
        assert float(run(x)) == pytest.approx(wanted)
    assert float(ug.laplacian(lambda x: ug.sum(x))(ug.asarray(np.zeros((0, 2))))) == 0.0
    with pytest.raises(ug.DTypeError, match="laplacian"):
        ug.laplacian(lambda x: x)(1)


def test_taylor(backend: str) -> None:
    x, v = ug.asarray(X), ug.asarray(np.array([1.0, 2.0, -0.5]))
    found = ug.taylor(lambda x: ug.exp(x), x, v, 4)
    factorial = 1.0
    for k, one in enumerate(found):
        factorial *= max(k, 1)
        np.testing.assert_allclose(one.numpy(), np.exp(X) * v.numpy() ** k / factorial, rtol=1e-12)
    assert len(ug.taylor(ug.sin, x, v, 0)) == 1
    several = ug.taylor(lambda one: {"square": one["a"] ** 2}, {"a": x}, {"a": v}, 2)
    np.testing.assert_allclose(several[2]["square"].numpy(), v.numpy() ** 2)
    with pytest.raises(ug.SettingError, match="order"):
        ug.taylor(ug.sin, x, v, -1)


def test_generalised_gauss_newton(backend: str) -> None:
    x, v = ug.asarray(X), ug.asarray(np.array([1.0, -1.0, 0.5]))

    def loss(y: ug.Tensor) -> ug.Tensor:
        return ug.logsumexp(y)

    matrix = ug.jacobian(_f)(x).numpy()
    curvature = ug.hessian(loss)(_f(x)).numpy()
    found = ug.ggnvp(_f, loss, (x,), (v,)).numpy()
    np.testing.assert_allclose(found, matrix.T @ curvature @ matrix @ v.numpy(), rtol=1e-10)
    both = ug.ggnvp(lambda x, y: x * y, loss, (x, x), (v, v))
    assert len(both) == 2
    with pytest.raises(ug.SettingError):
        ug.ggnvp(_f, loss, x, v)


def test_implicit_diff_in_both_modes(backend: str) -> None:
    matrix = ug.asarray(np.array([[3.0, 1.0], [0.5, 2.0]]))

    def solver(a: Any, b: Any) -> ug.Tensor:
        # Any way to the solution: here NumPy's.
        return ug.asarray(np.linalg.solve(a.numpy(), b.numpy()))

    solve = ug.implicit_diff(solver, lambda x, a, b: a @ x - b)
    b = ug.asarray(np.array([1.0, -2.0]))
    by_a, by_b = ug.jacobian(ug.linalg.solve, (0, 1))(matrix, b)
    gradient = ug.grad(lambda a: ug.sum(solve(a, b)))(matrix).numpy()
    np.testing.assert_allclose(gradient, by_a.numpy().sum(0), rtol=1e-10)
    tangent = ug.jvp(lambda b: solve(matrix, b), (b,), (b,))[1]
    np.testing.assert_allclose(tangent.numpy(), by_b.numpy() @ b.numpy(), rtol=1e-10)


def test_implicit_diff_to_second_order(backend: str) -> None:
    def steps(a: ug.Tensor) -> ug.Tensor:
        return ug.fori_loop(0, 30, lambda _, x: 0.5 * (x + a / x), a)

    root = ug.implicit_diff(steps, lambda x, a: x * x - a)
    a = ug.asarray(np.array(2.0))
    assert ug.grad(root)(a).item() == pytest.approx(0.5 * 2.0**-0.5)
    assert ug.grad(ug.grad(root))(a).item() == pytest.approx(-0.25 * 2.0**-1.5)
    assert ug.jit(ug.grad(root))(a).item() == pytest.approx(0.5 * 2.0**-0.5)
    with pytest.raises(ug.ShapeError, match="unknowns"):
        ug.grad(ug.implicit_diff(steps, lambda x, a: ug.stack([x, a])))(a)


def test_check_grads_accepts_and_rejects(backend: str) -> None:
    x = ug.asarray(X)
    ug.check_grads(_f, (x,), order=3)
    ug.check_grads(lambda t: {"out": t["a"] @ t["b"]}, ({"a": x, "b": x},), order=2)
    ug.check_grads(ug.sin, (ug.asarray([0.5], dtype="float32"),))

    @ug.custom_vjp
    def wrong(x: ug.Tensor) -> ug.Tensor:
        return x * x

    wrong.defvjp(lambda x: (x * x, x), lambda x, g: (1.999 * x * g,))
    with pytest.raises(AssertionError, match="reverse mode of order 1"):
        ug.check_grads(wrong, (x,), modes=["reverse"])

    @ug.custom_jvp
    def slanted(x: ug.Tensor) -> ug.Tensor:
        return x * x

    @slanted.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        # The first derivative is right, but not that of it.
        x = primals[0]
        return slanted(x), (ug.stop_gradient(x) * 1.9 + x * 0.1) * tangents[0]

    ug.check_grads(slanted, (x,))
    with pytest.raises(AssertionError, match="order 2"):
        ug.check_grads(slanted, (x,), order=2)
    with pytest.raises(ug.DTypeError, match="argument"):
        ug.check_grads(ug.sin, (ug.asarray([1]),))
    with pytest.raises(ug.SettingError, match="modes"):
        ug.check_grads(ug.sin, (x,), modes=["sideways"])
    with pytest.raises(ug.SettingError, match="order"):
        ug.check_grads(ug.sin, (x,), order=0)


def test_clipped_identity(backend: str) -> None:
    x = ug.asarray(X)
    found = ug.grad(lambda x: ug.sum(ug.grad_clip_identity(x, -0.5, 2.0) * [9.0, -9.0, 1.0]))(x)
    assert found.tolist() == [2.0, -0.5, 1.0]
    assert ug.grad_clip_identity(x).tolist() == x.tolist()
    assert ug.jvp(ug.grad_clip_identity, (x,), (x * 9.0,))[1].tolist() == (x * 9.0).tolist()


def test_vectorize(backend: str) -> None:
    matrices = ug.asarray(np.arange(24.0).reshape(4, 3, 2))
    vectors = ug.asarray(np.arange(10.0).reshape(5, 1, 2))
    product = ug.vectorize(lambda m, v: m @ v, signature="(m,n),(n)->(m)")
    wanted = np.einsum(
        "bmn,abn->abm", matrices.numpy(), np.broadcast_to(vectors.numpy(), (5, 4, 2))
    )
    for run in (product, ug.jit(product)):
        np.testing.assert_allclose(run(matrices, vectors).numpy(), wanted)
    pairs = ug.vectorize(lambda x, y: (x + y, x * y))(ug.asarray(X), ug.asarray(X)[:, None])
    np.testing.assert_allclose(pairs[1].numpy(), X * X[:, None])
    gradient = ug.grad(lambda m: ug.sum(product(m, vectors)))(matrices)
    np.testing.assert_allclose(gradient.numpy()[0, 0], vectors.numpy().sum((0, 1)))
    with pytest.raises(ug.SettingError, match="signature"):
        ug.vectorize(ug.sin, signature="n->n")
    with pytest.raises(ug.ShapeError, match="along n"):
        product(matrices, vectors[..., :1])
    with pytest.raises(ug.ShapeError, match="results"):
        ug.vectorize(lambda m: m, signature="(n)->()")(vectors)
    with pytest.raises(ug.ShapeError, match="2 arguments"):
        ug.vectorize(ug.add, signature="()->()")(1.0, 2.0)


def test_reduce_window(backend: str) -> None:
    x = np.arange(24.0).reshape(4, 6) % 7
    tensor = ug.asarray(x)
    views = np.lib.stride_tricks.sliding_window_view(x, (2, 3))[::2, ::3]
    sums = ug.reduce_window(tensor, 0.0, ug.add, (2, 3), strides=(2, 3))
    np.testing.assert_allclose(sums.numpy(), views.sum((2, 3)))
    greatest = ug.reduce_window(tensor, -np.inf, ug.maximum, 3, padding="same")
    assert greatest.shape == (4, 6)
    pooled = ug.max_pool(tensor[None, :, :, None], 3, strides=1, padding="same")
    np.testing.assert_allclose(greatest.numpy(), pooled.numpy()[0, :, :, 0])
    ug.check_grads(
        lambda x: ug.reduce_window(x, 1.0, ug.multiply, (1, 2), dilation=2),
        (ug.asarray(x + 0.5),),
        order=2,
    )
    assert ug.reduce_window([1, 2, 3], 0, ug.add, 2).tolist() == [3, 5]
    with pytest.raises(ug.ShapeError, match="longer"):
        ug.reduce_window(tensor, 0.0, ug.add, 7)
    with pytest.raises(ug.SettingError, match="window"):
        ug.reduce_window(tensor, 0.0, ug.add, (1, 2, 3))
    with pytest.raises(ug.ShapeError, match="gave shape"):
        ug.reduce_window(tensor, 0.0, lambda a, b: ug.sum(a), 2)
