"""Measures the rows of one backend, in a process of its own: `unigrad bench` starts one for each.

So that no library's threads, modules or settings are in the way of another, and Keras can have the
backend that is measured. The process keeps to one core.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.growth import series
from benchmarks.rows import BACKENDS, FULL, OURS, QUICK, Effort, Row, all_rows
from benchmarks.timing import environment
from unigrad.core.registry import load_backend


def measured(row: Row, effort: Effort) -> dict[str, Any]:
    """Return a row's figures and verdicts, as JSON has them."""
    timings = row.run(effort)
    return {
        "name": row.name,
        "backend": row.backend,
        "timings": {name: asdict(one) for name, one in timings.items()},
        "bars": [one._asdict() | {"within": one.within} for one in row.verdicts(timings)],
    }


def tried(name: str, run: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    """Return what is measured, or the error: the rows after it are measured all the same."""
    print(f"  {name}", file=sys.stderr, flush=True)
    try:
        return dict(run())
    except Exception as error:
        traceback.print_exc()
        return {"name": name, "error": f"{type(error).__name__}: {error}"}
    finally:
        gc.collect()


def measure_all(backend: str, containing: str, effort: Effort) -> dict[str, Any]:
    """Measure the rows and series of one backend whose names contain some text."""
    load_backend(backend)
    wanted = containing.lower()
    rows = [one for one in all_rows(backend) if wanted in one.name.lower()]
    grown = [one for one in series(backend) if wanted in f"growth: {one.name}".lower()]
    return {
        "ours": OURS,
        "quick": effort.quick,
        "rows": [tried(one.name, lambda one=one: measured(one, effort)) for one in rows],
        "growth": [
            tried(
                one.name,
                lambda one=one: {"name": one.name, "axis": one.axis, "seconds": one.run(effort)},
            )
            for one in grown
        ],
        "environment": environment(),
    }


def main() -> None:
    """Measure and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backend", choices=BACKENDS)
    parser.add_argument("json", type=Path)
    parser.add_argument("--containing", default="")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    found = measure_all(options.backend, options.containing, QUICK if options.quick else FULL)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
