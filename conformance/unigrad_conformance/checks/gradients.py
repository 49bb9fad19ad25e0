"""Reverse mode: the backend's own gradient, the reference's, and finite differences agree."""

from __future__ import annotations

from functools import partial

import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad_conformance.checks.values import require_values
from unigrad_conformance.ledger import Ledger
from unigrad_conformance.problem import Problem, epsilon, wide
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, as_float64, gradient, require_close, scale

#: What two exact rules may differ by in float64, relative to the largest gradient.
ROUNDING = 1e-10
#: What is left of the error of finite differences, relative to the largest gradient.
DIFFERENCES = 1e-7
#: Beyond this doubt, finite differences prove nothing.
DOUBT = 1e-3
#: How many units a gradient in low precision may be off: a rule runs several ops.
UNITS = 64.0


def check_recorded(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Run the op once, on a tape: compare its values, and the native gradient with differences."""
    leaves = problem.rounded(dtype)
    found = gradient(problem, leaves, seen=partial(require_values, problem, dtype, ledger))
    native = _arrays("native gradient", problem, leaves, found)
    if problem.sample.zero_gradient:
        _require_zero("native gradient", native)
    else:
        _against_differences(problem, native)


def check_gradients(problem: Problem, dtype: dtypes.DType, ledger: Ledger) -> None:
    """Compare native, reference and numerical gradients in float64; bound the error in others."""
    leaves = problem.rounded(dtype)
    native = _arrays("native gradient", problem, leaves, gradient(problem, leaves))
    if problem.sample.zero_gradient:
        _require_zero("native gradient", native)
        _require_zero(
            "reference gradient",
            _arrays("reference gradient", problem, leaves, gradient(problem, leaves, True)),
        )
        return
    if dtype != dtypes.float64:
        _low_precision(problem, dtype, native, ledger)
        return
    reference = _arrays(
        "reference gradient", problem, leaves, gradient(problem, leaves, reference=True)
    )
    _measure(problem, dtype, native, reference, ledger)
    for i, (one, other) in enumerate(zip(native, reference, strict=True)):
        require_close(
            f"native gradient by input {i} against the reference's",
            one, other, ROUNDING * scale(*native, *reference),
        )  # fmt: skip
    _against_differences(problem, native)


def _against_differences(problem: Problem, native: list[Array]) -> None:
    most = scale(*[value for value, _ in problem.gradient])
    for i, (one, (value, doubt)) in enumerate(zip(native, problem.gradient, strict=True)):
        if (doubt > DOUBT * most).any():
            raise Deviation(
                f"finite differences by input {i} are in doubt: the sample lies too close to a "
                "kink or a pole"
            )
        require_close(
            f"gradient by input {i} against finite differences",
            one, value, DIFFERENCES * most + 10.0 * doubt,
        )  # fmt: skip


def _measure(
    problem: Problem,
    dtype: dtypes.DType,
    native: list[Array],
    right: list[Array],
    ledger: Ledger,
) -> None:
    """Note by how many units of the largest gradient two differ."""
    unit = epsilon(dtype) * scale(*right)
    for one, other in zip(native, right, strict=True):
        if one.shape == other.shape and one.size:
            with np.errstate(all="ignore"):
                error = np.where(one == other, 0.0, np.abs(one - other) / unit)
            ledger.measure(problem.sample, dtype, float(np.nanmax(error)), "gradient")


def _low_precision(
    problem: Problem, dtype: dtypes.DType, native: list[Array], ledger: Ledger
) -> None:
    """Compare with the gradient in float64 at the rounded inputs."""
    leaves = [
        wide(leaf) if i in problem.inexact else leaf
        for i, leaf in enumerate(problem.rounded(dtype))
    ]
    exact = [as_float64(one) for one in gradient(problem, leaves) if one is not None]
    _measure(problem, dtype, native, exact, ledger)
    allowed = UNITS * max(1.0, problem.sample.ulps / 4.0) * epsilon(dtype)
    for i, (one, other) in enumerate(zip(native, exact, strict=True)):
        require_close(f"{dtype.name} gradient by input {i}", one, other, allowed * scale(*exact))


def _arrays(
    what: str, problem: Problem, leaves: list[object], found: list[ug.Tensor | None]
) -> list[Array]:
    """Return gradients as ndarrays, having checked that they are there, their dtype and shape."""
    arrays = []
    for i, one in zip(problem.inexact, found, strict=True):
        leaf = leaves[i]
        assert isinstance(leaf, np.ndarray)
        if one is None:
            raise Deviation(f"{what} by input {i} is None: the op lost the connection")
        if one.shape != leaf.shape:
            raise Deviation(f"{what} by input {i}: shape {one.shape}, the input's is {leaf.shape}")
        if one.dtype != leaf.dtype:
            raise Deviation(
                f"{what} by input {i}: dtype {one.dtype.name}, the input's is {leaf.dtype.name}"
            )
        arrays.append(as_float64(one))
    return arrays


def _require_zero(what: str, arrays: list[Array]) -> None:
    for i, one in enumerate(arrays):
        if one.any():
            raise Deviation(f"{what} by input {i}: {one.tolist()!r}, must be zero")
