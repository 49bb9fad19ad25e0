"""Singular values and eigenvalues, with their vectors.

Vectors are determined up to a sign (a phase, for complex ones): here the component of the largest
magnitude, the first such one, is real and positive. Gradients by vectors are those of that choice;
where values are equal, up to rounding, the vectors of their space are taken not to turn into each
other. The gradient of the values themselves is exact there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, cast, untracked
from unigrad.core.op import OPS, composite, primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.arithmetic import conj, sign
from unigrad.ops.comparison import where
from unigrad.ops.joining import concat
from unigrad.ops.linalg.matrices import (
    complex_dtype,
    imaginary_part,
    matrices,
    real_dtype,
    real_part,
    require_answer,
    square,
)
from unigrad.ops.linear import matrix_transpose
from unigrad.ops.reductions import argmax, max
from unigrad.ops.rounding import round
from unigrad.ops.shaping import broadcast_to, expand_dims
from unigrad.ops.sorting import argsort
from unigrad.ops.statistics import norm

__all__ = ["EigResult", "EighResult", "SVDResult", "eig", "eigh", "eigvals", "eigvalsh", "svd",
           "svdvals"]  # fmt: skip

_DIVERGED = "the algorithm did not converge"

#: Vectors of any phase: what determines it is composed with ops, and differentiated by them.
_svd_raw = primitive("svd_raw")
_eigh_raw = primitive("eigh_raw")
_eig_raw = primitive("eig_raw")


@composite
def _phases(vectors: Tensor) -> Tensor:
    """What makes the largest component of each column real and positive, as a row."""
    if not vectors.shape[-1]:
        return vectors[..., :0, :]
    size = absolute(untracked(vectors))
    peak = max(size, axis=-2, keepdims=True)
    # Magnitudes that are equal but for rounding are equal.
    near = 1.0 - float(np.sqrt(np.finfo(size.dtype).eps))
    place = argmax(cast(size >= peak * near, dtypes.int8), axis=-2, keepdims=True)
    return conj(sign(_at(vectors, place, vectors.ndim - 2)))


def _at(x: Tensor, places: Tensor, axis: int) -> Tensor:
    """Return `take_along_axis` of places that are known to be inside: nobody looks at them."""
    out: Tensor = OPS["take_along_axis"](x, places, axis=axis)
    return out


def _phases_of(vectors: Tensor) -> Tensor:
    """Return `_phases`; of reals they are constant."""
    is_complex = vectors._native.dtype in vectors.backend.native_complex
    out: Tensor = _phases(vectors if is_complex else untracked(vectors))
    return out


class SVDResult(NamedTuple):
    """Factors of x = U diag(S) Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


@whole.as_one_op(looks=True, name="linalg.svd")
def svd(x: TensorLike, /, *, full_matrices: bool = True) -> SVDResult:
    """Return the singular value decomposition x = U diag(S) Vh, S falling.

    U and Vh have orthonormal columns and rows: as many as there are singular values, or with
    ``full_matrices`` enough to be square. See the module on signs; the further vectors are any
    basis of what is left, and do not turn within that space when differentiated.

    Raises:
        ShapeError: for fewer than two axes.

    Example:
        >>> svd([[0.0, 2.0], [1.0, 0.0]]).S.tolist()
        [2.0, 1.0]
    """
    wide, dtype = matrices("svd", x)
    u, s, vh = _svd(wide, full_matrices=bool(full_matrices))
    require_answer("svd", _DIVERGED, s, wide)
    if wide.dtype == dtype:
        return SVDResult(u, s, vh)
    return SVDResult(cast(u, dtype), cast(s, real_dtype(cast(u, dtype))), cast(vh, dtype))


@composite
def _svd(x: Tensor, *, full_matrices: bool) -> tuple[Tensor, ...]:
    """The factors with their signs."""
    u, s, vh = _svd_raw(x, full_matrices=full_matrices)
    k = s.shape[-1]
    phases = _phases_of(u)
    rows = matrix_transpose(conj(phases[..., :k]))
    u = u * phases
    if full_matrices and vh.shape[-2] > k:
        rest = conj(_phases_of(conj(matrix_transpose(vh[..., k:, :]))))
        rows = concat([rows, matrix_transpose(rest)], axis=-2)
    return u, s, vh * rows


@whole.as_one_op(looks=True, name="linalg.svdvals")
def svdvals(x: TensorLike, /) -> Tensor:
    """Return the singular values, falling. The gradient of those that are zero is 0.

    Raises:
        ShapeError: for fewer than two axes.

    Example:
        >>> svdvals([[0.0, 2.0], [1.0, 0.0]]).tolist()
        [2.0, 1.0]
    """
    wide, dtype = matrices("svdvals", x)
    s: Tensor = _svdvals(wide)
    require_answer("svdvals", _DIVERGED, s, wide)
    return s if wide.dtype == dtype else cast(s, dtype)


@composite
def _svdvals(x: Tensor) -> Tensor:
    s: Tensor = _svd_raw(x, full_matrices=False)[1]
    return s


