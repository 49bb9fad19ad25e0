"""The suite is itself tested: a fault planted into a kernel or a rule must be caught, and where.

Each fault replaces one kernel or rule for the time of a test; the same trial must pass before.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.autodiff.rules.registry import Rule
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad_conformance.checks import second_order
from unigrad_conformance.edge import check_edge, every_edge
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.running import op_trials, try_op
from unigrad_conformance.samples import ops
from unigrad_conformance.subject import Deviation

Plant = Callable[[str, Callable[..., Any]], None]


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Differences of a faulty gradient are not kept for the next test."""
    monkeypatch.setattr(second_order, "_differences", {})


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    """Replace NumPy kernels: ``kernel(op, make)`` with make(honest kernel) → faulty kernel."""
    backend = load_backend("numpy")

    def plant(name: str, make: Callable[..., Any]) -> None:
        op = OPS[name]
        monkeypatch.setitem(op.kernels, backend, make(op.kernels[backend]))
        # A fused rule would go around the kernel's place; a composite would go into its body.
        assert op.kernels[backend] is not None

    with ug.use_backend("numpy"):
        yield plant


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Replace rules of the reference: by (op, vjp, jvp), each made from the honest one."""

    def plant(name: str, vjp: Any = None, jvp: Any = None) -> None:
        honest = OPS[name].rule
        vjps = [vjp(one) if vjp else one for one in honest.vjps]
        faulty = Rule(vjps, jvp(honest.jvp) if jvp else honest.jvp)
        monkeypatch.setattr(OPS[name], "rule", faulty)

    with ug.use_backend("numpy"):
        yield plant


def findings(op: str) -> set[str]:
    """Return the names of the checks that an op does not pass."""
    ledger = Ledger("numpy")
    with ug.use_backend("numpy"):
        try_op(op, ledger)
    return {one.check for one in ledger.findings}


@pytest.mark.parametrize("op", ["tanh", "exp", "multiply", "matmul", "sum"])
def test_nothing_is_found_without_a_fault(op: str) -> None:
    assert findings(op) == set()


@pytest.mark.parametrize("error", [1e-3, 1e-5])
def test_wrong_value(kernel: Plant, error: float) -> None:
    kernel("exp", lambda honest: lambda x: honest(x) * x.dtype.type(1.0 + error))
    assert {"values float64", "values float32"} <= findings("exp")


def test_value_computed_in_a_lower_precision(kernel: Plant) -> None:
    kernel("exp", lambda honest: lambda x: honest(x.astype(np.float32)).astype(x.dtype))
    assert "values float64" in findings("exp")


def test_wrong_dtype(kernel: Plant) -> None:
    kernel("tanh", lambda honest: lambda x: honest(x.astype(np.float64)))
    assert "values float32" in findings("tanh")


def test_wrong_shape(kernel: Plant) -> None:
    kernel("tanh", lambda honest: lambda x: honest(x)[..., None])
    assert "values float64" in findings("tanh")


def test_nan_in_place_of_a_value(kernel: Plant) -> None:
    kernel("tanh", lambda honest: lambda x: np.where(x > 0.5, np.nan, honest(x)).astype(x.dtype))
    assert "values float64" in findings("tanh")


def test_kernel_that_changes_its_input(kernel: Plant) -> None:
    def make(honest: Any) -> Any:
        def faulty(x: Any) -> Any:
            result = honest(x)
            if isinstance(x, np.ndarray):
                x *= 1.0
                x += 1.0
            return result

        return faulty

    kernel("tanh", make)
    assert "purity" in findings("tanh")


def test_kernel_that_is_not_a_function(kernel: Plant) -> None:
    generator = np.random.default_rng(0)
    kernel("tanh", lambda honest: lambda x: honest(x) + x.dtype.type(generator.uniform(0, 1e-6)))
    assert "purity" in findings("tanh")


def test_reverse_rule_that_is_slightly_off(rule: Callable[..., None]) -> None:
    # An op that NumPy has no pullback of its own for: that would go around the rule.
    rule("exp", vjp=lambda honest: lambda *args, **settings: honest(*args, **settings) * 1.0005)
    assert {"gradients float64", "forward mode"} <= findings("exp")


def test_pull_back_that_is_slightly_off(monkeypatch: pytest.MonkeyPatch) -> None:
    pullbacks = load_backend("numpy").pullbacks
    honest = pullbacks["tanh"]
    monkeypatch.setitem(pullbacks, "tanh", lambda g, *rest: honest(g * 1.0005, *rest))
    assert {"gradients float64", "forward mode"} <= findings("tanh")


def test_rule_of_the_second_input(rule: Callable[..., None]) -> None:
    rule("divide", vjp=lambda honest: lambda g, out, x, y: abs(honest(g, out, x, y)))
    assert "gradients float64" in findings("divide")


def test_missing_factor_in_the_forward_rule(rule: Callable[..., None]) -> None:
    rule("tanh", jvp=lambda honest: lambda tangents, out, *inputs, **settings: tangents[0])
    assert findings("tanh") == {"forward mode"}


def test_rule_that_is_right_only_once(rule: Callable[..., None]) -> None:
    # The value of the derivative is right, but it does not depend on the input any more.
    def make(honest: Any) -> Any:
        return lambda g, out, x: g * ug.asarray(1.0 - np.tanh(x.numpy()) ** 2)

    rule("tanh", vjp=make)
    assert findings("tanh") >= {"second order"}


# What follows is right for reals: only the samples of complex numbers can tell.


def test_cotangent_that_is_not_conjugated(rule: Callable[..., None]) -> None:
    rule("abs", vjp=lambda honest: lambda g, out, x: ug.conj(honest(g, out, x)))
    assert {"gradients float64", "forward mode"} <= findings("abs")


def test_conjugate_too_many(rule: Callable[..., None]) -> None:
    rule("square", vjp=lambda honest: lambda g, out, x: honest(ug.conj(g), out, x))
    assert {"gradients float64", "forward mode"} <= findings("square")


def test_conjugate_too_many_in_a_pull_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pullbacks = load_backend("numpy").pullbacks
    honest = pullbacks["matmul"]
    monkeypatch.setitem(
        pullbacks,
        "matmul",
        lambda g, out, inputs, wanted: honest(g, out, [np.conj(x) for x in inputs], wanted),
    )
    assert {"gradients float64", "forward mode"} <= findings("matmul")


def test_part_that_is_dropped(rule: Callable[..., None]) -> None:
    def make(honest: Any) -> Any:
        return lambda g, out, x: ug.astype(ug.astype(honest(g, out, x), "float64"), x.dtype)

    rule("exp", vjp=make)
    assert {"gradients float64", "forward mode"} <= findings("exp")


def test_forward_rule_without_the_conjugate(rule: Callable[..., None]) -> None:
    def make(honest: Any) -> Any:
        return lambda t, out, x: honest([ug.conj(t[0])], out, x)

    rule("abs", jvp=make)
    assert findings("abs") == {"forward mode"}


def test_complex_rule_that_is_right_only_once(rule: Callable[..., None]) -> None:
    def make(honest: Any) -> Any:
        return lambda g, out, x: g * ug.stop_gradient(ug.conj(ug.sign(x)))

    rule("abs", vjp=make)
    assert findings("abs") == {"second order"}


def test_wrong_subgradient_at_a_tie(rule: Callable[..., None]) -> None:
    tie = next(one for one in every_edge() if one.name == "maximum at a tie")
    check_edge(tie)
    rule(
        "maximum",
        vjp=lambda honest: lambda g, out, x, y: g * ug.astype(ug.equal(x, out), x.dtype),
    )
    with pytest.raises(Deviation, match="gradient"):
        check_edge(tie)


def test_every_op_is_tried() -> None:
    assert [trial.name for trial in op_trials()] == ops()
