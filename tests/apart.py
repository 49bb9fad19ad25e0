"""Run trials in a process of their own, which may fork: no framework has started threads there."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def apart(code: str, **names: Any) -> Any:
    """Run code that leaves its answer in ``found``; return that. The names are JSON."""
    given = "".join(
        f"{name} = json.loads({json.dumps(json.dumps(x))})\n" for name, x in names.items()
    )
    program = f"import json\n{given}{code}\nprint(json.dumps(found))"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
