"""On TensorFlow, what is made of many ops runs as one graph where it is called again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend

pytestmark = pytest.mark.usefixtures("_tensorflow")

_X = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]], np.float32)
_IDS = np.array([0, 2, 0])

CASES: dict[str, Callable[[ug.Tensor], Any]] = {
    "eig": ug.linalg.eig,
    "expm": ug.linalg.expm,
    "lstsq": lambda x: ug.linalg.lstsq(x, x[:, 0]),
    "y0": lambda x: ug.special.y0(ug.abs(x)),
    "gammainc": lambda x: ug.special.gammainc(ug.abs(x) - 0.5, ug.abs(x)),
    "erfinv": lambda x: ug.erfinv(x / 8.0),
    "cumulative_logsumexp": lambda x: ug.cumulative_logsumexp(x, axis=1),
    "cumulative_max": lambda x: ug.cumulative_max(x, axis=0),
    "norm": ug.norm,
    "fft2": lambda x: ug.fft.fft2(ug.astype(x, "complex64")),
    "at[i].set": lambda x: x.at[_IDS].set(x),
    "put_along_axis": lambda x: ug.put_along_axis(x, ug.asarray(_X[:, :1] > 2).astype("int64"), 0),
}


@pytest.fixture(name="_tensorflow")
def _tensorflow_fixture(monkeypatch: pytest.MonkeyPatch) -> Any:
    # torch before TensorFlow: see unigrad_torch.triton_first.
    load_backend("torch")
    with ug.use_backend("tensorflow"):
        from unigrad_tensorflow import whole

        monkeypatch.setattr(whole, "CALLS", 1)
        yield


@pytest.fixture(name="graphs")
def _graphs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the graphs that are run."""
    from unigrad_tensorflow import whole

    seen: list[str] = []
    plain = whole.run_function

    def run(handle: Any, device: str, name: str, *rest: Any) -> Any:
        seen.append(name)
        return plain(handle, device, name, *rest)

    monkeypatch.setattr(whole, "run_function", run)
    return seen


def _values(found: Any) -> list[np.ndarray[Any, Any]]:
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize("name", CASES)
def test_a_graph_gives_the_values_of_the_ops_bit_for_bit(name: str, graphs: list[str]) -> None:
    x = ug.asarray(_X)
    first = _values(CASES[name](x))
    for _ in range(3):
        for one, again in zip(first, _values(CASES[name](x)), strict=True):
            np.testing.assert_array_equal(one, again, strict=True)
    assert graphs


def test_settings_and_shapes_have_graphs_of_their_own(graphs: list[str]) -> None:
    x = ug.asarray(_X)
    for axis in (0, 1):
        for one in (x, x[:2]):
            found = [ug.cumulative_logsumexp(one, axis=axis).numpy() for _ in range(4)]
            want = np.logaddexp.accumulate(one.numpy(), axis)
            for again in found:
                np.testing.assert_allclose(again, want, rtol=1e-6)
    assert len({*graphs}) >= 4


def test_the_default_dtype_is_part_of_what_a_graph_depends_on(graphs: list[str]) -> None:
    x = ug.asarray([3, 1, 2])
    for name in ("float32", "float64"):
        before = ug.default_dtype()
        ug.set_default_dtype(name)
        try:
            for _ in range(4):
                assert ug.linalg.expm(ug.reshape(x, (3, 1)) * x).dtype.name == name
                assert ug.std(x).dtype.name == name
        finally:
            ug.set_default_dtype(before)


def test_errors_and_derivatives_are_those_of_the_ops(graphs: list[str]) -> None:
    x, zero = ug.asarray(_X), ug.asarray(np.zeros((3, 3), np.float32))
    for _ in range(4):
        ug.segment_max(x, _IDS, 3)
        ug.linalg.cholesky(x)
        ug.cumulative_max(x, axis=0)
    assert graphs
    with pytest.raises(ug.OutOfBoundsError):
        ug.segment_max(x, np.array([0, 3, 0]), 3)
    with pytest.raises(np.linalg.LinAlgError):
        ug.linalg.cholesky(zero - 1.0)
    gradient = ug.grad(lambda x: ug.sum(ug.segment_max(x, _IDS, 3)[0]))(x)
    np.testing.assert_array_equal(gradient.numpy(), [[1, 1, 0], [0, 0, 0], [0, 0, 1]])


def test_what_looks_at_values_is_no_graph(graphs: list[str]) -> None:
    from unigrad_tensorflow.kernels.values import has_values
    from unigrad_tensorflow.whole import as_graph

    def by_values(x: Any) -> Any:
        return x if has_values(x) else 2.0 * x

    kernel = as_graph(by_values)
    x = ug.asarray(_X).native
    for _ in range(4):
        assert kernel(x) is x
    assert not graphs


def test_tensorflows_own_tape_sees_inside(graphs: list[str]) -> None:
    import tensorflow as tf

    x = ug.asarray(_X).native
    for _ in range(4):
        ug.cumulative_max(ug.asarray(x), axis=0)
    count = len(graphs)
    assert count
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = ug.norm(ug.asarray(x)).native
    np.testing.assert_allclose(tape.gradient(y, x), _X / np.linalg.norm(_X), rtol=1e-6)


