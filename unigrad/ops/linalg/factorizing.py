"""Factors of matrices: triangular and orthogonal ones, and what is solved with them."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal
from unigrad.ops.indexing import take_along_axis
from unigrad.ops.linalg.matrices import (
    adjoint,
    matrices,
    of_one_stack,
    require_answer,
    require_square,
    square,
    two_matrices,
)
from unigrad.ops.linalg.solving import require_regular, solve_triangle, triangle
from unigrad.ops.shaping import broadcast_to, expand_dims, reshape

__all__ = [
    "LUFactors",
    "LUResult",
    "QRResult",
    "cholesky",
    "cholesky_solve",
    "lu",
    "lu_factor",
    "lu_solve",
    "qr",
]

#: L of L Lᴴ from the lower triangle; all NaN where there is none.
_cholesky = primitive("cholesky")
#: Q and R of Q R, the diagonal of R real and not negative; see `qr`.
_qr = primitive("qr")
#: L below the diagonal and U above in one matrix, and the order of the rows (int64).
_lu_packed = primitive("lu_packed")


@whole.as_one_op(looks=True, name="linalg.cholesky")
def cholesky(x: TensorLike, /, *, upper: bool = False) -> Tensor:
    """Return the lower factor L of x = L Lᴴ, its diagonal positive, or with ``upper`` Lᴴ.

    The matrices are symmetric (Hermitian) and positive definite; their lower triangle is read, and
    the gradient is symmetric (Hermitian), as that of Murray, "Differentiation of the Cholesky
    decomposition" (2016).

    Raises:
        LinAlgError: when a matrix is not positive definite (NaN under `ug.jit`).
        ShapeError: when they are not square.

    Example:
        >>> cholesky([[4.0, 2.0], [2.0, 2.0]]).tolist()
        [[2.0, 0.0], [1.0, 1.0]]
    """
    wide, dtype = square("cholesky", x)
    out: Tensor = _cholesky(wide)
    require_answer("cholesky", "the matrix is not positive definite", out, wide)
    return cast(adjoint(out) if upper else out, dtype)


@whole.as_one_op(looks=True, name="linalg.cholesky_solve")
def cholesky_solve(x1: TensorLike, x2: TensorLike, /, *, upper: bool = False) -> Tensor:
    """Return the solution X of L Lᴴ X = x₂, x₁ being the factor that `cholesky` gave.

    Raises:
        LinAlgError: when the factor's diagonal has a zero (NaN or ∞ under `ug.jit`).
        ShapeError: when the shapes do not fit.

    Example:
        >>> cholesky_solve([[2.0, 0.0], [0.0, 1.0]], [4.0, 3.0]).tolist()
        [1.0, 3.0]
    """
    factor, b, dtype = two_matrices("cholesky_solve", x1, x2)
    factor, columns, vector = _fitting("cholesky_solve", factor, b)
    half = solve_triangle(factor, columns, not upper, adjoint=upper)
    out = solve_triangle(factor, half, not upper, adjoint=not upper)
    require_regular("cholesky_solve", factor)
    return cast(reshape(out, out.shape[:-1]) if vector else out, dtype)


def _fitting(name: str, factor: Tensor, b: Tensor) -> tuple[Tensor, Tensor, bool]:
    """Return a square factor and its right-hand sides as columns, and whether they were one."""
    if factor.ndim < 2 or not b.ndim:
        raise ShapeError(f"{name}: shapes {factor.shape} and {b.shape} do not fit")
    require_square(name, factor.shape)
    if b.shape[-2 if b.ndim > 1 else 0] != factor.shape[-1]:
        raise ShapeError(f"{name}: shapes {factor.shape} and {b.shape} do not fit")
    vector = b.ndim == 1
    factor, columns = of_one_stack(name, factor, expand_dims(b, -1) if vector else b)
    return factor, columns, vector


class QRResult(NamedTuple):
    """Factors of x = Q R."""

    Q: Tensor
    R: Tensor


#: Which columns of Q there are.
QRMode = Literal["reduced", "complete"]


@whole.as_one_op(looks=True, name="linalg.qr")
def qr(x: TensorLike, /, *, mode: QRMode = "reduced") -> QRResult:
    """Return Q with orthonormal columns and the upper triangular R of x = Q R.

    R has a real diagonal that is not negative, so that both are unique for matrices of full rank.
    For m × n matrices ``"reduced"`` gives min(m, n) columns of Q, ``"complete"`` m of them; those
    beyond n are any basis of what is left, and do not turn within that space when differentiated.

    Raises:
        SettingError: for another mode.
        ShapeError: for fewer than two axes.

    Example:
        >>> qr([[0.0, -2.0], [3.0, 0.0]]).R.numpy().diagonal().tolist()
        [3.0, 2.0]
    """
    if mode not in get_args(QRMode):
        raise SettingError(f"qr: mode is 'reduced' or 'complete', not {mode!r}")
    wide, dtype = matrices("qr", x)
    q, r = _qr(wide, complete=mode == "complete")
    return QRResult(cast(q, dtype), cast(r, dtype))


class LUFactors(NamedTuple):
    """What `lu_factor` returns and `lu_solve` takes."""

    lu: Tensor
    permutation: Tensor


def lu_factor(x: TensorLike, /) -> LUFactors:
    """Return L and U in one matrix, and the order of the rows of x that they are the product for.

    x[permutation] = L U: L is what stands below the diagonal, with ones on it, U what stands on and
    above it. Rows are chosen by the largest pivot. A singular matrix has a zero on U's diagonal.

    Raises:
        ShapeError: for fewer than two axes.

    Example:
        >>> lu_factor([[0.0, 2.0], [4.0, 0.0]]).permutation.tolist()
        [1, 0]
    """
    wide, dtype = matrices("lu_factor", x)
    packed, permutation = _lu_packed(wide)
    return LUFactors(cast(packed, dtype), permutation)


class LUResult(NamedTuple):
    """Factors of x = P L U."""

    P: Tensor
    L: Tensor
    U: Tensor


def lu(x: TensorLike, /) -> LUResult:
    """Return the factors of x = P L U: a permutation, a lower triangle with ones on its diagonal,
    and an upper triangle.

    Raises:
        ShapeError: for fewer than two axes.

    Example:
        >>> p, l, u = lu([[0.0, 2.0], [4.0, 0.0]])
        >>> p.tolist(), u.tolist()
        ([[0.0, 1.0], [1.0, 0.0]], [[4.0, 0.0], [0.0, 2.0]])
    """
    wide, dtype = matrices("lu", x)
    packed, permutation = _lu_packed(wide)
    m, n = wide.shape[-2:]
    k = min(m, n)
    lower = triangle(packed[..., :, :k], True, strict=True)
    lower = lower + constant(lower, np.eye(m, k))
    upper = triangle(packed[..., :k, :], False)
    rows = constant(permutation, np.arange(m)[:, None])
    matrix = cast(equal(rows, expand_dims(permutation, -2)), dtype)
    return LUResult(matrix, cast(lower, dtype), cast(upper, dtype))


def lu_solve(lu_and_permutation: tuple[TensorLike, TensorLike], x2: TensorLike, /) -> Tensor:
    """Return the solution X of A X = x₂ from what `lu_factor` gave for A.

    Raises:
        LinAlgError: when A is singular (NaN or ∞ under `ug.jit`).
        DTypeError: when the permutation has no integers.
        ShapeError: when the shapes do not fit.

    Example:
        >>> lu_solve(lu_factor([[0.0, 2.0], [4.0, 0.0]]), [2.0, 4.0]).tolist()
        [1.0, 1.0]
    """
    packed, b, dtype = two_matrices("lu_solve", lu_and_permutation[0], x2)
    permutation = as_tensor(lu_and_permutation[1], packed)
    if permutation.dtype not in dtypes.INTEGER:
        raise DTypeError(f"lu_solve: a permutation has integers, not {permutation.dtype.name}")
    packed, columns, vector = _fitting("lu_solve", packed, b)
    if permutation.shape[-1:] != packed.shape[-1:]:
        raise ShapeError(f"lu_solve: a permutation of shape {permutation.shape}")
    order = expand_dims(broadcast_to(permutation, packed.shape[:-1]), -1)
    moved = take_along_axis(columns, broadcast_to(order, columns.shape), axis=-2)
    half = solve_triangle(packed, moved, True, unit_diagonal=True)
    out = solve_triangle(packed, half, False)
    require_regular("lu_solve", packed)
    return cast(reshape(out, out.shape[:-1]) if vector else out, dtype)
