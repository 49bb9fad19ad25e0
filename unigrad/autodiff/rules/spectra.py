"""Derivatives of singular values and eigenvalues, and of their vectors.

Sources: Giles (2008); Wan and Zhang, "Automatic differentiation for complex valued SVD" (2019);
Boeddeker et al., "On the computation of complex-valued gradients with application to statistically
optimum beamforming" (2017), for general matrices. Vectors have derivatives orthogonal to
themselves here: their phases are determined, and differentiated, by ops around.

Where values are equal, up to rounding, their vectors do not turn into each other: 1 / (λᵢ - λⱼ) is
taken as 0. So is 1 / s of a singular value that is zero, and so is the derivative by that value.
X̄ stands for the gradient by X, as `of_matrices` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.autodiff.backward import zeros_like
from unigrad.autodiff.rules.registry import of_matrices
from unigrad.core.arguments import cast, untracked
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import conj
from unigrad.ops.comparison import where
from unigrad.ops.joining import concat
from unigrad.ops.linalg.matrices import (
    adjoint,
    imaginary_part,
    rank_tolerance,
    real_part,
    unit_matrix,
)
from unigrad.ops.linalg.solving import _solve
from unigrad.ops.linalg.spectra import _eig_raw, _eigh_raw, _svd_raw
from unigrad.ops.linear import diagonal, matmul, matrix_transpose
from unigrad.ops.reductions import max, sum
from unigrad.ops.shaping import expand_dims


def _inverse_gaps(values: Tensor) -> Tensor:
    """Return 1 / (λⱼ - λᵢ) at (i, j), and 0 where the two are equal up to rounding."""
    gaps = expand_dims(values, -2) - expand_dims(values, -1)
    n = values.shape[-1]
    if not n:
        return gaps
    size = absolute(untracked(values))
    unit = expand_dims(max(size, axis=-1, keepdims=True), -1)
    apart = absolute(untracked(gaps)) > unit * (n * float(np.finfo(size.dtype).eps))
    return where(apart, 1.0 / where(apart, gaps, 1.0), 0.0)


def _columns(values: Tensor, like: Tensor) -> Tensor:
    """Return values, one for each column, in the dtype of a matrix."""
    return expand_dims(cast(values, like.dtype), -2)


def _with_diagonal(x: Tensor, entries: Tensor) -> Tensor:
    """Return a matrix with something added to its diagonal."""
    return x + unit_matrix(x, x.shape[-1]) * _columns(entries, x)


def _hermitian(x: Tensor) -> Tensor:
    return (x + adjoint(x)) * 0.5


# -- Hermitian matrices, with M = Vᴴ dA V: dλ = diag M, dV = V (F ∘ M), F the inverse gaps


def _eigh_pullback(
    g: Sequence[Tensor | None], out: Sequence[Tensor], x: Tensor
) -> Sequence[Tensor]:
    values, v = out
    if g[1] is None:
        weights = zeros_like(values) if g[0] is None else g[0]
        return (matmul(v * _columns(weights, v), adjoint(v)),)
    turning = cast(_inverse_gaps(values), x.dtype) * matmul(adjoint(v), g[1])
    if g[0] is not None:
        turning = _with_diagonal(turning, g[0])
    return (_hermitian(matmul(matmul(v, turning), adjoint(v))),)


def _eigh_jvp(tangents: Any, out: Sequence[Tensor], x: Tensor) -> Any:
    values, v = out
    inner = matmul(matmul(adjoint(v), _hermitian(tangents[0])), v)
    turning = cast(_inverse_gaps(values), x.dtype) * inner
    return real_part(diagonal(inner)), matmul(v, turning)


def _eigvalsh_pullback(g: Tensor, out: Tensor, x: Tensor) -> Sequence[Tensor]:
    return _eigh_pullback([g, None], _eigh_raw(x), x)


def _eigvalsh_jvp(tangents: Any, out: Tensor, x: Tensor) -> Tensor:
    v = _eigh_raw(x)[1]
    return _diagonal_of(adjoint(v), _hermitian(tangents[0]), v)


def _diagonal_of(left: Tensor, x: Tensor, right: Tensor) -> Tensor:
    """Return the real part of the diagonal of a product."""
    return real_part(sum(left * matrix_transpose(matmul(x, right)), axis=-1))


of_matrices("eigh_raw", _eigh_pullback, _eigh_jvp)
of_matrices("eigvalsh", _eigvalsh_pullback, _eigvalsh_jvp)

# -- singular values, with P = Uᴴ dA V: ds = Re diag P, and off the diagonal
#    Uᴴ dU = F ∘ (P S + S Pᴴ), Vᴴ dV = F ∘ (S P + Pᴴ S), F the inverse gaps of s². Squares may be
#    out of range: F S and S F are made of quotients


def _over_gaps(s: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return sⱼ / (sⱼ² - sᵢ²) and sᵢ / (sⱼ² - sᵢ²) at (i, j); 0 for equal values."""
    columns, rows = expand_dims(s, -2), expand_dims(s, -1)
    if not s.shape[-1]:
        return cast(columns - rows, x.dtype), cast(columns - rows, x.dtype)
    known = untracked(s)
    largest = known[..., :1]
    squares = known / where(largest > 0.0, largest, 1.0)
    apart = _inverse_gaps(squares * squares) != 0.0
    total, gaps = where(apart, columns + rows, 1.0), where(apart, columns - rows, 1.0)
    # Not (a / b) / c, which XLA makes a / (b c).
    over = where(apart, 1.0 / gaps, 0.0)
    return cast(columns / total * over, x.dtype), cast(rows / total * over, x.dtype)


