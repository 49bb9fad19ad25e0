"""The example of a stranger's backend: found by its entry point, unknown to the core, and tried by
the suite. What it cannot do is counted as unsupported, and never as passed."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import unigrad as ug
from unigrad import cli
from unigrad.core import registry
from unigrad.core.op import OPS
from unigrad_conformance import running
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.levels import Level
from unigrad_conformance.running import every_trial
from unigrad_conformance.subject import Deviation

NAME = "array_api_strict"
FOLDER = Path(__file__).parent.parent / "conformance" / "strict_backend"


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The package on the path with its entry point, as if it were installed."""
    monkeypatch.syspath_prepend(FOLDER)
    own = list(metadata.entry_points(group=registry.GROUP))
    own.append(metadata.EntryPoint(NAME, "unigrad_array_api_strict:backend", registry.GROUP))
    monkeypatch.setattr(
        registry.metadata,
        "entry_points",
        lambda **which: metadata.EntryPoints(own).select(**which),
    )
    yield registry.load_backend(NAME)
    registry._loaded.pop(NAME, None)


#: One of each kind of trial.
SAMPLES = [
    "completeness/kernels", "tape/square_of_a_watched_tensor", "edges/add of bools",
    "errors/index array out of range", "devices/made_where_asked",
    "devices/moving_is_differentiable", "jit/a step is a step", "jit/reads out of bounds are nan",
    "transforms/linearisations", "vmap/nested", "control flow/a recurrence: reverse mode",
    "losses/huber", "activations/gelu", "creation/full", "elementwise/add",
    "elementwise/floor_divide", "elementwise/log1p", "indexing/at_add", "linear/einsum",
    "recurrent/gru_step", "reductions/std", "shaping/pad", "convolution/conv",
    "random/random.uniform", "fourier/fft.irfft", "matrices/linalg.svd", "matrices/linalg.inv",
    "sorting/argsort", "special/special.zeta", "special/special.lgamma",
    "interop/sin through interop", "ends/add at the ends",
]  # fmt: skip


def _ledger(backend: str, wanted: list[str]) -> Ledger:
    total, done = Ledger(backend), set()
    for trial in every_trial(Level.FULL):
        if (name := f"{trial.family}/{trial.name}") in wanted:
            total.add(trial.on(backend))
            done.add(name)
    assert done == set(wanted), set(wanted) - done
    return total


def test_the_suite_finds_no_deviation(strict: Any) -> None:
    found = _ledger(NAME, SAMPLES)
    assert [str(one) for one in found.findings] == []
    assert sum(found.passed.values()) > 300
    # Half precision, the derivative of lgamma, an autograd of the library's own.
    assert {"elementwise", "special", "interop"} <= set(found.unsupported)
    assert found.checks["gradients float64"].passed > 20


def test_the_command_runs_it_as_any_other(strict: Any) -> None:
    run = CliRunner().invoke(cli.app, ["conformance", "--backend", NAME, "--op", "special.zeta"])
    assert run.exit_code == 0, run.output
    assert "0 deviations" in run.output
    assert "unsupported" in run.output


def test_it_finds_its_backend_by_its_arrays(strict: Any) -> None:
    import array_api_strict as xp

    x = ug.asarray(xp.asarray([1.0, 2.0], dtype=xp.float64))
    assert (x.backend, x.dtype, x.device) == (strict, ug.float64, "cpu")
    value, gradient = ug.value_and_grad(lambda x: ug.sum(ug.exp(x) * x))(x)
    assert type(gradient.native) is strict.array_type
    assert np.allclose(gradient.numpy(), np.exp([1.0, 2.0]) * [2.0, 3.0])
    assert np.allclose(value.item(), np.sum(np.exp([1.0, 2.0]) * [1.0, 2.0]))


def test_what_it_lacks_is_said(strict: Any) -> None:
    with ug.use_backend(NAME):
        x = ug.asarray([1.0, 2.0])
        with pytest.raises(ug.UnsupportedError, match=r"has no 'digamma': the Array API standard"):
            ug.grad(lambda x: ug.sum(ug.special.lgamma(x)))(x)
        for make in (
            lambda: ug.asarray([1.0], dtype="float16"),
            lambda: ug.zeros(2, dtype="bfloat16"),
            lambda: ug.astype(x, "float16"),
        ):
            with pytest.raises(ug.UnsupportedError, match=r"has no b?float16"):
                make()


def test_unsupported_is_no_way_out(strict: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def completeness() -> list[str]:
        ledger = Ledger(NAME)
        running.kernel_trial().run(ledger)
        return [one.message for one in ledger.findings]

    assert completeness() == []
    # What is in neither table, what is no op, and what runs all the same.
    for unsupported, said in (
        ({name: why for name, why in strict.unsupported.items() if name != "zeta"}, "has no"),
        ({**strict.unsupported, "zetta": "misspelt"}, "is a kernel of no op"),
        ({**strict.unsupported, "sin": "too hard"}, "is unsupported and runs"),
        ({**strict.unsupported, "softmax": "too hard"}, "is unsupported and runs"),
    ):
        monkeypatch.setattr(strict, "unsupported", unsupported)
        assert [said in one for one in completeness()] == [True]


def test_a_trial_that_fails_outside_of_its_checks_stops_no_other() -> None:
    def refuse(ledger: Ledger) -> None:
        raise ValueError("no such oracle")

    ledger = running.Trial("f", "n", refuse).on("numpy")
    [finding] = ledger.findings
    assert (finding.subject, finding.check) == ("n", "trial")
    assert finding.message.startswith("ValueError: no such oracle (test_strict_backend.py:")


def test_a_deviation_beside_it_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking() -> None:
        raise ug.UnsupportedError("no such op")

    def wrong() -> None:
        try:
            lacking()
        except ug.UnsupportedError as error:
            raise Deviation("a wrong number") from error

    ledger = Ledger("numpy")
    assert not running.guarded(ledger, "f", "s", "c", lacking)
    assert not running.guarded(ledger, "f", "s", "c", wrong)
    assert (ledger.passed, ledger.unsupported, len(ledger.findings)) == ({}, {"f": 1}, 1)


@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "tensorflow"])
def test_ours_lack_nothing(name: str) -> None:
    backend = registry.load_backend(name)
    assert dict(backend.unsupported) == {}
    assert [op for op, one in OPS.items() if one.body is None and backend.kernel(one) is None] == []
