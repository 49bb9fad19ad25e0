"""What a user sees of the package, and what the package may not hold.

Every public name is there, says what it is for and shows an example; the wheel carries the types;
files stay short; and the front end knows no backend.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import unigrad as ug
import unigrad.ops
from unigrad.core.op import OPS

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "unigrad").rglob("*.py"))

#: Public functions without an example, and where one is.
SHOWN_ELSEWHERE = {
    "io.load": "io.save",
    "io.load_program": "io.save_program",
    "layers.from_keras": "layers.from_torch",
}

#: Where frameworks are named in code: the help of the command, and the makers of layers of theirs.
NAMING = {
    "unigrad/cli.py",
    "unigrad/layers/__init__.py",
    "unigrad/layers/convert.py",
    "unigrad/layers/native.py",
}
FRAMEWORK = re.compile("torch|jax|tensorflow", re.IGNORECASE)


def _public(namespace: ModuleType, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every public name with its value, those of public modules too."""
    for name in namespace.__all__:
        value = getattr(namespace, name)
        yield prefix + name, value
        if isinstance(value, ModuleType):
            yield from _public(value, f"{prefix}{name}.")


PUBLIC = dict(_public(ug))
#: Not the dtypes, the constants and the names of types, which are values of others' classes.
DOCUMENTED = {
    name: value
    for name, value in PUBLIC.items()
    if isinstance(value, FunctionType | type | ModuleType)
}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if isinstance(value, FunctionType)}


def test_there_are_many() -> None:
    assert len(ug.__all__) >= 260
    assert len(FUNCTIONS) >= 270


def test_no_name_is_public_twice() -> None:
    assert len(ug.__all__) == len(set(ug.__all__))


NAMESPACES = {
    "bessel": "special",
    "cosines": "fft",
    "fourier": "fft",
    "frequencies": "fft",
    "short_time": "fft",
    "special": "special",
    **dict.fromkeys(unigrad.ops.linalg.__all__, "linalg"),
    **{f"nn.{name}": "nn" for name in unigrad.ops.nn.__all__},
}


@pytest.mark.parametrize(
    "module", [info.name for info in pkgutil.walk_packages(unigrad.ops.__path__, "unigrad.ops.")]
)
def test_the_ops_are_public(module: str) -> None:
    ops = importlib.import_module(module)
    # Some families are public in a namespace of their own.
    name = module.removeprefix("unigrad.ops.")
    space = getattr(ug, NAMESPACES.get(name, NAMESPACES.get(name.rpartition(".")[2], "")), ug)
    for name in getattr(ops, "__all__", ()):
        if isinstance(getattr(ops, name), ModuleType):
            continue
        assert name in space.__all__, f"{module}.{name} is missing from {space.__name__}"
        assert getattr(space, name) is getattr(ops, name), f"another {name} hides {module}.{name}"


@pytest.mark.parametrize("name", DOCUMENTED)
def test_docstring(name: str) -> None:
    assert (DOCUMENTED[name].__doc__ or "").strip(), f"{name} has no docstring"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_example(name: str) -> None:
    shown = ">>>" in (inspect.getdoc(FUNCTIONS[name]) or "")
    assert shown == (name not in SHOWN_ELSEWHERE)


def test_examples_shown_elsewhere() -> None:
    for name, other in SHOWN_ELSEWHERE.items():
        assert f"{name.rpartition('.')[2]}(" in FUNCTIONS[other].__doc__


def test_the_wheel_is_typed() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    # Nothing is left out of the packages but what git ignores.
    assert set(wheel) == {"packages"}
    assert "exclude" not in build
    assert "typed" not in (ROOT / ".gitignore").read_text()
    for package in wheel["packages"]:
        assert (ROOT / package / "py.typed").is_file(), f"{package} has no py.typed"


def test_files_are_short() -> None:
    lines = {
        path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines())
        for folder in ("unigrad", "backends", "conformance")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    assert len(lines) > 150
    assert {path: count for path, count in lines.items() if count > 400} == {}


def _names(source: str) -> Iterator[str]:
    """Yield every name and string of some code, but no docstring and no comment."""
    tree = ast.parse(source)
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if id(node) in docstrings:
            continue
        for _, value in ast.iter_fields(node):
            yield from (
                one for one in (value if isinstance(value, list) else [value]) if type(one) is str
            )


def test_names_and_strings_are_found() -> None:
    source = '"""torch"""\nimport a.jax as b  # torch\nx = f"{c.d}tensorflow"\nglobal e\n'
    assert sorted(_names(source)) == ["a.jax", "b", "c", "d", "e", "tensorflow", "x"]


def test_the_front_end_names_no_framework() -> None:
    naming = {
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if any(FRAMEWORK.search(name) for name in _names(path.read_text()))
    }
    assert len(SOURCES) > 80
    assert naming == NAMING


def test_the_front_end_names_one_backend() -> None:
    packages = re.compile(r"unigrad_(numpy|torch|jax|tensorflow)\b")
    registry = ROOT / "unigrad" / "core" / "registry.py"
    for path in SOURCES:
        assert not any(packages.search(name) for name in _names(path.read_text())), path
    # The default backend's name, and the package whose arrays need no backend to be found.
    assert list(_names(registry.read_text())).count("numpy") == 2


def test_every_op_has_a_rule() -> None:
    """Also those that are declared after the rules of the others have been read."""
    assert [name for name, op in OPS.items() if op.rule is None] == []
