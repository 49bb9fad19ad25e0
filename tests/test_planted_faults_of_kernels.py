"""Faults planted into kernels, rules and bridges must be caught by the suite, and where.

Each replaces one piece for the time of a test; the honest piece must pass the same check.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.autodiff import bridge
from unigrad.autodiff.rules.composites import BodyRule
from unigrad.autodiff.rules.registry import Rule
from unigrad.core.backend import Backend
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad_conformance.checks import second_order
from unigrad_conformance.edge import check_edge, every_edge
from unigrad_conformance.empties import every_empty
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.running import try_op
from unigrad_conformance.subject import Deviation

torch = importlib.import_module("torch")

Make = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Differences of a faulty gradient are not kept for the next test."""
    monkeypatch.setattr(second_order, "_differences", {})


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace a kernel: ``plant(backend, op, make)`` with make(honest kernel) → faulty kernel."""

    def replace(backend: str, name: str, make: Make) -> None:
        found: Backend = load_backend(backend)
        monkeypatch.setitem(OPS[name].kernels, found, make(OPS[name].kernels[found]))

    return replace


def findings(backend: str, op: str) -> set[str]:
    """Return the names of the checks that an op does not pass."""
    ledger = Ledger(backend)
    with ug.use_backend(backend):
        try_op(op, ledger)
    return {one.check for one in ledger.findings}


def edge_passes(backend: str, name: str) -> bool:
    """Tell whether a backend meets an edge."""
    [one] = [one for one in every_edge() if one.name == name]
    return _passes(backend, lambda: check_edge(one))


def empty_passes(backend: str, name: str) -> bool:
    """Tell whether a backend meets a line of the table of empty shapes."""
    [check] = [check for found, check in every_empty() if found == name]
    return _passes(backend, check)


def _passes(backend: str, check: Callable[[], None]) -> bool:
    with ug.use_backend(backend):
        try:
            check()
        except (Deviation, ValueError, TypeError, RuntimeError):
            return False
    return True


# -- values that depend on who is watching


def _when_recorded(other: Make) -> Make:
    """Return what makes a kernel compute another formula while torch records."""

    def make(honest: Any) -> Any:
        def run(*xs: Any, **settings: Any) -> Any:
            recorded = any(getattr(x, "requires_grad", False) for x in xs)
            return (other(honest) if recorded else honest)(*xs, **settings)

        return run

    return make


def test_kernel_that_halves_when_it_is_recorded(plant: Any) -> None:
    assert not findings("torch", "maximum")
    plant(
        "torch",
        "maximum",
        _when_recorded(lambda honest: lambda x, y: honest(x, y) / 3.0 + honest(y, x) / 1.5),
    )
    assert "watching float16" in findings("torch", "maximum")


def test_kernel_that_is_rounded_otherwise_when_it_is_recorded(plant: Any) -> None:
    def slow(honest: Any) -> Any:
        return lambda x, y: torch.log(torch.exp(x) + torch.exp(y))

    assert not findings("torch", "logaddexp")
    plant("torch", "logaddexp", _when_recorded(slow))
    assert any(one.startswith("watching") for one in findings("torch", "logaddexp"))


def test_composite_that_runs_its_body_when_it_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(OPS["sinc"].rule, BodyRule)
    assert not findings("numpy", "sinc")
    monkeypatch.setattr(OPS["sinc"], "rule", None)
    assert any(one.startswith("watching") for one in findings("numpy", "sinc"))


def test_zero_that_loses_its_sign_when_it_is_recorded(plant: Any) -> None:
    plant("torch", "negative", _when_recorded(lambda honest: lambda x: 0.0 - x))
    x = np.array([0.0])
    with ug.use_backend("torch"):
        with ug.GradientTape() as tape:
            t = ug.asarray(x)
            tape.watch(t)
            watched = ug.negative(t)
        from unigrad_conformance.checks.watching import require_same_bits

        with pytest.raises(Deviation, match="elements differ"):
            require_same_bits("value", [watched], [ug.negative(ug.asarray(x))])


# -- derivatives at the edges, and their derivatives


def test_second_derivative_of_a_first_power(plant: Any) -> None:
    name = "x**[1] at 0, second order"
    assert edge_passes("torch", name)
    plant("torch", "pow", lambda honest: lambda x, y: torch.exp(y * torch.log(x)))
    assert not edge_passes("torch", name)


def test_second_derivative_of_a_power_of_zero(plant: Any) -> None:
    name = "0**y by y, second order"
    assert edge_passes("torch", name)
    # torch's own.
    plant("torch", "pow", lambda honest: torch.pow)
    assert not edge_passes("torch", name)


@pytest.mark.parametrize("op", ["hypot", "atan2"])
def test_second_derivative_at_the_origin(plant: Any, op: str) -> None:
    """The formula that the bridge took the place of: its second derivative is 0 there."""

    def safe(honest: Any) -> Any:
        def run(x: Any, y: Any) -> Any:
            origin = (x == 0) & (y == 0)
            away = getattr(torch, op)(x, torch.where(origin, 1.0, y))
            return torch.where(origin, 0.0, away)

        return run

    name = f"{op} at the origin, second order"
    assert edge_passes("torch", name)
    plant("torch", op, safe)
    assert edge_passes("torch", f"{op} at the origin")
    assert not edge_passes("torch", name)


def test_step_whose_derivative_is_made_of_zeros(plant: Any) -> None:
    assert edge_passes("torch", "floor of a logarithm at 0")
    plant("torch", "floor", lambda honest: torch.floor)
    assert not edge_passes("torch", "floor of a logarithm at 0")


def test_tangent_that_selects(monkeypatch: pytest.MonkeyPatch) -> None:
    def select(t: Any, out: Any, condition: Any, x: Any, y: Any) -> Any:
        return ug.where(condition, *[0.0 if one is None else one for one in t[1:]])

    name = "where over sqrt at 0, both modes"
    assert edge_passes("numpy", name)
    honest = OPS["where"].rule
    monkeypatch.setattr(OPS["where"], "rule", Rule(honest.vjps, select))
    assert not edge_passes("numpy", name)


def test_number_on_the_left_without_a_derivative(plant: Any) -> None:
    assert edge_passes("torch", "remainder of a number")
    plant("torch", "remainder", lambda honest: torch.remainder)
    assert not edge_passes("torch", "remainder of a number")


# -- bridges


def _faulty_vjp(change: Callable[[list[Any]], list[Any]]) -> Any:
    honest = bridge.vjp

    def vjp(*arguments: Any, **settings: Any) -> Any:
        return change(honest(*arguments, **settings))

    return vjp


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found[::-1],
        lambda found: [None for _ in found],
        lambda found: [None if one is None else one * 1.001 for one in found],
        lambda found: [None if one is None else one.detach() for one in found],
    ],
    ids=["inputs exchanged", "nothing carried", "slightly off", "cut off from the graph"],
)
def test_bridge_that_carries_wrong(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    import unigrad_torch.bridge as torch_bridge

    assert not findings("torch", "hypot")
    monkeypatch.setattr(torch_bridge, "vjp", _faulty_vjp(change))
    assert findings("torch", "hypot") & {"gradients float64", "second order"}


def test_bridge_that_takes_another_rule(plant: Any) -> None:
    from unigrad_torch.bridge import by_rule

    plant("torch", "logaddexp", lambda honest: by_rule("hypot", torch.logaddexp))
    assert "gradients float64" in findings("torch", "logaddexp")


def test_bridge_that_forgets_to_conjugate(monkeypatch: pytest.MonkeyPatch) -> None:
    import unigrad_torch.bridge as torch_bridge

    assert not findings("torch", "pow")
    monkeypatch.setattr(torch_bridge, "conj", lambda x: x)
    assert "gradients float64" in findings("torch", "pow")


def test_body_that_is_meant_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """One value in two places: without values of their own each place gets the sum of both."""
    from unigrad.autodiff.rules import composites

    def cotangent() -> Any:
        with ug.use_backend("numpy"), ug.GradientTape() as tape:
            x = ug.asarray([1.0, 2.0])
            tape.watch(x)
            y = ug.vecdot(x, x)
        return tape.gradient(y, x).tolist()

    assert cotangent() == [2.0, 4.0]
    monkeypatch.setattr(composites, "another_handle", lambda x: x)
    assert cotangent() != [2.0, 4.0]


def test_a_kernel_bound_to_what_a_trace_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A constant that is made when a kernel is bound may be one of a graph that is traced then."""
    tf = importlib.import_module("tensorflow")
    backend = load_backend("tensorflow")
    kernel = OPS["tril"].kernels[backend]

    def bind(k: int) -> Any:
        lower, upper = tf.constant(-1), tf.constant(k)
        return lambda x: tf.linalg.band_part(x, lower, upper)

    assert findings("tensorflow", "tril") == set()
    monkeypatch.setitem(backend.binders, kernel, bind)
    assert "compiled" in findings("tensorflow", "tril")


# -- empty shapes


def test_pullback_that_guesses_a_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "matmul of (2, 5, 0) (0, 3)"
    assert empty_passes("numpy", name)
    pullbacks = load_backend("numpy").pullbacks
    honest = pullbacks["matmul"]

    def faulty(g: Any, out: Any, inputs: Any, wanted: Any) -> Any:
        inputs[0].reshape(-1, inputs[0].shape[-1])
        return honest(g, out, inputs, wanted)

    monkeypatch.setitem(pullbacks, "matmul", faulty)
    assert not empty_passes("numpy", name)


def test_gradient_of_the_wrong_empty_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "concat of (0, 3) (2, 3)"
    assert empty_passes("numpy", name)
    honest = OPS["concat"].rule

    def swapped(i: int, g: Any, out: Any, *xs: Any, axis: int) -> Any:
        return honest.variadic(1 - i, g, out, *xs, axis=axis)

    monkeypatch.setattr(OPS["concat"], "rule", Rule(variadic=swapped, jvp=honest.jvp))
    assert not empty_passes("numpy", name)
