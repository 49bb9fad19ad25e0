"""Derivatives of triangular and orthogonal factors.

Sources: Murray, "Differentiation of the Cholesky decomposition" (2016); Walter and Lehmann,
"Algorithmic differentiation of linear algebra functions with application in optimum experimental
design" (2018), for Q R; Giles (2008). X̄ stands for the gradient by X, as `of_matrices` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.rules.registry import of_matrices
from unigrad.core.arguments import cast, constant
from unigrad.core.tensor import Tensor
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.joining import concat
from unigrad.ops.linalg.matrices import adjoint, real_part, unit_matrix
from unigrad.ops.linalg.solving import solve_triangle, triangle
from unigrad.ops.linear import diagonal, matmul
from unigrad.ops.shaping import broadcast_to, expand_dims
from unigrad.ops.sorting import argsort

# -- L Lᴴ: dL = L Φ(L⁻¹ dA L⁻ᴴ), Φ the lower triangle with half of the diagonal


def _half(x: Tensor) -> Tensor:
    """Φ: the lower triangle with half of the diagonal."""
    n = x.shape[-1]
    return x * constant(x, np.tri(n) - 0.5 * np.eye(n))


def _hermitian(x: Tensor) -> Tensor:
    return (x + adjoint(x)) * 0.5


def _cholesky_pullback(g: Tensor, out: Tensor, x: Tensor) -> Sequence[Tensor]:
    middle = _half(matmul(adjoint(out), triangle(g, True)))
    left = solve_triangle(out, middle, True, adjoint=True)
    return (_hermitian(adjoint(solve_triangle(out, adjoint(left), True, adjoint=True))),)


def _cholesky_jvp(tangents: Any, out: Tensor, x: Tensor) -> Tensor:
    left = solve_triangle(out, _hermitian(tangents[0]), True)
    return matmul(out, _half(adjoint(solve_triangle(out, adjoint(left), True))))


of_matrices("cholesky", _cholesky_pullback, _cholesky_jvp)

# -- Q R with W = dR R⁻¹, the triangle that Qᴴ dQ = Qᴴ dA R⁻¹ - W is skew with:
#    dR = W R, dQ = dA R⁻¹ - Q W


def _with_real_diagonal(x: Tensor) -> Tensor:
    """Return the strict upper triangle and the real part of the diagonal."""
    entries = cast(real_part(diagonal(x)), x.dtype)
    return triangle(x, False, strict=True) + _diagonal_matrix(entries)


def _diagonal_matrix(entries: Tensor) -> Tensor:
    return unit_matrix(entries, entries.shape[-1]) * expand_dims(entries, -2)


def _over(x: Tensor, r: Tensor) -> Tensor:
    """Return x R⁻¹."""
    return adjoint(solve_triangle(r, adjoint(x), False, adjoint=True))


def _tall(gq: Tensor, gr: Tensor, q: Tensor, r: Tensor) -> Tensor:
    """Return Ā of a matrix with at least as many rows as columns, R square."""
    middle = matmul(gr, adjoint(r)) - matmul(adjoint(q), gq)
    above = _with_real_diagonal(middle)
    both = above + adjoint(triangle(middle, False, strict=True))
    back = solve_triangle(r, adjoint(gq + matmul(q, both)), False)
    return adjoint(back)


def _qr_pullback(
    g: Sequence[Tensor | None], out: Sequence[Tensor], x: Tensor, *, complete: bool
) -> Sequence[Tensor]:
    gq, gr = [zeros_like(one) if bar is None else bar for one, bar in zip(out, g, strict=True)]
    q, r = out
    m, n = x.shape[-2:]
    if m < n:
        # The first columns make Q, the others only R.
        further, right = x[..., m:], gr[..., m:]
        first = _tall(gq + matmul(further, adjoint(right)), gr[..., :m], q, r[..., :m])
        return (concat([first, matmul(q, right)], axis=-1),)
    if q.shape[-1] > n:
        # Columns Q₂ that no more than stay orthogonal: dQ₂ = -Q₁ dQ₁ᴴ Q₂.
        first, rest = q[..., :n], q[..., n:]
        turned = matmul(rest, matmul(adjoint(gq[..., n:]), first))
        return (_tall(gq[..., :n] - turned, gr[..., :n, :], first, r[..., :n, :]),)
    return (_tall(gq, gr, q, r),)


def _qr_jvp(tangents: Any, out: Sequence[Tensor], x: Tensor, *, complete: bool) -> Any:
    moved, (q, r) = tangents[0], out
    m, n = x.shape[-2:]
    k = min(m, n)
    first, corner = q[..., :k], r[..., :k, :k]
    over = _over(moved[..., :k], corner)
    inner = matmul(adjoint(first), over)
    w = _with_real_diagonal(inner) + adjoint(triangle(inner, True, strict=True))
    dq, dr = over - matmul(first, w), matmul(w, corner)
    if m < n:
        right = matmul(adjoint(dq), x[..., m:]) + matmul(adjoint(q), moved[..., m:])
        return dq, concat([dr, right], axis=-1)
    if q.shape[-1] > n:
        rest = -matmul(first, matmul(adjoint(dq), q[..., n:]))
        return concat([dq, rest], axis=-1), concat([dr, r[..., n:, :] * 0.0], axis=-2)
    return dq, dr


of_matrices("qr", _qr_pullback, _qr_jvp)

# -- P L U of a square matrix with F = L⁻¹ P⁻¹ dA U⁻¹: dL = L tril(F, -1), dU = triu(F) U; further
#    rows and columns of others are L₂ = A₂ U⁻¹ and U₂ = L⁻¹ A₂


def _triangles(packed: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the square matrix that holds L and U, and the two."""
    k = min(packed.shape[-2:])
    corner = packed[..., :k, :k]
    unit = triangle(corner, True, strict=True) + unit_matrix(corner, k)
    return corner, unit, triangle(corner, False)


