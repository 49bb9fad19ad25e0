"""`unigrad bench`: what is measured, how it is judged, and what is left behind."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import report, rows, worker
from benchmarks.rows import OURS, Effort, Row
from benchmarks.timing import summarize
from unigrad import cli

EFFORT = Effort(rounds=3, warmup=1, seconds=0.001, quick=True)


def bench(*flags: str) -> Any:
    return CliRunner().invoke(cli.app, ["bench", "--quick", *flags])


def row(*bars: rows.Bar, once: bool = False) -> Row:
    """A row in which ours sleeps and the peer does nothing."""
    candidates = {OURS: lambda: time.sleep(0.02), "peer": lambda: None}
    return Row("a nap", "numpy", lambda effort: candidates, bars, once)


def test_a_part_of_the_rows(tmp_path: Path) -> None:
    found = bench("--backend", "numpy", "-k", "READS 20", "--results", str(tmp_path))
    assert found.exit_code == 0, found.output
    [line] = [
        one for one in found.output.splitlines() if one.startswith("| jitted call that reads")
    ]
    assert "µs beyond native | ≤ 60 µs |" in line
    written = json.loads((tmp_path / "numpy.json").read_text())
    [one] = written["rows"]
    assert set(one["timings"]) == {OURS, "native"}
    assert one["timings"][OURS]["median"] > 0.0
    assert written["growth"] == []
    assert written["environment"]["variables"]["OMP_NUM_THREADS"] == "1"
    assert written["environment"]["variables"]["GOMP_SPINCOUNT"] == "0"


def test_an_unknown_backend() -> None:
    found = bench("--backend", "nonesuch")
    assert found.exit_code == 2
    assert "nonesuch" in found.output
    assert "numpy" in found.output


BARS = rows.ratio(2.0, "peer", "absent"), rows.extra(1000.0, "peer"), rows.seconds(0.008)


@pytest.mark.parametrize("once", [False, True])
def test_what_is_over_its_bar_is_marked(once: bool) -> None:
    measured = worker.measured(row(*BARS, once=once), EFFORT)
    assert [one["within"] for one in measured["bars"]] == [False] * 3
    table = report.table({"numpy": {"rows": [measured]}})
    assert all(line.endswith("| over |") for line in table.splitlines()[2:])


def test_ratios_are_those_within_the_rounds() -> None:
    ours, peer = [0.004, 0.006, 0.4], [0.004, 0.005, 0.3]
    timings = {OURS: summarize(ours, ours, 1), "peer": summarize(peer, ours, 1)}
    ratio, extra, seconds = row(*BARS).verdicts(timings)
    assert ratio.figure == pytest.approx(6 / 5)
    assert extra.figure == pytest.approx(1000.0)
    assert seconds.figure == 0.006
    assert (ratio.within, seconds.within) == (True, True)


def test_a_row_that_fails_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> Any:
        raise ValueError("no | such\nthing")

    found = worker.tried("a nap", fails)
    assert found == {"name": "a nap", "error": "ValueError: no | such\nthing"}
    assert "a nap" in capfd.readouterr().err
    assert report.table({"numpy": {"rows": [found]}}).splitlines()[2] == (
        r"| a nap | numpy | failed | ValueError: no \| such thing | | | |"
    )


def test_every_row_of_the_table_is_there() -> None:
    """On all four backends, but where there is no peer of the kind."""
    names = {backend: [one.name for one in rows.all_rows(backend)] for backend in rows.BACKENDS}
    for part, missing in {
        "MLP step, jitted": (), "Keras": ("numpy",), "G2P step, jitted": (),
        "first calls": (), "jacobian": ("tensorflow",), "hessian": ("tensorflow",),
        "hvp": ("tensorflow",), "vmap(grad)": ("tensorflow",), "`scan`": (),
        "reads 20 Variables": (), "writes 20 Variables": (), "interop` call": (),
        "ops under the caller": ("numpy",),
    }.items():  # fmt: skip
        for backend, some in names.items():
            assert sum(part in name for name in some) == (backend not in missing), (part, backend)


def test_the_page_is_renewed(tmp_path: Path) -> None:
    one = {"candidate": {"10": 1e-3, "100": 1e-2}}
    environment = {
        "versions": {"numpy": "2"},
        "platform": "x",
        "python": "3",
        "load_average": [1.0],
    }
    results = {
        "numpy": {
            "rows": [], "environment": environment, "quick": True,
            "growth": [{"name": "Naps, long", "axis": "naps", "seconds": one}],
        }
    }  # fmt: skip
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures:begin -->\nold\n<!-- figures:end -->\nafter\n")
    pictures = report.draw(results, tmp_path / "pictures")
    assert [one.name for one in pictures] == ["bench-naps-long.svg"]
    report.write_page(results, page, pictures)
    first = page.read_text()
    assert "old" not in first
    assert "![bench-naps-long](pictures/bench-naps-long.svg)" in first
    assert first.startswith("before\n")
    assert first.endswith("\nafter\n")
    report.write_page(results, page, pictures)
    assert page.read_text() == first
    page.write_text("no marks")
    with pytest.raises(ValueError, match="figures:begin"):
        report.write_page(results, page, pictures)
