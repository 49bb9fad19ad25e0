"""Composites that are called again and again run as rows of kernels: `unigrad.core.repeated`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core import repeated
from unigrad.core.registry import load_backend

_X = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]], np.float32)

CASES: dict[str, Callable[[ug.Tensor], Any]] = {
    "eig": ug.linalg.eig,
    "eigh": ug.linalg.eigh,
    "eigvals": ug.linalg.eigvals,
    "svd": ug.linalg.svd,
    "qr": lambda x: ug.linalg.qr(x, mode="complete"),
    "cholesky": lambda x: ug.linalg.cholesky(x, upper=True),
    "solve": lambda x: ug.linalg.solve(x, x[:, 0]),
    "solve_triangular": lambda x: ug.linalg.solve_triangular(x, x, upper=True),
    "lstsq": lambda x: ug.linalg.lstsq(x, x[:, 0], rtol=1e-3),
    "multi_dot": lambda x: ug.linalg.multi_dot((x, x, x)),
    "cov": lambda x: ug.cov(x, rowvar=False),
    "corrcoef": ug.corrcoef,
    "gradient": lambda x: ug.gradient(x, axis=0),
    "trapezoid": lambda x: ug.trapezoid(x, axis=0),
    "average": lambda x: ug.average(x, axis=1, weights=x * x),
    "y0": lambda x: ug.special.y0(ug.abs(x)),
}
KINDS = {
    "float32": np.float32, "float64": np.float64, "float16": np.float16, "complex64": np.complex64,
}  # fmt: skip
_REAL = {"cholesky", "average", "y0"}
#: What is compiled as one program by a library that has such: they check no values.
_PROGRAMS = {"multi_dot", "cov", "corrcoef", "gradient", "trapezoid", "average", "y0"}


@pytest.fixture(name="backend", params=["numpy", "torch", "tensorflow"])
def _backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    backend = load_backend(request.param)
    monkeypatch.setattr(backend, "_repeated", repeated.Repeated(backend))
    with ug.use_backend(request.param):
        yield backend


@pytest.fixture(name="runs")
def _runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ops whose rows were run."""
    made, seen = repeated.make_row, []

    def make(backend: Any, op: Any, *rest: Any) -> Any:
        row = made(backend, op, *rest)

        def run(*natives: Any) -> Any:
            seen.append(op.declared.name)
            return row(*natives)

        return row and run

    monkeypatch.setattr(repeated, "make_row", make)
    monkeypatch.setattr(repeated, "CALLS", 2)
    return seen


