"""The short way of a compiled call: it is not taken where anything is not as it was."""

import copy
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.tracing import cache, calling

Make = Callable[[], Any]


def _made(function: Callable[..., Any], *args: Any) -> Any:
    """Return a compiled function that has taken the short way with these arguments."""
    compiled = ug.jit(function)
    compiled(*args)
    assert compiled._programs.quick(args) is not calling.MISSED
    return compiled


def other_shape() -> None:
    f = _made(lambda x: x * float(x.shape[0]), ug.ones(3))
    assert f(ug.ones(4)).tolist() == [4.0] * 4


def other_dtype() -> None:
    f = _made(lambda x: x + x if x.dtype == ug.float32 else x, ug.ones(3))
    assert f(ug.ones(3, dtype="int32")).tolist() == [1] * 3


def other_number_of_arguments() -> None:
    f = _made(lambda *xs: xs[0] + float(len(xs)), ug.ones(1), ug.ones(1))
    assert f(ug.ones(1)).tolist() == [2.0]
    assert f(ug.ones(1), ug.ones(1), ug.ones(1)).tolist() == [4.0]


def array_or_number_or_variable() -> None:
    x = ug.asarray([1, 2], dtype="int16")
    f = _made(lambda x, y: x + y, x, x)
    assert f(x, 3).dtype == ug.int16
    assert f(x, np.asarray([1, 1], np.int32)).dtype == ug.int32
    assert f(x, ug.Variable(x)).tolist() == [2, 4]


def keyword() -> None:
    f = _made(lambda x, y=None: x if y is None else y, ug.ones(1))
    assert f(ug.ones(1), y=ug.zeros(1)).tolist() == [0.0]


def default_dtype() -> None:
    f = _made(lambda x: ug.zeros(2), ug.ones(3))
    ug.set_default_dtype("float64")
    try:
        assert f(ug.ones(3, dtype="float32")).dtype == ug.float64
    finally:
        ug.set_default_dtype("float32")


def training_mode() -> None:
    f = _made(lambda x: x * float(ug.layers.is_training()), ug.ones(3))
    with ug.layers.training_mode():
        assert f(ug.ones(3)).tolist() == [1.0] * 3


def switched_off() -> None:
    calls = []
    f = _made(lambda x: (calls.append(1), x)[1], ug.ones(3))
    with ug.disable_jit():
        f(ug.ones(3))
    assert len(calls) == 2


def tape() -> None:
    x = ug.ones(3)
    f = _made(lambda x: ug.sum(x * x), x)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    assert tape.gradient(y, x).tolist() == [2.0] * 3


def vmap() -> None:
    f = _made(lambda x: ug.sum(x), ug.ones((2, 3)))
    assert ug.vmap(f)(ug.ones((4, 2, 3))).tolist() == [6.0] * 4


def settings_of_the_library() -> None:
    """Such as a trace depends on: the result is that of a function made under them."""

    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.matmul(x, x)

    x = ug.ones((2, 2))
    compiled = _made(f, x)
    with _other_settings(ug.get_backend()):
        compiled(x)
    assert compiled.programs == (1 if ug.get_backend() in ("numpy", "tensorflow") else 2)
    compiled(x)
    assert compiled.programs == (1 if ug.get_backend() in ("numpy", "tensorflow") else 2)


def _other_settings(backend: str) -> AbstractContextManager[Any]:
    if backend == "torch":
        import torch

        context: AbstractContextManager[Any] = torch.autocast("cpu", dtype=torch.bfloat16)
        return context
    if backend == "jax":
        import jax

        precision: AbstractContextManager[Any] = jax.default_matmul_precision("highest")
        return precision
    return nullcontext()


def a_variable_changed_meanwhile() -> None:
    """Here by the program itself, as another thread might."""
    v, meanwhile = ug.Variable(0.0), []

    def host(x: Any) -> Any:
        if meanwhile:
            v.assign(meanwhile.pop())
        return x

    def step(x: ug.Tensor) -> ug.Tensor:
        v.assign_add(ug.pure_callback(host, x, x))
        return v * 1.0

    x = ug.asarray(1.0)
    f = _made(step, x)
    before = float(v)
    assert float(f(x)) == before + 1.0
    meanwhile.append(100.0)
    assert float(f(x)) == 101.0


CASES: dict[Callable[[], None], str] = {
    other_shape: r"now != like\d+",
    other_dtype: r"now != like\d+",
    other_number_of_arguments: r"len\(args\) != \d+",
    array_or_number_or_variable: "",
    keyword: "",
    default_dtype: r"now != value\d+",
    training_mode: r"now != value\d+",
    switched_off: r"switched\(\) is not None",
    tape: "",
    vmap: "",
    settings_of_the_library: r"native_context\(\) != native_context_then",
    a_variable_changed_meanwhile: r"\(old0 is read0._tensor.*\)",
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_not_taken(backend: str, case: Callable[[], None]) -> None:
    with ug.use_backend(backend):
        case()


@pytest.mark.parametrize("case", [case for case, pattern in CASES.items() if pattern])
def test_a_missing_question_is_noticed(
    case: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, answer = calling._compiled, str(case is a_variable_changed_meanwhile)
    monkeypatch.setattr(
        calling, "_compiled", lambda source: honest(re.sub(CASES[case], answer, source))
    )
    with ug.use_backend("torch"), pytest.raises((AssertionError, ValueError, IndexError)):
        case()


def test_a_caller_of_torchs_own_autograd() -> None:
    import torch

    with ug.use_backend("torch"):
        f = _made(lambda x: ug.sum(x * x), ug.ones(3))
        x = torch.ones(3, requires_grad=True)
        ug.interop(f)(x).backward()  # type: ignore[no-untyped-call]
        assert x.grad is not None
        assert x.grad.tolist() == [2.0] * 3


class Counter(ug.layers.Module):
    """Holds a compiled method and what it writes."""

    def __init__(self) -> None:
        super().__init__()
        self.count = ug.Variable(0.0)
        self.step = ug.jit(self._step)

    def _step(self, x: ug.Tensor) -> ug.Tensor:
        return self.count.assign_add(x) * 1.0


def test_a_copy_has_programs_of_its_own(backend: str) -> None:
    with ug.use_backend(backend):
        counter, x = Counter(), ug.asarray(1.0)
        for _ in range(3):
            counter.step(x)
        other = copy.deepcopy(counter)
        assert [float(other.step(x)) for _ in range(3)] == [4.0, 5.0, 6.0]
        assert float(counter.count) == 3.0
        assert float(counter.step(x)) == 4.0
        assert float(other.count) == 6.0


def test_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_SIGNATURES", 2)
    f = ug.jit(lambda x: x + 1.0)
    f(ug.ones(1))
    f(ug.ones(2))
    for _ in range(5):
        f(ug.ones(2))
    assert f.cache_info()[:3] == (5, 2, 2)
    f(ug.ones(1))
    for _ in range(5):
        f(ug.ones(1))
    f(ug.ones(3))
    misses = f.cache_info().misses
    f(ug.ones(1))
    assert f.cache_info().misses == misses == 3


def test_jax_compiles_an_alike_program_once() -> None:
    """The short way and the other one share what XLA compiled."""
    import jax

    with ug.use_backend("jax"):
        compiled = []
        jax.monitoring.register_event_duration_secs_listener(
            lambda name, *_, **__: compiled.append(name) if "backend_compile" in name else None
        )
        f = ug.jit(lambda x: x * 2.0 + 1.0)
        x = ug.ones(7)
        f(x)
        first = len(compiled)
        for _ in range(3):
            f(x)
        assert first
        assert len(compiled) == first
