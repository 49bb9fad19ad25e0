"""The suite as tests: ``pytest --pyargs unigrad_conformance --unigrad-backend mlx``."""

from __future__ import annotations

import pytest

from unigrad_conformance import completeness
from unigrad_conformance.running import Trial


def test_backend(
    unigrad_trial: Trial,
    unigrad_backend: str,
    unigrad_frameworks: dict[str, str | None],
    unigrad_chosen: bool,
    unigrad_device: str | None,
) -> None:
    """Try one thing on one backend."""
    absent = unigrad_frameworks[unigrad_backend]
    if absent is not None:
        if unigrad_chosen:
            pytest.fail(absent, pytrace=False)
        pytest.skip(absent)
    ledger = unigrad_trial.on(unigrad_backend)
    assert sum(ledger.passed.values()) + len(ledger.findings), "nothing was checked"
    if ledger.findings:
        pytest.fail("\n".join(str(one) for one in ledger.findings), pytrace=False)


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
