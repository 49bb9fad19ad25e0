"""Samples of singular and eigenvalues, norms, powers and patterns of matrices."""

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
from unigrad_conformance.sample import case, complexes, integers, real, values


def _hermitian(x: Any) -> Any:
    return x + adjoint(x)


# -- spectra
def _phases(vectors: Any) -> Any:
    """What makes the largest component of each column real and positive."""
    size = np.abs(vectors)
    near = size >= size.max(-2, keepdims=True) * (1 - 1e-8)
    pivot = np.take_along_axis(vectors, near.argmax(-2)[..., None, :], -2)
    return np.conj(pivot / np.abs(pivot))


def _svd(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    phases = _phases(u)
    return u * phases, s, vh * np.swapaxes(np.conj(phases), -1, -2)


_APART = (*RECTANGLES[1:], case(spread(2, 2, 2)), *COMPLEX_RECTANGLES)
declare("linalg.svd", *_APART, oracle=_svd, ulps=64,
        call=lambda ug, x: ug.linalg.svd(x, full_matrices=False))  # fmt: skip
declare("linalg.svd", case(spread(2, 2)), case(spread(2, 2, imaginary=True)), oracle=_svd, ulps=64)


def _full(factors: Any, adjoint: Any) -> Any:
    u, s, vh = factors
    k = s.shape[-1]
    rest, other = u[..., :, k:], vh[..., k:, :]
    return u[..., :, :k], s, vh[..., :k, :], rest @ adjoint(rest), adjoint(other) @ other


def _full_oracle(x: Any) -> Any:
    return (*_svd(x), *_full(np.linalg.svd(x), adjoint)[3:])


declare(
    "linalg.svd",
    case(spread(4, 2)),
    case(spread(2, 3)),
    case(spread(3, 1, imaginary=True)),
    oracle=_full_oracle,
    call=lambda ug, x: _full(ug.linalg.svd(x), lambda y: ug.conj(ug.matrix_transpose(y))),
    ulps=64,
)
declare("linalg.svdvals", *_APART, case(values(np.zeros((2, 0, 3)))),
        oracle=lambda x: np.linalg.svd(x, compute_uv=False), ulps=32)  # fmt: skip


def _eigh(x: Any) -> Any:
    found, vectors = np.linalg.eigh(_hermitian(x))
    return found, vectors * _phases(vectors)


def _symmetric(ug: Any, x: Any) -> Any:
    return x + ug.conj(ug.matrix_transpose(x))


_TO_BE_HERMITIAN = (case(real(3, 3)), case(real(2, 2, 2)), case(complexes(3, 3)))
declare("linalg.eigh", *_TO_BE_HERMITIAN, oracle=_eigh, ulps=64,
        call=lambda ug, x: ug.linalg.eigh(_symmetric(ug, x)))  # fmt: skip
declare("linalg.eigvalsh", *_TO_BE_HERMITIAN, oracle=lambda x: np.linalg.eigvalsh(_hermitian(x)),
        ulps=32, call=lambda ug, x: ug.linalg.eigvalsh(_symmetric(ug, x)))  # fmt: skip


def _eig(x: Any) -> Any:
    found, vectors = np.linalg.eig(x)
    order = np.lexsort((found.imag, np.round(found.real, 8)), axis=-1)
    found = np.take_along_axis(found, order, -1)
    vectors = np.take_along_axis(vectors, order[..., None, :], -1)
    vectors = vectors / np.linalg.norm(vectors, axis=-2, keepdims=True)
    return found + 0j, vectors * _phases(vectors) + 0j


_GENERAL = (
    case(values([[1.0, 2.0, 0.5], [0.3, -1.0, 1.0], [0.2, 0.7, 3.0]])),
    case(values([[[0.5, -1.0], [2.0, 0.3]], [[1.0, 0.5], [0.2, -1.0]]])),
    case(complexes(3, 3)),
)
_COMPLEX = {"eig": ("complex", "complex"), "eigvals": "complex"}
declare("linalg.eig", *_GENERAL, oracle=_eig, ulps=128)
declare("linalg.eigvals", *_GENERAL, oracle=lambda x: _eig(x)[0], ulps=64)


def _schur(x: Any) -> Any:
    unitary, upper = np.linalg.qr(_eig(x)[1])
    diagonal = np.diagonal(upper, axis1=-2, axis2=-1)
    unitary = unitary * (diagonal / np.abs(diagonal))[..., None, :]
    return np.triu(np.swapaxes(unitary.conj(), -1, -2) @ x @ unitary), unitary


declare("linalg.schur", *_GENERAL, oracle=_schur, ulps=128)

# -- norms
declare("linalg.vector_norm", case(real(3, 2)), case(real(3, 2), axis=1, ord=1),
        case(complexes(3, 2), axis=0, keepdims=True), ulps=8,
        oracle=lambda x, axis=None, keepdims=False, ord=2: np.linalg.norm(
            x.ravel() if axis is None else x, ord, axis, keepdims))  # fmt: skip
declare("linalg.norm", case(real(3, 2)), case(real(3, 2), axis=1, ord=1, keepdims=True),
        case(spread(3, 2), "nuc"), case(spread(2, 3, 2), 1, (2, 0), True), ulps=16,
        oracle=np.linalg.norm)  # fmt: skip
declare(
    "linalg.matrix_norm",
    *[case(spread(3, 2), ord=one) for one in ("fro", "nuc", 1, -2, np.inf)],
    case(spread(2, 2, 3), ord="nuc", keepdims=True),
    *[case(spread(2, 2, imaginary=True), ord=one) for one in ("fro", "nuc")],
    oracle=lambda x, ord="fro", keepdims=False: np.linalg.norm(x, ord, (-2, -1), keepdims),
    ulps=16,
)
declare(
    "linalg.matrix_rank",
    *RECTANGLES,
    case(values([[1.0, 2.0], [2.0, 4.0]])),
    case(values(np.zeros((2, 0)))),
    # Before 2.4 NumPy refuses a matrix without elements.
    oracle=lambda a: np.linalg.matrix_rank(a) if a.size else np.zeros(a.shape[:-2], np.int64),
    dtype="int64",
    zero_gradient=True,
)
declare(
    "linalg.cond_number",
    *[case(strong(3, 3), p=one) for one in (2, -2, "fro")],
    *[case(values([[3.0, 1.0], [0.5, -2.0]]), p=one) for one in (1,)],
    case(spread(3, 2)),
    case(spread(2, 2, imaginary=True)),
    oracle=lambda x, p=2: np.linalg.cond(x, p),
    ulps=64,
)

# -- powers and products
for _n in (0, 1, 5, -2):
    declare("linalg.matrix_power", case(strong(2, 2, 2), _n), oracle=np.linalg.matrix_power,
            ulps=64, zero_gradient=_n == 0)  # fmt: skip
declare("linalg.matrix_power", case(strong(2, 2, imaginary=True), 3),
        oracle=np.linalg.matrix_power, ulps=32)  # fmt: skip


def _exponential(x: Any) -> Any:
    """Scaled until the series is short, summed, and squared back."""
    term = total = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)
    scaled = x / 16
    for k in range(1, 30):
        term = term @ scaled / k
        total = total + term
    for _ in range(4):
        total = total @ total
    return total


