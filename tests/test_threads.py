"""What docs/threads.md promises, tried by eight threads at once."""

import asyncio
import contextvars
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from stress import RUNS, THREADS, in_threads

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend

#: Backends whose ops take tens of microseconds get fewer runs where each has several.
FEWER = {"numpy": RUNS, "torch": RUNS, "jax": 50, "tensorflow": 50}


def test_assignments(backend: str) -> None:
    v, w = ug.Variable(0.0), ug.Variable(0.0)

    def work(thread: int, run: int) -> None:
        v.assign_add(1.0)
        w.assign_sub(v.backend is w.backend)

    in_threads(work)
    assert (float(v), float(w)) == (THREADS * RUNS, -THREADS * RUNS)


def test_generators(backend: str) -> None:
    generator = ug.random.Generator(0)
    runs = FEWER[backend]
    drawn = in_threads(lambda thread, run: tuple(generator.next_key().tolist()), runs)
    every = [*itertools.chain.from_iterable(drawn)]
    assert len(set(every)) == len(every) == THREADS * runs
    # And the same keys as one thread draws.
    alone = ug.random.Generator(0)
    assert set(every) == {tuple(alone.next_key().tolist()) for _ in every}


def test_first_calls_of_layers(backend: str) -> None:
    runs = FEWER[backend] // 2
    layers = [
        ug.layers.Sequential([ug.layers.Dense(3, key=run), ug.layers.Dropout(0.5, seed=run)])
        for run in range(runs)
    ]
    x = ug.ones((2, 4))
    given = in_threads(lambda thread, run: layers[run](x).numpy(), runs)
    for run, layer in enumerate(layers):
        assert len(layer.variables) == 3
        alone = ug.layers.Dense(3, key=run)(x).numpy()
        for one in given:
            np.testing.assert_array_equal(one[run], alone)


def test_gradients_applied_together(backend: str) -> None:
    runs = FEWER[backend]
    v = [ug.Variable([1.0, 2.0]), ug.Variable(3.0)]
    optimizer = ug.optimizers.Adam(0.001)
    gradients = [ug.asarray([1.0, -1.0]), ug.asarray(0.5)]
    in_threads(lambda thread, run: optimizer.apply_gradients(zip(gradients, v)), runs)
    alone = [ug.Variable([1.0, 2.0]), ug.Variable(3.0)]
    other = ug.optimizers.Adam(0.001)
    for _ in range(THREADS * runs):
        other.apply_gradients(zip(gradients, alone))
    assert int(optimizer.iterations) == THREADS * runs
    assert len(optimizer.variables) == 5
    for one, two in zip([*v, *optimizer.variables], [*alone, *other.variables]):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_first_steps(backend: str) -> None:
    """An optimizer's slots and its number of steps are made once."""
    runs = FEWER[backend] // 2
    variables = [ug.Variable([1.0, 2.0]) for _ in range(runs)]
    optimizers = [ug.optimizers.Adam(0.5) for _ in range(runs)]
    gradient = ug.asarray([1.0, -1.0])
    in_threads(
        lambda thread, run: optimizers[run].apply_gradients([(gradient, variables[run])]), runs
    )
    alone, optimizer = ug.Variable([1.0, 2.0]), ug.optimizers.Adam(0.5)
    for _ in range(THREADS):
        optimizer.apply_gradients([(gradient, alone)])
    for one, other in zip(variables, optimizers):
        assert int(other.iterations) == THREADS
        np.testing.assert_array_equal(one.numpy(), alone.numpy())


def test_two_optimizers_of_one_variable(backend: str) -> None:
    runs = FEWER[backend]
    v = ug.Variable(0.0)
    optimizers = [ug.optimizers.SGD(1.0) for _ in range(THREADS)]
    one = ug.asarray(1.0)

    def work(thread: int, run: int) -> None:
        optimizers[thread].apply_gradients([(one, v)])
        v.assign_add(2.0)

    in_threads(work, runs)
    assert float(v) == THREADS * runs


