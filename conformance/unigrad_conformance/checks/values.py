"""Values, dtype and shape against the oracle, within the sample's budget of units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, place, quiet, run


def check_values(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Run the op and compare every result with the oracle."""
    with quiet():
        results = run(problem, place(problem.rounded(dtype)))
    require_values(problem, dtype, ledger, results)


def require_values(
    problem: Problem, dtype: dtypes.DType, ledger: Ledger, results: Sequence[ug.Tensor]
) -> None:
    """Compare results with the oracle's."""
    expected = problem.expected(dtype)
    if len(results) != len(expected):
        raise Deviation(f"{len(results)} results, not {len(expected)}")
    wanted = problem.result_dtypes(dtype)
    for i, (result, want) in enumerate(zip(results, expected, strict=True)):
        what = "value" if len(results) == 1 else f"value of result {i}"
        if result.shape != want.shape:
            raise Deviation(f"{what}: shape {result.shape}, not {want.shape}")
        if result.dtype != wanted[i]:
            raise Deviation(f"{what}: dtype {result.dtype.name}, not {wanted[i].name}")
        got = result.numpy()
        if wanted[i] in dtypes.INEXACT:
            _within(what, got, want, problem.units(dtype)[i], problem, dtype, ledger)
        elif not np.array_equal(got, want):
            raise Deviation(f"{what}: {got.tolist()!r}, not {want.tolist()!r}")


def _within(
    what: str,
    got: Array,
    want: Array,
    units: Array,
    problem: Problem,
    dtype: dtypes.DType,
    ledger: Ledger,
) -> None:
    """Measure the error in units, note it and compare it with the budget."""
    kind = np.complex128 if want.dtype.kind == "c" or got.dtype.kind == "c" else np.float64
    got, want = got.astype(kind), want.astype(kind)
    with np.errstate(all="ignore"):
        # What overflows the dtype must overflow.
        error = np.abs(got - want) / units
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    error = np.where(same, 0.0, np.where(np.isfinite(error), error, np.inf))
    worst = float(error.max()) if error.size else 0.0
    ledger.measure(problem.sample, dtype, worst)
    if worst > problem.sample.ulps:
        index = np.unravel_index(int(error.argmax()), error.shape)
        place = [int(i) for i in index]
        raise Deviation(
            f"{what}: {got[index]!r} at {place}, not {want[index]!r}: {worst:.3g} units, "
            f"allowed are {problem.sample.ulps:g}"
        )
