"""`ug.jit`: what it traces, what it finds, and what it refuses, on every backend."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug


def _ones(*shape: int) -> ug.Tensor:
    return ug.asarray(np.ones(shape, np.float32))


def test_an_empty_factor(backend: str) -> None:
    """TensorFlow's optimiser of graphs ended the process here."""
    empty = ug.zeros((0,))
    gradient = ug.jit(ug.grad(lambda b: ug.sum(ug.outer(empty, b))))
    assert gradient(ug.ones((3,))).tolist() == [0.0, 0.0, 0.0]


def test_a_derivative_that_is_zero_everywhere(backend: str) -> None:
    """torch's own zeros have no memory, and while tracing no device either."""

    @ug.jit
    def second(x: ug.Tensor) -> ug.Tensor:
        slope = ug.grad(lambda x: ug.sum(ug.abs(x)))
        return ug.grad(lambda x: ug.sum(slope(x)))(x)

    assert second(ug.asarray([1.0, -2.0])).tolist() == [0.0, 0.0]


def test_reads_and_writes_variables(backend: str) -> None:
    weight = ug.Variable(_ones(3, 2), name="weight")
    count = ug.Variable(0.0, trainable=False)

    @ug.jit
    def step(x: ug.Tensor, rate: float) -> dict[str, object]:
        with ug.GradientTape() as tape:
            loss = ((x @ weight) * (x @ weight)).sum()
        weight.assign_sub(rate * tape.gradient(loss, weight))
        count.assign_add(1.0)
        return {"loss": loss, "note": "static"}

    x = _ones(4, 3)
    expected = np.ones((3, 2), np.float32)
    for _ in range(3):
        result = step(x, 0.01)
        out = np.ones((4, 3)) @ expected
        assert float(result["loss"]) == pytest.approx(float((out * out).sum()), rel=1e-5)
        expected = expected - 0.01 * 2 * np.ones((4, 3)).T @ out
    assert result["note"] == "static"
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-5)
    assert float(count) == 3.0


def test_one_trace_per_signature(backend: str) -> None:
    traces = []

    @ug.jit
    def f(x: ug.Tensor, flag: bool = False) -> ug.Tensor:
        traces.append(x.shape)
        return x + 1.0 if flag else x * 2.0

    for shape in [(2,), (2,), (3,), (2,)]:
        assert f(_ones(*shape)).tolist() == [2.0] * shape[0]
    f(_ones(2), True)
    f(_ones(2), True)
    assert f.programs == 3
    assert traces == [(2,), (3,), (2,)]


def test_numbers_are_inputs(backend: str) -> None:
    f = ug.jit(lambda x, factor: x * factor)
    assert f(_ones(2), 2.0).tolist() == [2.0, 2.0]
    assert f(_ones(2), 3.0).tolist() == [3.0, 3.0]
    assert f.programs == 1


def test_static_arguments(backend: str) -> None:
    f = ug.jit(static_argnums=1, static_argnames="offset")(
        lambda x, n, offset=0: ug.reshape(x, (n, -1)) + offset
    )
    assert f(_ones(6), 2).shape == (2, 3)
    assert f(_ones(6), 3, offset=1).tolist() == [[2.0, 2.0]] * 3
    assert f.programs == 2


def test_variables_made_at_the_first_call(backend: str) -> None:
    made: list[ug.Variable] = []

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        if not made:
            with ug.init_scope():
                made.append(ug.Variable(np.float32(5.0)))
        made[0].assign_add(1.0)
        return x * made[0]

    assert [float(f(ug.asarray(1.0))) for _ in range(3)] == [6.0, 7.0, 8.0]


def test_assignment_between_calls_is_seen(backend: str) -> None:
    v = ug.Variable(2.0)
    f = ug.jit(lambda x: x * v)
    assert float(f(ug.asarray(3.0))) == 6.0
    v.assign(10.0)
    assert float(f(ug.asarray(3.0))) == 30.0


def test_under_a_tape_it_is_differentiated(backend: str) -> None:
    f = ug.jit(lambda x: x * x)
    assert float(ug.grad(f)(3.0)) == 6.0
    x = ug.Variable(3.0)
    with ug.GradientTape() as tape:
        y = f(x)
    assert float(tape.gradient(y, x)) == 6.0


def test_gradients_inside(backend: str) -> None:
    second = ug.jit(ug.grad(ug.grad(lambda x: ug.sin(x) * x)))
    assert float(second(2.0)) == pytest.approx(2 * np.cos(2) - 2 * np.sin(2), rel=1e-5)


