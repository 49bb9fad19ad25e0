"""The report: a table of op families and backends, the worst errors, and the deviations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad_conformance.ledger import Finding, Ledger

#: How many ops the list of worst errors names per backend.
_NAMED = 10


def families(ledgers: Sequence[Ledger]) -> list[str]:
    """Return all families, in the order in which they were tried."""
    found: dict[str, None] = {}
    for ledger in ledgers:
        found.update(dict.fromkeys(ledger.passed))
        found.update(dict.fromkeys(one.family for one in ledger.findings))
    return list(found)


def cell(ledger: Ledger, family: str) -> str:
    """Return how a family fared on a backend: passed of all."""
    passed = ledger.passed.get(family, 0)
    failed = sum(one.family == family for one in ledger.findings)
    return f"{passed}/{passed + failed}" if passed + failed else ""


def worst(ledger: Ledger) -> list[tuple[str, str, float]]:
    """Return the ops and dtypes with the largest errors, in units in the last place."""
    ranked = sorted(ledger.worst.items(), key=lambda one: -one[1])
    return [(op, dtype, error) for (op, dtype), error in ranked[:_NAMED]]


def as_json(ledgers: Sequence[Ledger]) -> dict[str, Any]:
    """Return everything as plain data."""
    return {
        ledger.backend: {
            "version": ledger.version,
            "passed": ledger.passed,
            "worst_error_in_units": {
                f"{op} {dtype}": error for (op, dtype), error in sorted(ledger.worst.items())
            },
            "deviations": [
                {
                    "family": one.family,
                    "subject": one.subject,
                    "check": one.check,
                    "message": one.message,
                }
                for one in ledger.findings
            ],
        }
        for ledger in ledgers
    }


def as_markdown(ledgers: Sequence[Ledger]) -> str:
    """Return the report as Markdown."""
    lines = ["# Conformance", "", "Checks passed of checks made:", ""]
    lines += _table(
        ["family", *[_title(one) for one in ledgers]],
        [[family, *[cell(one, family) for one in ledgers]] for family in families(ledgers)],
    )
    lines += ["", "## Worst errors", "", "In units in the last place, see `problem.py`.", ""]
    rows = [
        [ledger.backend, op, dtype, f"{error:.2f}"]
        for ledger in ledgers
        for op, dtype, error in worst(ledger)
    ]
    lines += _table(["backend", "op", "dtype", "units"], rows)
    lines += ["", "## Deviations", ""]
    findings: list[Finding] = [one for ledger in ledgers for one in ledger.findings]
    lines += [f"- {_flat(str(one))}" for one in findings] or ["None."]
    return "\n".join(lines) + "\n"


def _title(ledger: Ledger) -> str:
    return f"{ledger.backend} {ledger.version}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
        *[f"| {' | '.join(row)} |" for row in rows],
    ]
