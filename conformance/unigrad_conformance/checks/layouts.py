"""Layouts: what an op gives, and its gradient, do not depend on how its inputs lie in memory."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.layouts import LAYOUTS, Layout, unchanged
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem, epsilon
from unigrad_conformance.subject import (
    Deviation,
    as_float64,
    gradient,
    place,
    quiet,
    require_close,
    run,
    scale,
)

#: How many units in the last place of the largest element results may be apart: libraries add up
#: in the order of memory.
UNITS = 32.0


def check_mixed_layouts(
    problem: Problem, dtype: dtypes.DType, ledger: Ledger, views: bool = True
) -> None:
    """Give each input another layout, the first one a transposed one, and then any."""
    for start in (0, zlib.crc32(problem.sample.id.encode())):
        _check(problem, dtype, _mixed(problem, start), views)


def check_every_layout(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Give all inputs each layout in turn, and each mixture of neighbours."""
    for start, layout in enumerate(LAYOUTS):
        _check(problem, dtype, [layout] * len(problem.leaves), True)
        _check(problem, dtype, _mixed(problem, start), True)


def _mixed(problem: Problem, start: int) -> list[Layout]:
    return [LAYOUTS[(start + i) % len(LAYOUTS)] for i in range(len(problem.leaves))]


def _check(problem: Problem, dtype: dtypes.DType, kept: Sequence[Layout], views: bool) -> None:
    problem.expected(dtype)  # It finds out whether the op returns Python's own numbers.
    what = ", ".join(dict.fromkeys(layout.name for layout in kept))
    leaves = [
        layout.values(leaf) if i in problem.inexact else leaf
        for i, (leaf, layout) in enumerate(zip(problem.rounded(dtype), kept, strict=True))
    ]
    try:
        with quiet():
            usual = run(problem, place(leaves))
    except (ug.UnigradError, np.linalg.LinAlgError):
        if all(layout.values is unchanged for layout in kept):
            raise
        return  # Values that repeat are none for this op.
    with quiet():
        outside = run(problem, _from_outside(leaves, kept, problem.sample.call is None))
    require_same(f"given arrays that are {what}", outside, usual)
    if not views:
        return

    def placing(some: Sequence[Any]) -> list[Any]:
        return [
            layout.tensor(leaf) if isinstance(leaf, np.ndarray) else leaf
            for leaf, layout in zip(some, kept, strict=True)
        ]

    with quiet():
        require_same(f"given views that are {what}", run(problem, placing(leaves)), usual)
    # Where values repeat, there may be fewer results than cotangents.
    fitting = [one.shape for one in usual] == [one.shape for one in problem.expected(dtype)]
    if problem.is_smooth and fitting:
        for reference in (False, True):
            found = gradient(problem, leaves, reference, placing=placing, making=kept[0].tensor)
            expected = gradient(problem, leaves, reference)
            which = "reference" if reference else "native"
            require_same(f"{which} gradient, given views that are {what}", found, expected)


def _from_outside(leaves: Sequence[Any], kept: Sequence[Layout], beside: bool) -> list[Any]:
    """Return the leaves placed from ndarrays, or as these ``beside`` the first one placed."""
    placed: list[Any] = []
    for leaf, layout in zip(leaves, kept, strict=True):
        if not isinstance(leaf, np.ndarray):
            placed.append(leaf)
        elif beside and any(isinstance(one, ug.Tensor) for one in placed):
            placed.append(layout.array(leaf))
        else:
            placed.append(ug.asarray(layout.array(leaf)))
    return placed


def require_same(what: str, found: Sequence[Any], expected: Sequence[Any]) -> None:
    for i, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one is None and other is None:
            continue
        if one is None or other is None or (one.shape, one.dtype) != (other.shape, other.dtype):
            raise Deviation(f"{what}: number {i} is {one!r}, not {other!r}")
        if other.dtype in dtypes.INEXACT:
            want = as_float64(other)
            allowed = UNITS * epsilon(other.dtype) * scale(want)
            require_close(f"{what}: number {i}", as_float64(one), want, allowed)
        elif not np.array_equal(one.numpy(), other.numpy()):
            raise Deviation(f"{what}: number {i} is {one.tolist()!r}, not {other.tolist()!r}")
