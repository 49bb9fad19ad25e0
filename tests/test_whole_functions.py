"""Functions that are one op where a backend makes one of them: `unigrad.core.whole`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend

CALLS: list[tuple[str, Callable[..., Any]]] = [
    ("cov", lambda x: ug.cov(x)),
    ("average", lambda x: ug.average(x, axis=1, weights=x * x)),
    ("rot90", lambda x: ug.rot90(x, k=3)),
    ("trapezoid", lambda x: ug.trapezoid(x, axis=0)),
    ("nanvar", lambda x: ug.nanvar(x, axis=0)),
    ("corrcoef", lambda x: ug.corrcoef(x)),
]


@pytest.mark.parametrize(("name", "call"), CALLS)
def test_whole_and_in_parts(name: str, call: Callable[..., Any]) -> None:
    values = np.random.default_rng(0).normal(size=(3, 3))

    def both(x: ug.Tensor) -> tuple[Any, Any]:
        return call(x), ug.grad(lambda x: ug.sum(call(x) ** 2))(x)

    with ug.use_backend("numpy"):
        expected = both(ug.asarray(values))
    with ug.use_backend("jax"):
        # The first call of a kind goes the long way as well, and gives what the others do.
        first, second = both(ug.asarray(values)), both(ug.asarray(values))
        for found, again, right in zip(first, second, expected, strict=True):
            np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-10, atol=1e-12)
            assert np.array_equal(found.numpy(), again.numpy())
    jax = load_backend("jax")
    assert jax in OPS[name].kernels


def test_integers_that_are_tracked_have_no_cotangent() -> None:
    def total(x: ug.Tensor) -> ug.Tensor:
        places = ug.diff(ug.argsort(x))
        return ug.sum(x * x) + 0.0 * ug.sum(places)

    with ug.use_backend("numpy"):
        x = ug.asarray([3.0, 1.0, 2.0])
        assert ug.grad(total)(x).tolist() == [6.0, 2.0, 4.0]
        found = ug.grad(lambda x: ug.sum(ug.unique_all(x).values ** 2))(x)
        assert found.tolist() == [6.0, 2.0, 4.0]


def test_arguments_that_are_equal_and_mean_different_things() -> None:
    with ug.use_backend("jax"):
        x = ug.asarray(np.arange(4.0).reshape(2, 2))
        for _ in range(2):
            assert ug.trapezoid(x, axis=1).tolist() == [0.5, 2.5]
            assert ug.trapezoid(x, axis=0).tolist() == [1.0, 2.0]
            with pytest.raises(ug.ShapeError):
                ug.trapezoid(x, axis=2)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow"])
def test_arrays_of_indices_for_the_first_axes(backend: str) -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    rows, columns = np.array([[0, -1], [1, 1]]), np.array([[2, -3], [1, 1]])
    with ug.use_backend(backend):
        x, i, j = ug.asarray(values), ug.asarray(rows), ug.asarray(columns)
        np.testing.assert_array_equal(x[i, j].numpy(), values[rows, columns])
        right = np.zeros_like(values)
        np.add.at(right, (rows, columns), 2.0 * values[rows, columns])
        loss = ug.grad(lambda x: ug.sum(x[i, j] ** 2))
        np.testing.assert_array_equal(loss(x).numpy(), right)
        np.testing.assert_array_equal(ug.jit(loss)(x).numpy(), right)
        outside = ug.asarray(np.array([[0, 5], [1, 1]]))
        with pytest.raises(ug.OutOfBoundsError, match="index 5 is out of bounds for axis 1"):
            x[i, outside]
        compiled = ug.jit(lambda x, i, j: x[i, j])(x, i, outside).numpy()
        assert np.isnan(compiled[0, 1]).all()
        np.testing.assert_array_equal(compiled[1], values[rows, columns][1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpys_own_interpolation_answers_as_the_formula(dtype: type) -> None:
    """A compiled function is made of the formula."""
    tiny = np.finfo(dtype).tiny
    for places, values in (
        ([0.0, 0.5, 1.0], [0.0, 10.0, 30.0]),
        ([0.0, tiny, 1.0], [-1e15, 1e15, 2.0]),
        ([0.0, tiny / 4, 1.0], [0.0, 1.0, 2.0]),
        ([0.0, 0.5, 1.0], [0.0, np.inf, 1.0]),
        ([0.5], [3.0]),
    ):
        x = np.array([-1.0, 0.0, tiny / 2, tiny, 0.25, 1.0, np.inf, np.nan])
        with ug.use_backend("numpy"), np.errstate(all="ignore"):
            given = [ug.asarray(np.array(one, dtype)) for one in (x, places, values)]
            found = [ug.interp(*given).numpy() for _ in range(2)][-1]
            expected = ug.jit(lambda *xs: ug.interp(*xs))(*given).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6, equal_nan=True)
