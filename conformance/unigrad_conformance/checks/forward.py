"""Forward mode: finite differences, and the transpose of reverse mode, Re⟨Jv, w⟩ = Re⟨v, Jᴴw⟩."""

from __future__ import annotations

from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.checks.gradients import DIFFERENCES, DOUBT
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem, inner_terms
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

#: How far the two inner products may be apart, relative to the sum of their terms' magnitudes.
ROUNDING = 1e-10


def check_forward(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare one random tangent with differences, and its inner product with a cotangent."""
    if problem.sample.zero_gradient:
        return
    leaves = problem.rounded(dtype)
    placed = place(leaves)
    primals = [placed[i] for i in problem.inexact]
    directions = problem.directions("tangent")
    tangents = place(
        [v.astype(leaves[i].dtype) for v, i in zip(directions, problem.inexact, strict=True)]
    )

    def function(*xs: Any) -> Any:
        full = list(placed)
        for i, x in zip(problem.inexact, xs, strict=True):
            full[i] = x
        results = run(problem, full)
        return tuple(
            one for one, weight in zip(results, problem.weights, strict=True) if weight is not None
        )

    with quiet():
        outputs, pushed = ug.jvp(function, tuple(primals), tuple(tangents))
    weights = [one for one in problem.weights if one is not None]
    forward, size = 0.0, 1.0
    for out, tangent, weight in zip(outputs, pushed, weights, strict=True):
        if tangent.shape != out.shape or tangent.dtype != out.dtype:
            raise Deviation(
                f"tangent of {out.dtype.name}{list(out.shape)} is "
                f"{tangent.dtype.name}{list(tangent.shape)}"
            )
        terms = inner_terms(weight, as_float64(tangent))
        forward, size = forward + float(terms.sum()), size + float(np.abs(terms).sum())
    backward = 0.0
    for direction, one in zip(directions, gradient(problem, leaves), strict=True):
        if one is None:
            raise Deviation("gradient is None: the op lost the connection")
        terms = inner_terms(as_float64(one), direction)
        backward, size = backward + float(terms.sum()), size + float(np.abs(terms).sum())
    if not abs(forward - backward) <= ROUNDING * size:
        raise Deviation(f"forward mode gives ⟨Jv, w⟩ = {forward!r}, reverse mode {backward!r}")
    known = [one for one in problem.tangents if one is not None]
    for tangent, (value, doubt) in zip(pushed, known, strict=True):
        most = scale(value)
        if (doubt > DOUBT * most).any():
            raise Deviation("finite differences are in doubt: too close to a kink or a pole")
        require_close(
            "forward mode against finite differences",
            as_float64(tangent), value, DIFFERENCES * most + 10.0 * doubt,
        )  # fmt: skip
