"""Compiled functions in eight threads at once: traced, called and written, on every backend."""

import sys
import threading
import traceback
from collections.abc import Callable, Iterator

import numpy as np
import pytest

import unigrad as ug

THREADS = 8


@pytest.fixture(autouse=True)
def quick_switches() -> Iterator[None]:
    """Let threads take turns far more often than they would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def _in_threads(backend: str, work: Callable[[int], None]) -> None:
    """Run in all threads from one moment on; no error may come out of any."""
    errors: list[str] = []
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        try:
            with ug.use_backend(backend):
                start.wait()
                work(number)
        except BaseException as error:
            errors.append("".join(traceback.format_exception(error)))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, f"{len(errors)} errors, the first: {errors[0]}"


def test_different_functions(backend: str) -> None:
    shared = [ug.Variable(np.full(3, i + 1.0, np.float32)) for i in range(4)]

    def work(number: int) -> None:
        values = np.arange(3, dtype=np.float32) + number
        for k in range(4):
            own = ug.Variable(float(number + k))
            other = shared[k]

            @ug.jit
            def f(x: ug.Tensor) -> tuple[ug.Tensor, ug.Tensor]:
                with ug.GradientTape() as tape:
                    y = ug.sum(x * x * own * other)  # noqa: B023  # called in this turn
                return tape.gradient(y, own), y * 1.0  # noqa: B023

            x = ug.asarray(values)
            gradient, y = f(x)
            slope = float(np.sum(values**2)) * (k + 1)
            np.testing.assert_allclose(float(gradient), slope, 1e-5)
            np.testing.assert_allclose(float(y), slope * (number + k), 1e-5)
            # Variables and eager ops of this thread, while others trace.
            made = [ug.Variable(1.0) for _ in range(20)]
            found = float(ug.sum(ug.sin(x) * made[0]))
            np.testing.assert_allclose(found, np.sum(np.sin(values)), 1e-5, 1e-5)

    _in_threads(backend, work)


def test_one_function_first_called_by_all(backend: str) -> None:
    traces = []

    @ug.jit
    def double(x: ug.Tensor) -> ug.Tensor:
        traces.append(x.shape)
        return x * 2.0

    def work(number: int) -> None:
        for k in range(60):
            found = double(ug.asarray(np.full(1 + k % 3, number, np.float32)))
            assert found.tolist() == [2.0 * number] * (1 + k % 3)

    _in_threads(backend, work)
    if backend != "numpy":
        assert sorted(traces) == [(1,), (2,), (3,)]


@pytest.mark.parametrize("compiling", ["torch", "jax", "tensorflow"])
def test_no_update_is_lost(compiling: str) -> None:
    with ug.use_backend(compiling):
        count, history = ug.Variable(0.0), ug.Variable([1.0, 0.0])

        @ug.jit
        def step(x: ug.Tensor) -> ug.Tensor:
            count.assign_add(x)
            # A rotation: it tells how often it was made, and every half of a write.
            history.assign(ug.stack([-history[1], history[0]]))
            return history * 1.0

        def work(number: int) -> None:
            for _ in range(51):
                found = step(ug.asarray(1.0)).numpy()
                assert abs(found).tolist() in ([1.0, 0.0], [0.0, 1.0])

        _in_threads(compiling, work)
        assert float(count) == THREADS * 51
        assert history.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("compiling", ["torch", "jax", "tensorflow"])
def test_training_steps_of_one_model(compiling: str) -> None:
    with ug.use_backend(compiling):
        layers = ug.layers
        model = layers.Sequential([layers.Dense(4), layers.Dropout(0.5), layers.Dense(1)])
        x = ug.ones((2, 3))
        model(x)
        optimizer = ug.optimizers.Adam(1e-3)

        @ug.jit
        def step(x: ug.Tensor) -> ug.Tensor:
            with ug.GradientTape() as tape:
                loss = ug.sum(model(x, training=True) ** 2)
            variables = model.trainable_variables
            gradients = tape.gradient(loss, variables)
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return loss

        def work(number: int) -> None:
            for _ in range(10):
                assert np.isfinite(float(step(x)))

        _in_threads(compiling, work)
        assert int(optimizer.iterations) == THREADS * 10


def test_models_called_in_both_modes(backend: str) -> None:
    layer = ug.layers.Dropout(0.5)
    x = ug.ones((256,))
    layer(x)
    f = ug.jit(lambda x: layer(x))

    def work(number: int) -> None:
        for _ in range(20):
            with ug.layers.training_mode(number % 2 == 0):
                zeros = int(np.sum(f(x).numpy() == 0.0))
            assert (zeros > 0) == (number % 2 == 0)

    _in_threads(backend, work)
