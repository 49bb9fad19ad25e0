"""`ug.interop` on all backends: what goes in and out, what holds inside, what is refused."""

import importlib
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core import recorders
from unigrad.core.registry import current_backend, load_backend
from unigrad_conformance.lifetime import LIFETIMES
from unigrad_conformance.subject import Deviation


def native(backend: str, values: Any, dtype: str = "float64") -> Any:
    """Return an array of a backend's library."""
    with ug.use_backend(backend):
        return ug.asarray(np.asarray(values, dtype)).native


def values(array: Any) -> Any:
    """Return the values of a native array."""
    return ug.to_numpy(array)


@pytest.fixture(params=["torch", "jax", "tensorflow"])
def differentiating(request: pytest.FixtureRequest) -> str:
    """A backend whose library has an autograd."""
    load_backend("torch")
    return str(request.param)


def pulled(backend: str, function: Callable[..., Any], *natives: Any) -> list[Any]:
    """Return the library's own gradient of a function of arrays with a scalar result."""
    home = load_backend(backend)
    _, pullback = home.vjp(lambda *xs: [function(*xs)], natives)
    return [
        None if one is None else values(one) for one in pullback([native(backend, np.ones(()))])
    ]


def test_pytrees_keywords_and_what_is_no_array(backend: str) -> None:
    @ug.interop
    def both(pair: Any, *, scale: float, label: str, extra: Any = None) -> Any:
        assert isinstance(pair["x"], ug.Tensor)
        assert type(scale) is float
        return {"sum": pair["x"] + pair["y"][0] * scale, "label": label, "none": extra, "n": 3}

    x = native(backend, [1.0, 2.0])
    found = both({"x": x, "y": (x,)}, scale=2.0, label="name")
    assert type(found["sum"]) is type(x)
    assert values(found["sum"]).tolist() == [3.0, 6.0]
    assert (found["label"], found["none"], found["n"]) == ("name", None, 3)


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "int32", "int64", "float16", "float32", "float64"]
)
def test_dtypes_are_kept(backend: str, dtype: str) -> None:
    x = native(backend, [[0, 1], [1, 1]], dtype)
    found = ug.interop(lambda x: ug.permute_dims(x, (1, 0)))(x)
    assert found.dtype == x.dtype
    assert values(found).tolist() == np.asarray([[0, 1], [1, 1]], dtype).T.tolist()


def test_the_array_itself_comes_back(backend: str) -> None:
    x = native(backend, [1.0, 2.0])
    assert ug.interop(lambda x: x)(x) is x


def test_inside_new_tensors_are_beside_the_arguments(backend: str) -> None:
    @ug.interop
    def padded(x: Any) -> Any:
        assert current_backend() is x.backend
        return ug.concat([ug.zeros(1, dtype=x.dtype), x, ug.asarray([5.0], dtype=x.dtype)])

    other = "numpy" if backend != "numpy" else "torch"
    x = native(backend, [1.0])
    with ug.use_backend(other):
        assert values(padded(x)).tolist() == [0.0, 1.0, 5.0]
        assert ug.get_backend() == other


def test_without_an_array_the_current_backend_counts(backend: str) -> None:
    found = ug.interop(lambda n: ug.ones(n))(3)
    assert current_backend().owns(found)
    assert values(found).tolist() == [1.0, 1.0, 1.0]


def test_tensors_give_tensors(backend: str) -> None:
    double = ug.interop(lambda x, y: x * 2 + y)
    x, y = ug.asarray([1.0]), native(backend, [1.0], "float32")
    for one, other in ((x, x), (x, y), (ug.Variable(x), 1.0)):
        assert isinstance(double(one, other), ug.Tensor)
    with ug.GradientTape() as tape:
        tape.watch(x)
        z = double(x, 1.0)
    assert tape.gradient(z, x).tolist() == [2.0]


