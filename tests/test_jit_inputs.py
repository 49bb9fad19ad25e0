"""What becomes an input of a compiled function's program, and what is compiled again for it."""

import sys
import threading
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.tracing import calling

COMPILED = ("numpy", "torch", "jax", "tensorflow")


def _programs(f: Any) -> list[Any]:
    return list(f._programs.all)


@pytest.mark.parametrize("name", COMPILED)
def test_only_variables_that_are_read_are_inputs(name: str) -> None:
    with ug.use_backend(name):
        unrelated = [ug.Variable(float(i)) for i in range(50)]
        read, written = ug.Variable(2.0), ug.Variable(0.0)

        @ug.jit
        def f(x: ug.Tensor) -> ug.Tensor:
            written.assign(x)
            return read * written + read

        assert float(f(ug.asarray(3.0))) == 8.0
        (program,) = _programs(f)
        assert program._reads == [read]
        assert program._writes == [written]
        assert len(unrelated) == 50


@pytest.mark.parametrize("name", COMPILED)
def test_variables_of_another_backend_are_refused(name: str) -> None:
    other = "torch" if name == "numpy" else "numpy"
    with ug.use_backend(other):
        there = ug.Variable(3.0, name="there")
    with ug.use_backend(name):
        x = ug.asarray(1.0)
        for f in (lambda x: x * float(there), lambda x: there.assign_add(1.0), lambda x: there):
            with pytest.raises(ug.BackendMismatchError, match=f"'there' of {other!r}"):
                ug.jit(f)(x)
    assert float(there) == 3.0


@pytest.mark.parametrize("name", COMPILED)
def test_variables_are_read_inside_of_nested_functions_of_the_library(name: str) -> None:
    with ug.use_backend(name):
        v = ug.Variable(2.0)

        @ug.jit
        def f(x: ug.Tensor) -> ug.Tensor:
            with ug.GradientTape() as tape:
                tape.watch(x)
                y = x * v
            return tape.jacobian(y, x)

        assert f(ug.asarray([1.0, 2.0])).tolist() == [[2.0, 0.0], [0.0, 2.0]]
        h = ug.jit(lambda x: ug.jvp(lambda t: t * t * v, (x,), (x,))[1])
        assert h(ug.asarray([1.0, 2.0])).tolist() == [4.0, 16.0]
        g = ug.jit(lambda x: ug.scan(lambda c, s: (c + s * v, c * v), x[0], x)[0])
        assert float(g(ug.asarray([1.0, 2.0]))) == 7.0


def test_a_few_programs_are_kept_of_each_signature(backend: str) -> None:
    w = ug.Variable(1.0)
    rate = 0

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        return x * w * rate

    def run() -> None:
        nonlocal rate
        for rate in range(12):  # the closure reads it
            assert float(f(ug.asarray(2.0))) == 2.0 * rate

    with pytest.warns(ug.RetracingWarning, match=r"f is traced 9 times .* closure"):
        run()
    assert f.programs == 8
    assert f.cache_info().misses == 12


def test_an_attribute_that_the_trace_itself_sets_is_no_change(backend: str) -> None:
    class Counting(ug.layers.Module):
        def __init__(self) -> None:
            super().__init__()
            self.traced = 0

        def call(self, x: ug.Tensor) -> ug.Tensor:
            self.traced += 1
            return x * 2.0

    module = Counting()
    f = ug.jit(lambda x: module(x))
    for _ in range(3):
        assert float(f(ug.asarray(1.0))) == 2.0
    assert module.traced == 1


def test_hyperparameters_of_optimizers_are_seen(backend: str) -> None:
    w = ug.Variable(1.0)
    optimizer = ug.optimizers.SGD(0.5)

    @ug.jit
    def step(g: ug.Tensor) -> ug.Tensor:
        optimizer.apply_gradients([(g, w)])
        return w * 1.0

    assert float(step(ug.asarray(1.0))) == 0.5
    optimizer.learning_rate = 0.25
    assert float(step(ug.asarray(1.0))) == 0.25


def test_replaced_layers_and_generators_are_seen(backend: str) -> None:
    x = ug.ones((64,))
    model = ug.layers.Sequential([ug.layers.Dropout(0.5, seed=1)])
    f = ug.jit(lambda x: model(x, training=True))
    f(x)
    model.layers[0] = ug.layers.Dropout(0.0)
    assert f(x).tolist() == x.tolist()


# -- JAX


def _jax_kernels() -> Any:
    return sys.modules["unigrad_jax.pullback"]


def test_jax_compiles_a_step_with_dropout_once() -> None:
    import jax

    with ug.use_backend("jax"):
        drop, dense = ug.layers.Dropout(0.5, seed=1), ug.layers.Dense(3)
        f = ug.jit(lambda x: drop(dense(x), training=True).sum())
        f(ug.ones((2, 2)))
        compiled = []
        jax.monitoring.register_event_duration_secs_listener(
            lambda event, *_, **__: compiled.append(event) if "backend_compile" in event else None
        )
        try:
            f(ug.ones((2, 2)))
            f(ug.ones((2, 2)))
        finally:
            jax.monitoring.clear_event_listeners()
        assert not compiled


