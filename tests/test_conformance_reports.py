"""What a run of the suite leaves: the page, the journal, and random programs made small."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from unigrad import cli
from unigrad_conformance import running, session
from unigrad_conformance.edge import every_edge
from unigrad_conformance.fuzz import command, found
from unigrad_conformance.fuzz.shrinking import drawn, program_of, shrunk
from unigrad_conformance.levels import Level
from unigrad_conformance.problem import problem_of
from unigrad_conformance.running import checks_of, every_trial
from unigrad_conformance.samples import ops, samples_of


def conformance(*flags: str) -> Any:
    return CliRunner().invoke(cli.app, ["conformance", "--backend", "numpy", *flags])


def data_of(page: Path) -> Any:
    text = page.read_text(encoding="utf-8")
    [data] = re.findall(r'<script id="data" type="application/json">(.*?)</script>', text, re.S)
    return json.loads(data)


def test_the_page_holds_every_trial_and_needs_nothing_else(tmp_path: Path) -> None:
    page, plain = tmp_path / "a.html", tmp_path / "a.md"
    flags = ["--level", "quick", "--op", "expm1", "--report", str(page), "--report", str(plain)]
    assert conformance(*flags).exit_code == 0
    data = data_of(page)
    assert [one["name"] for one in data["backends"]] == ["numpy"]
    [row] = data["rows"]
    cell = row["cells"]["numpy"]
    assert (row["family"], row["name"]) == ("elementwise", "expm1")
    assert 0.0 < cell["worst"] <= 4.0
    totals = np.sum(list(cell["checks"].values()), axis=0).tolist()
    assert cell["total"] == data["backends"][0]["total"] == totals
    assert not re.search(r"(src|href)=|https?://|@import", page.read_text(encoding="utf-8"))
    # Gradients have errors of their own, which are none of the values'.
    assert {"float64 gradient", "float32 gradient"} < set(cell["units"])
    assert cell["worst"] == max(e for what, e in cell["units"].items() if " " not in what)
    assert {one["library"] for one in data["upstream"]} == {"numpy"}
    assert all("print(found)" in one["code"] for one in data["upstream"])
    text = plain.read_text()
    assert text.startswith("# Conformance report\n\nLevel quick, device the default one, 2")
    passed, failed, unsupported = totals
    row = f"| numpy | {np.__version__} | {passed:,} | {failed} | {unsupported} | 1 |"
    assert row in text
    assert "\nNone.\n" in text
    assert "| elementwise, gradients | " in text
    assert conformance("--op", "expm1", "--report", str(tmp_path / "a.txt")).exit_code == 1


def test_the_page_shows_deviations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(one: Any, level: Any) -> None:
        raise ValueError("</script><b>")

    monkeypatch.setattr(running, "check_edge", fails)
    # Trials are kept, and these are broken ones.
    monkeypatch.setattr(session, "_trials", session.Selection.trials)
    page, plain = tmp_path / "a.html", tmp_path / "a.md"
    flags = ["--report", str(page), "--report", str(plain)]
    assert conformance("-k", "edges/abs at 0", *flags).exit_code == 1
    assert "- abs at 0 on numpy, edges: ValueError: </script><b>" in plain.read_text()
    [finding, *_] = data_of(page)["rows"][0]["cells"]["numpy"]["findings"]
    assert "ValueError: </script><b>" in finding["message"]


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, whole, resumed = tmp_path / "j", tmp_path / "a.json", tmp_path / "b.json"
    flags = ["-k", "expm1", "--level", "quick", "--resume", str(journal)]
    assert conformance(*flags, "--json", str(whole)).exit_code == 0
    lines = journal.read_text().splitlines()
    assert len(lines) == 4
    # It ended while it wrote the third outcome.
    journal.write_text("\n".join([*lines[:3], lines[3][:20]]))
    ran = []
    work = session.work
    monkeypatch.setattr(session, "work", lambda *given: ran.append(given[2]) or work(*given))
    assert conformance(*flags, "--json", str(resumed)).exit_code == 0
    assert ran == [[2]]
    assert json.loads(resumed.read_text()) == json.loads(whole.read_text())
    assert len(journal.read_text().splitlines()) == 4
    other = conformance("-k", "expm1", "--level", "full", "--resume", str(journal))
    assert other.exit_code == 1
    assert "is not the journal of a run at level full" in other.output
    journal.write_text("no\nno\n")
    assert "line 1 is no JSON" in conformance(*flags).output


@pytest.mark.parametrize("compiles", [False, True])
def test_each_level_makes_the_checks_of_the_one_before(compiles: bool) -> None:
    for sample in samples_of("exp"):
        problem = problem_of(sample)
        for first in (False, True):
            quick, full, exhaustive = [
                {name for name, _, _ in checks_of(problem, first, level, compiles)}
                for level in Level
            ]
            # To record an op once is part of what checks of its values and gradients do.
            assert quick - {"values and gradients float64"} <= full
            assert full - {"values and gradients float64"} <= exhaustive
            if first and problem.is_smooth:
                assert len(quick) < len(full) if compiles else quick == full


def test_each_level_holds_the_trials_of_the_one_before() -> None:
    quick, full, exhaustive = [
        {(one.family, one.name) for one in every_trial(level)} for level in Level
    ]
    assert quick < full < exhaustive
    assert len(exhaustive) - len(full) > 700


def test_a_run_that_spares_programs_leaves_out_what_is_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = session.Selection(level=Level.QUICK)
    families = frozenset(one.family for one in whole.trials())
    sparing = dataclasses.replace(whole, sparing=families)
    left_out = {one.name for one in whole.trials()} - {one.name for one in sparing.trials()}
    assert {one.family for one in sparing.trials()} == {one.family for one in whole.trials()}
    assert 700 < len(left_out) < 1700
    assert not left_out & set(ops())
    named = dataclasses.replace(sparing, containing="edges/")
    assert len(named.trials()) == len(every_edge())
    for compiles in (False, True):
        spared = families if compiles else frozenset()
        monkeypatch.setattr(session, "families_spared", lambda *_, spared=spared: spared)
        with session.Session(whole) as one, session.Session(session.Selection()) as full:
            one.arrive(["numpy"])
            full.arrive(["numpy"])
            assert (one.count("numpy") < one.count()) == compiles
            assert full.count("numpy") == full.count()


def test_backends_are_given_with_commas() -> None:
    run = CliRunner().invoke(
        cli.app, ["conformance", "--backend", "numpy,nonesuch", "-k", "lifetime/"]
    )
    assert run.exit_code == 1
    assert "no backend is called 'nonesuch'" in run.output
    assert re.search(r"^numpy: \d+/\d+ trials", run.output, re.MULTILINE)


def test_a_program_that_disagrees_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found is printed with the short row of choices that makes it."""
    number = next(i for i in range(99) if any(one.name == "tanh" for one in _steps(i)))
    assert len(_steps(number)) > 2
    small = shrunk(drawn(number), lambda one: any(step.name == "tanh" for step in one.steps))
    assert len(program_of(small).steps) <= 2
    assert len(small) < len(drawn(number)) / 2

    def disagrees(program: Any, **_: Any) -> None:
        if any(step.name == "tanh" for step in program.steps):
            raise command.Deviation(f"tanh\n{program}")

    monkeypatch.setattr(command, "check_program", disagrees)
    said = list[str]()
    assert command.fuzz(["numpy"], seconds=0.0, seed=number, say=said.append) == 1
    assert f"seed {number}" in said[0]
    assert f"choices: {small}" in said[0]


def _steps(number: int) -> Any:
    return program_of(drawn(number)).steps


def test_stored_programs_are_tried_at_every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "FOUND", {"a tanh": drawn(0)})
    trials = [one for one in every_trial() if one.family == "programs"]
    assert [one.name for one in trials] == ["a tanh"]
    ledger = trials[0].on("numpy")
    assert not ledger.findings
    assert ledger.passed == {"programs": 1}
