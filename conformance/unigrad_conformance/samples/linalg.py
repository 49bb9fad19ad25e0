"""Samples of solutions, determinants and factors of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.matrices import (
    COMPLEX_RECTANGLES,
    RECTANGLES,
    adjoint,
    declare,
    spread,
    strong,
)
from unigrad_conformance.sample import Draw, case, complexes, real, values


def _definite(x: Any) -> Any:
    return x @ adjoint(x) + np.eye(x.shape[-1])


_NONE = case(values(np.zeros((2, 0, 0))))

# -- solving
for _name, _oracle in (
    ("inv", np.linalg.inv),
    ("det", np.linalg.det),
    ("slogdet", lambda x: tuple(np.linalg.slogdet(x))),
):
    declare(
        f"linalg.{_name}",
        case(strong(2, 2, 2)),
        _NONE,
        case(strong(3, 3, imaginary=True)),
        oracle=_oracle,
        ulps=32,
    )


def _solved(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim == 1 else np.linalg.solve(a, b)


declare(
    "linalg.solve",
    case(strong(3, 3), real(3, 2)),
    case(strong(3, 3), real(3)),
    case(strong(2, 2, 2), real(2, 2, 3)),
    case(strong(3, 3), real(2, 3, 1)),
    case(strong(2, 2, 2), real(2)),
    case(values(np.zeros((0, 0))), values(np.zeros((0, 2)))),
    case(strong(3, 3, imaginary=True), complexes(3, 2)),
    oracle=_solved,
    ulps=32,
)


def _triangle_solved(
    a: Any, b: Any, upper: bool = False, adjoint: bool = False, unit_diagonal: bool = False
) -> Any:
    part = np.triu(a) if upper else np.tril(a)
    if unit_diagonal:
        part = part * (1 - np.eye(a.shape[-1])) + np.eye(a.shape[-1])
    return _solved(np.conj(np.swapaxes(part, -1, -2)) if adjoint else part, b)


declare(
    "linalg.solve_triangular",
    case(strong(3, 3), real(3)),
    case(strong(2, 3, 3), real(2, 3, 2), upper=True),
    case(real(3, 3), real(3), upper=True, unit_diagonal=True),
    case(strong(3, 3, imaginary=True), complexes(3, 2), upper=True, adjoint=True),
    oracle=_triangle_solved,
    ulps=32,
)
declare(
    "linalg.pinv",
    *RECTANGLES,
    *COMPLEX_RECTANGLES,
    case(values(np.zeros((0, 2)))),
    oracle=np.linalg.pinv,
    ulps=32,
)
declare(
    "linalg.pinv",
    # Of rank 1: differences would leave the matrices of that rank.
    case(values(np.outer([1.0, 2.0, 0.5], [1.0, -1.0]))),
    oracle=lambda x: np.linalg.pinv(x, rcond=1e-5),
    ulps=64,
    differentiable=False,
)


def _least_squares(a: Any, b: Any) -> Any:
    x = np.linalg.pinv(a) @ (b[:, None] if b.ndim == 1 else b)
    miss = np.abs(a @ x - (b[:, None] if b.ndim == 1 else b)) ** 2
    found = (x, miss.sum(-2))
    if b.ndim == 1:
        found = (x[..., 0], found[1][..., 0])
    rank, s = np.linalg.matrix_rank(a), np.linalg.svd(a, compute_uv=False)
    return (*found, rank, s)


declare(
    "linalg.lstsq",
    case(spread(4, 2), real(4)),
    case(spread(3, 2), real(3, 2)),
    case(spread(3, 2, imaginary=True), complexes(3)),
    oracle=_least_squares,
    dtype=(None, None, "int64", None),
    ulps=64,
)

declare(
    "linalg.lstsq",
    # Many solutions, of which nothing is left over.
    case(spread(2, 3), real(2, 2)),
    oracle=lambda a, b: _least_squares(a, b)[0],
    call=lambda ug, a, b: ug.linalg.lstsq(a, b).solution,
    ulps=64,
)

# -- factors
_TO_BE_DEFINITE = [case(real(3, 3)), case(real(2, 2, 2)), case(complexes(3, 3))]
for _upper in (False, True):
    declare(
        "linalg.cholesky",
        *_TO_BE_DEFINITE,
        oracle=lambda x, upper=_upper: (
            adjoint(np.linalg.cholesky(_definite(x))) if upper else np.linalg.cholesky(_definite(x))
        ),
        call=lambda ug, x, upper=_upper: ug.linalg.cholesky(
            x @ ug.conj(ug.matrix_transpose(x)) + ug.eye(x.shape[-1]), upper=upper
        ),
        ulps=32,
    )
declare(
    "linalg.cholesky_solve",
    case(strong(3, 3), real(3)),
    case(strong(2, 2, 2), real(2, 2, 1), upper=True),
    case(strong(3, 3, imaginary=True), complexes(3, 2), upper=True),
    case(strong(2, 2, imaginary=True), complexes(2)),
    oracle=lambda a, b, upper=False: _solved(
        adjoint(np.triu(a)) @ np.triu(a) if upper else np.tril(a) @ adjoint(np.tril(a)), b
    ),
    ulps=64,
)


def _qr(x: Any, mode: Any = "reduced") -> Any:
    q, r = np.linalg.qr(x, mode)
    k = min(r.shape[-2:])
    phases = np.ones(q.shape[-1], q.dtype)
    entries = np.diagonal(r, axis1=-2, axis2=-1)
    phases = np.concatenate(
        [entries / np.abs(entries), np.ones((*x.shape[:-2], q.shape[-1] - k))], -1
    )
    return q * phases[..., None, :], r * np.conj(phases)[..., None]


declare(
    "linalg.qr",
    case(strong(3, 3)),
    case(spread(2, 4, 2)),
    case(spread(2, 3)),
    case(values(np.zeros((0, 2)))),
    case(spread(3, 2, imaginary=True)),
    case(spread(2, 3, imaginary=True)),
    case(strong(2, 2), mode="complete"),
    oracle=_qr,
    ulps=64,
)


def _with_projector(factors: Any, k: int, adjoint: Any) -> Any:
    q, r = factors
    rest = q[..., :, k:]
    return q[..., :, :k], r, rest @ adjoint(rest)


declare(
    "linalg.qr",
    case(spread(4, 2)),
    case(spread(3, 2, imaginary=True)),
    oracle=lambda x: _with_projector(_qr(x, "complete"), 2, adjoint),
    call=lambda ug, x: _with_projector(
        ug.linalg.qr(x, mode="complete"), 2, lambda q: ug.conj(ug.matrix_transpose(q))
    ),
    ulps=64,
)


def _eliminated(x: Any) -> Any:
    """L U by the definition, with the row of the largest pivot first."""
    m, n = x.shape[-2:]
    packed, order = x.copy(), np.arange(m)
    for k in range(min(m, n)):
        pivot = k + int(np.abs(packed[k:, k]).argmax())
        packed[[k, pivot]], order[[k, pivot]] = packed[[pivot, k]], order[[pivot, k]]
        packed[k + 1 :, k] /= packed[k, k] if packed[k, k] else 1
        packed[k + 1 :, k + 1 :] -= np.outer(packed[k + 1 :, k], packed[k, k + 1 :])
    return packed, order


def _factors(x: Any) -> Any:
    stack = x.shape[:-2]
    found = [_eliminated(one) for one in x.reshape(-1, *x.shape[-2:])]
    packed = np.reshape([one for one, _ in found], x.shape)
    return packed, np.reshape([one for _, one in found], (*stack, x.shape[-2]))


def _lu(x: Any) -> Any:
    packed, order = _factors(x)
    m, n = x.shape[-2:]
    k = min(m, n)
    return (
        np.swapaxes(np.eye(m)[order], -1, -2).astype(x.dtype),
        np.tril(packed[..., :, :k], -1) + np.eye(m, k),
        np.triu(packed[..., :k, :]),
    )


_ELIMINATED = (
    case(strong(3, 3)),
    case(values([[[0.0, 2.0], [4.0, 1.0]], [[3.0, 1.0], [1.0, 1.0]]])),
    case(values([[1.0, 2.0], [4.0, 1.0], [-2.0, 3.0]])),
    case(values([[1.0, 2.0, 3.0], [4.0, 1.0, -1.0]])),
    case(strong(3, 3, imaginary=True)),
)
declare("linalg.lu_factor", *_ELIMINATED, oracle=_factors, dtype=(None, "int64"), ulps=32)
declare("linalg.lu", *_ELIMINATED, oracle=_lu, ulps=32)
declare("linalg.lu_factor", case(values([[1.0, 2.0], [2.0, 4.0]])), case(values(np.zeros((2, 2)))),
        oracle=_factors, dtype=(None, "int64"), differentiable=False)  # fmt: skip


def _lu_solved(packed: Any, order: Any, b: Any) -> Any:
    lower = np.tril(packed, -1) + np.eye(packed.shape[-1])
    rows = b[order] if b.ndim < 3 else np.take_along_axis(b, order[..., None], -2)
    return _solved(np.triu(packed), _solved(lower, rows))


declare(
    "linalg.lu_solve",
    case(strong(3, 3), values([2, 0, 1]), real(3)),
    case(strong(2, 2, 2), values([[1, 0], [0, 1]]), real(2, 2, 1)),
    case(strong(2, 2, imaginary=True), values([1, 0]), complexes(2)),
    oracle=_lu_solved,
    call=lambda ug, packed, order, b: ug.linalg.lu_solve((packed, order), b),
    ulps=64,
)


# -- functions of matrices, by eigenvalues
def _of_eigenvalues(function: Any) -> Any:
    def run(x: Any) -> Any:
        values, vectors = np.linalg.eig(x)
        found = vectors * function(values.astype(complex))[..., None, :] @ np.linalg.inv(vectors)
        return found if np.iscomplexobj(x) else found.real

    return run


for _name, _function in (("sqrtm", np.sqrt), ("logm", np.log)):
    declare(
        f"linalg.{_name}",
        case(strong(2, 3, 3)),
        _NONE,
        case(strong(2, 2, imaginary=True)),
        oracle=_of_eigenvalues(_function),
        ulps=64,
        terms=lambda x: 2.0 + 0.0 * np.abs(x),
    )


def _from_bands(widths: Any, bands: Any, right: Any) -> Any:
    lower, upper = widths
    n = bands.shape[-1]
    matrix = np.zeros((*bands.shape[:-2], n, n), bands.dtype)
    for i in range(n):
        for j in range(max(0, i - lower), min(n, i + upper + 1)):
            matrix[..., i, j] = bands[..., upper + i - j, j]
    return _solved(matrix, right)


def _strong_bands(*shape: int, upper: int, imaginary: bool = False) -> Draw:
    draw = (complexes if imaginary else real)(*shape)
    extra = np.zeros((shape[-2], 1))
    extra[upper] = 6.0
    return Draw(lambda generator: draw.make(generator) + extra)


declare(
    "linalg.banded_solve",
    case((2, 1), _strong_bands(4, 5, upper=1), real(5)),
    case((0, 1), _strong_bands(2, 2, 3, upper=1), real(3, 2)),
    case((1, 1), _strong_bands(3, 3, upper=1, imaginary=True), complexes(3)),
    oracle=_from_bands,
    ulps=32,
)
