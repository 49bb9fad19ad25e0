"""Schur's form, from eigenvectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unigrad.core.arguments import TensorLike, cast
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import where
from unigrad.ops.linalg.factorizing import qr
from unigrad.ops.linalg.matrices import adjoint, complex_dtype, require_answer, square
from unigrad.ops.linalg.solving import triangle
from unigrad.ops.linalg.spectra import eig
from unigrad.ops.linear import matmul
from unigrad.ops.reductions import max, sum

__all__ = ["SchurResult", "schur"]

_DEFECTIVE = "the matrix has fewer eigenvectors than rows"


class SchurResult(NamedTuple):
    """Factors of x = Z T Zᴴ."""

    T: Tensor
    Z: Tensor


def schur(x: TensorLike, /) -> SchurResult:
    """Return the complex Schur form x = Z T Zᴴ of square matrices.

    T is upper triangular and has the eigenvalues on its diagonal, in the order of `eig`; Z is
    unitary: Q of the eigenvectors V = Q R, since then Qᴴ x Q = R Λ R⁻¹. Source: Golub & Van Loan,
    "Matrix computations" (2013), 7.1.3.

    Raises:
        LinAlgError: when the eigenvectors of a matrix span less than the space (NaN under
            `ug.jit`).
        ShapeError: when they are not square.

    Example:
        >>> t, z = schur([[0.0, -1.0], [1.0, 0.0]])
        >>> t.numpy().diagonal().imag.round(5).tolist()
        [-1.0, 1.0]
    """
    wide, dtype = square("schur", x)
    inner = complex_dtype(wide.dtype)
    matrix = cast(wide, inner)
    unitary = qr(eig(wide).eigenvectors).Q
    form = matmul(adjoint(unitary), matmul(matrix, unitary))
    upper = triangle(form, False)
    if form.size:
        # What is below the diagonal is rounding, or says that vectors are missing.
        rest = max(sum(absolute(form - upper), axis=-2, keepdims=True), axis=-1, keepdims=True)
        size = max(sum(absolute(form), axis=-2, keepdims=True), axis=-1, keepdims=True)
        small = float(np.finfo(inner).eps) ** 0.5
        upper = where(rest <= size * small, upper, float("nan"))
        require_answer("schur", _DEFECTIVE, upper, wide)
    return SchurResult(cast(upper, complex_dtype(dtype)), cast(unitary, complex_dtype(dtype)))
