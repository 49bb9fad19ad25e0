"""Factors of matrices. A matrix that has none gives NaN: the front end says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import product
from typing import Any

import array_api_strict as xp
from numpy.linalg import LinAlgError

from unigrad_array_api_strict.creation import like


def _or_nan(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that gives NaN for the matrices of which the library's raises."""

    @wraps(kernel)
    def run(*arrays: Any, **settings: Any) -> Any:
        try:
            return kernel(*arrays, **settings)
        except LinAlgError:
            return _one_by_one(kernel, arrays, settings)

    return run


def _one_by_one(kernel: Callable[..., Any], arrays: tuple[Any, ...], settings: Any) -> Any:
    stack = arrays[0].shape[:-2]
    places = list(product(*map(range, stack)))
    rows = [_of_one(kernel, [x[(*at, ...)] for x in arrays], settings) for at in places]
    if isinstance(rows[0], tuple):
        return tuple([_stacked(column, stack) for column in zip(*rows, strict=True)])
    return _stacked(rows, stack)


def _stacked(rows: Any, stack: tuple[int, ...]) -> Any:
    return xp.reshape(xp.stack(list(rows)), (*stack, *rows[0].shape))


def _of_one(kernel: Callable[..., Any], matrices: list[Any], settings: Any) -> Any:
    try:
        return kernel(*matrices, **settings)
    except LinAlgError:
        # Of matrices that have an answer, for its shape.
        easy = [xp.eye(*x.shape, dtype=x.dtype, device=x.device) for x in matrices]
        found = kernel(*easy, **settings)
        if isinstance(found, tuple):
            return tuple([xp.full_like(one, xp.nan) for one in found])
        return xp.full_like(found, xp.nan)


@_or_nan
def _cholesky(x: Any) -> Any:
    found = xp.linalg.cholesky(x)
    bad = xp.any(xp.isnan(xp.linalg.diagonal(found)), axis=-1)
    return xp.where(bad[..., None, None], like(found, xp.nan), found)


_solve = _or_nan(xp.linalg.solve)


def _triangular_solve(a: Any, b: Any, *, lower: bool, unit_diagonal: bool) -> Any:
    one = xp.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    if unit_diagonal:
        a = a * (xp.ones_like(one) - one) + one
    return _solve(xp.tril(a) if lower else xp.triu(a), b)


def _qr(x: Any, *, complete: bool) -> tuple[Any, Any]:
    """The library's, with a diagonal of R that is real and not negative."""
    q, r = xp.linalg.qr(x, mode="complete" if complete else "reduced")
    phases = xp.sign(xp.linalg.diagonal(r))
    phases = xp.where(phases == like(phases, 0), like(phases, 1), phases)
    k, m, rows = phases.shape[-1], q.shape[-1], r.shape[-2]
    ones = xp.ones((*phases.shape[:-1], max(m, rows) - k), dtype=x.dtype, device=x.device)
    phases = xp.concat([phases, ones], axis=-1)
    inverse = xp.conj(phases) if xp.isdtype(x.dtype, "complex floating") else phases
    return q * phases[..., None, :m], r * inverse[..., :rows, None]


@_or_nan
def _svd(x: Any, *, full_matrices: bool) -> tuple[Any, Any, Any]:
    found: tuple[Any, Any, Any] = tuple(xp.linalg.svd(x, full_matrices=full_matrices))
    return found


def _orthonormal(z: Any) -> Any:
    """Q of the decomposition of z whose R has a positive diagonal."""
    return _qr(z, complete=False)[0]


TABLE: dict[str, Callable[..., Any]] = {
    "cholesky": _cholesky,
    "det": xp.linalg.det,
    "eig_raw": _or_nan(lambda x: tuple(xp.linalg.eig(x))),
    "eigh_raw": _or_nan(lambda x: tuple(xp.linalg.eigh(x))),
    "inv": _or_nan(xp.linalg.inv),
    "qr": _qr,
    "random_orthonormal": _orthonormal,
    "slogdet": lambda x: tuple(xp.linalg.slogdet(x)),
    "solve": _solve,
    "svd_raw": _svd,
    "triangular_solve": _triangular_solve,
}
