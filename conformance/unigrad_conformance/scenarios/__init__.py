"""What a tape means, as short programs with known results.

Every scenario is a function of an `Api`, the few names that `unigrad` and TensorFlow both have,
so the same function runs on every backend and on the real ``tf.GradientTape``, whose meaning the
tape has. It returns a structure of results; what is expected is written beside it in plain numbers
and ``None``.
"""

from __future__ import annotations

import importlib
import pkgutil

from unigrad_conformance.scenarios.scenario import SCENARIOS, Scenario


def every_scenario() -> list[Scenario]:
    """Return all scenarios, importing their modules at the first call."""
    for module in sorted(one.name for one in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return SCENARIOS