def _values(found: Any) -> list[np.ndarray[Any, Any]]:
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_a_row_gives_the_values_of_the_body_bit_for_bit(
    name: str, dtype: str, backend: Any, runs: list[str]
) -> None:
    if name in _REAL and dtype == "complex64":
        pytest.skip("it takes real numbers")
    x = ug.asarray(_X.astype(KINDS[dtype]) * (1 + 0.5j if dtype == "complex64" else 1))
    first = CASES[name](x)
    for _ in range(5):
        again = CASES[name](x)
        assert type(again) is type(first)
        for one, other in zip(_values(first), _values(again), strict=True):
            np.testing.assert_array_equal(one, other, strict=True)
    assert runs or (backend.composes_whole and name in _PROGRAMS)
    with ug.GradientTape() as tape:
        tape.watch(x)
        taped = CASES[name](x)
    for one, other in zip(_values(first), _values(taped), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
    assert tape is not None


def test_a_row_may_be_one_program_with_its_checks_behind(
    backend: Any, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    joined, made = backend.joined, []

    def join(function: Any, natives: Any) -> Any:
        made.append(joined(function, natives))
        return made[-1]

    monkeypatch.setattr(backend, "joined", join)
    x = ug.asarray(_X)
    for call in (ug.linalg.eigvals, ug.linalg.eig):
        first = call(x)
        for _ in range(5):
            for one, other in zip(_values(first), _values(call(x)), strict=True):
                np.testing.assert_array_equal(one, other, strict=True)
    assert runs
    assert len(made) == (2 if backend.fewest_joined < 10 else 0)
    assert all(made)


def test_what_a_row_refuses_is_said_by_the_body(backend: Any, runs: list[str]) -> None:
    x, zero = ug.asarray(_X), ug.asarray(np.zeros((3, 3), np.float32))
    calls: list[Callable[[ug.Tensor], Any]] = [
        lambda x: ug.linalg.solve(x, x),
        ug.linalg.inv,
        ug.linalg.cholesky,
        lambda x: ug.linalg.solve_triangular(x, x),
    ]
    for call in calls:
        with pytest.raises(ug.LinAlgError) as early:
            call(zero)
        del runs[:]
        for _ in range(6):
            call(x)
        assert runs
        for _ in range(2):
            with pytest.raises(ug.LinAlgError) as late:
                call(zero)
            assert str(late.value) == str(early.value)
            assert late.value.__context__ is early.value.__context__
        call(x)


def test_what_a_check_gives_up_is_left_to_the_body(backend: Any, runs: list[str]) -> None:
    rising, falling = _f(0.0, 1.0, 2.0), _f(2.0, 1.0, 0.0)
    for _ in range(5):
        ug.linalg.eigh(ug.asarray(_X))
        ug.digitize(_f(0.5, 9.0), rising)
    assert runs
    for _ in range(2):
        assert ug.digitize(_f(0.5, 9.0), falling).tolist() == [2, 0]
        values, vectors = ug.linalg.eigh(ug.asarray(_X * np.float32("nan")))
        assert np.isnan(values.numpy()).all()
        assert np.isnan(vectors.numpy()).all()


def test_a_row_is_made_where_the_first_calls_failed(backend: Any, runs: list[str]) -> None:
    x, zero = ug.asarray(_X), ug.asarray(np.zeros((3, 3), np.float32))
    ug.linalg.inv(x)
    for _ in range(8):
        with pytest.raises(ug.LinAlgError):
            ug.linalg.inv(zero)
    assert not runs
    for _ in range(3):
        ug.linalg.inv(x)
    assert runs


def test_a_body_that_looks_at_values_is_no_row(backend: Any, runs: list[str]) -> None:
    from unigrad.core.arguments import visible
    from unigrad.core.op import OPS, composite

    @composite
    def _by_value_for_rows(x: ug.Tensor) -> ug.Tensor:
        values = visible(x)
        return x * 2.0 if values is not None and values.sum() > 0 else x * 3.0

    try:
        for sign in (1.0, -1.0) * 6:
            x = ug.asarray(np.float32([sign]))
            assert _by_value_for_rows(x).item() == (2.0 if sign > 0 else -3.0)
    finally:
        del OPS["by_value_for_rows"]
    assert not runs


def test_results_are_never_in_the_memory_of_constants(backend: Any, runs: list[str]) -> None:
    from unigrad.core.arguments import constant
    from unigrad.core.op import OPS, composite

    @composite
    def _a_constant_for_rows(x: ug.Tensor) -> ug.Tensor:
        return ug.reshape(constant(x, np.arange(4.0)), (2, 2))

    try:
        for _ in range(6):
            found = _a_constant_for_rows(ug.asarray(_X)).numpy()
            assert found.tolist() == [[0, 1], [2, 3]]
            if found.flags.writeable:
                found[:] = 7.0
    finally:
        del OPS["a_constant_for_rows"]


def test_a_kernel_that_is_exchanged_is_exchanged_in_rows(
    backend: Any, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from unigrad.core.op import OPS

    if backend.composes_whole:
        pytest.skip("these are programs")
    x = ug.asarray(_X)
    right = [ug.gradient(x, axis=0).tolist() for _ in range(5)][-1]
    assert runs
    kernels, plain = OPS["subtract"].kernels, OPS["subtract"].kernels[backend]
    with monkeypatch.context() as patch:
        patch.setitem(kernels, backend, lambda a, b: plain(b, a))  # type: ignore[misc]
        wrong = [ug.gradient(x, axis=0).tolist() for _ in range(5)]
        assert all(one != right for one in wrong)
    assert [ug.gradient(x, axis=0).tolist() for _ in range(5)] == [right] * 5


def test_the_default_dtype_is_part_of_a_kind(backend: Any, runs: list[str]) -> None:
    x = ug.asarray([3, 1, 2])
    before = ug.default_dtype()
    try:
        for name in ("float32", "float64", "float32"):
            ug.set_default_dtype(name)
            for _ in range(4):
                assert ug.linalg.expm(ug.reshape(x, (3, 1)) * x).dtype.name == name
                assert ug.corrcoef(ug.reshape(x, (1, 3))).dtype.name == name
    finally:
        ug.set_default_dtype(before)


def test_warnings_that_are_errors_are_those_of_the_body(backend: Any, runs: list[str]) -> None:
    if backend.name != "numpy":
        pytest.skip("only NumPy warns")
    x = ug.asarray(np.float64([[1.0, 2.0], [3.0, 4.0]]))
    zero = x * 0.0
    for _ in range(5):
        ug.corrcoef(x)
    assert runs
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="invalid value"):
            ug.corrcoef(zero)


def test_a_row_that_fails_alone_is_no_secret(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if backend.composes_whole:
        pytest.skip("it is a program")

    def broken(*natives: Any) -> Any:
        raise ZeroDivisionError("a row's own")

    monkeypatch.setattr(repeated, "make_row", lambda *_: broken)
    x = ug.asarray(_X[:, :2])

    def often() -> None:
        for _ in range(repeated.CALLS + 3):
            ug.cov(x)

    with pytest.raises(ZeroDivisionError, match="a row's own"):
        often()
    backend.forget_rows()


def test_torchs_own_graph_and_forward_mode_see_the_ops(runs: list[str]) -> None:
    import torch

    with ug.use_backend("torch"):
        x = ug.asarray(_X)
        for _ in range(5):
            ug.cov(x)
        assert runs
        count = len(runs)
        native = torch.tensor(_X, requires_grad=True)
        (ug.interop(ug.cov)(native) ** 2).sum().backward()
        expected = ug.grad(lambda x: ug.sum(ug.cov(x) ** 2))(x)
        assert len(runs) == count
        assert native.grad is not None
        np.testing.assert_allclose(native.grad.numpy(), expected.numpy(), rtol=1e-5)
        mapped = torch.func.vmap(ug.interop(ug.cov))(torch.tensor(np.stack([_X, _X])))
        np.testing.assert_allclose(mapped[1].numpy(), ug.cov(x).numpy(), rtol=1e-6)


def _f(*values: float) -> ug.Tensor:
    return ug.asarray(np.array(values, np.float32))


def _i(*values: Any) -> ug.Tensor:
    return ug.asarray(np.array(values, np.int64))


#: Calls of every kind that a kind of call tells apart, wrong ones too.
REPEATED: dict[str, Callable[[], Any]] = {
    "bincount": lambda: ug.bincount(_i(1, 3)),
    "bincount, negative": lambda: ug.bincount(_i(1, -2)),
    "bincount, weights": lambda: ug.bincount(_i(1, 2), _f(0.5, 2.0)),
    "lexsort, one array": lambda: ug.lexsort(_i([2, 1, 2], [5, 5, 4])),
    "lexsort, NaN and zeros": lambda: ug.lexsort((_f(2.0, np.nan, -0.0, 0.0), _f(1, 1, 0, 0))),
    "lexsort, shapes": lambda: ug.lexsort((_i(1, 2), _i(1, 2, 3))),
    "unique_values, floats": lambda: ug.unique_values(_f(np.nan, 0.0, -0.0, np.nan)),
    "unique_counts": lambda: ug.unique_counts(_i([3, 1], [1, 3])),
    "unique_inverse": lambda: ug.unique_inverse(_i([3, 1], [1, 3])),
    "digitize": lambda: ug.digitize(_f(0.5, np.nan, 9.0), _f(0.0, 1.0, 2.0)),
    "digitize, falling": lambda: ug.digitize(_f(0.5, 9.0), _f(2.0, 1.0, 0.0)),
    "digitize, up and down": lambda: ug.digitize(_f(0.5, 9.0), _f(2.0, 1.0, 3.0)),
    "ravel": lambda: ug.ravel_multi_index((_i(1, -1), _i(2, 0)), (2, 3)),
    "ravel, outside": lambda: ug.ravel_multi_index((_i(1, 2), _i(2, 0)), (2, 3)),
    "ravel, wrap": lambda: ug.ravel_multi_index((_i(1, 5), _i(2, -4)), (2, 3), mode="wrap"),
    "unravel": lambda: ug.unravel_index(_i(5, -1, -6, 0), (2, 3)),
    "unravel, outside": lambda: ug.unravel_index(_i(5, 6), (2, 3)),
    "choose": lambda: ug.choose(_i(-1, 0), (_f(1.0, 2.0), _f(3.0, 4.0))),
    "choose, outside": lambda: ug.choose(_i(1, 2), (_f(1.0, 2.0), _f(3.0, 4.0))),
    "insert, a negative zero": lambda: ug.insert(_f(1.0, 2.0), 1, -0.0),
    "insert, a zero": lambda: ug.insert(_f(1.0, 2.0), 1, 0.0),
    "insert, a bool": lambda: ug.insert(_i(1, 2), 1, True),
    "insert, outside": lambda: ug.insert(_i(1, 2), 7, 1),
    "put": lambda: ug.put_along_axis(_f(1.0, 2.0), _i(1, 1), _f(5.0, 6.0)),
    "put, outside": lambda: ug.put_along_axis(_f(1.0, 2.0), _i(1, 2), _f(5.0, 6.0)),
    "interp": lambda: ug.interp(_f(0.5, -1.0, np.nan), _f(0.0, 1.0), _f(0.0, 9.0), left=-5.0),
    "interp, not increasing": lambda: ug.interp(_f(0.5), _f(1.0, 1.0), _f(0.0, 9.0)),
    "histogram": lambda: ug.histogram(_f(1.0, 2.0, 1.0, 4.0), 3),
    "histogram, NaN": lambda: ug.histogram(_f(1.0, np.nan), 3),
    "inv, a singular one": lambda: ug.linalg.inv(_f(1.0) * ug.ones((3, 3))),
    "inv, NaN": lambda: ug.linalg.inv(_f(np.nan) * ug.ones((2, 2))),
    "matrix_power": lambda: ug.linalg.matrix_power(ug.asarray(_X), -2),
}


@pytest.mark.parametrize("name", REPEATED)
def test_the_first_and_later_calls_end_alike(name: str, backend: Any, runs: list[str]) -> None:
    def ending() -> str:
        try:
            found = REPEATED[name]()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return repr([(one.dtype, one.tolist()) for one in _values(found)])

    first = ending()
    assert {ending() for _ in range(5)} == {first}
    # What is checked under a tape and without is the same.
    with ug.GradientTape() as tape:
        assert ending() == first
    assert tape is not None