def _counted(s: Tensor, x: Tensor) -> Tensor:
    """Tell which singular values are not zero up to rounding."""
    if not s.shape[-1]:
        return s > 0.0
    return untracked(s) > untracked(s)[..., :1] * rank_tolerance(x)


def _inverses(s: Tensor, x: Tensor) -> Tensor:
    """Return 1 / s, and 0 for zero."""
    counts = _counted(s, x)
    return where(counts, 1.0 / where(counts, s, 1.0), 0.0)


def _values_only(g: Tensor, u: Tensor, s: Tensor, vh: Tensor, x: Tensor) -> Tensor:
    weights = where(_counted(s, x), g, 0.0)
    return matmul(u * _columns(weights, u), vh)


def _svd_pullback(
    g: Sequence[Tensor | None], out: Sequence[Tensor], x: Tensor, *, full_matrices: bool
) -> Sequence[Tensor]:
    s = out[1]
    k = s.shape[-1]
    u, vh = out[0][..., :k], out[2][..., :k, :]
    if g[0] is None and g[2] is None:
        return (zeros_like(x) if g[1] is None else _values_only(g[1], u, s, vh, x),)
    gu = zeros_like(out[0]) if g[0] is None else g[0]
    gv = adjoint(zeros_like(out[2]) if g[2] is None else g[2])
    v = adjoint(vh)
    gu, gv = _of_first(gu, out[0], k), _of_first(gv, adjoint(out[2]), k)
    inner = _between(matmul(adjoint(u), gu), matmul(adjoint(v), gv), s, x)
    if g[1] is not None:
        inner = _with_diagonal(inner, where(_counted(s, x), g[1], 0.0))
    found = matmul(matmul(u, inner), vh)
    over = _columns(_inverses(s, x), x)
    if u.shape[-2] > k:
        found = found + matmul(_apart(u, gu) * over, vh)
    if v.shape[-2] > k:
        found = found + matmul(u, adjoint(_apart(v, gv) * over))
    return (found,)


def _of_first(g: Tensor, vectors: Tensor, k: int) -> Tensor:
    """Carry the gradient by the vectors of no singular value on: dU₂ = -U₁ dU₁ᴴ U₂."""
    if vectors.shape[-1] == k:
        return g
    first, rest = vectors[..., :k], vectors[..., k:]
    return g[..., :k] - matmul(rest, matmul(adjoint(g[..., k:]), first))


def _apart(u: Tensor, x: Tensor) -> Tensor:
    """Return the part of columns that is orthogonal to others: (1 - U Uᴴ) x."""
    return x - matmul(u, matmul(adjoint(u), x))


