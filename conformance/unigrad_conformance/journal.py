"""The outcomes of a run in a file, a line each: to go on after an interruption, and to report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unigrad.core.errors import UnigradError
from unigrad_conformance.ledger import Finding, Ledger, Tally
from unigrad_conformance.levels import Level
from unigrad_conformance.session import Outcome

#: Changes with the form of the lines.
_FORM = 1


class Journal:
    """A file that outcomes are appended to, and what an earlier run left in it.

    Args:
        path: the file; it is made if there is none.
        level: of this run. Outcomes of another level are not this run's.
        device: where this run places tensors, or None.

    Raises:
        UnigradError: when the file is no journal, or that of another run.
    """

    def __init__(self, path: Path, level: Level, device: str | None) -> None:
        self._path = path
        self._head = {"journal": _FORM, "level": level.value, "device": device}
        self._known: dict[tuple[str, str], dict[tuple[str, str], Outcome]] = {}
        lines = path.read_text().splitlines() if path.exists() else []
        if lines:
            self._take_over(lines)
        else:
            self._append(self._head)

    def known(self, backend: str, version: str) -> Mapping[tuple[str, str], Outcome]:
        """Return the outcomes on a backend of a version, by family and name."""
        return self._known.get((backend, version), {})

    def keep(self, outcome: Outcome, version: str) -> None:
        """Append an outcome on a backend of a version."""
        self._append({"version": version, **as_record(outcome)})

    def _append(self, record: Mapping[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(record) + "\n")

    def _take_over(self, lines: list[str]) -> None:
        records = []
        for number, line in enumerate(lines, 1):
            try:
                records.append(json.loads(line))
            except ValueError as error:
                if number < len(lines):
                    raise UnigradError(f"{self._path}: line {number} is no JSON") from error
                # The run was ended while it wrote this one.
                kept = "".join(f"{one}\n" for one in lines[:-1])
                self._path.write_text(kept)
        if not records or records[0] != self._head:
            raise UnigradError(
                f"{self._path} is not the journal of a run at level {self._head['level']} on "
                f"device {self._head['device']}"
            )
        for record in records[1:]:
            outcome = from_record(record)
            home = self._known.setdefault((outcome.ledger.backend, record["version"]), {})
            home[outcome.family, outcome.name] = outcome


def as_record(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain data."""
    ledger = outcome.ledger
    return {
        "backend": ledger.backend,
        "family": outcome.family,
        "name": outcome.name,
        "seconds": round(outcome.seconds, 4),
        "passed": ledger.passed,
        "unsupported": ledger.unsupported,
        "checks": {check: list(tally) for check, tally in ledger.checks.items()},
        "worst": [[op, dtype, error] for (op, dtype), error in ledger.worst.items()],
        "findings": [[one.family, one.subject, one.check, one.message] for one in ledger.findings],
    }


def from_record(record: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `as_record` made plain data of."""
    backend = record["backend"]
    ledger = Ledger(
        backend,
        findings=[Finding(backend, *one) for one in record["findings"]],
        passed=dict(record["passed"]),
        unsupported=dict(record["unsupported"]),
        checks={check: Tally(*tally) for check, tally in record["checks"].items()},
        worst={(op, dtype): error for op, dtype, error in record["worst"]},
    )
    return Outcome(record["family"], record["name"], record["seconds"], ledger)