def test_tapes(backend: str) -> None:
    shared = ug.Variable([1.0, 2.0])
    x = ug.asarray([3.0, 4.0])

    def work(thread: int, run: int) -> list[float]:
        factor = float(thread + 1)
        with ug.GradientTape() as outer:
            with ug.GradientTape() as tape:
                tape.watch(x_of[thread])
                y = ug.sum(shared * shared * x_of[thread] * factor)
            slope = tape.gradient(y, shared)
            z = ug.sum(slope * slope)
        second = outer.gradient(z, shared)
        assert ug.grad(lambda t: ug.sum(t * t))(x).tolist() == [6.0, 8.0]
        return [*slope.tolist(), *second.tolist()]

    x_of = [ug.asarray([3.0, 4.0]) for _ in range(THREADS)]
    for thread, found in enumerate(in_threads(work, FEWER[backend])):
        f = thread + 1.0
        slope = [2 * 1 * 3 * f, 2 * 2 * 4 * f]
        expected = [*slope, 8 * 1 * 9 * f * f, 8 * 2 * 16 * f * f]
        assert all(one == expected for one in found)


def test_tapes_that_read_one_tensor(backend: str) -> None:
    x = ug.Variable(2.0, trainable=False)

    def work(thread: int, run: int) -> float:
        with ug.GradientTape(persistent=True) as tape:
            value = x.read()
            tape.watch(value)
            y = value * value
            with tape.stop_recording():
                aside = value * 100.0
            y = y + aside
        return float(tape.gradient(y, value))

    assert {*itertools.chain.from_iterable(in_threads(work, FEWER[backend]))} == {4.0}


def test_forward_mode(backend: str) -> None:
    def work(thread: int, run: int) -> float:
        return float(ug.jvp(lambda x: ug.sin(x) * x, (0.5,), (1.0,))[1])

    [found] = {*itertools.chain.from_iterable(in_threads(work, 50))}
    assert found == pytest.approx(np.cos(0.5) * 0.5 + np.sin(0.5), rel=1e-6)


def test_kernels_at_first_use(backend: str) -> None:
    """Kernels are fetched, and compiled on JAX, by whoever comes first."""
    x = ug.asarray([0.25, 0.5])
    names = ["sin", "cos", "tanh", "exp", "log", "sqrt", "add", "multiply", "divide", "sum"]
    own = load_backend(backend)
    expected = {}

    def work(thread: int, run: int) -> None:
        if thread == 0:
            for name in names:
                OPS[name].kernels.pop(own, None)
        for name in names:
            two = name in ("add", "multiply", "divide")
            value = getattr(ug, name)(*((x, x) if two else (x,))).tolist()
            assert value == expected.setdefault(name, value)

    in_threads(work, 5 if backend == "jax" else 40)


def test_layers_train_together(backend: str) -> None:
    """Hogwild: a shared model, a tape and a step in each thread. Every step counts once."""
    runs = FEWER[backend] // 10
    model = ug.layers.Dense(1, kernel_initializer="zeros")
    optimizer = ug.optimizers.SGD(0.5)
    x = ug.ones((2, 2))

    def work(thread: int, run: int) -> None:
        with ug.GradientTape() as tape:
            # The slope does not depend on the weights: only the number of steps tells.
            loss = ug.mean(model(x))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    in_threads(work, runs)
    assert int(optimizer.iterations) == THREADS * runs
    assert model.kernel.tolist() == [[-0.5 * THREADS * runs]] * 2


def test_use_backend() -> None:
    names = ("numpy", "torch", "jax", "tensorflow")
    for name in ("torch", *names):
        load_backend(name)

    def work(thread: int, run: int) -> None:
        name = names[(thread + run) % 4]
        with ug.use_backend(name):
            x = ug.zeros(2)
            assert ug.get_backend() == name == x.backend.name
            with ug.use_backend(names[thread % 4]):
                assert ug.get_backend() == names[thread % 4]
            assert (x + 1.0).backend.name == ug.get_backend() == name

    in_threads(work)


def test_new_threads_start_from_the_default() -> None:
    default = ug.get_backend()
    load_backend("torch")
    with ug.use_backend("torch"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(ug.get_backend).result() == default
        context = contextvars.copy_context()
        assert pool.submit(context.run, ug.get_backend).result() == "torch"

        async def asks() -> tuple[str, str]:
            return ug.get_backend(), await asyncio.to_thread(ug.get_backend)

        assert asyncio.run(asks()) == ("torch", "torch")


def test_a_generator_closed_in_another_thread() -> None:
    load_backend("torch")

    def steps() -> Iterator[str]:
        with ug.use_backend("torch"), ug.layers.training_mode():
            yield ug.get_backend()

    default, running = ug.get_backend(), steps()
    errors: list[BaseException] = []

    def start() -> None:
        assert next(running) == "torch"

    def close() -> None:
        try:
            running.close()
            assert ug.get_backend() == default
        except BaseException as error:
            errors.append(error)

    for target in (start, close):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert not errors