def test_arrays_of_two_libraries(backend: str) -> None:
    @ug.interop
    def add(first: Any, rest: Any, *, last: Any = None) -> Any:
        return first + rest[0]

    other = "numpy" if backend != "numpy" else "torch"
    x, y = native(backend, [1.0]), native(other, [1.0])
    with pytest.raises(
        ug.BackendMismatchError, match=rf"add .*'first'.* of {backend}.*'rest\[0\]' of {other}"
    ):
        add(x, [y], last=x)
    with pytest.raises(ug.BackendMismatchError, match=r"\"last\['deep'\]\" of"):
        add(x, [x], last={"deep": y})
    with ug.use_backend(other):
        tensor = ug.asarray([1.0])
    with pytest.raises(ug.BackendMismatchError, match=r"'rest\[0\]' of"):
        add(x, [tensor])


def test_a_result_of_another_library(backend: str) -> None:
    other = "numpy" if backend != "numpy" else "torch"
    with ug.use_backend(other):
        kept = ug.asarray([1.0])
    with pytest.raises(ug.BackendMismatchError, match=f"arrays of {backend}.*'{other}'"):
        ug.interop(lambda x: kept)(native(backend, [1.0]))


def test_an_exception_leaves_everything_as_it_was(backend: str) -> None:
    def fail(x: Any) -> Any:
        raise KeyError("mine")

    before = ug.get_backend()
    other = "numpy" if backend != "numpy" else "torch"
    with pytest.raises(KeyError, match="mine"):
        ug.interop(fail)(native(other, [1.0]))
    assert ug.get_backend() == before
    assert not recorders.thread.borrowed


def test_nothing_goes_on_recording(backend: str) -> None:
    @ug.interop
    def slope(x: Any) -> Any:
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = ug.sum(x**3)
        return tape.gradient(y, x)

    assert values(slope(native(backend, [2.0]))).tolist() == [12.0]
    assert not recorders.process.recording
    assert not recorders.active()


def test_other_threads_do_not_see_it(backend: str) -> None:
    seen = []

    @ug.interop
    def call(x: Any) -> Any:
        thread = threading.Thread(target=lambda: seen.append(recorders.thread.borrowed))
        thread.start()
        thread.join()
        return x

    call(native(backend, [1.0]))
    assert seen == [False]


def test_calls_nest(backend: str) -> None:
    inner = ug.interop(lambda x: ug.exp(x))

    @ug.interop
    def outer(x: Any) -> Any:
        assert isinstance(inner(x), ug.Tensor)
        assert current_backend().owns(inner(x.native))
        return inner(x) + 1.0

    np.testing.assert_allclose(values(outer(native(backend, [0.0]))), [2.0])


def test_methods(backend: str) -> None:
    class Scale:
        factor = 3.0

        @ug.interop
        def __call__(self, x: Any) -> Any:
            """Scale."""
            return x * self.factor

    assert values(Scale()(native(backend, [2.0]))).tolist() == [6.0]
    assert Scale.__call__.__doc__ == "Scale."


def test_the_librarys_own_gradient(differentiating: str) -> None:
    function = ug.interop(lambda x, y: ug.sum(ug.sin(x) * y))
    x, y = native(differentiating, [0.5, 1.0]), native(differentiating, [2.0, 3.0])
    of_x, of_y = pulled(differentiating, function, x, y)
    np.testing.assert_allclose(of_x, np.cos([0.5, 1.0]) * [2.0, 3.0])
    np.testing.assert_allclose(of_y, np.sin([0.5, 1.0]))


def test_our_conventions_hold_at_edges(differentiating: str) -> None:
    """Where a library's derivative is not unigrad's, the caller gets unigrad's."""
    function = ug.interop(lambda x: ug.sum(ug.maximum(x, 0.0) + ug.hypot(x, x) + ug.abs(x)))
    zero = native(differentiating, [0.0])
    with ug.use_backend(differentiating):
        x = ug.asarray(np.zeros(1))
        want = ug.grad(lambda x: ug.sum(ug.maximum(x, 0.0) + ug.hypot(x, x) + ug.abs(x)))(x)
    np.testing.assert_array_equal(pulled(differentiating, function, zero)[0], want.numpy())