class EighResult(NamedTuple):
    """Eigenvalues and eigenvectors, one a column."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@whole.as_one_op(looks=True, name="linalg.eigh")
def eigh(x: TensorLike, /) -> EighResult:
    """Return eigenvalues, rising, and orthonormal eigenvectors of symmetric or Hermitian matrices.

    The lower triangle is read. The gradient is Hermitian. See the module on signs.

    Raises:
        ShapeError: when they are not square.

    Example:
        >>> eigh([[2.0, 0.0], [0.0, 1.0]]).eigenvectors.tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    wide, dtype = square("eigh", x)
    values, vectors = _eigh(wide)
    require_answer("eigh", _DIVERGED, values, wide)
    if wide.dtype == dtype:
        return EighResult(values, vectors)
    vectors = cast(vectors, dtype)
    return EighResult(cast(values, real_dtype(vectors)), vectors)


@composite
def _eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    """Values, and vectors with their signs."""
    values, vectors = _eigh_raw(x)
    return values, vectors * _phases_of(vectors)


@whole.as_one_op(looks=True, name="linalg.eigvalsh")
def eigvalsh(x: TensorLike, /) -> Tensor:
    """Return the eigenvalues, rising, of symmetric or Hermitian matrices: see `eigh`.

    Raises:
        ShapeError: when they are not square.

    Example:
        >>> eigvalsh([[2.0, 0.0], [0.0, 1.0]]).tolist()
        [1.0, 2.0]
    """
    wide, dtype = square("eigvalsh", x)
    values: Tensor = _eigvalsh(wide)
    require_answer("eigvalsh", _DIVERGED, values, wide)
    return values if wide.dtype == dtype else cast(values, dtype)


@composite
def _eigvalsh(x: Tensor) -> Tensor:
    values: Tensor = _eigh_raw(x)[0]
    return values


class EigResult(NamedTuple):
    """Eigenvalues and right eigenvectors, one a column; both complex."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@whole.as_one_op(looks=True, name="linalg.eig")
def eig(x: TensorLike, /) -> EigResult:
    """Return complex eigenvalues and right eigenvectors of square matrices.

    They are in order of the real, then of the imaginary part; real parts that are equal but for
    rounding are equal. Vectors are of length 1; see the module on phases. On accelerators JAX and
    torch may lack it.

    Raises:
        ShapeError: when they are not square.

    Example:
        >>> eig([[0.0, -1.0], [1.0, 0.0]]).eigenvalues.tolist()
        [-1j, 1j]
    """
    wide, dtype = square("eig", x)
    values, vectors = _eig(wide)
    require_answer("eig", _DIVERGED, values, wide)
    if wide.dtype == dtype:
        return EigResult(values, vectors)
    return EigResult(cast(values, complex_dtype(dtype)), cast(vectors, complex_dtype(dtype)))


@composite
def _eig(x: Tensor) -> tuple[Tensor, Tensor]:
    """Values in order, and vectors with their lengths and phases."""
    values, vectors = _eig_raw(x)
    order = _order(values)
    last = values.ndim - 1
    values = _at(values, order, last)
    vectors = _at(vectors, broadcast_to(expand_dims(order, -2), vectors.shape), last + 1)
    if vectors.size:
        vectors = vectors / cast(norm(vectors, axis=-2, keepdims=True), vectors.dtype)
    return values, vectors * _phases_of(vectors)


@composite
def _order(values: Tensor) -> Tensor:
    """The order of complex numbers by their parts, rounded to what is surely known of them."""
    if not values.shape[-1]:
        return argsort(absolute(values))
    values = untracked(values)
    real, imaginary = real_part(values), imaginary_part(values)
    unit = max(absolute(values), axis=-1, keepdims=True)
    unit = where(unit > 0.0, unit, 1.0) * float(np.finfo(unit.dtype).eps) ** 0.6
    by_imaginary = argsort(imaginary)
    last = values.ndim - 1
    coarse = round(_at(real, by_imaginary, last) / unit)
    return _at(by_imaginary, argsort(coarse), last)


@whole.as_one_op(looks=True, name="linalg.eigvals")
def eigvals(x: TensorLike, /) -> Tensor:
    """Return the complex eigenvalues of square matrices, in the order of `eig`.

    Raises:
        ShapeError: when they are not square.

    Example:
        >>> eigvals([[0.0, -1.0], [1.0, 0.0]]).tolist()
        [-1j, 1j]
    """
    wide, dtype = square("eigvals", x)
    values: Tensor = _ordered_eigvals(wide)
    require_answer("eigvals", _DIVERGED, values, wide)
    return values if wide.dtype == dtype else cast(values, complex_dtype(dtype))


@composite
def _ordered_eigvals(x: Tensor) -> Tensor:
    values: Tensor = _eigvals(x)
    return _at(values, _order(values), values.ndim - 1)


@composite
def _eigvals(x: Tensor) -> Tensor:
    values: Tensor = _eig_raw(x)[0]
    return values
