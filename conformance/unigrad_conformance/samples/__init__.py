"""The samples: for every op, what it is run on and what must come out. One module per family."""

from __future__ import annotations

import importlib
import pkgutil

from unigrad_conformance.sample import SAMPLES, Sample


def every_sample() -> list[Sample]:
    """Return all samples, importing their modules at the first call."""
    for module in sorted(one.name for one in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    return SAMPLES


def ops() -> list[str]:
    """Return the names of all ops that have a sample, in order of their families."""
    return list(dict.fromkeys(one.op for one in every_sample()))


def samples_of(op: str) -> list[Sample]:
    """Return the samples of one op."""
    return [one for one in every_sample() if one.op == op]