def test_a_gradient_inside_is_differentiated_from_outside(differentiating: str) -> None:
    @ug.interop
    def penalty(x: Any) -> Any:
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = ug.sum(ug.sin(x) ** 2)
        return ug.sum(tape.gradient(y, x) ** 2) + y

    x = native(differentiating, [0.3, 0.7])
    # y' = sin 2x, so that (y'² + y)' = 2 sin 4x + sin 2x.
    np.testing.assert_allclose(
        pulled(differentiating, penalty, x)[0],
        2 * np.sin(4 * np.array([0.3, 0.7])) + np.sin(2 * np.array([0.3, 0.7])),
    )


def test_a_value_from_inside_of_a_tape_keeps_the_callers_graph(differentiating: str) -> None:
    @ug.interop
    def value(x: Any) -> Any:
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = x * x
        del tape
        return ug.sum(y)

    assert pulled(differentiating, value, native(differentiating, [3.0]))[0].tolist() == [6.0]


def test_transforms_inside(differentiating: str) -> None:
    def f(x: Any) -> Any:
        return ug.sum(x**3)

    x = native(differentiating, [2.0])
    for inside in (
        lambda x: ug.sum(ug.grad(f)(x)),
        lambda x: ug.jvp(f, (x,), (ug.ones_like(x),))[1],
        lambda x: ug.sum(ug.vjp(f, x)[1](ug.ones_like(f(x)))[0]),
    ):
        assert pulled(differentiating, ug.interop(inside), x)[0].tolist() == [12.0]


def test_jit_inside(differentiating: str) -> None:
    compiled = ug.jit(lambda x: ug.sum(ug.hypot(x, x * 0.0) * x))
    function = ug.interop(compiled)
    x = native(differentiating, [2.0])
    for _ in range(2):
        assert pulled(differentiating, function, x)[0].tolist() == [4.0]
    assert float(values(function(x))) == 4.0


def test_variables_inside_are_constants_to_the_caller(differentiating: str) -> None:
    with ug.use_backend(differentiating):
        scale = ug.Variable(np.array([3.0]))
        calls = ug.Variable(0.0, trainable=False)

    @ug.interop
    def scaled(x: Any) -> Any:
        if not x.backend.is_traced(x.native):
            calls.assign_add(1.0)
        return ug.sum(x * scale)

    x = native(differentiating, [2.0])
    assert pulled(differentiating, scaled, x)[0].tolist() == [3.0]
    scaled(x)
    assert calls.item() >= 1.0
    assert not calls._tensor.backend.in_graph(calls._tensor.native)


def test_a_tape_outside_sees_variables_inside(differentiating: str) -> None:
    if differentiating == "jax":
        pytest.skip("JAX has no graph that leads from an array to a tape")
    with ug.use_backend(differentiating):
        scale = ug.Variable(np.array([3.0]))
    x = native(differentiating, [2.0])
    with ug.GradientTape() as tape:
        y = ug.asarray(ug.interop(lambda x: x * scale)(x))
    assert tape.gradient(y, scale).tolist() == [2.0]


def test_an_array_that_leaves_a_tape_behind_is_warned_of() -> None:
    with ug.use_backend("numpy"):
        scale = ug.Variable(3.0)
        with ug.GradientTape(), pytest.warns(ug.GradientWarning, match="cannot see"):
            ug.interop(lambda x: x * scale)(np.ones(2, "float32"))


