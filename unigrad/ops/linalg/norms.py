"""Norms of vectors and matrices, and what is read off singular values."""

from __future__ import annotations

import math
from typing import Literal

from unigrad.core import whole
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import isnan, where
from unigrad.ops.linalg.matrices import matrices, rank_tolerance, square
from unigrad.ops.linalg.solving import _inv
from unigrad.ops.linalg.spectra import svdvals
from unigrad.ops.reductions import Axis, any, count_nonzero, max, min, sum
from unigrad.ops.shaping import expand_dims, moveaxis
from unigrad.ops.statistics import norm as norm_of_numbers

__all__ = ["cond_number", "matrix_norm", "matrix_rank", "norm", "vector_norm"]

#: Norms of matrices by name; the numbers are 1, -1, 2, -2 and ±∞.
MatrixNorm = float | Literal["fro", "nuc"]


def vector_norm(
    x: TensorLike, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2
) -> Tensor:
    """Return the norm of vectors along axes; `ug.norm` says all about it.

    Raises:
        SettingError: when ``ord`` is no number.
        ShapeError: for a bad axis.

    Example:
        >>> vector_norm([3.0, 4.0]).item()
        5.0
    """
    return norm_of_numbers(x, ord=ord, axis=axis, keepdims=keepdims)


@whole.as_one_op()
def matrix_norm(x: TensorLike, /, *, keepdims: bool = False, ord: MatrixNorm = "fro") -> Tensor:
    """Return a norm of matrices.

    ``"fro"`` is √Σ |x|², ``"nuc"`` the sum of the singular values, 2 and -2 the greatest and the
    least of them, 1 and -1 the greatest and the least sum of magnitudes of a column, ±∞ of a row.
    Derivative 0 at 0, and by singular values that are zero; at a tie in equal parts.

    Raises:
        SettingError: for another ``ord``.
        ShapeError: for fewer than two axes, or when there is no element to choose.

    Example:
        >>> matrix_norm([[3.0, 0.0], [4.0, 0.0]], ord=1).item()
        7.0
    """
    wide, dtype = matrices("matrix_norm", x)
    if ord == "fro":
        out = norm_of_numbers(wide, axis=(-2, -1))
    elif ord == "nuc":
        out = sum(svdvals(wide), axis=-1)
    elif ord in (2, -2):
        out = (max if ord > 0 else min)(svdvals(wide), axis=-1)
    elif ord in (1, -1, math.inf, -math.inf):
        sums = sum(absolute(wide), axis=-2 if abs(ord) == 1 else -1)
        out = (max if ord > 0 else min)(sums, axis=-1)
    else:
        raise SettingError(f"matrix_norm: ord is 'fro', 'nuc', ±1, ±2 or ±inf, not {ord!r}")
    out = out if wide.dtype == dtype else cast(out, dtype)
    return expand_dims(out, (-2, -1)) if keepdims else out


def norm(
    x: TensorLike, /, ord: MatrixNorm | None = None, axis: Axis = None, keepdims: bool = False
) -> Tensor:
    """Return a norm of vectors or of matrices, by the rules of `numpy.linalg.norm`.

    Without ``ord`` it is √Σ |x|² over the axes, by default all. With one it is `vector_norm` along
    one axis, and `matrix_norm` over two, of which the first has the rows.

    Raises:
        SettingError: when there is an ``ord`` and three axes or more; as the two functions.
        ShapeError: for a bad axis; as the two functions.

    Example:
        >>> x = [[3.0, 0.0], [4.0, 0.0]]
        >>> [norm(x).item(), norm(x, 1).item(), norm(x, "nuc").item(), norm(x, axis=0).tolist()]
        [5.0, 7.0, 5.0, [5.0, 0.0]]
    """
    x = as_tensor(x)
    axes = range(x.ndim) if axis is None else axis
    if ord is None:
        return norm_of_numbers(x, axis=axis, keepdims=keepdims)
    if isinstance(axes, int) or len(axes) == 1:
        if isinstance(ord, str):
            raise SettingError(f"norm: ord={ord!r} is of two axes, not of one")
        return norm_of_numbers(x, ord=ord, axis=axis, keepdims=keepdims)
    if len(axes) != 2:
        raise SettingError(f"norm: ord={ord!r} is of one axis or two, not of {len(axes)}")
    found = matrix_norm(moveaxis(x, (*axes,), (-2, -1)), ord=ord)
    return expand_dims(found, tuple([one % x.ndim for one in axes])) if keepdims else found


@whole.as_one_op(looks=True, name="linalg.matrix_rank")
def matrix_rank(x: TensorLike, /, *, rtol: float | None = None) -> Tensor:
    """Return how many singular values exceed ``rtol`` times the greatest, as int64.

    By default ``rtol`` is the larger length times the dtype's epsilon. Derivative 0.

    Raises:
        ShapeError: for fewer than two axes.

    Example:
        >>> matrix_rank([[1.0, 2.0], [2.0, 4.0]]).item()
        1
    """
    wide, _ = matrices("matrix_rank", x)
    s = svdvals(wide)
    if not s.shape[-1]:
        return count_nonzero(s, axis=-1)
    limit = rank_tolerance(wide) if rtol is None else float(rtol)
    return count_nonzero(s > s[..., :1] * limit, axis=-1)


def cond_number(x: TensorLike, /, *, p: MatrixNorm = 2) -> Tensor:
    """Return the condition number ‖x‖ ‖x⁻¹‖ in a norm, ∞ for singular matrices.

    For 2 and -2 it is the quotient of the greatest and the least singular value, of matrices of any
    shape; else they are square. It is `numpy.linalg.cond`.

    Raises:
        SettingError: for another norm.
        ShapeError: for fewer than two axes, or when they are not square.

    Example:
        >>> cond_number([[2.0, 0.0], [0.0, 1.0]]).item()
        2.0
    """
    wide, dtype = (matrices if p in (2, -2) else square)("cond_number", x)
    if p in (2, -2):
        s = svdvals(wide)
        ends = max(s, axis=-1), min(s, axis=-1)
        out = ends[0] / ends[1] if p > 0 else ends[1] / ends[0]
        singular = ends[1] == 0.0 if p > 0 else isnan(out)
    else:
        inverse: Tensor = _inv(wide)
        out = matrix_norm(wide, ord=p) * matrix_norm(inverse, ord=p)
        singular = any(isnan(inverse), axis=(-2, -1))
    broken = any(isnan(wide), axis=(-2, -1))
    out = where(singular, where(broken, math.nan, math.inf), out)
    return out if wide.dtype == dtype else cast(out, dtype)
