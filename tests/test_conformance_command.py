"""The command `unigrad conformance`: what is chosen, how it runs, what it leaves."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from unigrad import cli
from unigrad_conformance import running, session
from unigrad_conformance.progress import Counter


def conformance(*flags: str) -> Any:
    return CliRunner().invoke(cli.app, ["conformance", "--backend", "numpy", *flags])


def trials_of(file: Path) -> list[str]:
    return [one.attrib["name"] for one in ElementTree.parse(file).iter("testcase")]


def test_letters_choose_trials(tmp_path: Path) -> None:
    found = conformance("-k", "EXPM1", "--junit", str(tmp_path / "a.xml"))
    assert found.exit_code == 0, found.output
    assert trials_of(tmp_path / "a.xml") == ["expm1", "expm1 through interop", "expm1 at the ends"]
    assert re.search(r"^numpy: 3/3 trials in \d+ s$", found.output, re.MULTILINE)
    flags = ["--level", "quick", "--junit", str(tmp_path / "b.xml"), "--durations", "2"]
    family = conformance("-k", "lifetime/", *flags)
    assert family.exit_code == 0, family.output
    slow = re.findall(r"^numpy: (\d+\.\d\d) s (lifetime/\w+)$", family.output, re.MULTILINE)
    assert [name for _, name in slow[:1]] == ["lifetime/long_chain"]
    assert len(slow) == 2
    assert float(slow[0][0]) >= float(slow[1][0])
    assert len(trials_of(tmp_path / "b.xml")) > 3
    assert conformance("-k", "lifetime/", "--op", "expm1").exit_code == 1
    nothing = conformance("-k", "nonesuch")
    assert (nothing.exit_code, nothing.output) == (1, "nothing in the suite is called 'nonesuch'\n")


@pytest.mark.skipif(sys.platform != "linux", reason="a request of Linux's")
def test_workers_end_with_a_parent_that_is_killed() -> None:
    program = """
import time
from unigrad_conformance.session import Selection, Session
with Session(Selection(op="abs"), 2) as one:
    one.arrive(["numpy", "numpy"])
    print("ready", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        parent.kill()
        # They hold the pipe as well: it is closed when the last of them has ended.
        parent.communicate(timeout=30)


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    results = []
    for workers in ("1", "2"):
        file = tmp_path / workers
        found = conformance(
            "-k", "exp", "--level", "quick", "--workers", workers, "--json", str(file)
        )
        assert found.exit_code == 0, found.output
        results.append(json.loads(file.read_text()))
    assert results[0] == results[1]
    assert results[0]["numpy"]["version"]
    assert len(results[0]["numpy"]["passed"]) > 2


def test_deviations_and_absent_backends_are_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(one: Any, level: Any) -> None:
        raise ValueError("not \x00 <so>")

    monkeypatch.setattr(running, "check_edge", fails)
    # Trials are kept, and these are broken ones.
    monkeypatch.setattr(session, "_trials", session.Selection.trials)
    file = tmp_path / "a.xml"
    flags = ["-k", "edges/abs at 0", "--backend", "nonesuch", "--junit", str(file)]
    assert conformance(*flags).exit_code == 1
    suites = {one.attrib["name"]: one for one in ElementTree.parse(file).getroot()}
    numpy, absent = suites["numpy"], suites["nonesuch"]
    assert numpy.attrib["failures"] == numpy.attrib["tests"] != "0"
    message = numpy[0][0].attrib["message"]
    assert "abs at 0 on numpy, edges: ValueError: not \N{REPLACEMENT CHARACTER} <so>" in message
    assert absent.attrib["failures"] == "1"
    assert "no backend is called 'nonesuch'" in absent[0][0].attrib["message"]


@pytest.mark.parametrize("flags", [["-k", "backend"], ["-k", "tape/", "--level", "quick"]])
def test_only_the_backends_own_framework_is_imported(flags: list[str]) -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from unigrad import cli; "
        f"run = CliRunner().invoke(cli.app, ['conformance', '--backend', 'numpy', *{flags}]); "
        "assert run.exit_code == 0, run.output; "
        "print([one for one in ('torch', 'jax', 'tensorflow') if one in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert found.stdout == "[]\n"


def test_where_there_is_no_terminal_lines_say_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from rich.console import Console

    now, said = [0.0], list[str]()
    monkeypatch.setattr("unigrad_conformance.progress.time.monotonic", lambda: now[0])
    with Counter(Console(force_terminal=False), "toy", 40, said.append) as counter:
        for number in range(40):
            now[0] += 4.0
            counter.step(str(number))
    assert said[0] == "toy: 3/40 trials, ETA 2 min 28 s"
    assert said[-2:] == ["toy: 39/40 trials, ETA 4 s", "toy: 40/40 trials in 2 min 40 s"]


def test_info_does_not_wait() -> None:
    program = (
        "import sys, unigrad.installation as there\n"
        "there.patience = lambda: 0.0\n"
        "from unigrad.cli import app\n"
        "app(['info'])"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    lines = {line.split()[0]: line for line in found.stdout.splitlines()}
    assert {"numpy", "torch", "jax", "tensorflow"} <= set(lines)
    assert re.search(r"\d+\.\d+.*: --wait lists its devices$", lines["tensorflow"])


def test_a_backend_that_ends_its_process(tmp_path: Path) -> None:
    (tmp_path / "ending.py").write_text("import os; os._exit(3)\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from importlib import metadata\n"
        "from unigrad.core import registry\n"
        "from unigrad.installation import describe_all\n"
        "one = metadata.EntryPoint('zed', 'ending:backend', registry.GROUP)\n"
        "registry.metadata.entry_points = lambda **which: "
        "metadata.EntryPoints([one]).select(**which)\n"
        "print(list(describe_all(None)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert found.stdout == "[('zed', 'broken: its process ended with status 3')]\n"
