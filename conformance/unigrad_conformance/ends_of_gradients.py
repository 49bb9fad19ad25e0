"""Derivatives of elementwise ops at the ends of the dtypes: finite where the true one is.

The true one is the gradient in float64 of the reference, on NumPy, at the same numbers: for
narrower dtypes no step of it leaves float64's range. Where it is infinite or NaN, or too large for
the dtype, nothing is asked; by a NaN no function has a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.backends import beside
from unigrad_conformance.ends import OPEN, is_subnormal, worked_out
from unigrad_conformance.problem import Problem, epsilon, smallest, wide
from unigrad_conformance.sample import Array, Sample
from unigrad_conformance.subject import Deviation, place, quiet, run

#: How many units a gradient may be off: a rule runs several ops.
UNITS = 64.0
_finfo: Any = ml_dtypes.finfo
_true: dict[tuple[str, dtypes.DType], list[Array | None]] = {}

#: What is left open everywhere, by op: known deviations of docs/backends.md, and slopes that
#: lose their digits or their range by nature. By the largest number and the inputs.
OPEN_GRADIENTS: dict[str, Callable[..., Any]] = {
    # 1 / x leaves the range, or y - 1 is rounded.
    "pow": lambda most, x, *y: (
        (np.abs(x) < 4 / most) | np.any([np.abs(v) > 100 for v in y], axis=0)
    ),
    "log2": lambda most, x: np.abs(x) < 4 / most,
    "log10": lambda most, x: np.abs(x) < 4 / most,
    # The square of the divisor leaves the range, or the quotient's floor is rounded.
    "divide": lambda most, *xs: ~((xs[-1] ** 2 > 4 / most) & (xs[-1] ** 2 < most)),
    "remainder": lambda most, *xs: np.isinf(xs[-1]) | (np.abs(xs[0] / xs[-1]) < 4 / most),
    # The slope is steep.
    "acosh": lambda most, x: np.abs(x - 1) < 0.01,
    # The square of the distance leaves the range: known of JAX.
    "atan2": lambda most, y, x: ~((x * x + y * y > 4 / most) & (x * x + y * y < most)),
    # 0 · ∞ in a product.
    "gelu": lambda most, x: np.isinf(x),
    # The bounds are rounded, and the result.
    "clip": lambda most, x, *rest: np.abs(np.abs(x) - 0.3) < 0.01,
    "hypot": lambda most, x, y: np.maximum(np.abs(x), np.abs(y)) < 4 / most,
}


def check_gradients_at_ends(sample: Sample, dtype: dtypes.DType, flushing: bool) -> None:
    """Compare the native gradient at all special numbers of a dtype with the true one."""
    (problem,) = worked_out(sample, dtype, 1000)
    leaves = problem.rounded(dtype)
    key = sample.id, dtype
    if key not in _true:
        with beside("numpy"):
            exact = [wide(x) if i in problem.inexact else x for i, x in enumerate(leaves)]
            _true[key], _ = _gradients(problem, exact, reference=True)
    found, value = _gradients(problem, leaves)
    # A value beyond the range has no slope in it.
    numbers = np.all([np.isfinite(wide(leaves[i])) for i in problem.inexact], axis=0)
    skipped = np.isnan(value) | (numbers & ~np.isfinite(value))
    for leaf in (leaves[i] for i in problem.inexact):
        skipped |= np.isnan(wide(leaf))
        if flushing:
            skipped |= is_subnormal(leaf, dtype)
    for table in (OPEN, OPEN_GRADIENTS):
        if sample.op in table:
            with np.errstate(all="ignore"):
                inputs = [wide(leaves[i]) for i in problem.inexact]
                skipped |= table[sample.op](float(_finfo(dtype).max), *inputs)
    # Where a value cancels by nature its slope does too.
    size = np.ones(1000)
    if sample.terms is not None:
        terms = np.abs(wide(problem.oracle(leaves, sample.terms)[0]))
        size = np.maximum(size, np.where(np.isfinite(terms), terms, 1.0))
    for i, got, want in zip(problem.inexact, found, _true[key], strict=True):
        if want is None:
            continue
        if got is None:
            raise Deviation(f"gradient by input {i} is None")
        with np.errstate(over="ignore"):
            units = UNITS * max(1.0, sample.ulps / 4.0) * size
        _require(i, got, want, leaves, dtype, skipped, units)


def _require(
    i: int,
    got: Array,
    want: Array,
    leaves: list[Any],
    dtype: dtypes.DType,
    skipped: Array,
    units: Array,
) -> None:
    with np.errstate(all="ignore"):
        asked = np.isfinite(want.astype(dtype).astype(np.float64)) & ~skipped
        allowed = units * epsilon(dtype) * np.maximum(np.abs(want), 1.0) + smallest(dtype)
        bad = asked & ~(np.abs(got - want) <= allowed)
    if bad.any():
        index = int(np.argmax(bad))
        at = [float(wide(x)[index]) for x in leaves if isinstance(x, np.ndarray)]
        raise Deviation(
            f"gradient by input {i} at {', '.join(map(repr, at))} is {got[index]!r}, "
            f"not {want[index]!r} ({int(bad.sum())} elements are off)"
        )


def _gradients(
    problem: Problem, leaves: Sequence[Any], reference: bool = False
) -> tuple[list[Array | None], Array]:
    """Return the gradients of the sum by each input, and the values."""
    placed = place(leaves)
    sources = [placed[i] for i in problem.inexact]
    with quiet():
        with ug.GradientTape(reference=reference) as tape:
            tape.watch(sources)
            (result,) = run(problem, placed)
        found = tape.gradient(result, sources)
    return [None if one is None else wide(one.numpy()) for one in found], wide(result.numpy())
