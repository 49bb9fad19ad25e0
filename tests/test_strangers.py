"""Backends of other people: broken, absent or misspelt, they harm nobody else, and never pass."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import unigrad as ug
from unigrad import cli
from unigrad.core import registry

BROKEN = {
    "lost": "unigrad.core.registry:nothing",
    "raising": "raises_on_import:backend",
    "number": "raises_nothing:number",
    "toy": "unigrad_numpy:backend",
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
    found = run.invoke(cli.app, ["info", "--wait"])
    assert found.exit_code == 0
    lines = {line.split()[0]: line for line in found.output.splitlines()}
    assert "cpu" in lines["numpy"]
    assert lines["zed"].endswith("not installed: pip install unigrad-zed")
    assert all("broken" in lines[name] for name in BROKEN)
    assert run.invoke(cli.app, ["conformance", "--op", "exp2"]).exit_code == 0
    chosen = ["conformance", "--op", "exp2", "--backend", "raising"]
    assert run.invoke(cli.app, chosen).exit_code == 1


@pytest.mark.parametrize("module", ["zed_utils", "zedx.arrays", "my.zed"])
def test_an_array_of_another_package_is_no_backends(strangers: None, module: str) -> None:
    class Array:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.asarray([1.0, 2.0])

    Array.__module__ = module
    assert ug.asarray(Array()).tolist() == [1.0, 2.0]
    Array.__module__ = "zed.arrays"
    with pytest.raises(ug.BackendNotInstalledError, match="pip install unigrad-zed"):
        ug.asarray(Array())


def test_an_array_class_of_the_compiled_part_finds_its_backend() -> None:
    program = (
        "import jax, unigrad as ug; x = jax.numpy.ones(2); "
        "assert type(x).__module__.split('.')[0] == 'jaxlib', type(x); "
        "assert ug.asarray(x).backend.name == 'jax'"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def conformance(*flags: str, op: str = "exp2") -> Any:
    return CliRunner().invoke(cli.app, ["conformance", "--op", op, *flags])


@pytest.mark.parametrize(
    "flags",
    [
        ["--device", "gpu:7"],
        ["--json", "nowhere/x.json"],
        ["--json", "/dev/null/x.json"],
        ["--report", "."],
    ],
)
def test_what_cannot_be_done_is_said_at_once(
    flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNIGRAD_DEVICE", "cpu")
    monkeypatch.setattr("unigrad_conformance.running.Trial.on", None)
    found = conformance("--backend", "numpy", *flags)
    assert found.exit_code == 1
    assert isinstance(found.exception, SystemExit)
    assert "┃" not in found.output
    assert flags[1] in found.output


def test_a_device_of_the_environment_is_refused_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIGRAD_DEVICE", "cpu")
    said = conformance("--backend", "numpy", "--device", "gpu:7")
    monkeypatch.setenv("UNIGRAD_DEVICE", "gpu:7")
    assert conformance("--backend", "numpy").output == said.output


def test_the_files_to_write_are_left_alone_by_a_look(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("kept")
    for name in ("new.json", "old.md"):
        conformance("--backend", "zed", "--json", str(tmp_path / name))
    assert [one.name for one in tmp_path.iterdir()] == ["old.md"]
    assert (tmp_path / "old.md").read_text() == "kept"


def test_where_nothing_is_run_the_report_says_so(strangers: None) -> None:
    found = conformance("--backend", "zed")
    assert found.exit_code == 1
    assert "pip install unigrad-zed" in found.output
    assert found.output.splitlines()[-1] == "nothing was run"


def test_a_deviation_has_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(one: Any, level: Any) -> None:
        raise ValueError(f"words\n{'word ' * 100}last [word]")

    monkeypatch.setattr("unigrad_conformance.running.check_edge", fails)
    found = conformance("--backend", "numpy", op="abs at 0")
    assert found.exit_code == 1
    lines = [one for one in found.output.splitlines() if one.startswith("abs at 0 on numpy")]
    assert len(lines) == 1
    assert "last [word] (" in lines[0]
    assert found.output.splitlines()[-1] == "1 deviation"


def test_a_misspelt_backend_fails_the_suite() -> None:
    command = [
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "exp2",
        "--pyargs", "unigrad_conformance", "--unigrad-backend", "nosuch",
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode not in (0, 5)
    assert "nosuch" in found.stderr
