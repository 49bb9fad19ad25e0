"""Properties that hold for every example, on every backend.

``@forall(strategy, ...)`` makes a test with one run of hypothesis per backend. In ordinary runs
the examples are the same every time. ``UNIGRAD_FUZZ=1000`` asks for 1000 new ones of each
property; a backend that compiles for every shape gets its usual share of that.
"""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

FUZZ = int(os.environ.get("UNIGRAD_FUZZ", "0"))

#: Backends that compile an op for every shape.
COMPILING = {"jax"}


def forall(
    *strategies: SearchStrategy[Any], examples: int = 60, compiling: int = 8
) -> Callable[[Callable[..., None]], Callable[[str], None]]:
    """Declare a property of values drawn from strategies.

    Args:
        strategies: one per parameter of the property.
        examples: how many are tried.
        compiling: how many on a backend that compiles.
    """

    def declare(holds: Callable[..., None]) -> Callable[[str], None]:
        def test(backend: str) -> None:
            share = compiling if backend in COMPILING else examples
            chosen = settings(
                max_examples=max(1, FUZZ * share // examples) if FUZZ else share,
                derandomize=not FUZZ,
                database=None,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            )
            chosen(given(*strategies)(holds))()

        test.__name__, test.__doc__ = holds.__name__, holds.__doc__
        test.__module__ = holds.__module__
        return test

    return declare
