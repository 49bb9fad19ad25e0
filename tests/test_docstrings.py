"""The examples in the docstrings of decorated functions.

``pytest --doctest-modules`` runs all others, but takes a function that a decorator returned for
one of the decorator's module and passes it over: the elementwise ops are made that way.
"""

import doctest
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import unigrad


def _decorated() -> list[tuple[ModuleType, str, object]]:
    found = []
    for info in pkgutil.walk_packages(unigrad.__path__, "unigrad."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if not callable(value) or inspect.isclass(value):
                continue
            inner = inspect.unwrap(value)
            if inner is not value and getattr(inner, "__module__", None) == module.__name__:
                found.append((module, name, inner))
    return found


DECORATED = _decorated()


def test_there_are_some() -> None:
    assert len(DECORATED) >= 30


@pytest.mark.parametrize(
    ("module", "name", "function"), DECORATED, ids=[f"{m.__name__}.{n}" for m, n, _ in DECORATED]
)
def test_example(module: ModuleType, name: str, function: object) -> None:
    tests = doctest.DocTestFinder(recurse=False).find(function, name, globs=dict(vars(module)))
    examples = [example for test in tests for example in test.examples]
    assert examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0