def _between(gu: Tensor, gv: Tensor, s: Tensor, x: Tensor) -> Tensor:
    """Return P̄ from Uᴴ Ū and Vᴴ V̄."""
    columns, rows = _over_gaps(s, x)
    found = columns * (gu - adjoint(gu)) + rows * (gv - adjoint(gv))
    if x._native.dtype not in x.backend.native_complex:
        return found
    phase = imaginary_part(diagonal(gu) - diagonal(gv)) * _inverses(s, x) * 0.5
    return _with_diagonal(found, cast(phase, x.dtype) * 1j)


def _svd_jvp(tangents: Any, out: Sequence[Tensor], x: Tensor, *, full_matrices: bool) -> Any:
    moved, s = tangents[0], out[1]
    k = s.shape[-1]
    u, v = out[0][..., :k], adjoint(out[2][..., :k, :])
    there, back = matmul(moved, v), matmul(adjoint(moved), u)
    inner = matmul(adjoint(u), there)
    columns, rows = _over_gaps(s, x)
    left = columns * inner + rows * adjoint(inner)
    right = rows * inner + columns * adjoint(inner)
    inverse = _inverses(s, x)
    if x._native.dtype in x.backend.native_complex:
        phase = cast(imaginary_part(diagonal(inner)) * inverse * 0.5, x.dtype) * 1j
        left, right = _with_diagonal(left, phase), _with_diagonal(right, -phase)
    over = _columns(inverse, x)
    du = matmul(u, left) + _apart(u, there) * over
    dv = matmul(v, right) + _apart(v, back) * over
    ds = where(_counted(s, x), real_part(diagonal(inner)), 0.0)
    return _with_rest(du, out[0], k), ds, adjoint(_with_rest(dv, adjoint(out[2]), k))


def _with_rest(du: Tensor, vectors: Tensor, k: int) -> Tensor:
    if vectors.shape[-1] == k:
        return du
    rest = -matmul(vectors[..., :k], matmul(adjoint(du), vectors[..., k:]))
    return concat([du, rest], axis=-1)


def _svdvals_pullback(g: Tensor, out: Tensor, x: Tensor) -> Sequence[Tensor]:
    u, s, vh = _svd_raw(x, full_matrices=False)
    return (_values_only(g, u, s, vh, x),)


def _svdvals_jvp(tangents: Any, out: Tensor, x: Tensor) -> Tensor:
    u, s, vh = _svd_raw(x, full_matrices=False)
    return where(_counted(s, x), _diagonal_of(adjoint(u), tangents[0], adjoint(vh)), 0.0)


of_matrices("svd_raw", _svd_pullback, _svd_jvp)
of_matrices("svdvals", _svdvals_pullback, _svdvals_jvp)

# -- general matrices, with M = V⁻¹ dA V: dλ = diag M, dV = V (F ∘ M)


def _eig_pullback(g: Sequence[Tensor | None], out: Sequence[Tensor], x: Tensor) -> Sequence[Tensor]:
    values, v = out
    inner = v * 0.0
    if g[1] is not None:
        inner = conj(_inverse_gaps(values)) * matmul(adjoint(v), g[1])
    if g[0] is not None:
        inner = _with_diagonal(inner, g[0])
    found: Tensor = _solve(adjoint(v), matmul(inner, adjoint(v)))
    return (found if x._native.dtype in x.backend.native_complex else cast(found, x.dtype),)


def _eig_jvp(tangents: Any, out: Sequence[Tensor], x: Tensor) -> Any:
    values, v = out
    inner: Tensor = _solve(v, matmul(cast(tangents[0], v.dtype), v))
    return diagonal(inner), matmul(v, _inverse_gaps(values) * inner)


def _eigvals_pullback(g: Tensor, out: Tensor, x: Tensor) -> Sequence[Tensor]:
    return _eig_pullback([g, None], _eig_raw(x), x)


def _eigvals_jvp(tangents: Any, out: Tensor, x: Tensor) -> Tensor:
    moved: Tensor = _eig_jvp(tangents, _eig_raw(x), x)[0]
    return moved


of_matrices("eig_raw", _eig_pullback, _eig_jvp)
of_matrices("eigvals", _eigvals_pullback, _eigvals_jvp)
