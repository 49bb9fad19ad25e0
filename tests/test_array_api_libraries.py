"""SciPy, scikit-learn and array-api-extra on Tensors: values as NumPy's, and gradients."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("array_api_calls.py")


def test_their_functions_take_tensors() -> None:
    """In a process of its own, since SciPy decides at its import how it treats arrays."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "numpy", "torch"],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert sorted(found) == ["numpy", "torch"]
    for backend, calls in found.items():
        assert len(calls) > 200
        assert {call: wrong for call, wrong in calls.items() if wrong} == {}, backend
