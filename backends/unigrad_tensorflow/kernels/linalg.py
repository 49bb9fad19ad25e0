"""Factors of matrices. A matrix that has none gives NaN: the front end says what is wrong with it.

The derivatives are the textbook's. TensorFlow raises for singular matrices where others go on, so
those are found by their determinant and put aside. Its LU factors are of square matrices that are
not singular: all others are eliminated here, column by column.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.autodiff.bridge import body_of
from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.kernels.elimination import eliminated
from unigrad_tensorflow.kernels.scales import is_ordinary, power_into_range
from unigrad_tensorflow.kernels.values import are_finite, has_values, may_be_read, own_memory
from unigrad_tensorflow.private import numpy_of
from unigrad_tensorflow.raw import binary, raw
from unigrad_tensorflow.short import short
from unigrad_tensorflow.whole import as_graph

_InvalidArgument = tf.errors.InvalidArgumentError


def _nan(bad: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Return NaN for the matrices, or what belongs to these, of a stack that are marked."""
    return tf.where(_beside(bad, x), tf.cast(float("nan"), x.dtype), x)


def _beside(marks: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """Return the marks of a stack so that they broadcast."""
    return marks[(..., *[None] * (x.shape.rank - marks.shape.rank))]


def _guarded(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that gives NaN for singular matrices, of which TensorFlow's raises."""

    def aside(a: tf.Tensor, *rest: tf.Tensor) -> Any:
        # Of what is no number the sign is none.
        size = tf.abs(tf.raw_ops.LogMatrixDeterminant(input=a).sign)
        bad = (size == 0) | _is_nan(size)
        unit = tf.eye(a.shape[-1], dtype=a.dtype)
        return _nan(bad, kernel(tf.where(_beside(bad, a), unit, a), *rest))

    def run(a: tf.Tensor, *rest: tf.Tensor) -> Any:
        if not has_values(a):
            return aside(a, *rest)
        try:
            return kernel(a, *rest)
        except _InvalidArgument:
            return aside(a, *rest)

    return run


def cholesky(x: tf.Tensor) -> tf.Tensor:
    """TensorFlow's, which says where it fails by what is no factor, and by nothing else."""
    if has_values(x):
        found = _raw_cholesky(x)
        if are_finite(found):
            return found
    return _marked_cholesky(x)


@as_graph
def _marked_cholesky(x: tf.Tensor) -> tf.Tensor:
    out = tf.linalg.cholesky(x)
    diagonal = tf.math.real(tf.linalg.diag_part(out))
    # Where it fails, it is NaN of real numbers and 0 of complex ones.
    return _nan(tf.reduce_any(_is_nan(diagonal) | (diagonal == 0), -1), out)


_raw_cholesky = raw("Cholesky", "input")


def _is_nan(x: tf.Tensor) -> tf.Tensor:
    return x != x


def triangular_solve(a: tf.Tensor, b: tf.Tensor, *, lower: bool, unit_diagonal: bool) -> tf.Tensor:
    """TensorFlow's."""
    if unit_diagonal:
        a = _with_ones(a)
    return (_solve_lower if lower else _solve_upper)(a, b)


@as_graph
def _with_ones(a: tf.Tensor) -> tf.Tensor:
    return tf.linalg.set_diag(a, tf.ones(a.shape[:-1], a.dtype))


_solve_lower, _solve_upper = (
    raw("MatrixTriangularSolve", "matrix", "rhs", lower=one, adjoint=False) for one in (True, False)
)


def slogdet(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """TensorFlow's, whose logarithm is complex of complex numbers."""
    sign, logarithm = _log_determinant(x)
    if not x.dtype.is_floating:
        logarithm = tf.math.real(logarithm)
    # There is no -0.0 to be added to 0 where all signs are seen to be others.
    if may_be_read(sign) and np.asarray(numpy_of(sign)).all():
        return sign, logarithm
    return _add(sign, 0), logarithm


_log_determinant, _add = raw("LogMatrixDeterminant", "input"), binary("AddV2")


_solve = _guarded(raw("MatrixSolve", "matrix", "rhs", adjoint=False))
_inv = _guarded(raw("MatrixInverse", "input", adjoint=False))


def cofactors(x: tf.Tensor) -> tf.Tensor:
    """By the inverse if all have one; else by singular values, which divides by nothing."""
    found = tf.linalg.det(x)[..., None, None] * tf.linalg.matrix_transpose(_inv(x))
    bad = tf.reduce_any(_is_nan(found), (-2, -1))
    return tf.cond(
        tf.reduce_any(bad),
        lambda: tf.where(_beside(bad, found), _by_singular_values(x), found),
        lambda: found,
    )


def _by_singular_values(x: tf.Tensor) -> tf.Tensor:
    u, s, vh = svd_raw(x, full_matrices=False)
    one = tf.eye(s.shape[-1], dtype=tf.bool)
    others = tf.cast(
        tf.reduce_prod(tf.where(one, tf.ones_like(s)[..., None], s[..., None, :]), -1), x.dtype
    )
    phase = tf.linalg.det(u) * tf.linalg.det(vh)
    left = tf.math.conj(u) * others[..., None, :]
    return left @ tf.math.conj(vh) * phase[..., None, None]


def qr(x: tf.Tensor, *, complete: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """TensorFlow's, with a diagonal of R that is real and not negative.

    Its formula has squares: very large and very small matrices are scaled.
    """
    if not (_is_real_matrix(x) and may_be_read(x)):
        return _other_qr(x, complete=complete)
    q, r = (_complete_qr if complete else _reduced_qr)(x)
    if not is_ordinary(r):
        return _other_qr(x, complete=complete)
    factors, triangle = own_memory(q), own_memory(r)
    signs = _signs(triangle.diagonal())
    if signs is not None:
        factors[:, : len(signs)] *= signs
        triangle[: len(signs)] *= signs[:, None]
    return q, r


_complete_qr, _reduced_qr = (raw("Qr", "input", full_matrices=one) for one in (True, False))


@as_graph
def _other_qr(x: tf.Tensor, *, complete: bool) -> tuple[tf.Tensor, tf.Tensor]:
    power = power_into_range(x)
    q, r = tf.linalg.qr(x * power, full_matrices=complete)
    r = r / power
    entries = tf.linalg.diag_part(r)
    phases = tf.where(entries == 0, tf.ones_like(entries), tf.sign(entries))
    rest = [1] * len(x.shape[:-2]) + [q.shape[-1] - entries.shape[-1]]
    phases = tf.pad(phases, [*[[0, 0]] * len(x.shape[:-2]), [0, rest[-1]]], constant_values=1)
    return q * phases[..., None, :], r * tf.math.conj(phases)[..., None]


def _is_real_matrix(x: tf.Tensor) -> bool:
    """Tell whether it is one matrix of numbers that NumPy has."""
    return (x.dtype is tf.float32 or x.dtype is tf.float64) and x.ndim == 2


def _signs(values: Any) -> Any:
    """Return the signs of numbers, 1 of zeros; ``None`` where all are 1."""
    negative = values < 0
    if not negative.any():
        return None
    return np.where(negative, values.dtype.type(-1), values.dtype.type(1))


def _of_finite(kernel: Callable[..., Any], lower: bool = False) -> Callable[..., Any]:
    """Return a kernel that gives NaN for matrices with NaN or ∞.

    Of these TensorFlow's raises, or gives zeros, or NaN for all of the stack. ``lower``: of these
    matrices only the lower triangle is read.
    """

    def run(x: tf.Tensor, **settings: Any) -> Any:
        x = tf.linalg.band_part(x, -1, 0) if lower else x
        bad = tf.reduce_any(_is_nan(x - x), (-2, -1))
        found = kernel(tf.where(_beside(bad, x), tf.zeros_like(x), x), **settings)
        if isinstance(found, tuple):
            return tuple([_nan(bad, one) for one in found])
        return _nan(bad, found)

    return run


def svd_raw(x: tf.Tensor, *, full_matrices: bool) -> tuple[tf.Tensor, ...]:
    """TensorFlow's."""
    if not x.dtype.is_floating or x.shape.rank != 2:
        return _other_svd(x, full_matrices=full_matrices)
    s, u, v = (_full_svd if full_matrices else _thin_svd)(x)
    return u, s, _transpose(v, (1, 0))


@as_graph
@_of_finite
def _other_svd(x: tf.Tensor, *, full_matrices: bool) -> tuple[tf.Tensor, ...]:
    s, u, v = tf.linalg.svd(x, full_matrices=full_matrices)
    return u, tf.math.real(s), tf.linalg.adjoint(v)


_full_svd, _thin_svd = (
    raw("Svd", "input", compute_uv=True, full_matrices=one) for one in (True, False)
)
_transpose = raw("Transpose", "x", "perm", keeps=1)


def _eigh(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """TensorFlow's."""
    values, vectors = tf.linalg.eigh(x)
    return tf.math.real(values), vectors


def _if_finite(
    plain: Callable[..., Any],
    kernel: Callable[..., Any],
    inside: Callable[[tf.Tensor], bool] = are_finite,
) -> Callable[..., Any]:
    """Return a kernel that takes the one raw op where all numbers are seen to be finite."""
    graph = as_graph(kernel)

    def run(x: tf.Tensor) -> Any:
        # Both ways lead to the very same, so a program of many ops may take the other.
        if x.dtype.is_floating and may_be_read(x) and inside(x):
            return plain(x)
        return graph(x)

    return run


eigh_raw = _if_finite(
    raw("SelfAdjointEigV2", "input", compute_v=True), _of_finite(_eigh, lower=True)
)
_raw_eigvalsh = raw("SelfAdjointEigV2", "input", compute_v=False)
eigvalsh = _if_finite(
    lambda x: _raw_eigvalsh(x)[0],
    _of_finite(lambda x: tf.math.real(tf.linalg.eigvalsh(x)), lower=True),
)


def eigh(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor] | None:
    """Eigenvalues and vectors with their signs, of a real matrix."""
    if not _is_real_matrix(x):
        return None
    values, vectors = eigh_raw(x)
    if not (x.shape[0] and are_finite(vectors)):
        return None
    turned = own_memory(vectors)
    _turn(turned, _phases(turned))
    return values, vectors


def svd(x: tf.Tensor, full_matrices: bool) -> tuple[tf.Tensor, ...] | None:
    """Singular values and vectors with their signs, of a real matrix."""
    if not (_is_real_matrix(x) and x.shape.num_elements()):
        return None
    u, s, vh = svd_raw(x, full_matrices=full_matrices)
    if not (are_finite(u) and are_finite(vh)):
        return None
    left, right, k = own_memory(u), own_memory(vh), s.shape[0]
    signs = _phases(left)
    rows = signs[:k]
    if len(right) > k:
        rows = np.concatenate([rows, _phases(right[k:].T)])
    _turn(left, signs)
    _turn(right.T, rows)
    return u, s, vh


def _phases(vectors: Any) -> Any:
    """The signs of the largest component of each column: see `unigrad.ops.linalg.spectra`."""
    sizes = np.abs(vectors)
    places = (sizes >= sizes.max(0) * _NEAR[vectors.dtype]).argmax(0)
    return np.sign(vectors[places, _first(len(places))])


def _turn(vectors: Any, signs: Any) -> None:
    """Multiply columns, where that changes any."""
    if signs.min() < 1:
        vectors *= signs


_first = lru_cache(64)(np.arange)
#: Magnitudes that are equal but for rounding are equal.
_NEAR = {np.dtype(one): 1.0 - float(np.sqrt(np.finfo(one).eps)) for one in (np.float32, np.float64)}


def _eig(vectors: bool) -> Callable[..., Any]:
    """Return TensorFlow's, whose results are complex."""
    ops = {
        native: raw("Eig", "input", compute_v=vectors, Tout=native)
        for native in (tf.complex64, tf.complex128)
    }

    def plain(x: tf.Tensor) -> Any:
        found = ops[tf.complex64 if x.dtype is tf.float32 else tf.complex128](x)
        return (found[0], found[1]) if vectors else found[0]

    def kernel(x: tf.Tensor) -> Any:
        # Its vectors are made of squares.
        power = power_into_range(x)
        if not vectors:
            return _over(tf.linalg.eigvals(x * power), power[..., 0])
        values, columns = tf.linalg.eig(x * power)
        return _over(values, power[..., 0]), columns

    return _if_finite(plain, _of_finite(kernel), lambda x: x.shape.rank == 2 and is_ordinary(x))


def _over(values: tf.Tensor, power: tf.Tensor) -> tf.Tensor:
    return values / tf.cast(power, values.dtype)


eig_raw, eigvals = _eig(True), _eig(False)


def svdvals(x: tf.Tensor) -> tf.Tensor:
    """TensorFlow's."""
    return _values_of_svd(x)[0] if x.dtype.is_floating else _other_svdvals(x)


_values_of_svd = raw("Svd", "input", compute_uv=False, full_matrices=False)
_other_svdvals = as_graph(_of_finite(lambda x: tf.math.real(tf.linalg.svd(x, compute_uv=False))))


def lu_packed(x: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """TensorFlow's where it has one, else ours."""
    if has_values(x) and x.shape[-1] == x.shape[-2]:
        try:
            packed, order = tf.linalg.lu(x, output_idx_type=tf.int64)
            return packed, order
        except _InvalidArgument:
            pass
    return eliminated(x)


#: Of one op, or of those that look at values.
_ALONE = frozenset(
    (
        "cholesky", "det", "eig_raw", "eigh_raw", "eigvals", "eigvalsh", "inv", "lu_packed",
        "qr", "slogdet", "solve", "svd_raw", "svdvals", "triangular_solve",
    )
)  # fmt: skip

_KERNELS: dict[str, Callable[..., Any]] = {
    "cholesky": cholesky,
    "cofactors": cofactors,
    "det": raw("MatrixDeterminant", "input"),
    "eig_raw": eig_raw,
    "eigh_raw": eigh_raw,
    "eigvals": eigvals,
    "eigvalsh": eigvalsh,
    "expm": _of_finite(tf.linalg.expm),
    "inv": _inv,
    "logm": body_of("tensorflow", "logm"),
    "lu_packed": lu_packed,
    "pinv": body_of("tensorflow", "pinv"),
    "qr": qr,
    "slogdet": slogdet,
    "sqrtm": body_of("tensorflow", "sqrtm"),
    "solve": _solve,
    "svd_raw": svd_raw,
    "svdvals": svdvals,
    "triangular_solve": triangular_solve,
}

TABLE = {
    name: by_rule(name, kernel if name in _ALONE else as_graph(kernel))
    for name, kernel in _KERNELS.items()
} | {"eigh": short("eigh", eigh), "svd": short("svd", svd)}
