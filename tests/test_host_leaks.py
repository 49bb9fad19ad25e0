"""A followed value that leaves for the host: warned of once per line, at the program's line."""

import inspect
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import unigrad as ug
from unigrad_conformance.leaks import LEAKS


def caught(run: Callable[[], object], how: str = "always") -> list[warnings.WarningMessage]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter(how)
        run()
    return found


@pytest.mark.parametrize("name", LEAKS)
def test_as_the_suite_checks(backend: str, name: str) -> None:
    LEAKS[name]()


def test_the_line_is_the_programs(backend: str) -> None:
    def loss(x: ug.Tensor) -> ug.Tensor:
        turned = np.unwrap(x)  # Python code of NumPy's calls the tensor.
        return ug.sum(x * turned)

    [found] = caught(lambda: ug.grad(loss)(ug.asarray([1.0, 2.0])), "default")
    lines, first = inspect.getsourcelines(loss)
    assert found.filename == __file__
    assert "np.unwrap" in lines[found.lineno - first]
    assert "stop_gradient" in str(found.message)


def test_once_per_line(backend: str) -> None:
    v = ug.Variable([1.0, 2.0])

    def run() -> None:
        with ug.GradientTape():
            for _ in range(3):
                loss = ug.sum(v * v)
                float(loss)

    assert len(caught(run, "default")) == 1


def test_each_way_out_of_a_variable(backend: str) -> None:
    v = ug.Variable([1.0])
    for leave in (float, complex, np.asarray, lambda x: x.numpy(), lambda x: x.item()):
        with ug.GradientTape(), pytest.warns(ug.GradientWarning, match="leaves for the host"):
            leave(v)
        # A second recorder does not say it twice; without one nothing is said.
        with ug.GradientTape(), ug.GradientTape():
            assert len(caught(lambda leave=leave: leave(v))) == 1
        leave(v)


def test_dlpack(backend: str) -> None:
    x = ug.asarray([1.0, 2.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        with pytest.warns(ug.GradientWarning, match="DLPack"):
            np.from_dlpack(x)


def test_what_is_no_longer_followed_may_leave(backend: str) -> None:
    x, other = ug.asarray(2.0), ug.asarray(3.0)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        float(other)
        with tape.stop_recording():
            float(y)
        float(ug.argmax(ug.stack([y, y])))  # No derivative to lose.
    assert float(y) == 4.0


def test_metrics_are_no_leak(backend: str) -> None:
    x = ug.asarray([1.0, 2.0])
    mean = ug.metrics.Mean()
    with ug.GradientTape() as tape:
        tape.watch(x)
        mean.update(x * 2.0)
    assert mean.result() == 3.0


def test_native_arrays(backend: str) -> None:
    x = ug.asarray([1.0, 2.0])
    for loss in (
        lambda x: ug.sum(x * x).native,
        lambda x: ug.sum(x * ug.asarray(x.native)),
        lambda x: ug.sum(x * x.native),
        lambda x: ug.sum(x * ug.asarray((x * 1.0).native)),
        lambda x: ug.sum(x * ug.asarray(x.native * 1.0)),
        lambda x: ug.sum(x * ug.asarray((x * 1.0).native * 1.0)),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gradient = ug.grad(loss)(x).tolist()
        assert caught or gradient == [2.0, 4.0]
        with pytest.warns(ug.GradientWarning):
            ug.jvp(loss, (x,), (x,))
    # An array that nobody follows is a constant, as ever.
    constant = ug.asarray([3.0, 4.0])
    assert ug.grad(lambda x: ug.sum(x * constant.native))(x).tolist() == [3.0, 4.0]


def test_a_native_array_that_was_taken_before() -> None:
    with ug.use_backend("numpy"):
        x = ug.asarray([1.0, 2.0])
        array = x.native
        with ug.GradientTape() as tape:
            tape.watch(x)
            with pytest.warns(ug.GradientWarning, match="native array"):
                ug.sum(x * ug.asarray(array))
        with (
            ug.ForwardAccumulator(x, ug.ones_like(x)),
            pytest.warns(ug.GradientWarning, match="native array"),
        ):
            ug.sum(x * ug.asarray(array))


def test_a_view_of_a_native_array() -> None:
    with ug.use_backend("numpy"), pytest.warns(ug.GradientWarning, match="native") as caught:
        ug.grad(lambda x: ug.sum(x[1:] * x.native[:1]))(ug.asarray([1.0, 2.0]))
    assert any("native array" in str(one.message) for one in caught)


def test_results_of_vjp_are_tensors(backend: str) -> None:
    out, pullback = ug.vjp(lambda x: {"y": x * 2.0, "n": 3}, ug.asarray(1.0))
    assert isinstance(out["n"], ug.Tensor)
    assert float(pullback({"y": 1.0, "n": None})[0]) == 2.0
    with pytest.warns(ug.GradientWarning, match="vjp.*argument 1"):
        ug.vjp(lambda x, y: x * 2.0, ug.asarray(1.0), ug.asarray(1.0))[1](1.0)


def test_under_jit(backend: str) -> None:
    step = ug.jit(ug.grad(lambda x: ug.sum(x) * float(ug.sum(x))))
    with pytest.raises(ug.TracingError):
        step(ug.asarray([1.0]))
