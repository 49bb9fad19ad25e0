"""The command ``unigrad bench``: one worker per backend, then the table, JSON and pictures."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.rows import BACKENDS

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"


def installed() -> list[str]:
    """Return the backends that have benchmarks and whose library is there."""
    return [name for name in BACKENDS if find_spec(name) is not None]


def worker(backend: str, file: Path, containing: str, quick: bool) -> bool:
    """Measure one backend in a process with fair settings; tell whether that went well."""
    settings = {
        "OMP_NUM_THREADS": "1",
        "GOMP_SPINCOUNT": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": backend,
    }
    paths = [str(ROOT), str(ROOT / "backends"), os.environ.get("PYTHONPATH", "")]
    settings["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    command = [sys.executable, "-m", "benchmarks.worker", backend, str(file)]
    command += ["--containing", containing, *(["--quick"] if quick else [])]
    return subprocess.run(command, env=os.environ | settings, cwd=ROOT).returncode == 0


def bench(
    backends: Sequence[str],
    containing: str,
    quick: bool,
    results: Path,
    page: bool,
    echo: Callable[[str], Any],
) -> bool:
    """Measure, print the table, write JSON and pictures; tell whether every row was measured.

    A part of the rows (``containing``) leaves the files of whole runs alone unless another folder
    is named.
    """
    folder = results / "parts" if containing and results == RESULTS else results
    fine = True
    for name in backends:
        echo(f"{name}:")
        fine &= worker(name, folder / f"{name}.json", containing, quick)
    found = {name: one for name, one in report.read(folder).items() if page or name in backends}
    if not found:
        return False
    pictures = report.draw(found, PAGE.parent / "pictures" if page else folder)
    echo(f"\n{report.machine(found)}\n\n{report.table(found)}\n")
    for one in pictures:
        echo(f"drawn: {one}")
    if page:
        report.write_page(found, PAGE, pictures)
    broken = [row["name"] for one in found.values() for row in [*one["rows"], *one["growth"]]
              if "error" in row]  # fmt: skip
    for name in broken:
        echo(f"failed: {name}")
    return fine and not broken