def _lu_pullback(g: Sequence[Tensor | None], out: Sequence[Tensor], x: Tensor) -> Sequence[Tensor]:
    packed, order = out
    bar = g[0]
    if bar is None:
        return (x * 0.0,)
    corner, unit, upper = _triangles(packed)
    k = corner.shape[-1]
    gl, gu = triangle(bar[..., :k, :k], True, strict=True), triangle(bar[..., :k, :k], False)
    below, right = None, None
    if packed.shape[-2] > k:
        # L₂ = A₂ U⁻¹
        below = adjoint(solve_triangle(corner, adjoint(bar[..., k:, :]), False))
        gu = gu - triangle(matmul(adjoint(packed[..., k:, :]), below), False)
    if packed.shape[-1] > k:
        right = solve_triangle(corner, bar[..., k:], True, True, True)
        gl = gl - triangle(matmul(right, adjoint(packed[..., k:])), True, strict=True)
    inner = triangle(matmul(adjoint(unit), gl), True, strict=True)
    inner = inner + triangle(matmul(gu, adjoint(upper)), False)
    left = solve_triangle(corner, inner, True, True, True)
    found = adjoint(solve_triangle(corner, adjoint(left), False))
    if below is not None:
        found = concat([found, below], axis=-2)
    if right is not None:
        found = concat([found, right], axis=-1)
    return (_rows(found, argsort(order)),)


def _rows(x: Tensor, order: Tensor) -> Tensor:
    """Return the rows of matrices in another order."""
    return take_along_axis(x, broadcast_to(expand_dims(order, -1), x.shape), axis=-2)


def _lu_jvp(tangents: Any, out: Sequence[Tensor], x: Tensor) -> Any:
    packed, order = out
    corner, unit, upper = _triangles(packed)
    k = corner.shape[-1]
    moved = _rows(tangents[0], order)
    left = solve_triangle(corner, moved[..., :k, :k], True, unit_diagonal=True)
    inner = _over(left, corner)
    dl = matmul(unit, triangle(inner, True, strict=True))
    du = matmul(triangle(inner, False), upper)
    found = dl + du
    if packed.shape[-2] > k:
        rest = moved[..., k:, :] - matmul(packed[..., k:, :], du)
        found = concat([found, _over(rest, corner)], axis=-2)
    if packed.shape[-1] > k:
        rest = moved[..., k:] - matmul(dl, packed[..., k:])
        found = concat([found, solve_triangle(corner, rest, True, unit_diagonal=True)], axis=-1)
    return found, None


of_matrices("lu_packed", _lu_pullback, _lu_jvp)
