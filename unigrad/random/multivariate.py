"""Vectors and matrices: normal vectors, orthogonal matrices, points in a ball."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, cast, constant, visible
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import SettingError, ShapeError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import isfinite, where
from unigrad.ops.elementary import exp, log, sqrt
from unigrad.ops.indexing import getitem
from unigrad.ops.joining import stack
from unigrad.ops.linear import matmul
from unigrad.ops.reductions import all, any, sum
from unigrad.ops.shaping import expand_dims, squeeze, swapaxes
from unigrad.random.continuous import epsilon, exponential, normal
from unigrad.random.discrete import rademacher
from unigrad.random.gammas import log_gamma
from unigrad.random.keys import checked_key, draw_shape, float_dtype, halves, parameter
from unigrad.random.parameters import POSITIVE, draw

__all__ = ["ball", "multivariate_normal", "orthogonal"]

#: Q of a QR decomposition whose R has a positive diagonal.
_orthonormal = primitive("random_orthonormal")


def multivariate_normal(
    key: TensorLike,
    mean: TensorLike,
    cov: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return normal vectors of a mean (…, n) and a covariance matrix (…, n, n): mean + L z.

    L is the Cholesky factor of the covariance, of which the lower half is read; the result is
    differentiated by both. ``shape`` is that of the result without the last axis, by default what
    the axes before those of the vector and the matrix broadcast to. A matrix that is not symmetric,
    but for the rounding of its dtype, is no covariance; in a compiled program it gives NaN.

    Raises:
        ShapeError: when the shapes do not fit, or ``key`` is no key.
        SettingError: when the covariance is not symmetric, or not positive definite.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> multivariate_normal(key(0), [0.0, 1.0], [[2.0, 1.0], [1.0, 2.0]], (5,)).shape
        (5, 2)
    """
    name = "multivariate_normal"
    # The normal numbers use the key up.
    key = checked_key(name, key)
    chosen = float_dtype(name, dtype)
    given = [as_tensor(one, key) for one in (mean, cov)]
    centre, matrix = [parameter(name, key, one, dtypes.float64) for one in given]
    batch = _batch_of_normal(name, centre.shape, matrix.shape)
    wanted = batch if shape is None else draw_shape(name, shape)
    try:
        fits = np.broadcast_shapes(batch, wanted) == wanted
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(f"random.{name}: parameters for {batch} do not broadcast to {wanted}")
    factor = cholesky(_symmetric(name, matrix, given[1].dtype))
    found = visible(factor)
    if found is None:
        right = all(isfinite(factor), axis=(-2, -1), keepdims=True)
        factor = where(right, factor, np.nan)
    elif not np.isfinite(found).all():
        raise SettingError(f"random.{name}: cov is positive definite; this one is not")
    drawn = cast(normal(key, (*wanted, centre.shape[-1]), chosen), dtypes.float64)
    moved = squeeze(matmul(factor, expand_dims(drawn, axis=-1)), axis=-1)
    return cast(centre + moved, chosen)


def _batch_of_normal(name: str, mean: tuple[int, ...], cov: tuple[int, ...]) -> tuple[int, ...]:
    """Return what the axes before those of the vectors broadcast to."""
    if not mean or len(cov) < 2 or cov[-2:] != (mean[-1], mean[-1]):
        raise ShapeError(
            f"random.{name}: a mean of shape (…, n) and a cov of shape (…, n, n), not {mean} "
            f"and {cov}"
        )
    try:
        return tuple(np.broadcast_shapes(mean[:-1], cov[:-2]))
    except ValueError:
        raise ShapeError(f"random.{name}: {mean} and {cov} do not broadcast") from None


def _symmetric(name: str, cov: Tensor, dtype: DType) -> Tensor:
    """Return a matrix of float64 that came in a dtype; NaN, where nobody can look at it, if it is
    not symmetric up to the root of the dtype's epsilon.

    Raises:
        SettingError: when it is seen that it is not.
    """
    floating = dtype if dtype in dtypes.FLOATING else dtypes.float64
    allowed = epsilon(floating) ** 0.5
    apart = absolute(cov - swapaxes(cov, -1, -2))
    wrong = any(apart > allowed * absolute(cov).max(axis=(-2, -1), keepdims=True), axis=(-2, -1))
    seen = visible(wrong)
    if seen is None:
        return where(expand_dims(wrong, axis=(-2, -1)), np.nan, cov)
    if seen.any():
        raise SettingError(f"random.{name}: cov is symmetric; this one is not")
    return cov


def cholesky(a: Tensor) -> Tensor:
    """Return the lower triangular L with L Lᵀ = a, column by column; NaN where there is none."""
    size = a.shape[-1]
    columns: list[Tensor] = []
    for j in range(size):
        column = getitem(a, (..., j))
        for earlier in columns:
            column = column - earlier * getitem(earlier, (..., slice(j, j + 1)))
        pivot = getitem(column, (..., slice(j, j + 1)))
        below = constant(a, np.arange(size) >= j, dtypes.bool_)
        columns.append(where(below, column / sqrt(where(pivot > 0.0, pivot, np.nan)), 0.0))
    return stack(columns, axis=-1) if columns else a


def orthogonal(
    key: TensorLike,
    n: int,
    shape: int | Sequence[int] = (),
    m: int | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return matrices (*shape, n, m) with orthonormal columns (or rows), uniformly distributed.

    Q of a normal matrix whose R has a positive diagonal. ``m`` is by default ``n``.

    Source: Mezzadri, "How to generate random matrices from the classical compact groups", 2007.

    Raises:
        ShapeError: when a length is negative, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> q = orthogonal(key(0), 3)
        >>> bool(abs((q @ q.T).numpy() - np.eye(3)).max() < 1e-6)
        True
    """
    name = "orthogonal"
    # The normal numbers use the key up.
    key = checked_key(name, key)
    chosen = float_dtype(name, dtype)
    rows, columns = draw_shape(name, (n, n if m is None else m))
    tall = (*draw_shape(name, shape), max(rows, columns), min(rows, columns))
    z = cast(normal(key, tall, chosen), dtypes.float64)
    q: Tensor = _orthonormal(z) if 0 not in tall else z
    return cast(swapaxes(q, -1, -2) if rows < columns else q, chosen)


def ball(
    key: TensorLike,
    d: int,
    p: float = 2.0,
    shape: int | Sequence[int] = (),
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return points (*shape, d), uniformly distributed in the unit ball of the norm of order p.

    Source: Barthe, Guédon, Mendelson and Naor, "A probabilistic approach to the geometry of the
    ℓₚⁿ-ball", 2005: coordinates ± g^(1/p) of gamma variates g of 1/p, over (Σ g + e)^(1/p) of an
    exponential e.

    Raises:
        SettingError: when ``p`` is not positive.
        ShapeError: when a length is negative, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> bool(((ball(key(0), 3, shape=(100,)) ** 2).sum(axis=-1).max() <= 1.0).item())
        True
    """
    name = "ball"
    (size,) = draw_shape(name, d)
    batch = draw_shape(name, shape)
    given = draw(name, key, (*batch, size), dtype, ("p", p, POSITIVE), compute=dtypes.float64)
    (order,) = given.parameters
    first, second = halves(given.key)
    of_size, of_sign = halves(first)
    logs = log_gamma(of_size, 1.0 / order)
    e = cast(exponential(second, batch, given.dtype), dtypes.float64)
    total = sum(exp(logs), axis=-1, keepdims=True) + expand_dims(e, axis=-1)
    signs = rademacher(of_sign, given.shape, dtypes.float64)
    return cast(signs * exp((logs - log(total)) / order), given.dtype)