@pytest.mark.parametrize(
    ("op", "call"),
    [
        ("clip", lambda x, s: ug.clip(x, -s, s)),
        ("leaky_relu", lambda x, s: ug.leaky_relu(x, s)),
        ("elu", lambda x, s: ug.elu(x, s)),
        ("celu", lambda x, s: ug.celu(x, s)),
        ("pad", lambda x, s: ug.pad(x, ((1, 1),), constant_values=s)),
        ("full_like", lambda x, s: ug.full_like(x, s)),
        ("isclose", lambda x, s: ug.isclose(x, x + 0.5, rtol=s, atol=s)),
        ("nan_to_num", lambda x, s: ug.nan_to_num(x, nan=s, posinf=s)),
        ("std", lambda x, s: ug.std(x, correction=s)),
        ("var", lambda x, s: ug.var(x, correction=s)),
        ("normalized", lambda x, s: OPS["normalized"](x, epsilon=s)),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_numbers_that_vary_are_inputs_of_jaxs_programs(op: str, call: Any, dtype: str) -> None:
    values = np.linspace(-2.0, 2.0, 9)
    with ug.use_backend("numpy"):
        expected = [call(ug.asarray(values, dtype=dtype), s).numpy() for s in (0.1, 0.7)]
    jax = load_backend("jax")
    with ug.use_backend("jax"):
        x = ug.asarray(values, dtype=dtype)
        found = [call(x, s) for s in (0.1, 0.7)]
        for one, right in zip(found, expected, strict=True):
            assert one.dtype.name == ("bool" if op == "isclose" else dtype)
            np.testing.assert_allclose(
                one.numpy().astype(np.float64), right.astype(np.float64), 4e-3, 1e-3
            )
        program = OPS[op].kernels[jax]
        cache = next(
            cell.cell_contents
            for cell in program.__closure__
            if hasattr(cell.cell_contents, "cache_info")
        )
        before = cache.cache_info().currsize
        call(x, 0.31)
        assert cache.cache_info().currsize == before
        assert cache.cache_info().maxsize == _jax_kernels().PROGRAMS


def test_derivatives_by_way_of_varying_numbers_on_jax() -> None:
    with ug.use_backend("jax"):
        x = ug.asarray([-1.0, -0.5, 2.0])
        for alpha in (0.5, 2.0):
            first = ug.grad(lambda x: ug.sum(ug.elu(x, alpha)))  # noqa: B023
            np.testing.assert_allclose(
                first(x).numpy(), [alpha * np.exp(-1.0), alpha * np.exp(-0.5), 1.0], 1e-5
            )
            second = ug.grad(lambda x: ug.sum(first(x)))  # noqa: B023
            np.testing.assert_allclose(
                second(x).numpy(), [alpha * np.exp(-1.0), alpha * np.exp(-0.5), 0.0], 1e-5
            )


def _donating_step(options: dict[str, Any]) -> tuple[Any, ug.Variable, ug.Tensor]:
    weight, x = ug.Variable([1.0, 2.0, 3.0]), ug.ones(3)
    step = ug.jit(options={"jax": options})(lambda x: weight.assign_add(x).sum())
    step(x)
    return step, weight, x


def test_jax_writes_into_old_values_where_it_is_asked_to() -> None:
    with ug.use_backend("jax"):
        for options in ({}, {"donate": True}):
            step, weight, x = _donating_step(options)
            # Not by a name here: it would be held.
            before = weight._tensor.native.unsafe_buffer_pointer()
            assert step(x).item() == 12.0
            assert (weight._tensor.native.unsafe_buffer_pointer() == before) == bool(options)
            assert weight.tolist() == [3.0, 4.0, 5.0]


def test_a_donation_of_what_is_held_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = calling._compiled
    monkeypatch.setattr(
        calling, "_compiled", lambda text: honest(text.replace("getrefcount(", "(lambda one: 0)("))
    )
    with ug.use_backend("jax"):
        step, weight, x = _donating_step({"donate": True})
        held = weight.read()
        step(x)
        with pytest.raises(RuntimeError, match="deleted"):
            held.tolist()


def test_jax_takes_no_memory_that_somebody_holds() -> None:
    with ug.use_backend("jax"):
        step, weight, x = _donating_step({"donate": True})
        held = [weight.read(), weight.native, weight.value, weight._tensor, weight * 1.0]
        with ug.GradientTape() as tape:
            y = weight * weight
        for one in held:
            rest = [one]
            assert step(x).item() > 0.0
            assert np.asarray(getattr(rest[0], "native", rest[0])).tolist() == [2.0, 3.0, 4.0]
        assert tape.gradient(y, weight).tolist() == [4.0, 6.0, 8.0]
        # The value that is replaced is also an argument.
        given = weight.read()
        assert step(given).item() == 2 * sum(given.tolist())
        # Another thread could read the variable at any moment.
        done = threading.Event()
        thread = threading.Thread(target=done.wait)
        thread.start()
        try:
            pointer = weight._tensor.native.unsafe_buffer_pointer()
            step(x)
            assert weight._tensor.native.unsafe_buffer_pointer() != pointer
        finally:
            done.set()
            thread.join()


# -- names of the libraries that are not public


def test_private_names_are_there() -> None:
    """What the compilers use beyond the libraries' public interfaces."""
    import jax
    import torch

    load_backend("torch")
    load_backend("tensorflow")
    import tensorflow as tf

    traces: list[Any] = []
    jax.make_jaxpr(lambda x: traces.append(x._trace) or x)(1.0)
    assert callable(traces[0].new_arg)
    assert callable(torch._C._len_torch_function_stack)
    from torch.fx.experimental import proxy_tensor

    assert callable(proxy_tensor.get_proxy_mode)
    assert callable(proxy_tensor.track_tensor_tree)
    graphs: list[Any] = []
    concrete = tf.function(
        lambda: graphs.append(tf.compat.v1.get_default_graph()) or tf.constant(1.0)
    ).get_concrete_function()
    assert callable(graphs[0].capture_call_time_value)
    assert callable(concrete.set_external_captures)
    assert concrete.graph.external_captures == []
