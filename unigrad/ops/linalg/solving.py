"""Systems of equations, inverses and determinants.

A singular matrix is a `LinAlgError` in eager mode on the CPU; under `ug.jit` and on accelerators
its solution is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, cast, checked, constant
from unigrad.core.errors import ShapeError
from unigrad.core.op import composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import conj
from unigrad.ops.comparison import where
from unigrad.ops.linalg.matrices import (
    Array,
    adjoint,
    matrices,
    of_one_stack,
    rank_tolerance,
    real_dtype,
    refuse_where,
    require_answer,
    require_square,
    square,
    two_matrices,
)
from unigrad.ops.linalg.spectra import _svd_raw, _svdvals
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.reductions import count_nonzero, prod, sum
from unigrad.ops.repeating import tril, triu
from unigrad.ops.shaping import expand_dims, reshape

__all__ = [
    "LeastSquares",
    "SignAndLog",
    "det",
    "inv",
    "lstsq",
    "pinv",
    "slogdet",
    "solve",
    "solve_triangular",
]

_SINGULAR = "the matrix is singular"

#: X of A X = B, of stacks alike; NaN where A is singular.
_solve = primitive("solve")
_inv = primitive("inv")
_det = primitive("det")
_slogdet = primitive("slogdet")
#: X of T X = B; of T one triangle is read, and ones for its diagonal with ``unit_diagonal``.
_triangular_solve = primitive("triangular_solve")


@whole.as_one_op(looks=True, name="linalg.solve")
def solve(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Return the solution X of x₁ X = x₂ for square matrices x₁.

    A one-dimensional ``x2`` is one right-hand side; otherwise its last two axes are a matrix of
    them (Array API standard). The axes before broadcast.

    Raises:
        LinAlgError: when a matrix is singular (NaN under `ug.jit`).
        ShapeError: when the shapes do not fit.

    Example:
        >>> solve([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0]).tolist()
        [0.5, 0.25]
    """
    a, b, dtype = _system("solve", x1, x2)
    vector = b.ndim == 1
    a, columns = of_one_stack("solve", a, expand_dims(b, -1) if vector else b)
    out: Tensor = _solve(a, columns)
    require_answer("solve", _SINGULAR, out, a, columns)
    return cast(reshape(out, out.shape[:-1]) if vector else out, dtype)


def _system(name: str, x1: TensorLike, x2: TensorLike) -> tuple[Tensor, Tensor, np.dtype]:
    """Return the sides of a system of equations, and the dtype of its solution."""
    a, b, dtype = two_matrices(name, x1, x2)
    if a.ndim < 2 or not b.ndim:
        raise ShapeError(f"{name}: shapes {a.shape} and {b.shape} are no matrix and its right side")
    require_square(name, a.shape)
    if b.shape[-2 if b.ndim > 1 else 0] != a.shape[-1]:
        raise ShapeError(f"{name}: shapes {a.shape} and {b.shape} do not fit")
    return a, b, dtype


@whole.as_one_op(looks=True, name="linalg.solve_triangular")
def solve_triangular(
    x1: TensorLike,
    x2: TensorLike,
    /,
    *,
    upper: bool = False,
    adjoint: bool = False,
    unit_diagonal: bool = False,
) -> Tensor:
    """Return the solution X of T X = x₂, T being the lower (upper) triangle of x₁.

    ``adjoint`` solves with the conjugate transpose of T; ``unit_diagonal`` takes ones for its
    diagonal. What stands in the other triangle is not read, and has derivative 0.

    Raises:
        LinAlgError: when the diagonal has a zero (NaN or ∞ under `ug.jit`).
        ShapeError: when the shapes do not fit.

    Example:
        >>> solve_triangular([[2.0, 0.0], [2.0, 4.0]], [2.0, 6.0]).tolist()
        [1.0, 1.0]
    """
    a, b, dtype = _system("solve_triangular", x1, x2)
    vector = b.ndim == 1
    a, columns = of_one_stack("solve_triangular", a, expand_dims(b, -1) if vector else b)
    out = solve_triangle(a, columns, not upper, adjoint, unit_diagonal)
    if not unit_diagonal:
        require_regular("solve_triangular", a)
    return cast(reshape(out, out.shape[:-1]) if vector else out, dtype)


