"""Programs whose updates write over the values that they replace, where nobody looks."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.registry import load_backend
from unigrad.tracing import calling

START = np.arange(6, dtype=np.float32).reshape(2, 3)


class Step:
    """A weight, and a compiled step of Adam that returns something of the weight before it."""

    def __init__(self, result: Callable[[ug.Variable], Any] = lambda weight: None) -> None:
        self.weight = ug.Variable(START)
        optimizer = ug.optimizers.Adam(0.1)

        @ug.jit
        def step(x: ug.Tensor) -> Any:
            with ug.GradientTape() as tape:
                loss = ug.sum(ug.square(self.weight - x))
            found = result(self.weight)
            optimizer.apply_gradients([(tape.gradient(loss, self.weight), self.weight)])
            return found

        self.call = step
        for _ in range(2):
            step(ug.ones((2, 3)))

    def __call__(self) -> Any:
        return self.call(ug.ones((2, 3)))

    def copy(self) -> ug.Tensor:
        """Return the weight's value: what NumPy has seen, torch does not take for its own."""
        native = self.weight._tensor._native
        return ug.asarray(native.copy() if isinstance(native, np.ndarray) else native.clone())

    @property
    def memory(self) -> int:
        """Where the weight lies."""
        native = self.weight._tensor._native
        address: int = native.ctypes.data if isinstance(native, np.ndarray) else native.data_ptr()
        return address

    def stays(self) -> bool:
        """Tell whether a step writes over the weight."""
        before = self.memory
        self()
        return self.memory == before


pytestmark = pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)


@pytest.fixture(autouse=True)
def in_one_thread(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    """Run in what counts as the only thread: callbacks of other tests leave some."""
    honest, before = threading.active_count, threading.active_count()
    monkeypatch.setattr(threading, "active_count", lambda: honest() - before + 1)


def _expected(steps: int) -> np.ndarray[Any, Any]:
    with ug.use_backend("numpy"), ug.disable_jit():
        step = Step()
        for _ in range(steps - 2):
            step()
        return step.weight.numpy()


def test_nobody_looks() -> None:
    step = Step()
    assert step.stays()
    np.testing.assert_allclose(step.weight.numpy(), _expected(3), 1e-5)


HOLDERS: dict[str, Callable[[ug.Variable], Any]] = {
    "a handle": lambda weight: weight.read(),
    "the own handle": lambda weight: weight._tensor,
    "the array": lambda weight: weight.native,
    "a view": lambda weight: weight.native[0:2],
    "an element's view": lambda weight: weight.native[0:1, 0:1],
}
#: What only one library has.
MORE_HOLDERS: dict[str, dict[str, Callable[[ug.Variable], Any]]] = {
    "numpy": {"its memory": lambda weight: memoryview(weight.native)},
    "torch": {
        "a detached array": lambda weight: weight.native.detach(),
        "NumPy": lambda weight: weight.native.numpy(),
        "its memory": lambda weight: weight.native.untyped_storage(),
    },
}


def test_held_values_stay(backend: str) -> None:
    for hold in (HOLDERS | MORE_HOLDERS[backend]).values():
        _stays_while_held(hold)


def _stays_while_held(hold: Callable[[ug.Variable], Any]) -> None:
    step = Step()
    before = step.copy().numpy()
    held, like = hold(step.weight), hold(ug.Variable(step.copy()))
    assert not step.stays()
    assert not np.array_equal(step.weight.numpy(), before)
    assert held.tolist() == like.tolist()
    del held
    # NumPy has seen the last one.
    step()
    assert step.stays()


def test_a_tape_holds_it() -> None:
    step = Step()
    before = step.weight.numpy()
    with ug.GradientTape() as tape:
        y = ug.sum(step.weight * step.weight)
    step()
    np.testing.assert_array_equal(tape.gradient(y, step.weight).numpy(), 2 * before)


@pytest.mark.parametrize(
    "result",
    [
        lambda w: w + 0.0,
        lambda w: ug.asarray(w),
        lambda w: w.T,
        lambda w: ug.reshape(w, (6,)),
        lambda w: w[0],
        lambda w: ug.stop_gradient(w),
        lambda w: ug.astype(w, "float32"),
        lambda w: ug.broadcast_to(w, (2, 3)),
        lambda w: ug.flip(w),
        lambda w: ug.clip(w, -100.0, 100.0),
        # These may be the very array.
        lambda w: ug.clip(w),
        lambda w: ug.conj(w),
        lambda w: ug.scan(lambda carry, x: (carry, None), w, ug.ones(3))[0],
        lambda w: ug.cond(ug.sum(w) > -1e9, lambda v: v, lambda v: v * 2.0, w),
        lambda w: w * 1.0,
        lambda w: w + ug.zeros((2, 3)),
    ],
)
def test_a_result_is_the_value_before(result: Callable[[Any], Any]) -> None:
    step = Step(result)
    found = None
    for _ in range(2):
        before = result(step.copy()).numpy()
        del found
        found = step()
        np.testing.assert_array_equal(found.numpy(), before)
        step()
        np.testing.assert_array_equal(found.numpy(), before)


def test_a_gradient_that_is_the_weight() -> None:
    weight, optimizer = ug.Variable(START), ug.optimizers.Adam(0.1)
    other, rule = ug.Variable(START), ug.optimizers.Adam(0.1)

    @ug.jit
    def step() -> None:
        optimizer.apply_gradients([(weight.read(), weight)])

    for _ in range(4):
        step()
        rule.apply_gradients([(other.read(), other)])
    np.testing.assert_allclose(weight.numpy(), other.numpy(), 1e-5)


def test_another_thread_could_look() -> None:
    step, done = Step(), threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert not step.stays()
    finally:
        done.set()
        thread.join()
    assert step.stays()


def test_a_callback_may_raise_half_way() -> None:
    def host(x: Any) -> Any:
        if fails:
            raise ValueError("no")
        return x

    fails: list[int] = []
    step = Step(lambda w: ug.pure_callback(host, ug.ones(()), ug.sum(w)))
    before = step.weight.tolist()
    fails.append(1)
    with pytest.raises(ValueError, match="no"):
        step()
    assert step.weight.tolist() == before


def test_a_step_out_of_range_is_whole() -> None:
    step = Step()
    with np.errstate(all="raise"):
        before = step.memory
        step.call(ug.full((2, 3), 1e30))
        assert step.memory == before
    assert not np.isnan(step.weight.numpy()).any()


def test_missing_questions_are_noticed(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, never = calling._compiled, "(lambda one: 0)("
    with monkeypatch.context() as plant:
        plant.setattr(
            calling, "_compiled", lambda text: honest(text.replace("getrefcount(", never))
        )
        with pytest.raises(AssertionError):
            _stays_while_held(HOLDERS["a handle"])
    with monkeypatch.context() as plant:
        plant.setattr(type(load_backend(backend)), "are_apart", lambda self, some, others: True)
        with pytest.raises(AssertionError):
            test_a_result_is_the_value_before(lambda w: ug.conj(w))
    with monkeypatch.context() as plant:
        plant.setattr(calling, "_one_thread_runs", lambda: True)
        with pytest.raises(AssertionError):
            test_another_thread_could_look()
