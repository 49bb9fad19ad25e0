"""Factors of matrices. A matrix that has none gives NaN: the front end says what is wrong with it.

NumPy has no LU factors: those are made here, column by column, of all matrices of a stack at once.
"""

from collections.abc import Callable
from functools import wraps
from math import ceil, isfinite, log2, prod
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def _or_nan(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that gives NaN for the matrices of which NumPy's raises."""

    @wraps(kernel)
    def run(*arrays: Array, **settings: Any) -> Any:
        try:
            return kernel(*arrays, **settings)
        except np.linalg.LinAlgError:
            return _one_by_one(kernel, arrays, settings)

    return run


def _one_by_one(kernel: Callable[..., Any], arrays: tuple[Array, ...], settings: Any) -> Any:
    stack = arrays[0].shape[:-2]
    rows = [_of_one(kernel, [x[index] for x in arrays], settings) for index in np.ndindex(stack)]
    if isinstance(rows[0], tuple):
        return tuple([np.reshape(r, (*stack, *r[0].shape)) for r in zip(*rows, strict=True)])
    return np.reshape(rows, (*stack, *rows[0].shape))


def _of_one(kernel: Callable[..., Any], matrices: list[Array], settings: Any) -> Any:
    try:
        return kernel(*matrices, **settings)
    except np.linalg.LinAlgError:
        # Of matrices that have an answer, for its shape.
        like = [np.broadcast_to(np.eye(*x.shape[-2:], dtype=x.dtype), x.shape) for x in matrices]
        found = kernel(*like, **settings)
        if isinstance(found, tuple):
            return tuple([np.full_like(one, np.nan) for one in found])
        return np.full_like(found, np.nan)


def _is_finite(x: Array) -> bool:
    """Tell whether no element is NaN or infinite, if that is seen at a glance: by their squares."""
    return isfinite(np.vdot(x, x).real)


@_or_nan
def cholesky(x: Array) -> Array:
    """NumPy's, which gives NaN of NaN."""
    out: Array = np.linalg.cholesky(x)
    if not _is_finite(out):
        out[np.isnan(np.diagonal(out, axis1=-2, axis2=-1)).any(-1)] = np.nan
    return out


@_or_nan
def solve(a: Array, b: Array) -> Array:
    """NumPy's."""
    out: Array = np.linalg.solve(a, b)
    return out


def triangular_solve(a: Array, b: Array, *, lower: bool, unit_diagonal: bool) -> Array:
    """Substitute block by block: the diagonal blocks by their inverses' products."""
    n = a.shape[-1]
    if unit_diagonal:
        a = a * (1 - np.eye(n, dtype=a.dtype)) + np.eye(n, dtype=a.dtype)
    out = np.empty(np.broadcast_shapes(b.shape, (*a.shape[:-2], 1, 1)), b.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        _substitute(a, b, out, lower)
    return out


#: Up to this length a triangle is solved as any matrix, which LAPACK does faster than Python rows.
_BLOCK = 32


def _substitute(a: Array, b: Array, out: Array, lower: bool) -> None:
    n = a.shape[-1]
    starts = range(0, n, _BLOCK)
    for start in starts if lower else reversed(starts):
        rows = slice(start, min(start + _BLOCK, n))
        known = slice(0, start) if lower else slice(rows.stop, n)
        right = b[..., rows, :]
        if known.stop > known.start:
            right = right - a[..., rows, known] @ out[..., known, :]
        block = a[..., rows, rows]
        out[..., rows, :] = _block(np.tril(block) if lower else np.triu(block), right)


def _block(triangle: Array, right: Array) -> Array:
    found: Array = solve(triangle, right)
    if np.isnan(found).any():
        # Where the diagonal has a zero, or something is no number, row by row says more.
        singular = (np.diagonal(triangle, axis1=-2, axis2=-1) == 0).any(-1)
        found[singular] = np.nan
    return found


inv = _or_nan(np.linalg.inv)


def slogdet(x: Array) -> tuple[Array, Array]:
    """NumPy's."""
    sign, logarithm = np.linalg.slogdet(x)
    if x.ndim == 2 and logarithm == logarithm:
        return np.asarray(sign), np.asarray(logarithm)
    return np.where(np.isnan(logarithm), np.nan, sign).astype(x.dtype), np.asarray(logarithm)


def cofactors(x: Array) -> Array:
    """By the inverse where there is one; else by singular values, which divides by nothing."""
    with np.errstate(all="ignore"):
        found: Array = np.linalg.det(x)[..., None, None] * inv(x).swapaxes(-1, -2)
    bad = ~np.isfinite(found).all((-2, -1)) & np.isfinite(x).all((-2, -1))
    if bad.any():
        found[bad] = _by_singular_values(x[bad])
    return found


def _by_singular_values(x: Array) -> Array:
    u, s, vh = svd_raw(x, full_matrices=False)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(-1)
    phase = np.linalg.det(u) * np.linalg.det(vh)
    out: Array = (u.conj() * others[..., None, :]) @ vh.conj() * phase[..., None, None]
    return out


def qr(x: Array, *, complete: bool) -> tuple[Array, Array]:
    """NumPy's, with a diagonal of R that is real and not negative."""
    q, r = np.linalg.qr(x, "complete" if complete else "reduced")
    if r.ndim == 2 and r.dtype.kind == "f" and _is_finite(r):
        flips = np.copysign(r.dtype.type(1), r.diagonal() + 0)
        q[:, : len(flips)] *= flips
        r[: len(flips)] *= flips[:, None]
        return q, r
    entries = np.diagonal(r, axis1=-2, axis2=-1)
    size = np.abs(entries)
    with np.errstate(invalid="ignore"):
        phases = np.where(size == 0, 1, entries / np.where(size == 0, 1, size))
    k = entries.shape[-1]
    q[..., :k] *= phases[..., None, :]
    r[..., :k, :] *= phases.conj()[..., None]
    return q, r


def _refuse_infinite(x: Array) -> None:
    """Refuse what has NaN or ∞: of ∞ the singular values are searched for ever."""
    if not _is_finite(x) and not np.isfinite(x).all():
        raise np.linalg.LinAlgError


@_or_nan
def svd_raw(x: Array, *, full_matrices: bool) -> tuple[Array, Array, Array]:
    """NumPy's."""
    _refuse_infinite(x)
    u, s, vh = np.linalg.svd(x, full_matrices)
    return u, s, vh


@_or_nan
def svdvals(x: Array) -> Array:
    """NumPy's."""
    _refuse_infinite(x)
    found: Array = np.linalg.svd(x, compute_uv=False)
    return found


@_or_nan
def eigvalsh(x: Array) -> Array:
    """NumPy's, with NaN for what is read of NaN or ∞: LAPACK makes numbers of it."""
    values: Array = np.linalg.eigvalsh(x)
    if _is_finite(x):
        return values
    finite = np.isfinite(np.tril(x))
    return (
        values
        if finite.all()
        else np.where(np.logical_and.reduce(finite, (-1, -2))[..., None], values, np.nan)
    )


@_or_nan
def eigh_raw(x: Array) -> tuple[Array, Array]:
    """NumPy's, with NaN as `eigvalsh`."""
    values, vectors = np.linalg.eigh(x)
    if _is_finite(x):
        return values, vectors
    finite = np.isfinite(np.tril(x))
    if finite.all():
        return values, vectors
    good = np.logical_and.reduce(finite, (-1, -2))[..., None]
    return np.where(good, values, np.nan), np.where(good[..., None], vectors, np.nan)


@_or_nan
def eig_raw(x: Array) -> tuple[Array, Array]:
    """NumPy's, complex always."""
    values, vectors = np.linalg.eig(x)
    dtype = np.result_type(x.dtype, np.complex64)
    return values.astype(dtype, copy=False), vectors.astype(dtype, copy=False)


@_or_nan
def eigvals(x: Array) -> Array:
    """NumPy's, complex always."""
    return np.linalg.eigvals(x).astype(np.result_type(x.dtype, np.complex64), copy=False)


def phases(vectors: Array) -> Array:
    """What makes the largest component of each column real and positive, as a row."""
    if not vectors.shape[-1]:
        return vectors[..., :0, :].copy()
    size = np.abs(vectors)
    near = size.dtype.type(1.0 - np.finfo(size.dtype).eps ** 0.5)
    place = (size >= np.maximum.reduce(size, -2, keepdims=True) * near).argmax(-2)
    if vectors.ndim == 2:
        # Of one matrix in a fourth of the time.
        pivot = vectors[place, np.arange(len(place))][None]
    else:
        pivot = np.take_along_axis(vectors, place[..., None, :], -2)
    out: Array = np.conj(np.sign(pivot))
    return out


def lu_packed(x: Array) -> tuple[Array, Array]:
    """Eliminate column by column, the row of the largest pivot first (Doolittle)."""
    m, n = x.shape[-2:]
    packed = x.reshape(prod(x.shape[:-2]), m, n).copy()
    every = np.arange(len(packed))
    order = np.broadcast_to(np.arange(m), (len(packed), m)).copy()
    for k in range(min(m, n)):
        pivot = k + np.abs(packed[:, k:, k]).argmax(-1)
        for rows in (packed, order):
            taken = rows[every, pivot]
            rows[every, pivot] = rows[:, k]
            rows[:, k] = taken
        head = packed[:, k, k]
        packed[:, k + 1 :, k] /= np.where(head == 0, 1, head)[:, None]
        packed[:, k + 1 :, k + 1 :] -= packed[:, k + 1 :, k, None] * packed[:, k, None, k + 1 :]
    return packed.reshape(x.shape), order.reshape(x.shape[:-1])


#: Of the Padé approximant of order 13, and up to which 1-norm it holds (Higham 2005).
_PADE = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
    10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip
_THETA = 5.371920351148152


def expm(x: Array) -> Array:
    """Scale until the approximant holds, and square back."""
    if not x.size:
        return x.copy()
    length = float(np.abs(x).sum(-2).max())
    squares = max(0, ceil(log2(length / _THETA))) if 0 < length < np.inf else 0
    scaled = x * x.dtype.type(0.5**squares)
    two = scaled @ scaled
    four = two @ two
    six = four @ two
    c, one = _PADE, np.eye(x.shape[-1], dtype=x.dtype)
    odd = six @ (c[13] * six + c[11] * four + c[9] * two)
    odd = scaled @ (odd + c[7] * six + c[5] * four + c[3] * two + c[1] * one)
    even = six @ (c[12] * six + c[10] * four + c[8] * two)
    even = even + c[6] * six + c[4] * four + c[2] * two + c[0] * one
    found: Array = solve(even - odd, even + odd)
    for _ in range(squares):
        found = found @ found
    return found.astype(x.dtype, copy=False)


TABLE: dict[str, Callable[..., Any]] = {
    "cholesky": cholesky,
    "cofactors": cofactors,
    "det": lambda x: np.asarray(np.linalg.det(x)),
    "eig_raw": eig_raw,
    "eigh_raw": eigh_raw,
    "eigvals": eigvals,
    "eigvalsh": eigvalsh,
    "expm": expm,
    "inv": inv,
    "lu_packed": lu_packed,
    "phases": phases,
    "qr": qr,
    "slogdet": slogdet,
    "solve": solve,
    "svd_raw": svd_raw,
    "svdvals": svdvals,
    "triangular_solve": triangular_solve,
}
