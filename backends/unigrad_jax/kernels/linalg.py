"""Factors of matrices. A matrix that has none gives NaN: the front end says what is wrong with it.

Where values may be equal or zero, or where JAX lacks a case (complete or wide Q R), the derivative
is the textbook's. JAX has eigenvalues of general matrices on the CPU alone.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from unigrad.autodiff.bridge import body_of
from unigrad_jax.bridge import by_rule

#: The exponents of two up to which a matrix's products of a few elements are in range.
_ORDINARY = 30


def cholesky(x: jax.Array) -> jax.Array:
    """JAX's, which reads the lower triangle here."""
    out = jax.lax.linalg.cholesky(x, symmetrize_input=False)
    bad = jnp.isnan(jnp.diagonal(out, axis1=-2, axis2=-1)).any(-1)
    return jnp.where(bad[..., None, None], jnp.nan, out)


def solve(a: jax.Array, b: jax.Array) -> jax.Array:
    """JAX's; of a singular matrix NaN for every element."""
    return jnp.where(_is_singular(a), jnp.nan, jnp.linalg.solve(a, b)) if b.size else b


def _is_singular(a: jax.Array) -> jax.Array:
    """Tell of each matrix whether a pivot is 0, by the factors that the compiler makes but once.

    By the matrix alone: the derivative is linear in the right-hand side.
    """
    packed, _, _ = jax.lax.linalg.lu(jax.lax.stop_gradient(a))
    return (jnp.diagonal(packed, axis1=-2, axis2=-1) == 0).any(-1)[..., None, None]


def inv(x: jax.Array) -> jax.Array:
    """JAX's; of a singular matrix NaN for every element."""
    return jnp.where(_is_singular(x), jnp.nan, jnp.linalg.inv(x)) if x.size else x


def triangular_solve(a: jax.Array, b: jax.Array, *, lower: bool, unit_diagonal: bool) -> jax.Array:
    """JAX's."""
    return jax.lax.linalg.triangular_solve(
        a, b, left_side=True, lower=lower, unit_diagonal=unit_diagonal
    )


def _in_range(x: jax.Array, keeps: int = 0) -> tuple[jax.Array, jax.Array]:
    """Return matrices whose largest element lies between 2^±``keeps``, and exponents of two.

    They are those of the matrices given, (…, 1, 1), and even; 0 for matrices in range already, of
    zeros, and with NaN or ∞.
    """
    peak = jax.lax.stop_gradient(jnp.abs(x)).max((-2, -1), keepdims=True)
    exponent = jnp.frexp(jnp.where(jnp.isfinite(peak), peak, 0))[1] // 2 * 2
    exponent = jnp.where(jnp.abs(exponent) > keeps, exponent, 0)
    return _times_power(x, -exponent), exponent


