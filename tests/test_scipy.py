"""`ug.scipy_value_and_grad`: objectives for SciPy's optimizers on all backends."""

from typing import Any

import numpy as np
import pytest
from scipy import optimize

import unigrad as ug


def rosenbrock(x: Any) -> Any:
    return ug.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def test_a_vector(backend: str) -> None:
    objective = ug.scipy_value_and_grad(rosenbrock)
    start = np.array([-1.0, 2.0, 0.5])
    value, gradient = objective(start)
    assert type(value) is float
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(value, optimize.rosen(start), rtol=1e-14)
    np.testing.assert_allclose(gradient, optimize.rosen_der(start), rtol=1e-13)
    found = optimize.minimize(objective, start, jac=True, method="BFGS")
    np.testing.assert_allclose(found.x, np.ones(3), atol=1e-5)


def test_a_pytree(backend: str) -> None:
    example = {"w": ug.zeros((2, 2)), "b": ug.Variable(ug.ones(3))}

    def loss(p: Any, target: float) -> Any:
        assert p["w"].dtype == ug.float32
        return ug.sum((p["w"] - target) ** 2) + ug.sum(p["b"] ** 2)

    objective = ug.scipy_value_and_grad(loss, example)
    start = objective.flatten(example)
    assert start.tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    found = optimize.minimize(objective, start, args=(2.0,), jac=True, method="L-BFGS-B")
    point = objective.unflatten(found.x)
    assert point["w"].backend.name == backend
    np.testing.assert_allclose(point["w"].numpy(), np.full((2, 2), 2.0), atol=1e-4)
    np.testing.assert_allclose(point["b"].numpy(), np.zeros(3), atol=1e-4)
    assert objective(start, 2.0)[1].dtype == np.float64


def test_misfits(backend: str) -> None:
    example = [ug.zeros(2), ug.zeros(3)]
    objective = ug.scipy_value_and_grad(lambda p: ug.sum(p[0]), example)
    with pytest.raises(ug.ShapeError, match="5 numbers"):
        objective(np.zeros(4))
    with pytest.raises(ug.ShapeError, match="structure"):
        objective.flatten((ug.zeros(2), ug.zeros(3)))
    with pytest.raises(ug.ShapeError, match="leaf of shape"):
        objective.flatten([ug.zeros(3), ug.zeros(2)])
    with pytest.raises(ug.ShapeError, match="not a scalar"):
        ug.scipy_value_and_grad(lambda x: x)(np.zeros(2))
    with pytest.raises(ug.DTypeError, match="int64"):
        ug.scipy_value_and_grad(lambda x: x, [ug.zeros(2, dtype="int64")])
