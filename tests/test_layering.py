"""Who may import whom: nothing imports upwards, core declares no op, backends know the contract."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FRONT_END = ROOT / "unigrad"
#: From the bottom up; what shares a line knows nothing of each other.
FLOORS = [
    ["core"],
    ["ops"],
    ["autodiff", "random", "batching"],
    ["functions"],
    ["tracing", "native"],
    ["transforms"],
    ["control"],
    [
        "initializers",
        "optimizers",
        "losses",
        "metrics",
        "data",
        "io",
        "nn",
        "linalg",
        "fft",
        "special",
    ],
    ["layers", "decoding"],
    ["graph", "training"],
    ["seq2seq", "installation"],
    ["pronunciation"],
    ["cli_pronunciation"],
    ["cli"],
    ["__main__"],
]
HEIGHTS = {name: height for height, floor in enumerate(FLOORS) for name in floor}


def _imported(source: str) -> Iterator[str]:
    """Yield the modules that some code imports to run, not those that only type checkers see."""
    tree = ast.parse(source)
    typing = {
        id(inside)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for one in node.body
        for inside in ast.walk(one)
    }
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _part(module: str) -> str | None:
    """Return the part of the front end that a module belongs to."""
    root, _, rest = module.partition(".")
    return rest.partition(".")[0] if root == "unigrad" and rest else None


def _upwards(part: str, source: str) -> set[str]:
    """Return the parts that code in one imports though they are not below it."""
    found = {_part(name) for name in _imported(source)} - {None, part}
    return {other for other in found if other and HEIGHTS[other] >= HEIGHTS[part]}


def test_upward_imports_are_found() -> None:
    assert _upwards("core", "def f():\n    from unigrad.ops.linear import matmul") == {"ops"}
    assert _upwards("ops", "from unigrad import control, core") == {"control"}
    assert _upwards("losses", "import unigrad.metrics as m") == {"metrics"}
    assert _upwards("core", "if TYPE_CHECKING:\n    import unigrad.ops.linear") == set()


FILES = [path for path in sorted(FRONT_END.rglob("*.py")) if path != FRONT_END / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_imports_upwards(path: Path) -> None:
    part = path.relative_to(FRONT_END).parts[0].removesuffix(".py")
    assert _upwards(part, path.read_text()) == set()


def test_core_declares_no_op() -> None:
    for path in sorted((FRONT_END / "core").glob("*.py")):
        tree = ast.parse(path.read_text())
        # Calls in functions are those of the makers of ops themselves.
        for node in tree.body:
            calls = [] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else [*ast.walk(node)]
            names = {
                one.func.id
                for one in calls
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Name)
            }
            assert not names & {"primitive", "composite"}, path


#: The contract, how an update op orders its inputs, and rules run on native arrays.
CONTRACT = ("unigrad.core.", "unigrad.optimizers.", "unigrad.autodiff.bridge.")


def test_backends_know_the_contract_only() -> None:
    for folder in sorted((ROOT / "backends").glob("unigrad_*")):
        for path in sorted(folder.rglob("*.py")):
            for name in _imported(path.read_text()):
                root = name.partition(".")[0]
                assert root != "unigrad" or name.startswith(CONTRACT), (path, name)
                assert not root.startswith("unigrad_") or root == folder.name, (path, name)
