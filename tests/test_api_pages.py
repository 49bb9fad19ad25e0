"""The API pages list the public names: each once, and no others."""

import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

import unigrad as ug
from unigrad.ops import methods

ROOT = Path(__file__).parent.parent
_spec = importlib.util.spec_from_file_location("api_pages", ROOT / ".ci" / "api_pages.py")
api_pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(api_pages)

#: This page is for authors of backends.
OTHERS = {"backend.md"}


def public(namespace, prefix):
    for name in namespace.__all__:
        value = getattr(namespace, name)
        if isinstance(value, ModuleType):
            yield from public(value, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}"


def filled():
    return {
        path.name: api_pages.on_page_markdown(path.read_text())
        for path in (ROOT / "docs" / "api").glob("*.md")
    }


def test_each_public_name_is_listed_once():
    listed = Counter()
    for name, page in filled().items():
        if name not in OTHERS:
            listed.update(re.findall(r"^(?:::: |\| `)(unigrad\.[\w.]+)", page, re.MULTILINE))
    assert listed == Counter(public(ug, "unigrad"))


def test_each_method_is_listed():
    page = filled()["core.md"]
    attached = {*methods._METHODS, *methods._REDUCTIONS, *methods._PROPERTIES}
    assert set(re.findall(r"^\| `Tensor\.(\w+)", page, re.MULTILINE)) == attached
    operators = page.partition("Operators and protocols: ")[2].partition("\n")[0]
    for name in (*methods._BINARY, *methods._ONE_WAY):
        assert f"`__{name}__`" in operators


@pytest.mark.parametrize("name", ["`Tensor.sum(axis=None", "`Tensor.T` | `unigrad.transpose`"])
def test_a_method_says_what_it_takes_or_is(name):
    assert name in filled()["core.md"]


def test_a_method_that_is_no_function_of_its_name_is_explained():
    page = filled()["core.md"]
    for name in re.findall(r"^\| `Tensor\.\w+.*` \| `unigrad\.(\w+)` \|$", page, re.MULTILINE):
        assert name in ug.__all__
