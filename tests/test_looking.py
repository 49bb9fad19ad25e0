"""JAX: functions that look at values as one program, whose checks are made on what it gives."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad_jax import looking

_X = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]], np.float32)

CASES: dict[str, Callable[[ug.Tensor], Any]] = {
    "cholesky": lambda x: ug.linalg.cholesky(x, upper=True),
    "digitize": lambda x: ug.digitize(x, x[:, 1] * 0.0),
    "eig": ug.linalg.eig,
    "eigh": ug.linalg.eigh,
    "inv": ug.linalg.inv,
    "lstsq": lambda x: ug.linalg.lstsq(x, x[:, 0]),
    "matrix_rank": ug.linalg.matrix_rank,
    "nanargmax": lambda x: ug.nanargmax(x, axis=1),
    "slogdet": ug.linalg.slogdet,
    "solve": lambda x: ug.linalg.solve(x, x[:, 0]),
    "solve_triangular": lambda x: ug.linalg.solve_triangular(x, x),
    "svd": ug.linalg.svd,
}
_SINGULAR = np.ones((3, 3), np.float32)
_NANS = np.full((3, 3), np.nan, np.float32)


@pytest.fixture(name="bodies", autouse=True)
def _bodies(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many arrays the bodies had that were run in place of programs, and not in them."""
    ran: list[int] = []
    run = looking.Looking._run_body

    def noted(self: looking.Looking, natives: Any) -> Any:
        if load_backend("jax").are_plain(natives):
            ran.append(len(natives))
        return run(self, natives)

    monkeypatch.setattr(looking.Looking, "_run_body", noted)
    load_backend("jax").forget_rows()
    with ug.use_backend("jax"):
        yield ran


def _values(found: Any) -> list[np.ndarray[Any, Any]]:
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("name", CASES)
def test_a_program_gives_the_values_of_the_body_bit_for_bit(
    name: str, dtype: type, bodies: list[int]
) -> None:
    x = ug.asarray(_X.astype(dtype))
    found = CASES[name](x)
    assert not bodies
    with ug.GradientTape() as tape:
        tape.watch(x)
        expected = CASES[name](x)
    assert type(found) is type(expected)
    for one, other in zip(_values(found), _values(expected), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_what_a_check_refuses_the_body_tells() -> None:
    ug.linalg.inv(ug.asarray(_X))
    for _ in range(2):
        with pytest.raises(ug.LinAlgError, match=r"inv: the matrix is singular: float32\[3, 3\]"):
            ug.linalg.inv(ug.asarray(_SINGULAR))
    with pytest.raises(ug.LinAlgError, match="singular"):
        ug.linalg.solve_triangular(ug.asarray(_SINGULAR * 0), ug.asarray(_X))
    with pytest.raises(ug.SettingError, match="only NaNs"):
        ug.nanargmax(ug.asarray(_NANS), axis=0)
    with pytest.raises(ug.SettingError, match="increase"):
        ug.interp(ug.asarray([0.5]), ug.asarray([1.0, 0.0]), ug.asarray([1.0, 2.0]))


def test_doubts_that_come_to_nothing_are_answers(bodies: list[int]) -> None:
    assert np.isnan(ug.linalg.inv(ug.asarray(_NANS)).numpy()).all()
    falling = ug.asarray(np.array([2.0, 1.0], np.float32))
    assert ug.digitize(ug.asarray(np.array([1.5], np.float32)), falling).tolist() == [1]
    assert len(bodies) == 2


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_doubts_of_rows_are_answers_too(backend: str) -> None:
    with ug.use_backend(backend), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for _ in range(20):
            ug.linalg.inv(ug.asarray(_X))
        assert np.isnan(ug.linalg.inv(ug.asarray(_NANS)).numpy()).all()


def test_inside_of_functions_that_jax_traces_nobody_looks() -> None:
    x, ones = ug.asarray(_X), ug.asarray(_SINGULAR)
    inverse = ug.interop(ug.linalg.inv)
    ug.linalg.inv(x)
    assert np.isnan(jax.jit(inverse)(_SINGULAR)).all()
    assert np.isnan(jax.jit(lambda y: inverse(ones.native) + y)(_X)).all()
    np.testing.assert_array_equal(jax.vmap(inverse)(_X[None])[0], ug.linalg.inv(x).numpy())
    assert np.isnan(ug.jit(ug.linalg.inv)(ones).numpy()).all()


def test_a_kernel_that_is_exchanged_is_exchanged_in_programs() -> None:
    x, backend, op = ug.asarray(_X), load_backend("jax"), OPS["inv"]
    ug.linalg.inv(x)
    kernel = op.kernels[backend]
    op.kernels[backend] = lambda one: one * 2
    try:
        np.testing.assert_array_equal(ug.linalg.inv(x).numpy(), _X * 2)
    finally:
        op.kernels[backend] = kernel
    np.testing.assert_allclose(ug.linalg.inv(x).numpy() @ _X, np.eye(3), atol=1e-6)


def test_who_looks_in_a_way_of_its_own_is_no_program(bodies: list[int]) -> None:
    x, index = ug.asarray(_X), ug.asarray(np.array([[0, 1, 5]] * 3))
    for _ in range(2):
        with pytest.raises(ug.OutOfBoundsError):
            ug.put_along_axis(x, index, x)
    assert not bodies


def test_where_jax_compiles_nothing_the_body_runs(bodies: list[int]) -> None:
    x = ug.asarray(_X)
    expected = ug.linalg.inv(x).numpy()
    with jax.disable_jit():
        # A program that is there, and one of another shape that would have to be made.
        np.testing.assert_allclose(ug.linalg.inv(x).numpy(), expected, rtol=1e-6)
        assert ug.linalg.inv(x[:2, :2]).shape == (2, 2)
    assert bodies
    with jax.debug_nans(True), pytest.raises((FloatingPointError, ug.UnigradError)):
        ug.linalg.cholesky(-x)
    assert np.isfinite(ug.linalg.cholesky(x).numpy()).all()
