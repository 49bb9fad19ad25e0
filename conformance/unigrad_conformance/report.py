"""The report: a table of op families and backends, the worst errors, and the deviations."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from unigrad_conformance.ledger import Finding, Ledger, Tally
from unigrad_conformance.levels import Level
from unigrad_conformance.session import Outcome

#: How many ops the list of worst errors names per backend.
_NAMED = 10


def families(ledgers: Sequence[Ledger]) -> list[str]:
    """Return all families, in the order in which they were tried."""
    found: dict[str, None] = {}
    for ledger in ledgers:
        found.update(dict.fromkeys(ledger.passed))
        found.update(dict.fromkeys(one.family for one in ledger.findings))
        found.update(dict.fromkeys(ledger.unsupported))
    return list(found)


def cell(ledger: Ledger, family: str) -> str:
    """Return how a family fared on a backend: passed of all, and what it could not be put to."""
    passed = ledger.passed.get(family, 0)
    failed = sum(one.family == family for one in ledger.findings)
    parts = [f"{passed}/{passed + failed}"] if passed + failed else []
    if family in ledger.unsupported:
        parts.append(f"{ledger.unsupported[family]} unsupported")
    return ", ".join(parts)


def worst(ledger: Ledger) -> list[tuple[str, str, float]]:
    """Return the ops and dtypes whose values have the largest errors, in units."""
    values = [one for one in ledger.worst.items() if " " not in one[0][1]]
    ranked = sorted(values, key=lambda one: -one[1])
    return [(op, dtype, error) for (op, dtype), error in ranked[:_NAMED]]


def slowest(outcomes: Mapping[str, Sequence[Outcome]], count: int) -> list[str]:
    """Return a line for each of the trials that took longest on a backend."""
    return [
        f"{backend}: {one.seconds:.2f} s {one.family}/{one.name}"
        for backend, some in outcomes.items()
        for one in sorted(some, key=lambda one: -one.seconds)[:count]
    ]


def as_json(ledgers: Sequence[Ledger]) -> dict[str, Any]:
    """Return everything as plain data."""
    return {
        ledger.backend: {
            "version": ledger.version,
            "passed": ledger.passed,
            "unsupported": ledger.unsupported,
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


def as_markdown(
    ledgers: Sequence[Ledger],
    outcomes: Mapping[str, Sequence[Outcome]],
    absent: Mapping[str, str],
    level: Level,
    device: str | None,
) -> str:
    """Return the report as Markdown. The arguments are those of `unigrad_conformance.page`."""
    lines = ["# Conformance report", "", f"{where_and_when(level, device)}", ""]
    lines += _table(
        ["backend", "version", "passed", "failed", "unsupported", "trials", "time"],
        [_totals(one, outcomes[one.backend]) for one in ledgers],
    )
    lines += [f"\nSkipped: {name}: {_flat(reason)}" for name, reason in absent.items()]
    lines += [
        "", "What is unsupported a backend says itself that it has not. `unigrad conformance",
        f"--level {level.value} --report report.md` writes this page.",
        "", "## Families", "", "Checks passed of checks made:", "",
    ]  # fmt: skip
    lines += _table(
        ["family", *[_title(one) for one in ledgers]],
        [[family, *[cell(one, family) for one in ledgers]] for family in families(ledgers)],
    )
    lines += ["", "## Deviations", ""]
    findings: list[Finding] = [one for ledger in ledgers for one in ledger.findings]
    lines += [f"- {_flat(str(one))}" for one in findings] or ["None."]
    lines += [
        "", "## Worst errors", "",
        "Of each family's values, and of its gradients beside the textbook's, in units in the last",
        "place (see [conformance](conformance.md#samples)), with the op that has it.", "",
    ]  # fmt: skip
    lines += _table(["family", *[one.backend for one in ledgers]], _worst_rows(ledgers, outcomes))
    lines += ["", "## The least exact ops", ""]
    rows = [
        [ledger.backend, op, what, f"{error:.2f}"]
        for ledger in ledgers
        for op, what, error in worst(ledger)
    ]
    lines += _table(["backend", "op", "of", "units"], rows)
    return "\n".join(lines) + "\n"


def where_and_when(level: Level, device: str | None) -> str:
    """Return a sentence: what was run, where, and when."""
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return (
        f"Level {level.value}, device {device or 'the default one'}, "
        f"{datetime.now(UTC).strftime('%Y-%m-%d')}, {system}, unigrad {version('unigrad')}."
    )


def _totals(ledger: Ledger, outcomes: Sequence[Outcome]) -> list[str]:
    total = sum(ledger.checks.values(), Tally())
    seconds = round(sum(one.seconds for one in outcomes))
    return [
        ledger.backend,
        ledger.version,
        *[f"{number:,}" for number in total],
        f"{len(outcomes):,}",
        f"{seconds // 60} min {seconds % 60} s",
    ]


def _worst_rows(
    ledgers: Sequence[Ledger], outcomes: Mapping[str, Sequence[Outcome]]
) -> list[list[str]]:
    """Return a row per family and kind of error: the worst on each backend."""
    found: dict[tuple[str, bool], dict[str, tuple[float, str]]] = {}
    for backend, some in outcomes.items():
        for one in some:
            for (op, what), error in one.ledger.worst.items():
                row = found.setdefault((one.family, " " in what), {})
                if error >= row.get(backend, (0.0, ""))[0]:
                    row[backend] = error, f"{op} {what.partition(' ')[0]}"
    return [
        [
            f"{family}, gradients" if gradients else family,
            *[
                f"{row[one.backend][0]:.2f} ({row[one.backend][1]})" if one.backend in row else "–"
                for one in ledgers
            ],
        ]
        for (family, gradients), row in found.items()
    ]


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