@pytest.mark.parametrize("ask", [bool, float, lambda x: x.numpy(), lambda x: int(x)])
def test_values_of_traced_tensors_are_refused(
    backend: str, ask: Callable[[ug.Tensor], object]
) -> None:
    f = ug.jit(lambda x: ask(x))
    with pytest.raises(ug.TracingError, match="float32"):
        f(ug.asarray(1.0))
    # The failed trace leaves nothing behind.
    assert float(ug.jit(lambda x: x + 1.0)(ug.asarray(1.0))) == 2.0


def test_an_error_leaves_variables_alone(backend: str) -> None:
    v = ug.Variable(_ones(2))

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        out = x @ x
        v.assign_add(1.0)
        return out

    with pytest.raises(ug.ShapeError):
        f(_ones(2, 3))
    assert v.tolist() == [1.0, 1.0]


def test_methods(backend: str) -> None:
    class Doubler:
        factor = 2.0

        @ug.jit
        def double(self, x: ug.Tensor) -> ug.Tensor:
            return x * self.factor

    assert float(Doubler().double(ug.asarray(4.0))) == 8.0


@pytest.mark.parametrize("initial", [lambda x: [1.0, 1.0], lambda x: ug.ones((2,)) * (x / x)])
def test_variables_may_be_made_at_the_first_call(
    backend: str, initial: Callable[[ug.Tensor], object]
) -> None:
    made: list[ug.Variable] = []

    @ug.jit
    def f(x: ug.Tensor) -> ug.Tensor:
        if not made:
            made.append(ug.Variable(initial(x)))
        made[0].assign_add([1.0, 1.0])
        return made[0] * x

    assert [f(ug.asarray(x)).tolist() for x in (2.0, 3.0)] == [[4.0, 4.0], [9.0, 9.0]]
    assert made[0].numpy().tolist() == [3.0, 3.0]


def test_a_variable_of_a_traced_value_at_every_call_is_refused(backend: str) -> None:
    f = ug.jit(lambda x: ug.Variable(x * 2.0) * x)
    f(ug.asarray(1.0))
    with pytest.raises(ug.TracingError, match="Variable"):
        f(ug.asarray(1.0))


def test_arguments_and_results_are_the_same_compiled_or_not(backend: str) -> None:
    @ug.jit
    def overwrite(x: ug.Tensor) -> ug.Tensor:
        x[0] = 7.0
        return x

    x = ug.asarray([1.0, 2.0])
    assert overwrite(x).tolist() == [7.0, 2.0]
    assert x.tolist() == [1.0, 2.0]
    assert ug.jit(lambda t: t.astype("float64"))(2.0).dtype == ug.float64
    assert isinstance(ug.jit(lambda t: t.sum())(np.ones(2)), ug.Tensor)
    v = ug.Variable(1.0)
    assert isinstance(ug.jit(lambda: [v])()[0], ug.Tensor)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = overwrite(x).sum() + ug.jit(lambda t: t * 2.0)(3.0)
    assert tape.gradient(y, x).tolist() == [0.0, 1.0]


def test_arguments_of_two_backends_are_refused(backend: str) -> None:
    here = ug.asarray(1.0)
    with ug.use_backend("numpy" if backend != "numpy" else "torch"):
        there = ug.asarray(1.0)
    with pytest.raises(ug.BackendMismatchError, match="jit"):
        ug.jit(lambda a, b: a + b)(here, there)


def test_arguments_of_several_depths_beside_a_number(backend: str) -> None:
    function = ug.jit(lambda x, y, times: x * y * times)
    x, y, v = ug.asarray([1.0, 2.0, 3.0]), ug.asarray(2.0), ug.Variable(2.0)

    def mapped(x: ug.Tensor) -> ug.Tensor:
        return ug.vmap(lambda one: function(one, y, 3.0) + function(v, one, 3.0))(x)

    def carried(x: ug.Tensor) -> ug.Tensor:
        return ug.scan(lambda carry, one: (function(carry, one, 2.0), None), y, x)[0]

    for run, wanted in ((mapped, [12.0, 24.0, 36.0]), (carried, 96.0)):
        assert run(x).tolist() == ug.jit(run)(x).tolist() == wanted