def _times_power(x: jax.Array, exponent: jax.Array) -> jax.Array:
    """Return x 2ᵏ for even k, in two steps: the power itself may be none of the numbers."""
    half = jnp.ldexp(jnp.ones(exponent.shape, jnp.finfo(x.dtype).dtype), exponent // 2)
    return x * half * half


def cofactors(x: jax.Array) -> jax.Array:
    """By the inverse if all have one; else by singular values, which divides by nothing."""
    if not x.size:
        return x
    found = jnp.linalg.det(x)[..., None, None] * jnp.linalg.inv(x).mT
    good = jnp.isfinite(found).all((-2, -1))[..., None, None]
    return jax.lax.cond(
        good.all(), lambda: found, lambda: jnp.where(good, found, _by_singular_values(x))
    )


def _by_singular_values(x: jax.Array) -> jax.Array:
    u, s, vh = jnp.linalg.svd(x, full_matrices=False)
    others = jnp.where(jnp.eye(s.shape[-1], dtype=bool), 1.0, s[..., None, :]).prod(-1)
    phase = jnp.linalg.det(u) * jnp.linalg.det(vh)
    return (u.conj() * others[..., None, :]) @ vh.conj() * phase[..., None, None]


def slogdet(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """JAX's, which multiplies the elements of small matrices: of matrices in range."""
    if not x.size:
        sign, logarithm = jnp.linalg.slogdet(x)
        return sign, logarithm
    scaled, exponent = _in_range(x, keeps=_ORDINARY)
    sign, logarithm = jnp.linalg.slogdet(scaled)
    moved = exponent[..., 0, 0].astype(logarithm.dtype) * (x.shape[-1] * np.log(2.0))
    return sign, logarithm + moved


def qr(x: jax.Array, *, complete: bool) -> tuple[jax.Array, jax.Array]:
    """JAX's, with a diagonal of R that is real and not negative."""
    q, r = jnp.linalg.qr(x, "complete" if complete else "reduced")
    entries = jnp.diagonal(r, axis1=-2, axis2=-1)
    phases = jnp.where(entries == 0, 1, jnp.sign(entries))
    k = entries.shape[-1]
    return q.at[..., :k].multiply(phases[..., None, :]), r.at[..., :k, :].multiply(
        phases.conj()[..., None]
    )


_ruled_qr = by_rule("qr", qr)


def _qr_of_any(x: jax.Array, *, complete: bool) -> tuple[jax.Array, jax.Array]:
    """Choose JAX's derivative of real matrices that are not wide, whose Q has no more columns."""
    m, n = x.shape[-2:]
    if not x.size or jnp.iscomplexobj(x) or m < n or complete:
        found: tuple[jax.Array, jax.Array] = _ruled_qr(x, complete=complete)
        return found
    return qr(x, complete=False)


def svd_raw(x: jax.Array, *, full_matrices: bool) -> tuple[jax.Array, ...]:
    """JAX's."""
    return tuple(jnp.linalg.svd(x, full_matrices=full_matrices))


def eigh_raw(x: jax.Array) -> tuple[jax.Array, ...]:
    """JAX's, which reads the lower triangle here."""
    if not x.size:
        return jnp.zeros(x.shape[:-1], jnp.finfo(x.dtype).dtype), x
    values, vectors = jnp.linalg.eigh(x, UPLO="L", symmetrize_input=False)
    # Of NaN LAPACK may make numbers.
    finite = jnp.isfinite(jnp.tril(x)).all((-1, -2))[..., None]
    return jnp.where(finite, values, jnp.nan), jnp.where(finite[..., None], vectors, jnp.nan)


def eig_raw(x: jax.Array) -> tuple[jax.Array, ...]:
    """JAX's, of matrices in range: what LAPACK scales, JAX does not scale back."""
    if not x.size:
        return tuple(jnp.linalg.eig(x))
    scaled, exponent = _in_range(x, keeps=_ORDINARY)
    values, vectors = jnp.linalg.eig(scaled)
    return _times_power(values, exponent[..., 0]), vectors


def lu_packed(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """JAX's."""
    packed, _, order = jax.lax.linalg.lu(x)
    return packed, order.astype(jnp.int64)


def _root(a: jax.Array) -> jax.Array:
    """√A, NaN where there is none: the front end's iteration as a loop, which compiles once."""
    unit = jnp.eye(a.shape[-1], dtype=a.dtype)

    def step(_: Any, pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        product, root = pair
        logarithm = jnp.linalg.slogdet(product)[1]
        logarithm = jnp.where(jnp.isfinite(logarithm), logarithm, 0)
        scale = jnp.exp(logarithm * (-0.5 / a.shape[-1]))[..., None, None].astype(a.dtype)
        inverse = inv(product)
        inverse = jnp.where(jnp.isfinite(inverse), inverse, unit) / (scale * scale)
        root = root @ (unit + inverse) * (scale * 0.5)
        return unit * 0.5 + (product * (scale * scale) + inverse) * 0.25, root

    root = jax.lax.fori_loop(0, 20, step, (a, a))[1]
    size = _size(root)
    limit = size * size * jnp.finfo(size.dtype).eps ** 0.5
    return jnp.where(_size(root @ root - a) <= limit, root, jnp.nan)


def _size(x: jax.Array) -> jax.Array:
    return jnp.abs(x).sum(-2, keepdims=True).max(-1, keepdims=True)


def sqrtm(a: jax.Array) -> jax.Array:
    """The principal square root, of matrices in range."""
    if not a.size:
        return a
    scaled, exponent = _in_range(a, keeps=_ORDINARY)
    half = jnp.ldexp(jnp.ones(exponent.shape, jnp.finfo(a.dtype).dtype), exponent // 2)
    return _root(scaled) * half


_POINTS, _WEIGHTS = (np.polynomial.legendre.leggauss(16) + np.array([[1.0], [0.0]])) / 2.0


def logm(a: jax.Array) -> jax.Array:
    """The principal logarithm: the front end's formula, with its roots in a loop."""
    if not a.size:
        return a
    unit = jnp.eye(a.shape[-1], dtype=a.dtype)

    def step(_: Any, pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        near, factor = pair
        far = _size(near - unit) > 0.5
        near = jnp.where(far, _root(jnp.where(far, near, unit)), near)
        return near, jnp.where(far, factor * 2, factor)

    near, factor = jax.lax.fori_loop(0, 8, step, (a, jnp.ones_like(_size(a))))
    rest = near - unit
    points, weights = (
        jnp.asarray(one.reshape(-1, *(1,) * a.ndim), a.dtype) for one in (_POINTS, _WEIGHTS)
    )
    right = jnp.broadcast_to(rest, (len(_POINTS), *rest.shape))
    found = (solve(right * points + unit, right) * weights).sum(0) * factor.astype(a.dtype)
    return jnp.where(_size(rest) <= 0.75, found, jnp.nan)


TABLE: dict[str, Callable[..., Any]] = {
    "cholesky": by_rule("cholesky", cholesky),
    "cofactors": by_rule("cofactors", cofactors),
    "det": by_rule("det", jnp.linalg.det),
    "eig_raw": by_rule("eig_raw", eig_raw),
    "eigh_raw": by_rule("eigh_raw", eigh_raw),
    "expm": jax.scipy.linalg.expm,
    "inv": inv,
    "logm": by_rule("logm", logm),
    "lu_packed": by_rule("lu_packed", lu_packed),
    # Of its body XLA would make squares of singular values.
    "pinv": by_rule("pinv", body_of("jax", "pinv")),
    "qr": _qr_of_any,
    "slogdet": slogdet,
    "sqrtm": by_rule("sqrtm", sqrtm),
    "solve": solve,
    "svd_raw": by_rule("svd_raw", svd_raw),
    "triangular_solve": triangular_solve,
}
