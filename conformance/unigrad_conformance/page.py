"""The report as one HTML page that needs nothing else: a table to search, and every deviation."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from unigrad_conformance.ledger import Ledger, Tally
from unigrad_conformance.levels import Level
from unigrad_conformance.report import where_and_when
from unigrad_conformance.session import Outcome
from unigrad_conformance.upstream import HEADS, ROWS, Row


def as_html(
    ledgers: Sequence[Ledger],
    outcomes: Mapping[str, Sequence[Outcome]],
    absent: Mapping[str, str],
    level: Level,
    device: str | None,
) -> str:
    """Return the page.

    Args:
        ledgers: what was found on each backend.
        outcomes: of each backend's trials.
        absent: why other backends were not tried.
        level: how much of the suite was run.
        device: where tensors were placed, or None.
    """
    data = {
        "about": where_and_when(level, device),
        "level": level.value,
        "absent": absent,
        "backends": [_backend(one, outcomes[one.backend]) for one in ledgers],
        "rows": _rows(outcomes),
        "upstream": [_found(row) for row in ROWS if row.library in outcomes],
    }
    template = files("unigrad_conformance").joinpath("page.html").read_text(encoding="utf-8")
    # Nothing in the data may end the element that it stands in.
    return template.replace("/*DATA*/", json.dumps(data, ensure_ascii=False).replace("</", "<\\/"))


def _backend(ledger: Ledger, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "name": ledger.backend,
        "version": ledger.version,
        "trials": len(outcomes),
        "seconds": sum(one.seconds for one in outcomes),
        "total": _total(ledger),
    }


def _rows(outcomes: Mapping[str, Sequence[Outcome]]) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for backend, some in outcomes.items():
        for one in some:
            key = one.family, one.name
            row = rows.setdefault(key, {"family": one.family, "name": one.name, "cells": {}})
            row["cells"][backend] = _cell(one)
    return list(rows.values())


def _cell(outcome: Outcome) -> dict[str, Any]:
    ledger = outcome.ledger
    units: dict[str, float | None] = {}
    for (_, what), error in ledger.worst.items():
        units[what] = _number(error)
    cell: dict[str, Any] = {
        "total": _total(ledger),
        "checks": ledger.checks,
        "units": units,
        "seconds": outcome.seconds,
        "findings": [
            {"subject": one.subject, "check": one.check, "message": one.message}
            for one in ledger.findings
        ],
    }
    worst = ledger.worst_value()
    if worst is not None:
        cell["worst"] = _number(worst)
    return cell


def _found(row: Row) -> dict[str, str]:
    return {
        "library": row.library,
        "title": row.title,
        "code": f"{HEADS[row.library]}\n{row.code}\nprint(found)",
        "gives": row.gives,
        "right": row.right,
        "why": row.why,
        "does": row.does,
    }


def _total(ledger: Ledger) -> Tally:
    return sum(ledger.checks.values(), Tally())


def _number(error: float) -> float | None:
    """Return a number that JSON has; None stands for infinity."""
    return round(error, 3) if math.isfinite(error) else None