declare(
    "linalg.expm",
    case(real(3, 3)),
    case(real(2, 2, 2, low=-6, high=6)),
    case(complexes(2, 2)),
    case(values(np.zeros((0, 0)))),
    oracle=_exponential,
    ulps=64,
)
declare(
    "linalg.multi_dot",
    case([real(2, 3), real(3, 4), real(4, 2)]),
    case([real(3), real(3, 2), real(2, 3), real(3)]),
    case(
        [
            complexes(2, 3),
            complexes(3),
        ]
    ),
    oracle=np.linalg.multi_dot,
    ulps=16,
)
declare("linalg.cross", case(real(3), real(3)), case(real(2, 3), real(3)),
        case(real(3, 2), real(3, 2), axis=0), case(complexes(3), complexes(3)), ulps=8,
        oracle=lambda x, y, axis=-1: np.cross(x, y, axis=axis))  # fmt: skip


# -- patterns
def _block_diag(*blocks: Any) -> Any:
    blocks = tuple(np.atleast_2d(one) for one in blocks)
    out = np.zeros(np.sum([one.shape for one in blocks], 0), np.result_type(*blocks))
    row = column = 0
    for one in blocks:
        out[row : row + one.shape[0], column : column + one.shape[1]] = one
        row, column = row + one.shape[0], column + one.shape[1]
    return out


declare("linalg.block_diag", case(real(2, 3), real(1, 1), real(3)),
        case(integers(2, 2), integers()),
        case(complexes(2, 2), complexes()), oracle=_block_diag, ulps=0)  # fmt: skip


def _toeplitz(c: Any, r: Any = None) -> Any:
    r = np.conj(c) if r is None else r
    places = np.arange(len(c))[:, None] - np.arange(len(r))
    return np.where(places >= 0, c[np.maximum(places, 0)], r[np.maximum(-places, 0)])


declare("linalg.toeplitz", case(real(3), real(2)), case(real(3)), case(complexes(2)),
        case(integers(2), integers(3)), oracle=_toeplitz, ulps=0)  # fmt: skip
