"""The suite's checks of compiled functions are themselves tested: each planted fault is caught."""

import builtins
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import unigrad as ug
from unigrad.core import context, recorders
from unigrad.core.registry import load_backend
from unigrad.tracing import calling, dependencies, signature
from unigrad.tracing.capture import Capture
from unigrad.tracing.dependencies import Dependencies
from unigrad.tracing.program import Trace
from unigrad_conformance.program_variables import ASSIGNED, PROGRAM_VARIABLES
from unigrad_conformance.programs import PROGRAMS

Patch = pytest.MonkeyPatch
CHECKS = PROGRAMS | PROGRAM_VARIABLES | ASSIGNED


@pytest.fixture(params=["numpy", "torch", "jax", "tensorflow"])
def compiled(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run on every backend."""
    load_backend("torch")
    with ug.use_backend(request.param):
        yield request.param


def _without_context(name: str) -> Callable[[Patch], None]:
    def plant(patch: Patch) -> None:
        readers = tuple(read for key, read in context._readers.items() if key != name)
        patch.setattr(context, "reading", readers)

    return plant


def _static_by_value(patch: Patch) -> None:
    patch.setattr(signature, "exact", lambda value: value)


def _written_otherwise(pattern: str, replacement: str) -> Callable[[Patch], None]:
    """Change the text of what calls a program."""
    honest = calling._compiled

    def compiled(source: str) -> Any:
        return honest(re.sub(pattern, replacement, source))

    return lambda patch: patch.setattr(calling, "_compiled", compiled)


def _stale_reads(patch: Patch) -> None:
    patch.setattr(builtins, "first_values", {}, raising=False)
    kept = r"= first_values.setdefault(\1.uid, \1._tensor)"
    _written_otherwise(r"= (read\d+)\._tensor", kept)(patch)


def _reads_baked_in(patch: Patch) -> None:
    patch.setattr(Trace, "read", lambda self, v: self._values.get(v.uid, v._tensor))


def _reads_before_writes(patch: Patch) -> None:
    honest = Trace.read
    first: dict[tuple[int, int], Any] = {}
    patch.setattr(
        Trace, "read", lambda self, v: first.setdefault((id(self), v.uid), honest(self, v))
    )


def _writes_at_once(patch: Patch) -> None:
    honest = Trace.write

    def write(self: Trace, variable: ug.Variable, tensor: ug.Tensor) -> None:
        honest(self, variable, tensor)
        variable.replace(tensor)

    patch.setattr(Trace, "write", write)


def _nothing_noted(method: str) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(Dependencies, method, lambda self, *args: None)


def _changes_uncounted(patch: Patch) -> None:
    patch.setattr(dependencies, "structure_changed", lambda: None)


def _containers_unseen(patch: Patch) -> None:
    patch.setattr(dependencies, "_containers", lambda value, inside=False: [])


def _members_unseen(patch: Patch) -> None:
    patch.setattr(dependencies, "_members_stay", lambda container: lambda: True)


def _names_unseen(patch: Patch) -> None:
    patch.setattr(dependencies, "names_of", lambda roots: ([], []))


def _never_the_same(patch: Patch) -> None:
    honest = Dependencies.settle

    def settle(self: Dependencies) -> None:
        honest(self)
        self.others.append(lambda: False)

    patch.setattr(Dependencies, "settle", settle)


def _labels_unchecked(patch: Patch) -> None:
    patch.setattr("unigrad.ops.losses.hidden", lambda labels: False)


def _tokens_unchecked(patch: Patch) -> None:
    # In the package the function stands in the module's place.
    module = sys.modules["unigrad.nn.embedding"]
    patch.setattr(module, "behind_if_negative", lambda labels, classes: labels)


def _kept_values_assigned(patch: Patch) -> None:
    patch.setattr("unigrad.core.variable._of_no_trace", lambda tensor, name: tensor)


def _ends_end_all(patch: Patch) -> None:
    patch.setattr(recorders._Process, "begin", lambda self: self.recording.add(-1) or -1)


FAULTS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "training mode ignored": (
        _without_context("training mode"),
        "training mode is in the signature",
    ),
    "default dtype ignored": (
        _without_context("default dtype"),
        "default dtype is in the signature",
    ),
    "static type ignored": (_static_by_value, "static types are in the signature"),
    "writes lost": (
        _written_otherwise(r"write\d+\._tensor = .*", "pass"),
        "writes arrive",
    ),
    "first write lost": (
        _written_otherwise(r"write0\._tensor = .*", "pass"),
        "writes without reads arrive",
    ),
    "reads stale": (_stale_reads, "reads are fresh"),
    "reads baked in": (_reads_baked_in, "reads are fresh"),
    "a write is not read": (_reads_before_writes, "writes arrive"),
    "written while tracing": (_writes_at_once, "a failed call changes nothing"),
    "trainable ignored": (_nothing_noted("on_trainable"), "a change of trainable is seen"),
    "replaced variable ignored": (_nothing_noted("on_attribute"), "a replaced variable is seen"),
    "attribute ignored": (_nothing_noted("on_attribute"), "a changed attribute is seen"),
    "changes uncounted": (_changes_uncounted, "a changed attribute is seen"),
    "lists read once": (_containers_unseen, "a longer list is seen"),
    "lists of modules unseen": (_members_unseen, "a longer list is seen"),
    "names bound once": (_names_unseen, "a rebound name is seen"),
    "traced at every call": (_never_the_same, "nothing else retraces"),
    "labels unchecked": (_labels_unchecked, "labels out of range are nan"),
    "tokens unchecked": (_tokens_unchecked, "labels out of range are nan"),
    "a loop's end ends the trace around it": (_ends_end_all, "variables around scan"),
    "a batch's end ends the trace around it": (_ends_end_all, "variables around vmap"),
    "a layer's loop ends the trace": (_ends_end_all, "weights of Bidirectional"),
    "kept values assigned": (_kept_values_assigned, "kept tensors are refused"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(
    compiled: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, check = FAULTS[fault]
    plant(monkeypatch)
    assert _is_found(check)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("kind", ["custom_vjp", "custom_jvp", "custom_gradient"])
@pytest.mark.parametrize("where", ["around", "inside"])
def test_functions_that_close_over_variables(
    backend: str, kind: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In programs of unigrad's own such a function would run later, and read what is there then."""
    monkeypatch.setattr(Capture, "closes", False)
    monkeypatch.setattr(Trace, "closes", False)
    with ug.use_backend(backend):
        assert _is_found(f"assigned {where} a function with a {kind}")


def test_going_on_with_what_leaked_from_torchs_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = load_backend("torch")
    honest = torch.trace
    # By torch's own capture.
    monkeypatch.setattr(torch, "trace", lambda f, given, _: honest(f, given, {"compiler": "graph"}))
    with ug.use_backend("torch"):
        assert not _is_found("kept tensors are refused")
        monkeypatch.setattr(sys.modules["unigrad_torch.backend"], "finished", set())
        assert _is_found("kept tensors are refused")


def _is_found(check: str) -> bool:
    """Tell whether a check fails, by itself or by an error of the library."""
    try:
        CHECKS[check]()
    except Exception:
        return True
    return False
