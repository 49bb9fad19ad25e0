"""Wrong optimizers, a hundred and more: the suite's trajectories must reject each."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from optimizer_mutants import MUTANTS, Mutant, planted

import unigrad as ug
from unigrad.core.op import OPS
from unigrad.core.registry import load_backend
from unigrad.optimizers.numbers import Hyperparameter
from unigrad_conformance.optimizers.cases import CHANGING, DEFAULTS
from unigrad_conformance.subject import Deviation
from unigrad_conformance.trajectories import (
    EAGER,
    LATER,
    PURE,
    SETTINGS,
    TRAJECTORIES,
    numbers_change,
)


def _rejected(classes: tuple[str, ...]) -> bool:
    """Tell whether a check of some optimizers, or of the defaults, fails on NumPy."""
    chosen = [
        check
        for name, check in {**TRAJECTORIES, **EAGER, **PURE, **SETTINGS}.items()
        if name == "defaults" or not classes or name.partition("(")[0] in classes
    ]
    chosen += [
        partial(numbers_change, case, compiled=False)
        for case in CHANGING
        if not classes or case.name in classes
    ]
    with ug.use_backend("numpy"):
        return any(_fails(check) for check in chosen)


def _fails(check: Callable[[], None]) -> bool:
    try:
        check()
    except (Deviation, RuntimeWarning):  # NumPy warns of a NaN.
        return True
    return False


def _id(mutant: Mutant) -> str:
    return f"{mutant.module}: {mutant.new}"[:60].replace("\n", " ")


@pytest.mark.parametrize("mutant", MUTANTS, ids=_id)
def test_wrong_optimizer(mutant: Mutant) -> None:
    with planted(mutant):
        assert _rejected(mutant.classes)


def test_nothing_is_rejected_without_a_fault() -> None:
    assert not _rejected(())


def test_planting_alone_changes_nothing() -> None:
    with planted(MUTANTS[0]._replace(new=MUTANTS[0].old)):
        assert not _rejected(("SGD", "Momentum"))


@pytest.mark.parametrize(("op", "name"), [
    ("sgd_update", "SGD"), ("momentum_update", "Momentum"), ("adam_update", "Adam"),
])  # fmt: skip
@pytest.mark.parametrize("fault", ["rate", "order", "late"])
def test_wrong_kernel(monkeypatch: pytest.MonkeyPatch, op: str, name: str, fault: str) -> None:
    backend = load_backend("numpy")
    honest: Any = OPS[op].kernels[backend]

    def wrong(step: Any, rate: Any, *rest: Any) -> Any:
        if fault == "order":
            found = honest(step, rate, *rest)
            return [found[1], found[0], *found[2:]]
        return honest(*_faulty(fault, name, step, rate), *rest)

    monkeypatch.setitem(OPS[op].kernels, backend, wrong)
    if fault == "order":
        with ug.use_backend("numpy"), pytest.raises((Deviation, ug.ShapeError)):
            PURE[f"{name}(), pure"]()
    else:
        assert _rejected((name,))


@pytest.mark.parametrize(("op", "name"), [("momentum_update", "Momentum"), ("adam_update", "Adam")])
@pytest.mark.parametrize("fault", ["rate", "late"])
def test_wrong_kernel_in_place(
    monkeypatch: pytest.MonkeyPatch, op: str, name: str, fault: str
) -> None:
    backend = load_backend("numpy")
    honest = backend.in_place[op]

    def wrong(step: Any, rate: Any, *rest: Any) -> None:
        honest(*_faulty(fault, name, step, rate), *rest)

    monkeypatch.setattr(backend, "in_place", {op: wrong})
    with ug.use_backend("numpy"), pytest.raises(Deviation):
        EAGER[f"{name}()"]()


def _faulty(fault: str, name: str, step: Any, rate: Any) -> tuple[Any, Any]:
    """Return a wrong number of the step, or a wrong rate."""
    if fault == "rate":
        return step, rate * (1.0 + 1e-6)
    return step + 1, rate * (1.0 if name == "Adam" else 1.01)


def test_every_optimizer_has_mutants() -> None:
    assert {name for mutant in MUTANTS for name in mutant.classes} == set(DEFAULTS)
    assert len(MUTANTS) >= 66


def test_numbers_set_later_hold() -> None:
    with ug.use_backend("numpy"):
        for check in LATER.values():
            check()


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adafactor"])
def test_a_number_that_a_formula_does_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hyperparameter, "_require_unchanged", lambda *_: None)
    with ug.use_backend("numpy"), pytest.raises(Deviation, match="set later"):
        LATER[f"{name}(), set later"]()


@pytest.mark.parametrize(
    ("optimizer", "name", "value"),
    [
        (ug.optimizers.SGD(0.1), "momentum", 0.9),
        (ug.optimizers.SGD(0.1, 0.9, nesterov=True), "dampening", 0.1),
        (ug.optimizers.RMSprop(0.1), "momentum", 0.9),
        (ug.optimizers.Adam(0.1), "epsilon_root", 1e-8),
        (ug.optimizers.NAdam(0.1, momentum_decay=None), "momentum_decay", 0.004),
        (ug.optimizers.Adafactor(0.1, threshold=None), "threshold", 1.0),
    ],
)
def test_such_a_number_is_refused(optimizer: Any, name: str, value: float) -> None:
    kept = getattr(optimizer, name)
    with pytest.raises(ug.SettingError, match=f"{name}={value}: it was made with {name}={kept}"):
        setattr(optimizer, name, value)
    setattr(optimizer, name, kept)
    assert getattr(optimizer, name) == kept