def require_regular(name: str, a: Tensor) -> None:
    """Refuse triangles with a zero on the diagonal, where the values are there to be seen.

    Raises:
        LinAlgError: naming the first such matrix.
    """

    def check(values: Array) -> None:
        entries = np.diagonal(values, 0, -2, -1)
        if not entries.all():
            refuse_where(name, _SINGULAR, (entries == 0).any(-1), [values], [a])

    checked(check, a)


def solve_triangle(
    a: Tensor, b: Tensor, lower: bool, adjoint: bool = False, unit_diagonal: bool = False
) -> Tensor:
    """Solve with a triangle of stacks alike, or with its conjugate transpose."""
    if adjoint:
        a, lower = _adjoint(a), not lower
    out: Tensor = _triangular_solve(a, b, lower=lower, unit_diagonal=bool(unit_diagonal))
    return out


_adjoint = adjoint


def triangle(x: Tensor, lower: bool, strict: bool = False) -> Tensor:
    """Return a triangle, and zeros elsewhere; ``strict`` leaves out the diagonal."""
    return tril(x, k=-strict) if lower else triu(x, k=int(strict))


@whole.as_one_op(looks=True, name="linalg.inv")
def inv(x: TensorLike, /) -> Tensor:
    """Return the inverse of square matrices.

    Raises:
        LinAlgError: when a matrix is singular (NaN under `ug.jit`).
        ShapeError: when they are not square.

    Example:
        >>> inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    wide, dtype = square("inv", x)
    out: Tensor = _inv(wide)
    require_answer("inv", _SINGULAR, out, wide)
    return cast(out, dtype)


@whole.as_one_op(looks=True, name="linalg.det")
def det(x: TensorLike, /) -> Tensor:
    """Return the determinant of square matrices. Its gradient is the cofactors, everywhere.

    Raises:
        ShapeError: when they are not square.

    Example:
        >>> det([[2.0, 0.0], [0.0, 4.0]]).item()
        8.0
    """
    wide, dtype = square("det", x)
    return cast(_det(wide), dtype)


@composite
def _cofactors(x: Tensor) -> Tensor:
    """The derivative of det x by the elements of x, det(x) x⁻ᵀ where there is an inverse.

    With x = U diag(s) Vᴴ it is det(U) det(Vᴴ) times the conjugate of U diag(Π_{j≠i} sⱼ) Vᴴ, which
    divides by nothing.
    """
    u, s, vh = _svd_raw(x, full_matrices=False)
    n = s.shape[-1]
    others = where(constant(s, np.eye(n, dtype=bool), np.dtype(bool)), 1.0, expand_dims(s, -2))
    left = conj(u) * cast(expand_dims(prod(others, axis=-1), -2), x.dtype)
    phase: Tensor = _det(u) * _det(vh)
    return matmul(left, conj(vh)) * expand_dims(phase, (-1, -2))


class SignAndLog(NamedTuple):
    """A determinant as its sign (of magnitude 1, or 0) and the logarithm of its magnitude."""

    sign: Tensor
    logabsdet: Tensor


@whole.as_one_op(looks=True, name="linalg.slogdet")
def slogdet(x: TensorLike, /) -> SignAndLog:
    """Return sign and log |det x| of square matrices, which neither overflow nor vanish.

    A singular matrix has sign 0 and logarithm -∞.

    Raises:
        ShapeError: when they are not square.

    Example:
        >>> sign, logabsdet = slogdet([[0.0, 1.0], [1.0, 0.0]])
        >>> sign.item(), logabsdet.item()
        (-1.0, 0.0)
    """
    wide, dtype = square("slogdet", x)
    sign, logarithm = _slogdet(wide)
    return SignAndLog(cast(sign, dtype), cast(logarithm, real_dtype(cast(sign, dtype))))


@whole.as_one_op(looks=True, name="linalg.pinv")
def pinv(x: TensorLike, /, *, rtol: TensorLike | None = None) -> Tensor:
    """Return the pseudo-inverse (Moore and Penrose) of matrices of any shape.

    Singular values up to ``rtol`` times the greatest count as zero; by default that is the larger
    length times the dtype's epsilon. The derivative is that for a constant rank.

    Raises:
        ShapeError: for fewer than two axes.

    Example:
        >>> pinv([[2.0], [0.0]]).tolist()
        [[0.5, 0.0]]
    """
    wide, dtype = matrices("pinv", x)
    out: Tensor = _pinv(wide, rtol=rank_tolerance(wide) if rtol is None else float(rtol))
    require_answer("pinv", "the singular values did not converge", out, matrix_transpose(wide))
    return cast(out, dtype)


@composite
def _pinv(x: Tensor, *, rtol: float) -> Tensor:
    u, s, vh = _svd_raw(x, full_matrices=False)
    inverse = _inverses(s, rtol)
    return matmul(adjoint(vh) * cast(expand_dims(inverse, -2), x.dtype), adjoint(u))


def _inverses(s: Tensor, rtol: float) -> Tensor:
    """Return 1 / s, and 0 for those that count as zero."""
    if not s.shape[-1]:
        return s
    counts = s > s[..., :1] * rtol
    return where(counts, 1.0 / where(counts, s, 1.0), where(s == s, 0.0, s))


class LeastSquares(NamedTuple):
    """What `lstsq` returns."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


