"""The suite as tests: ``pytest --pyargs unigrad_conformance --unigrad-backend mlx``."""

from __future__ import annotations

import pytest

from unigrad_conformance import completeness
from unigrad_conformance.backends import spares_programs
from unigrad_conformance.levels import Level
from unigrad_conformance.running import Trial


def test_backend(
    unigrad_trial: Trial,
    unigrad_backend: str,
    unigrad_frameworks: dict[str, str | None],
    unigrad_chosen: bool,
    unigrad_device: str | None,
    unigrad_level: Level,
) -> None:
    """Try one thing on one backend."""
    absent = unigrad_frameworks[unigrad_backend]
    if absent is not None:
        if unigrad_chosen:
            pytest.fail(absent, pytrace=False)
        pytest.skip(absent)
    trial = unigrad_trial
    if trial.further and spares_programs(unigrad_level, unigrad_backend, trial.family):
        pytest.skip("one of many alike: full runs it")
    ledger = trial.on(unigrad_backend)
    if ledger.findings:
        pytest.fail("\n".join(str(one) for one in ledger.findings), pytrace=False)
    if ledger.unsupported and not ledger.passed:
        pytest.skip("unsupported")
    assert sum(ledger.passed.values()), "nothing was checked"


def test_every_function_has_a_sample() -> None:
    """A public function without a sample is named."""
    assert completeness.functions_without_sample() == []


def test_every_op_has_a_sample() -> None:
    """An op that no sample runs is named."""
    assert completeness.ops_without_sample() == []


def test_every_op_of_complex_numbers_has_a_sample_of_them() -> None:
    """An op that takes complex numbers, and that no sample runs on any, is named."""
    assert completeness.ops_without_complex_sample() == []


def test_every_op_has_a_derivative() -> None:
    """An op with neither rule nor body is named."""
    assert completeness.ops_without_derivative() == []


def test_every_op_runs_on_batches() -> None:
    """An op that has no batching rule, and needs one, is named."""
    assert completeness.ops_without_batching() == []


def test_every_operand_is_perturbed() -> None:
    """An operand that no row perturbs is named."""
    assert completeness.operands_not_perturbed() == []


def test_every_number_is_an_operand() -> None:
    """A parameter of a public function that takes numbers, and no tensors, is named."""
    assert completeness.numbers_that_are_no_operands() == []
