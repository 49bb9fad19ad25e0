"""Backends of other people: broken, absent or misspelt, they harm nobody else, and never pass."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

import unigrad as ug
from unigrad import cli
from unigrad.core import registry

BROKEN = {
    "lost": "unigrad.core.registry:nothing",
    "raising": "raises_on_import:backend",
    "number": "raises_nothing:number",
}


class _Package:
    name = "unigrad-zed"


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register broken backends, and one whose framework is absent."""
    (tmp_path / "raises_on_import.py").write_text("raise RuntimeError('no driver')\n")
    (tmp_path / "raises_nothing.py").write_text("number = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = list(metadata.entry_points(group=registry.GROUP, name="numpy"))
    for name, value in {**BROKEN, "zed": "no_such_framework:backend"}.items():
        entry = metadata.EntryPoint(name, value, registry.GROUP)
        vars(entry)["dist"] = _Package()
        own.append(entry)
    monkeypatch.setattr(
        registry.metadata,
        "entry_points",
        lambda **which: metadata.EntryPoints(own).select(**which),
    )


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_backend_says_so(strangers: None, name: str) -> None:
    with (
        pytest.raises(ug.BackendNotInstalledError, match=f"{name}.*unigrad-zed.*is broken"),
        ug.use_backend(name),
    ):
        pass


def test_an_absent_framework_names_the_strangers_package(strangers: None) -> None:
    with pytest.raises(ug.BackendNotInstalledError, match="pip install unigrad-zed"):
        registry.load_backend("zed")
    assert registry.install_command("numpy") == "pip install 'unigrad[numpy]'"


def test_the_commands_go_on_without_them(strangers: None) -> None:
    run = CliRunner()
    found = run.invoke(cli.app, ["info"])
    assert found.exit_code == 0
    lines = {line.split()[0]: line for line in found.output.splitlines()}
    assert "cpu" in lines["numpy"]
    assert lines["zed"].endswith("not installed: pip install unigrad-zed")
    assert all("broken" in lines[name] for name in BROKEN)
    assert run.invoke(cli.app, ["conformance", "--op", "exp2"]).exit_code == 0
    chosen = ["conformance", "--op", "exp2", "--backend", "raising"]
    assert run.invoke(cli.app, chosen).exit_code == 1


@pytest.mark.parametrize(
    "flags", [["--device", "gpu:7"], ["--json", "nowhere/x.json"], ["--report", "."]]
)
def test_what_cannot_be_done_is_said_at_once(
    flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIGRAD_DEVICE", "cpu")
    chosen = ["conformance", "--op", "exp2", "--backend", "numpy", *flags]
    found = CliRunner().invoke(cli.app, chosen)
    assert found.exit_code == 1
    assert isinstance(found.exception, SystemExit)


def test_a_misspelt_backend_fails_the_suite() -> None:
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "exp2",
        "--pyargs", "unigrad_conformance", "--unigrad-backend", "nosuch",
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode not in (0, 5)
    assert "nosuch" in found.stderr
