"""Matrices at other scales: f(s x) is sᵈ f(x), its gradient sᵈ⁻¹ of that at x, linear in the
cotangent, for powers of two s by which squares leave the range of the dtype.

A power of two rounds nothing, so that both sides differ by the rounding of the one algorithm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.backends import spares_programs
from unigrad_conformance.levels import Level
from unigrad_conformance.subject import Deviation, quiet

_SQUARE = np.array([[3.0, 1.0, 0.5], [0.25, 2.0, -1.0], [0.5, 0.75, 5.0]])
_TURNING = np.array([[3.0, -4.0, 0.5], [1.0, 2.0, -1.0], [0.5, 0.75, 5.0]])
_POSITIVE = _SQUARE + _SQUARE.T + 4.0 * np.eye(3)
_TALL = np.array([[3.0, 1.0], [-0.5, 2.0], [1.0, 0.75]])
_RIGHT = np.array([[1.0], [2.0], [-1.0]])
#: Eigenvalues far apart.
_GRADED = np.diag([1.0, 1e-3])


@dataclass(frozen=True)
class Scaled:
    """A function of matrices that are scaled together, and its degree d.

    A degree of ``None`` is of a function that is tried with other cotangents alone.
    """

    function: Callable[..., ug.Tensor]
    inputs: tuple[Any, ...]
    degree: float | None


def _of(function: Callable[..., ug.Tensor], *inputs: Any, degree: float | None) -> Scaled:
    return Scaled(function, inputs, degree)


def _linalg(name: str, part: int | None = None, **settings: Any) -> Callable[..., ug.Tensor]:
    """Return a function of `ug.linalg`, or of one of its results; of complex ones the real part."""

    def function(*xs: ug.Tensor) -> ug.Tensor:
        found = getattr(ug.linalg, name)(*xs, **settings)
        found = found if part is None else found[part]
        is_complex = found.dtype in (ug.complex64, ug.complex128)
        return ug.real(found) if is_complex else found

    return function


def _polar(x: ug.Tensor) -> ug.Tensor:
    u, _, vh = ug.linalg.svd(x, full_matrices=False)
    return u @ vh


TABLE: dict[str, Scaled] = {
    "logm": _of(_linalg("logm"), _SQUARE, degree=None),
    "logm of small and large eigenvalues": _of(_linalg("logm"), _GRADED, degree=None),
    "expm": _of(_linalg("expm"), _GRADED, degree=None),
    "sqrtm": _of(_linalg("sqrtm"), _SQUARE, degree=0.5),
    "left singular vectors": _of(_linalg("svd", 0), _SQUARE, degree=0.0),
    "right singular vectors": _of(_linalg("svd", 2), _SQUARE, degree=0.0),
    "singular values": _of(_linalg("svd", 1), _TALL, degree=1.0),
    "polar factor": _of(_polar, _TALL, degree=0.0),
    "lstsq": _of(_linalg("lstsq", 0), _TALL, _RIGHT, degree=0.0),
    "nuclear norm": _of(_linalg("matrix_norm", ord="nuc"), _TALL, degree=1.0),
    "condition": _of(_linalg("cond_number"), _TALL, degree=0.0),
    "eigenvectors": _of(_linalg("eig", 1), _SQUARE, degree=0.0),
    "eigenvectors that turn": _of(_linalg("eig", 1), _TURNING, degree=0.0),
    "eigenvalues": _of(_linalg("eigvals"), _SQUARE, degree=1.0),
    "eigenvectors of symmetric matrices": _of(_linalg("eigh", 1), _POSITIVE, degree=0.0),
    "schur": _of(_linalg("schur", 0), _SQUARE, degree=1.0),
    "q of qr": _of(_linalg("qr", 0), _TALL, degree=0.0),
    "r of qr": _of(_linalg("qr", 1), _TALL, degree=1.0),
    "cholesky": _of(_linalg("cholesky"), _POSITIVE, degree=0.5),
    "solve": _of(_linalg("solve"), _SQUARE, _RIGHT, degree=0.0),
    "inv": _of(_linalg("inv"), _SQUARE, degree=-1.0),
    "pinv": _of(_linalg("pinv"), _TALL, degree=-1.0),
    "det": _of(_linalg("det"), _SQUARE[:2, :2], degree=2.0),
    "sign of slogdet": _of(_linalg("slogdet", 0), _SQUARE[:2, :2], degree=0.0),
    "slogdet": _of(
        lambda x: ug.linalg.slogdet(x)[1] - 2.0 * ug.log(ug.linalg.matrix_norm(x)),
        _SQUARE[:2, :2], degree=0.0,
    ),
}  # fmt: skip

#: Exponents of the scales, and up to which an answer is tried.
_SCALES = {"float32": ((-75, 75), 115), "float64": ((-545, 545), 1010)}
#: Exponents of cotangents.
_COTANGENTS = (-33, 33)
#: Units in the last place of the largest element: logarithms of the scales are as large as 700.
BUDGET = 1000.0


def check_at_scales(one: Scaled, level: Level = Level.FULL) -> None:
    """Compare values, gradients and tangents at other scales, and by other cotangents."""
    few = spares_programs(level)
    for dtype in ("float32",) if few else _SCALES:
        for reference in (False,) if few else (False, True):
            with quiet():
                _check(one, dtype, reference, tangents=not few)


def _check(one: Scaled, dtype: str, reference: bool, tangents: bool) -> None:
    scales, limit = _SCALES[dtype]
    plain = _answers(one, dtype, reference, tangents, 0, 0)
    degree = one.degree or 0.0
    points = [(0, power) for power in _COTANGENTS]
    if one.degree is not None:
        points += [(scale, power) for scale in scales for power in (0, *_COTANGENTS)]
    for scale, power in points:
        moved = {
            "value": scale * degree,
            "gradient": scale * (degree - 1.0) + power,
            "tangent": scale * degree + power,
        }
        found = _answers(one, dtype, reference, tangents, scale, power)
        for what, arrays in found.items():
            # What is beyond the dtype, or nearly so, is no answer.
            if abs(moved[what]) > limit:
                continue
            for got, want in zip(arrays, plain[what], strict=True):
                got = got * 2.0 ** -moved[what]
                apart = np.abs(got - want).max()
                if not apart <= BUDGET * np.finfo(dtype).eps * np.abs(want).max():
                    who = "reference" if reference else "native"
                    raise Deviation(
                        f"{what} in {dtype} at 2^{scale} by a cotangent of 2^{power} ({who}):"
                        f" {got.tolist()!r} times its power, not {want.tolist()!r}"
                    )


def _answers(
    one: Scaled, dtype: str, reference: bool, tangents: bool, scale: int, power: int
) -> dict[str, list[Any]]:
    """Return value, gradients and tangents, as float64."""
    inputs = [ug.asarray(x * 2.0**scale, dtype=dtype) for x in one.inputs]
    with ug.GradientTape(reference=reference) as tape:
        tape.watch(inputs)
        out = one.function(*inputs)
        weights = np.cos(np.arange(out.size)).reshape(out.shape) * 2.0**power
        total = ug.sum(out * ug.asarray(weights, dtype=dtype))
    found = {"value": [out], "gradient": tape.gradient(total, inputs)}
    if tangents and not reference:
        along = [ug.asarray((x * 0.5 + 1.0) * 2.0**scale * 2.0**power, dtype=dtype)
                 for x in one.inputs]  # fmt: skip
        found["tangent"] = [ug.jvp(one.function, inputs, along)[1]]
    return {
        what: [np.asarray(x.numpy(), "float64") for x in tensors] for what, tensors in found.items()
    }


def at_scales(level: Level = Level.FULL) -> dict[str, Callable[[], None]]:
    """Return the checks, by name."""
    return {
        f"at other scales: {name}": partial(check_at_scales, one, level)
        for name, one in TABLE.items()
    }
