"""Which loops JAX traces where it differentiates what is around: ones that keep their steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import jax


class _Steps(threading.local):
    #: Whether loops in what is traced must keep their steps: JAX differentiates it.
    kept = False


steps = _Steps()


def vjp_through_loops(function: Callable[..., Any], *inputs: Any) -> Any:
    """Return what ``jax.vjp`` does, for a function that may run loops of values' lengths."""
    before, steps.kept = steps.kept, True
    try:
        return jax.vjp(function, *inputs)
    finally:
        steps.kept = before
