"""Planted faults of tapes: what one is, how it is planted, and that a check finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tape_checks import check

import unigrad as ug
from unigrad import control
from unigrad.autodiff import backward, cotangents, differentiation, forward, transforms
from unigrad.autodiff import tape as tapes
from unigrad.core import copying, op, recorders, variable
from unigrad.layers import module
from unigrad.ops import creation, interop
from unigrad.tracing import jit

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Fault:
    """What is planted, where, and what must fail."""

    name: str
    backend: str
    plant: Callable[[Patch], None]
    checks: tuple[str, ...]


def replace(target: Any, name: str, value: Any) -> Callable[[Patch], None]:
    """Return the planting of a fault: something else under a name."""
    return lambda patch: patch.setattr(target, name, value)


def around(target: Any, name: str, make: Callable[[Any], Any]) -> Callable[[Patch], None]:
    """Return the planting of a fault made from the honest function."""
    return lambda patch: patch.setattr(target, name, make(getattr(target, name)))


def everywhere(name: str, value: Any) -> Callable[[Patch], None]:
    """Return the planting of a fault in a function that modules have taken by name."""
    places = (
        creation, op, variable, copying, cotangents, differentiation, forward, interop, tapes,
        backward, transforms, module, control, jit,
    )  # fmt: skip

    def plant(patch: Patch) -> None:
        for place in places:
            if hasattr(place, name):
                patch.setattr(place, name, value)

    return plant


def nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


def require_caught(fault: Fault, monkeypatch: Patch) -> None:
    """Plant a fault and see that each of its checks fails."""
    with ug.use_backend(fault.backend):
        for name in fault.checks:
            with monkeypatch.context() as patch:
                fault.plant(patch)
                caught = False
                try:
                    check(name)
                except Exception:
                    # A wrong number, or an error that comes of it.
                    caught = True
            assert caught, f"{name} does not notice"


def stop_recording() -> None:
    """Forget all recorders: a faulty tape may not have stopped recording."""
    recorders.thread.active = []
    recorders.thread.refresh()
    recorders.process.recording.clear()
