"""Second order: native, reference, and finite differences of the gradient agree."""

from __future__ import annotations

import numpy as np

from unigrad.core import dtypes
from unigrad_conformance.backends import beside
from unigrad_conformance.checks.gradients import DIFFERENCES, DOUBT
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem, inner_terms, slope
from unigrad_conformance.subject import (
    Deviation,
    as_float64,
    gradient,
    require_close,
    scale,
    second,
)

#: What two exact rules may differ by in float64, relative to the largest element.
ROUNDING = 1e-9

_differences: dict[int, tuple[float, float]] = {}


def check_second_order(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare the product of the Hessian of ⟨weights, results⟩ with a random direction."""
    if problem.sample.zero_gradient:
        return
    leaves = problem.rounded(dtype)
    directions = problem.directions("second order")
    native = [as_float64(one) for one in second(problem, leaves, directions)]
    reference = [as_float64(one) for one in second(problem, leaves, directions, reference=True)]
    for i, (one, other) in enumerate(zip(native, reference, strict=True)):
        require_close(
            f"second order by input {i}, native against the reference",
            one, other, ROUNDING * scale(*native, *reference),
        )  # fmt: skip
    along = problem.directions("finite differences")
    value, doubt = _of_gradient(problem)
    terms = [inner_terms(one, way) for one, way in zip(native, along, strict=True)]
    size = max(1.0, sum(float(np.abs(one).sum()) for one in terms))
    got = sum(float(one.sum()) for one in terms)
    if doubt > DOUBT * size:
        raise Deviation("finite differences of the gradient are in doubt: too close to a kink")
    if not abs(got - value) <= DIFFERENCES * size + 10.0 * doubt:
        raise Deviation(f"second order: {got!r}, finite differences of the gradient give {value!r}")


def _of_gradient(problem: Problem) -> tuple[float, float]:
    """Return the derivative of Re⟨directions, gradient⟩ along another direction, and its doubt.

    It is taken of the gradient on NumPy, once for all backends: that gradient has been checked.
    """
    if id(problem) not in _differences:
        directions = problem.directions("second order")
        along = problem.directions("finite differences")

        def function(step: float) -> float:
            leaves = list(problem.leaves)
            for i, way in zip(problem.inexact, along, strict=True):
                leaves[i] = np.asarray(leaves[i] + step * way)
            with beside("numpy"):
                found = gradient(problem, leaves)
            return sum(
                float(np.sum(inner_terms(direction, as_float64(one))))
                for one, direction in zip(found, directions, strict=True)
                if one is not None
            )

        _differences[id(problem)] = slope(function, problem.sample.step)
    return _differences[id(problem)]
