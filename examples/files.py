"""Find a data file inside an installed package, without running a line of that package."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path


def file_of_package(package: str, inside: str) -> Path:
    """Return the path of a file of a package, which is located and not imported."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / inside
        if path.is_file():
            return path
    sys.exit(
        f"This example reads {package}/{inside}, which is missing: pip install 'unigrad[demo]'"
    )
