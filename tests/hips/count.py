"""Count which of autograd's own tests pass on unigrad.

    pip download --no-binary :all: --no-deps autograd && tar xf autograd-*.tar.gz
    python tests/hips/count.py autograd-1.9.1/tests

A test fails by a function that unigrad lacks (missing), or in what it asserts. What tests
autograd's own machinery, or its wrappers of SciPy, is left out, and named.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

HERE = Path(__file__).parent
#: What the error of a function that unigrad lacks begins with.
MISSING = "autograd.numpy.names.Missing"
#: Of autograd's machinery: vector spaces, its tracer, how its primitives are declared.
MACHINERY = ("test_core.py", "test_vspaces.py", "test_ufunc_dispatch.py", "test_performance.py")

_ORDER = "complex numbers have no order; the standard refuses them here, and so does unigrad"
_GRAPH = "it counts how often autograd runs a function that it keeps as a graph"
_DECLARED = "it is about how autograd declares its own primitives"
_TYPES = "it is about the classes of what autograd's own `where` returns"
#: Single tests that are left out, and why.
LEFT_OUT = {
    "test_fft::test_rfftn_odd_not_implemented": "unigrad has what autograd refuses",
    "test_graphs::test_assignment_raises_error": "unigrad has what autograd refuses",
    "test_logic::test_no_jvp_def": _DECLARED,
    "test_logic::test_no_vjp_def": _DECLARED,
    "test_misc::test_const_graph": _GRAPH,
    "test_misc::test_const_graph_args": _GRAPH,
    "test_systematic::test_max": _ORDER,
    "test_systematic::test_min": _ORDER,
    "test_wrappers::test_custom_where_dtypes": _TYPES,
    "test_wrappers::test_deprecated_defgrad_wrapper": _DECLARED,
    "test_wrappers::test_deprecated_defvjp_is_zero_wrapper": _DECLARED,
    "test_wrappers::test_deprecated_defvjp_wrapper": _DECLARED,
    "test_wrappers::test_deprecated_quick_grad_check_wrapper": _DECLARED,
    "test_wrappers::test_dtypes": "no backend has 128-bit floats",
    "test_wrappers::test_wrapped_name_and_docs": _DECLARED,
}


def main() -> int:
    """Run the tests and print the count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tests", type=Path)
    parser.add_argument("--backend", default="numpy")
    parser.add_argument("--json", type=Path)
    parser.add_argument("-k", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        path = os.pathsep.join([str(HERE), str(given.tests.resolve()), *sys.path])
        run = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors",
                "-p", "no:cacheprovider",
                "-p", "no:xdist", "--no-header", "-c", os.devnull, f"--rootdir={given.tests}",
                f"--junitxml={report}", *([f"-k={given.k}"] if given.k else []),
                *[f"--ignore={given.tests / one}" for one in (*MACHINERY, "test_scipy.py")],
                str(given.tests),
            ],
            env={**os.environ, "PYTHONPATH": path, "UNIGRAD_BACKEND": given.backend},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        if not report.exists():
            print(run.stdout, run.stderr)
            return 1
        root = ET.parse(report)
    found = collections.defaultdict(list)
    for case in root.iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        failure = next((one for one in case if one.tag in ("failure", "error")), None)
        if failure is None:
            skipped = case.find("skipped") is not None
            found["skipped" if skipped else "passed"].append([name, ""])
            continue
        words = failure.get("message", "").splitlines()
        if (words or [""])[0].startswith(MISSING):
            kind = "missing"
        else:
            kind = "left out" if name.partition("[")[0] in LEFT_OUT else "failed"
        found[kind].append([name, " ".join(words)[:300]])
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    for kind in ("passed", "failed", "missing", "left out", "skipped"):
        print(f"{kind}: {len(found[kind])}")
    asserted = len(found["passed"]) + len(found["failed"])
    print(f"of what is asserted: {len(found['passed'])} of {asserted}")
    for name, words in found["failed"]:
        print(f"failed {name}: {words[:160]}")
    lacking = collections.Counter(
        words.split("unigrad has no ")[-1].split()[0] for _, words in found["missing"]
    )
    print("missing:", ", ".join(f"{name} ({n})" for name, n in lacking.most_common()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