def test_arguments_that_outlived_their_trace_are_refused(backend: str) -> None:
    x, kept = ug.asarray([1.0, 2.0]), []
    ug.jit(lambda x: (kept.append(x * 2.0), x)[1])(x)
    function = ug.jit(lambda x, other=None: x)
    for args in (kept, (x, *kept), ({"a": kept[0]},), (kept[0], 2.0)):
        with pytest.raises(ug.TracingError, match="was kept"):
            function(*args)
    with pytest.raises(ug.TracingError, match="was kept"):
        ug.optimizers.Adam().apply_gradients([(kept[0], ug.Variable([1.0, 2.0]))])


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint32", "uint64", "float16"])
def test_reading_and_writing_by_index_keeps_the_dtype(backend: str, dtype: str) -> None:
    x = ug.asarray(np.array([[0, 1], [1, 1]]).astype(dtype))
    value = ug.asarray(np.array([1, 0]).astype(dtype))
    index, places = ug.asarray([1, 0]), ug.asarray([[0], [1]])
    calls: list[Callable[[ug.Tensor, ug.Tensor], ug.Tensor]] = [
        lambda x, i: ug.take(x, i, axis=0),
        lambda x, i: x[i],
        lambda x, i: x[places, i],
        # Indices that are closed over, not handed in.
        lambda x, i: ug.take_along_axis(x, places, axis=1),
        lambda x, i: ug.take_along_axis(x, ug.reshape(i, (2, 1)), axis=1),
        lambda x, i: x.at[i].set(value),
        lambda x, i: x.at[index].set(value),
    ]
    if dtype != "bool":
        calls += [
            lambda x, i: x.at[i].add(value),
            lambda x, i: x.at[i].max(value),
            lambda x, i: x.at[i].min(value),
        ]
    for call in calls:
        found, eager = ug.jit(call)(x, index), call(x, index)
        assert found.dtype.name == eager.dtype.name == dtype
        assert found.tolist() == eager.tolist()


def test_unsigned_integers_are_ordered_as_such(backend: str) -> None:
    for dtype in ("uint16", "uint32", "uint64"):
        large = int(np.iinfo(dtype).max)
        x = ug.asarray(np.array([1, large - 1, 5], dtype))
        value = ug.asarray(np.array([large, 2, 7], dtype))
        index = ug.asarray([0, 1, 1])
        assert x.at[index].max(value).tolist() == [large, large - 1, 5]
        assert x.at[index].min(value).tolist() == [1, 2, 5]
        assert x.at[index].add(value).tolist() == [0, 7, 5]


def test_static_values_of_another_type_are_another_program(backend: str) -> None:
    times = ug.jit(lambda x, n: x * n, static_argnames="n")
    x = ug.asarray([3, 4])
    for found, dtype in [
        (times(x, n=2), "int64"),
        (times(x, n=2.0), "float32"),
        # By position as well as by name.
        (times(x, 2), "int64"),
        (times(x, 2.0), "float32"),
    ]:
        assert found.dtype.name == dtype
        assert found.tolist() == [6, 8]
    flagged = ug.jit(lambda x, flag: x + 1 if flag is True else x - 1, static_argnums=1)
    assert flagged(x, 1).tolist() == [2, 3]
    assert flagged(x, True).tolist() == flagged(x, flag=True).tolist() == [4, 5]


def test_numbers_keep_their_digits_beside_64_bits(backend: str) -> None:
    times = ug.jit(lambda x, number: x * number)
    assert times(ug.asarray([3.0], dtype="float64"), 0.1).tolist() == [3.0 * 0.1]
    assert times(ug.asarray([3.0]), 0.1).dtype.name == "float32"


def test_an_error_while_tracing_is_raised_and_not_logged(backend, caplog):
    with pytest.raises(ug.ShapeError, match="add"):
        ug.jit(lambda x: x + ug.ones(4))(ug.ones(3))
    assert not [one for one in caplog.records if one.exc_info]


def test_what_a_traced_function_logs_is_logged(backend, caplog):
    log = logging.getLogger("torch._subclasses.fake_tensor" if backend == "torch" else "mine")

    def noisy(x):
        log.error("seen")
        return x + 1.0

    ug.jit(noisy)(ug.ones(3))
    log.exception("after")
    errors = [one.message for one in caplog.records if one.levelno >= logging.ERROR]
    assert errors == ["seen", "after"]


def test_dynamic_shapes_are_refused() -> None:
    with pytest.raises(ug.SettingError, match="each shape is a program of its own"):
        ug.jit(dynamic_shapes=True)


@pytest.mark.parametrize(
    ("library", "options", "words"),
    [
        ("numpy", {"fast": True}, "numpy has no option 'fast'; there are none"),
        ("torch", {"compiler": "quick"}, "'straight', 'graph', 'inductor', not 'quick'"),
        ("jax", {"donated": True}, "jax has no option 'donated'; there are 'donate'"),
        ("tensorflow", {"jit_compile": "yes"}, "False, True, not 'yes'"),
    ],
)
def test_options_that_a_compiler_has_not(library: str, options: dict[str, Any], words: str) -> None:
    with ug.use_backend(library), pytest.raises(ug.SettingError, match=words):
        ug.jit(ug.sin, options={library: options})(ug.asarray(1.0))
