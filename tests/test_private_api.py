"""Private API of the frameworks: only in each backend's ``private.py``, and as we rely on it.

When a new version of a framework changes one of these names, the test of that name says so.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import test_private_api_of_tensorflow as tests_of_tensorflow
import test_private_api_of_torch as tests_of_torch

from unigrad.core import registry

BACKENDS = Path(__file__).parent.parent / "backends"
FRAMEWORKS = {"torch", "jax", "jaxlib", "tensorflow", "tf", "jnp", "np", "numpy", "lax"}
#: Modules that are private, or are said to change, by their names.
PRIVATE = re.compile(r"(^|\.)(_(?!_)|python\.|experimental\b)")


def _private_names(source: str) -> Iterator[str]:
    """Yield the private names of frameworks that some code imports or reads."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [f"{node.module}.{one.name}" for one in node.names]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        for name in names:
            if name.partition(".")[0] in FRAMEWORKS and PRIVATE.search(f"{name}."):
                yield name


def test_private_names_are_found() -> None:
    source = (
        "from torch.utils import _pytree\nimport jax._src.core\nfrom tensorflow.python import x\n"
        "torch._C._nn.f(1)\ntorch.__version__\nnp.add\nself._own\n"
    )
    assert set(_private_names(source)) == {
        "torch.utils._pytree", "jax._src.core", "tensorflow.python.x", "torch._C._nn.f",
        "torch._C._nn", "torch._C",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(BACKENDS.rglob("*.py")) if path.name != "private.py"],
    ids=lambda path: path.relative_to(BACKENDS).as_posix(),
)
def test_only_private_modules_have_them(path: Path) -> None:
    assert set(_private_names(path.read_text())) == set()


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        (tests_of_torch.of_torch, tests_of_torch),
        (tests_of_tensorflow.of_tensorflow, tests_of_tensorflow),
    ],
    ids=["torch", "tensorflow"],
)
def test_every_name_has_its_canary(module: Any, tests: Any) -> None:
    tried = {name.lower() for name in vars(tests) if name.startswith("test_")}
    for name in module.__all__:
        assert f"test_{name}".lower() in tried, f"{name} is not tried there"


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIGRAD_DEVICE", "somewhere")
    assert registry.default_device() == "somewhere"
    assert registry.environment is not os.environ
    monkeypatch.delenv("UNIGRAD_DEVICE")
    assert registry.default_device() is None
