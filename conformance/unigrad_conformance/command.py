"""``unigrad conformance``: try everything on every backend and print the report."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from unigrad.core.registry import default_device
from unigrad_conformance.backends import load_all, why_unplaced
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.report import as_json, as_markdown, cell, families, worst
from unigrad_conformance.running import every_trial


def conformance(
    backends: Sequence[str],
    *,
    chosen: bool,
    device: str | None = None,
    op: str | None = None,
    thorough: bool = True,
    json_file: Path | None = None,
    report_file: Path | None = None,
) -> bool:
    """Run, print, write; tell whether there were no deviations.

    Args:
        backends: the backends' names.
        chosen: True when somebody asked for them by name: then an absent one is a failure.
        device: place tensors there.
        op: only this op, or all things whose name has these letters.
        thorough: run the costly checks on every sample.
        json_file: write the results there.
        report_file: write the report there as Markdown.
    """
    console = Console()
    for file in (json_file, report_file):
        if file is not None and (fault := _why_unwritable(file)) is not None:
            _say(console, fault, "red")
            return False
    if device is not None:
        os.environ["UNIGRAD_DEVICE"] = device
    trials = every_trial(thorough)
    if op is not None:
        trials = [one for one in trials if one.name == op] or [
            one for one in trials if op in one.name
        ]
    if not trials:
        _say(console, f"nothing in the suite is called {op!r}")
        return False
    absent = load_all(backends)
    if default_device() is not None:
        absent |= {name: why_unplaced(name) for name in backends if absent[name] is None}
    for reason in absent.values():
        if reason is not None:
            _say(console, reason, "red" if chosen else "dim")
    ledgers = []
    for name in (one for one in backends if absent[one] is None):
        ledger = Ledger(name)
        with console.status(name) as status:
            for trial in trials:
                status.update(f"{name}: {trial.family} {trial.name}")
                trial.on(name, ledger)
        ledgers.append(ledger)
    if not ledgers:
        _say(console, "nothing was run", "red")
        return False
    _show(console, ledgers)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(ledgers), indent=1) + "\n")
    if report_file is not None:
        report_file.write_text(as_markdown(ledgers))
    missing = chosen and any(reason is not None for reason in absent.values())
    return not missing and not any(one.findings for one in ledgers)


def _why_unwritable(file: Path) -> str | None:
    """Return why a file cannot be written, or None; it is left as it was."""
    try:
        fresh = not file.exists()
        with file.open("a"):
            pass
        if fresh:
            file.unlink()
    except OSError as error:
        return f"{file} cannot be written: {error.strerror}"
    return None


def _say(console: Console, text: str, style: str | None = None) -> None:
    """Print one line, however long: who reads it may be a program."""
    console.print(
        " ".join(text.split()), style=style, markup=False, highlight=False, soft_wrap=True
    )


def _show(console: Console, ledgers: Sequence[Ledger]) -> None:
    """Print the table, the worst errors and the deviations."""
    table = Table("family", *[one.backend for one in ledgers])
    for family in families(ledgers):
        table.add_row(family, *[cell(one, family) for one in ledgers])
    console.print(table)
    for ledger in ledgers:
        if ledger.worst:
            named = ", ".join(f"{op} {error:.2g} ({dtype})" for op, dtype, error in worst(ledger))
            _say(console, f"{ledger.backend}: worst errors in units: {named}")
    for ledger in ledgers:
        for finding in ledger.findings:
            _say(console, str(finding), "red")
    count = sum(len(one.findings) for one in ledgers)
    _say(console, f"{count} deviation{'' if count == 1 else 's'}")
