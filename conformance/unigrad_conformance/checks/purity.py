"""An op leaves its inputs alone and gives the same result every time."""

from __future__ import annotations

from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, place, quiet, run, weighed

#: Ops that no public function of their name runs: ``ug.identity`` makes a matrix.
_BARE = {"identity"}


def check_purity(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Run the op twice, once under a tape that is asked for a gradient; compare everything."""
    placed = place(problem.rounded(dtype))
    before = _copies(placed)
    with quiet():
        first = _copies(run(problem, placed))
        if problem.is_smooth:
            sources = [placed[i] for i in problem.inexact]
            with ug.GradientTape() as tape:
                tape.watch(sources)
                targets, weights = weighed(problem, run(problem, placed))
            seeds = _copies(weights)
            tape.gradient(targets, sources, weights)
            _require_same("the backward pass changed its cotangent", weights, seeds)
        again = run(problem, placed)
        _require_own(problem, placed)
    _require_same("the op changed its input", placed, before)
    _require_same("a second run gave another result than the first", again, first)


def _require_own(problem: Problem, placed: list[Any]) -> None:
    """Run the op on variables: a result is not the handle that a variable's readers share."""
    if problem.sample.op in _BARE or not hasattr(ug, problem.sample.op):
        return
    inputs = [ug.Variable(x) if i in problem.inexact else x for i, x in enumerate(placed)]
    held = [x.current() for x in inputs if isinstance(x, ug.Variable)]
    for result in run(problem, inputs):
        if any(result is one for one in held):
            raise Deviation(
                "returned a variable's own handle: assigning to it changes the variable"
            )


def _copies(values: list[Any]) -> list[Array | None]:
    return [one.numpy().copy() if isinstance(one, ug.Tensor) else None for one in values]


def _require_same(what: str, values: list[Any], before: list[Array | None]) -> None:
    for i, (one, earlier) in enumerate(zip(values, before, strict=True)):
        if earlier is None:
            continue
        now = one.numpy()
        if now.dtype != earlier.dtype or now.tobytes() != earlier.tobytes():
            if np.array_equal(now, earlier) and now.dtype == earlier.dtype:
                continue
            if now.dtype.kind in "fc" and np.array_equal(now, earlier, equal_nan=True):
                continue
            raise Deviation(f"{what} (number {i})")
