"""The modules of ``unigrad.autodiff`` stand on each other without a circle, types included."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import unigrad.autodiff

HOME = Path(unigrad.autodiff.__file__).parent
PACKAGE = "unigrad.autodiff"


def _imported(path: Path) -> set[str]:
    """Return the package's modules that one imports, also those for type checkers alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [one.name for one in node.names] if isinstance(node, ast.Import) else []
        found |= {name for name in names if name.startswith(f"{PACKAGE}.")}
    return found


def test_no_module_of_autodiff_imports_itself_by_a_detour() -> None:
    graph = {f"{PACKAGE}.{path.stem}": _imported(path) for path in HOME.glob("*.py")}
    assert f"{PACKAGE}.differentiation" in graph[f"{PACKAGE}.tape"]
    # Raises CycleError, which names the circle.
    order = [*TopologicalSorter(graph).static_order()]
    assert order.index(f"{PACKAGE}.backward") < order.index(f"{PACKAGE}.tape")
