"""``unigrad conformance``: try everything on every backend and print the report."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from unigrad.core.errors import UnigradError
from unigrad_conformance.journal import Journal
from unigrad_conformance.junit import as_junit
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.page import as_html
from unigrad_conformance.progress import Counter
from unigrad_conformance.report import as_json, as_markdown, cell, families, slowest, worst
from unigrad_conformance.session import Outcome, Selection, Session


def conformance(
    backends: Sequence[str],
    *,
    chosen: bool,
    selection: Selection,
    device: str | None = None,
    workers: int = 1,
    json_file: Path | None = None,
    reports: Sequence[Path] = (),
    junit_file: Path | None = None,
    journal_file: Path | None = None,
    durations: int = 0,
) -> bool:
    """Run, print, write; tell whether there were no deviations.

    Args:
        backends: the backends' names; no other framework is imported.
        chosen: True when somebody asked for them by name: then an absent one is a failure.
        selection: which trials.
        device: place tensors there.
        workers: how many processes run the trials.
        json_file: write the results there.
        reports: write the report there, as HTML or as Markdown by the name's ending.
        junit_file: write the results there as JUnit XML.
        journal_file: keep every outcome there, and go on with the run that left the file.
        durations: how many of the slowest trials are named.
    """
    console = Console()
    for file in (json_file, *reports, junit_file, journal_file):
        if file is not None and (fault := _why_unwritable(file)) is not None:
            _say(console, fault, "red")
            return False
    for file in reports:
        if file.suffix not in (".html", ".md"):
            _say(console, f"{file}: a report is a .html or a .md file", "red")
            return False
    if device is not None:
        os.environ["UNIGRAD_DEVICE"] = device
    with Session(selection, workers) as session:
        if not session.count():
            _say(
                console, f"nothing in the suite is called {selection.op or selection.containing!r}"
            )
            return False
        try:
            journal = Journal(journal_file, selection.level, device) if journal_file else None
            absent, outcomes, ledgers = _run(console, session, backends, chosen, journal)
        except UnigradError as error:
            _say(console, str(error), "red")
            return False
    if junit_file is not None:
        junit_file.write_text(as_junit(outcomes, absent, chosen=chosen), encoding="utf-8")
    if not ledgers:
        _say(console, "nothing was run", "red")
        return False
    _show(console, ledgers)
    for line in slowest(outcomes, durations):
        _say(console, line)
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(ledgers), indent=1) + "\n")
    for file in reports:
        written = as_html if file.suffix == ".html" else as_markdown
        text = written(ledgers, outcomes, absent, selection.level, device)
        file.write_text(text, encoding="utf-8")
    return not (chosen and absent) and not any(one.findings for one in ledgers)


def _run(
    console: Console,
    session: Session,
    backends: Sequence[str],
    chosen: bool,
    journal: Journal | None,
) -> tuple[dict[str, str], dict[str, list[Outcome]], list[Ledger]]:
    """Run the trials; return why backends are absent, and outcomes and ledgers of the others."""
    arrived = session.arrive(backends)
    absent = {name: one.absent for name, one in arrived.items() if one.absent is not None}
    for reason in absent.values():
        _say(console, reason, "red" if chosen else "dim")
    outcomes: dict[str, list[Outcome]] = {}
    ledgers = []
    known = {
        name: journal.known(name, one.version) if journal else {}
        for name, one in arrived.items()
        if name not in absent
    }
    runs = {name: session.outcomes(name, one) for name, one in known.items()}
    for name, run in runs.items():
        ledger, outcomes[name] = Ledger(name, arrived[name].version), []
        count = session.count(name)
        with Counter(console, name, count, lambda line: _say(console, line)) as counter:
            for outcome in run:
                if journal and (outcome.family, outcome.name) not in known[name]:
                    journal.keep(outcome, ledger.version)
                ledger.add(outcome.ledger)
                outcomes[name].append(outcome)
                counter.step(outcome.name)
        ledgers.append(ledger)
    return absent, outcomes, ledgers


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