def test_numbers_between_bounds_are_traced_once_for_all_shapes():
    from unigrad_tensorflow.kernels.random import _fused

    with ug.use_backend("tensorflow"):
        drawn = [
            ug.random.uniform(ug.random.key(0), (n, 3), "float64", -3.0, 8.0) for n in range(1, 5)
        ]
    assert [one.shape for one in drawn] == [(n, 3) for n in range(1, 5)]
    assert _fused.experimental_get_tracing_count() == 1


#: Calls that one raw op may do, and values for which it may not.
SHORT: dict[str, Callable[[ug.Tensor], Any]] = {
    "eigh": ug.linalg.eigh,
    "svd": ug.linalg.svd,
    "qr": ug.linalg.qr,
    "eigvals": ug.linalg.eigvals,
    "eigvalsh": ug.linalg.eigvalsh,
    "slogdet": ug.linalg.slogdet,
    "segment_sum": lambda x: ug.segment_sum(x, _IDS, 4),
    "segment_prod": lambda x: ug.segment_prod(x, _IDS, num_segments=4),
    "segment_max": lambda x: ug.segment_max(x, _IDS, 4),
    "segment_min": lambda x: ug.segment_min(x, _IDS, 4),
    "segment_max of integers": lambda x: ug.segment_max(ug.argsort(x), _IDS, 4),
    "segment_max, outside": lambda x: ug.segment_max(x, _IDS, 2),
    "segment_sum, negative": lambda x: ug.segment_sum(x, _IDS - 1, 4),
    "max_pool": lambda x: ug.max_pool(ug.reshape(x, (1, 3, 3, 1)), 2, strides=1),
    "max_pool, a long window": lambda x: ug.max_pool(ug.reshape(x, (1, 3, 3, 1)), 4),
    "max_pool, padded": lambda x: ug.max_pool(ug.reshape(x, (1, 3, 3, 1)), 2, padding="same"),
    "average_pool": lambda x: ug.average_pool(ug.reshape(x, (1, 3, 3, 1)), (2, 3)),
    "conv": lambda x: ug.conv(ug.reshape(x, (1, 3, 3, 1)), ug.reshape(x[:2, :2], (2, 2, 1, 1))),
    "xlogy": lambda x: ug.special.xlogy(x, ug.abs(x)),
    "xlog1py": lambda x: ug.special.xlog1py(x, x * 0.1),
    "gather_nd": lambda x: ug.gather_nd(x, [[0, 1], [2, -1]]),
    "gather_nd, outside": lambda x: ug.gather_nd(x, [[0, 1], [2, 3]]),
    "searchsorted": lambda x: ug.searchsorted(ug.sort(x[0]), x, side="right"),
    "floor_divide": lambda x: x // 0.3,
    "floor_divide, integers": lambda x: ug.argsort(x) // (ug.argsort(x) - 5),
    "remainder, integers": lambda x: ug.argsort(x) % (ug.argsort(x) + 1),
    "shift": lambda x: ug.argsort(x) << (ug.argsort(x) * 40 - 20),
    "nonzero": ug.nonzero,
    "in_top_k": lambda x: ug.in_top_k([0, 2, 1], x, 2),
    "in_top_k, from the end": lambda x: ug.in_top_k([0, -1, 1], x, 1),
    "in_top_k, outside": lambda x: ug.in_top_k([0, 3, 1], x, 2),
    "diagonal": lambda x: ug.diagonal(x, offset=1),
    "diagonal, outside": lambda x: ug.diagonal(x, offset=-3),
    "diag": lambda x: ug.diag(x[0], k=-1),
    "diag of a matrix": lambda x: ug.diag(x, k=1),
    "fft": lambda x: ug.fft.fft(ug.astype(x, "complex64")),
    "ifft of reals": ug.fft.ifft,
    "top_k": lambda x: ug.top_k(x, 2),
}
ODD = {
    "ordinary": _X,
    "zeros": np.float32([[0, -0.0, 0], [-0.0, 0, -0.0], [1, -0.0, 0]]),
    "NaN": np.where(_X == 3, np.nan, _X),
    "infinite": np.where(_X == 1, -np.inf, _X),
    "the least": np.where(_X == 1, np.finfo(np.float32).min, _X),
}


@pytest.mark.parametrize("values", ODD)
@pytest.mark.parametrize("name", SHORT)
def test_the_short_way_and_the_long_end_alike(name: str, values: str) -> None:
    import tensorflow as tf

    x = ug.asarray(ODD[values].astype(np.float32))

    def ending() -> Any:
        try:
            found = SHORT[name](x)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return [(one.dtype.name, one.shape, one.numpy().tobytes()) for one in _tensors(found)]

    # A tape would have to hear of every op: here all go the long way.
    with tf.GradientTape():
        expected = ending()
    assert [ending() for _ in range(4)] == [expected] * 4


def _tensors(found: Any) -> tuple[ug.Tensor, ...]:
    return tuple(found) if isinstance(found, tuple) else (found,)
