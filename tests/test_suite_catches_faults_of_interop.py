"""The suite is itself tested: faults planted where arrays of a caller come in and go out."""

import importlib
from typing import Any

import pytest

import unigrad as ug
from unigrad.autodiff.tape import GradientTape
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.native import interop
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.levels import Level
from unigrad_conformance.report import as_json, as_markdown
from unigrad_conformance.running import try_interop

VALUES = "values"
FIRST = "the library's own gradient"
SECOND = "the library's own gradient of a tape's"
# The function `ug.interop` has the name of the module that it is in.
module = importlib.import_module("unigrad.native.interop")


def findings(backend: str, op: str = "tanh") -> set[str]:
    """Return the names of the checks that an op does not pass."""
    ledger = Ledger(backend)
    with ug.use_backend(backend):
        try_interop(op, ledger)
    return {one.check for one in ledger.findings}


@pytest.fixture(params=["torch", "tensorflow"])
def backend(request: pytest.FixtureRequest) -> str:
    load_backend("torch")
    return str(request.param)


def test_nothing_is_found_without_a_fault(backend: str) -> None:
    assert findings(backend) == set()


def test_the_callers_graph_is_cut(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    honest = module._entering
    stop = OPS["stop_gradient"]

    def faulty(home: Any, leaf: Any) -> Any:
        entered = honest(home, leaf)
        return stop(entered) if isinstance(entered, ug.Tensor) else entered

    monkeypatch.setattr(module, "_entering", faulty)
    assert {FIRST, SECOND} <= findings(backend)


def test_a_kernel_that_only_tapes_differentiate(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    home = load_backend(backend)
    op = OPS["tanh"]
    honest, stop = op.kernels[home], OPS["stop_gradient"].kernels[home]
    monkeypatch.setitem(op.kernels, home, lambda x: stop(honest(x)))
    assert FIRST in findings(backend)


def test_a_tape_inside_cuts_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = GradientTape.__init__

    def faulty(self: Any, *args: Any, **settings: Any) -> None:
        honest(self, *args, **settings)
        self.needs_rules = settings.get("reference", False)

    monkeypatch.setattr(GradientTape, "__init__", faulty)
    assert findings("torch") == {SECOND}


def test_what_comes_back_is_no_array(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setattr(module, "_leaving", lambda function, home, leaf: leaf)
    assert VALUES in findings(backend)


def test_what_comes_back_has_another_dtype(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    honest = module._leaving

    def faulty(function: Any, home: Any, leaf: Any) -> Any:
        return honest(function, home, leaf.astype("float32"))

    monkeypatch.setattr(module, "_leaving", faulty)
    assert VALUES in findings(backend)


def test_what_a_backend_lacks_is_not_passed() -> None:
    """NumPy has no autograd: its arrays come and go, and that alone is counted."""
    ledger = Ledger("numpy", version="2")
    with ug.use_backend("numpy"):
        try_interop("tanh", ledger)
    count = ledger.passed["interop"]
    assert ledger.unsupported == {"interop": 2 * count}
    assert f"{count}/{count}, {2 * count} unsupported" in as_markdown(
        [ledger], {ledger.backend: []}, {}, Level.QUICK, None
    )
    assert as_json([ledger])["numpy"]["unsupported"] == {"interop": 2 * count}
    total = Ledger("numpy")
    total.add(ledger)
    total.add(ledger)
    assert total.unsupported == {"interop": 4 * count}


def test_a_library_that_should_differentiate_and_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who claims an autograd of its own is put to it."""
    home = load_backend("torch")
    monkeypatch.setattr(type(home), "vjp", type(load_backend("numpy")).vjp)
    assert {FIRST, SECOND} <= findings("torch")


def test_the_function_is_public() -> None:
    assert ug.interop is interop
