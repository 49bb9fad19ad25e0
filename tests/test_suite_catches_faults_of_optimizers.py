"""Faults planted into optimizers: the suite's steps must catch each."""

from typing import Any

import pytest

import unigrad as ug
from unigrad.core import recorders
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.optimizers import adafactor, beliefs, transformation
from unigrad.optimizers.numbers import Number
from unigrad.optimizers.slots import Slots
from unigrad_conformance import steps
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.running import try_op
from unigrad_conformance.subject import Deviation


def caught(name: str, backend: str = "numpy") -> bool:
    """Tell whether a check of steps fails on a backend."""
    checks = {**steps.STEPS, **steps.CHANGED, **steps.CHANGED_IN_PROGRAMS}
    load_backend("torch")
    with ug.use_backend(backend):
        try:
            checks[name]()
        except Deviation:
            return True
    return False


@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
def test_number_that_is_a_constant_of_programs(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(Number, "get", lambda self: self._value)
    assert caught("changed numbers of SGD hold in a program", backend)


def test_number_that_only_eager_steps_see(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_here(self: Number, value: float) -> None:
        self._value = float(value)

    monkeypatch.setattr(Number, "set", only_here)
    assert caught("changed numbers of SGD hold in a program", "torch")


def test_number_that_never_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Number, "set", lambda self, value: None)
    assert caught("changed numbers of SGD hold")


@pytest.mark.parametrize("name", ["Momentum", "Adam"])
def test_number_that_an_update_does_not_take(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    op = f"{name.lower()}_update"
    backend = load_backend("numpy")
    honest: Any = backend.in_place[op]
    monkeypatch.setattr(
        backend,
        "in_place",
        # The tensors come after two numbers or four.
        {op: lambda step, rate, share, *rest: honest(step, rate, 0.9, *rest)},
    )
    assert caught(f"changed numbers of {name} hold")


def _as_product(condition: ug.Tensor, x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
    """A choice by factors of 0 and 1: of what is infinite it makes NaN."""
    chosen = ug.astype(condition, y.dtype if isinstance(y, ug.Tensor) else x.dtype)
    return chosen * x + (1.0 - chosen) * y


@pytest.mark.parametrize("module", [beliefs, adafactor])
def test_infinite_squares_by_factors(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    monkeypatch.setattr(module, "where", _as_product)
    assert caught("squares_beyond_the_range")


def test_update_that_is_rounded_otherwise_when_it_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    op, backend = OPS["adam_update"], load_backend("numpy")
    honest: Any = op.kernels[backend]

    def run(*given: Any, **settings: Any) -> Any:
        found = honest(*given, **settings)
        return type(found)([one * 1.0001 for one in found]) if recorders.active() else found

    monkeypatch.setitem(op.kernels, backend, run)
    ledger = Ledger("numpy")
    with ug.use_backend("numpy"):
        try_op("adam_update", ledger)
    assert {"watching float64", "watching float32"} <= {one.check for one in ledger.findings}


@pytest.mark.parametrize("method", ["__deepcopy__", "__reduce__"])
def test_copy_that_forgets(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    fresh: Any = (
        (lambda self, memo: Slots()) if method == "__deepcopy__" else (lambda self: (Slots, ()))
    )
    monkeypatch.setattr(Slots, method, fresh)
    assert caught("copied_pairs_go_on")


def test_copy_that_shares_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slots, "__deepcopy__", lambda self, memo: self)
    assert caught("copied_pairs_go_on")


def test_slots_that_outlive_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    honest, kept = Slots.add, []

    def keeping(self: Slots, variable: ug.Variable, slots: Any) -> None:
        kept.append(variable)
        honest(self, variable, slots)

    monkeypatch.setattr(Slots, "add", keeping)
    assert caught("slots_go_with_their_variable")


def test_fused_update_of_parameters_as_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    honest = torch.Tensor.clone
    monkeypatch.setattr(torch.Tensor, "clone", lambda x, memory_format=None: honest(x))
    monkeypatch.setattr(torch.Tensor, "contiguous", lambda x: x)
    assert caught("parameters_of_several_layouts", "torch")


def test_update_in_place_of_values_as_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = load_backend("torch")
    monkeypatch.setattr(backend, "may_be_written", lambda natives: [True] * len(natives))
    assert caught("variables_of_several_layouts", "torch")


def test_update_that_refuses_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_one_backend(owner: str, name: str, parameter: Any, gradient: Any) -> None:
        raise Deviation(f"{owner}: {name}: another handle")

    monkeypatch.setattr(transformation, "_require_fitting", of_one_backend)
    assert caught("updates_of_a_batch")