@whole.as_one_op(looks=True, name="linalg.lstsq")
def lstsq(x1: TensorLike, x2: TensorLike, /, *, rtol: float | None = None) -> LeastSquares:
    """Return X that minimises ‖x₁ X - x₂‖₂, the shortest where there are many.

    ``x2`` is a vector, or a matrix of right-hand sides, as in `solve`; stacks broadcast.
    Returns the solution; the sums of squares ‖x₁ X - x₂‖² of each right-hand side; the rank (int64)
    and the singular values of ``x1``, of which those up to ``rtol`` times the greatest count as
    zero (see `pinv`). Unlike NumPy's, the residuals are there whatever the rank.

    Raises:
        ShapeError: when the shapes do not fit.

    Example:
        >>> round(lstsq([[1.0], [1.0]], [1.0, 3.0]).solution.item(), 5)
        2.0
    """
    a, b, dtype = two_matrices("lstsq", x1, x2)
    if a.ndim < 2 or not b.ndim or b.shape[-2 if b.ndim > 1 else 0] != a.shape[-2]:
        raise ShapeError(f"lstsq: shapes {a.shape} and {b.shape} do not fit")
    vector = b.ndim == 1
    a, columns = of_one_stack("lstsq", a, expand_dims(b, -1) if vector else b)
    limit = rank_tolerance(a) if rtol is None else float(rtol)
    x, residuals, rank, s = _lstsq(a, columns, rtol=limit)
    require_answer("lstsq", "the singular values did not converge", x, a, columns)
    if vector:
        x, residuals = reshape(x, x.shape[:-1]), reshape(residuals, residuals.shape[:-1])
    if a.dtype == dtype:
        return LeastSquares(x, residuals, rank, s)
    small = real_dtype(cast(x, dtype))
    return LeastSquares(cast(x, dtype), cast(residuals, small), rank, cast(s, small))


@composite
def _lstsq(a: Tensor, b: Tensor, *, rtol: float) -> tuple[Tensor, ...]:
    """Solutions, residuals, ranks and singular values, of stacks alike."""
    x = matmul(_pinv(a, rtol=rtol), b)
    miss = absolute(matmul(a, x) - b)
    s = _svdvals(a)
    counts = s > s[..., :1] * rtol if s.shape[-1] else s
    return x, sum(miss * miss, axis=-2), count_nonzero(counts, axis=-1), s