def test_numpys_arrays_of_any_kind() -> None:
    double = ug.interop(lambda x: x * 2)
    for array in (
        np.ones((2, 3))[:, ::-1],
        np.ones(3, ">f8"),
        np.asfortranarray(np.ones((2, 3))),
        np.ones(()),
        np.ones((0, 3)),
    ):
        found = double(array)
        assert type(found) is np.ndarray
        assert found.dtype.isnative
        np.testing.assert_array_equal(found, array * 2)
    with pytest.raises(ug.DTypeError):
        double(np.array(["a"]))
    assert isinstance(double(np.float64(2.0)), float)


def test_memory_is_shared_with_the_caller(backend: str) -> None:
    """No copy on the way in: a pointer, where the library shows one."""
    seen = []
    x = native(backend, [1.0, 2.0])
    ug.interop(lambda x: seen.append(x.native))(x)
    assert seen[0] is x


def test_results_of_numpy_are_the_callers_own() -> None:
    with ug.use_backend("numpy"):
        v, kept = ug.Variable([1.0, 2.0]), ug.asarray([3.0, 4.0])
        x = np.zeros(2, "float32")
        for function in (lambda x: v, lambda x: v.read(), lambda x: kept, lambda x: kept[:1]):
            ug.interop(function)(x)[0] = 9.0
        assert (v.tolist(), kept.tolist()) == ([1.0, 2.0], [3.0, 4.0])
        # What he gave comes back as it was.
        assert np.shares_memory(ug.interop(lambda x: ug.reshape(x, (2, 1)))(x), x)


def test_variables_in_a_call_own_their_values(backend: str) -> None:
    LIFETIMES["variables_keep_what_a_caller_writes_over"]()


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_variables_that_share_memory_are_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = load_backend(name)
    monkeypatch.setattr(type(home), "owned", lambda self, native: native)
    with ug.use_backend(name), pytest.raises(Deviation, match="wrote to an array"):
        LIFETIMES["variables_keep_what_a_caller_writes_over"]()


def test_arrays_in_another_byte_order_stay_numpys() -> None:
    with ug.use_backend("torch"):
        found = ug.interop(lambda x: x * 2.0)(np.ones(2, ">f4"))
    assert type(found) is np.ndarray
    assert found.tolist() == [2.0, 2.0]


def test_second_derivatives_of_torchs_transforms_through_jit() -> None:
    torch = importlib.import_module("torch")
    # torch warns of a part of its own when it loads them.
    importlib.import_module("unigrad_torch.private").load_forward_derivatives()
    function = ug.interop(ug.jit(lambda x: ug.sum(ug.sin(x) * x * x)))
    plain = ug.interop(lambda x: ug.sum(ug.sin(x) * x * x))
    x = torch.tensor([0.3, 0.7], dtype=torch.float64)
    expected = torch.func.hessian(plain)(x)
    grad, ones = torch.func.grad(function), torch.ones_like(x)
    assert torch.allclose(torch.func.hessian(function)(x), expected)
    assert torch.allclose(torch.func.jvp(grad, (x,), (ones,))[1], expected.sum(0))
    by_rows = torch.func.vmap(lambda x, t: torch.func.jvp(grad, (x,), (t,))[1])
    found = by_rows(x.expand(2, 2), torch.eye(2, dtype=torch.float64))
    assert torch.allclose(found, expected)


def test_autograph_leaves_it_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    load_backend("torch")
    tf = importlib.import_module("tensorflow")
    found = tf.function(lambda x: ug.interop(lambda x: ug.tanh(x))(x))(tf.zeros(2))
    assert found.numpy().tolist() == [0.0, 0.0]
    assert "AutoGraph" not in capfd.readouterr().err


def test_of_tensors_it_returns_handles_of_their_own(backend: str) -> None:
    x, w = ug.asarray([1.0, 2.0]), ug.Variable([3.0, 4.0])
    same, value = ug.interop(lambda x, w: (x, w))(x, w)
    same[0] = value[0] = 9.0
    assert x.tolist() == [1.0, 2.0]
    assert w.tolist() == [3.0, 4.0]
