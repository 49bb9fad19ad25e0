"""Square roots and logarithms of matrices: the principal ones.

They are of matrices without eigenvalues that are 0 or negative numbers. The formulas are iterations
of a fixed number of steps, so that they are compiled and run on stacks.
"""

from __future__ import annotations

import numpy as np

from unigrad.core.arguments import TensorLike, cast, constant
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs as absolute
from unigrad.ops.comparison import isfinite, where
from unigrad.ops.elementary import exp
from unigrad.ops.linalg.matrices import real_dtype, require_answer, square, unit_matrix
from unigrad.ops.linalg.scales import extremes, times_power
from unigrad.ops.linalg.solving import _inv, _slogdet, _solve
from unigrad.ops.linear import matmul
from unigrad.ops.reductions import max, sum
from unigrad.ops.shaping import broadcast_to, expand_dims

__all__ = ["logm", "sqrtm"]

_NO_ROOT = "the matrix has an eigenvalue that is 0 or a negative number"

#: Steps for a matrix of any condition, and for each of the roots that a logarithm takes.
_STEPS = 20
_STEPS_OF_ROOTS = (20, 14, 12, 10, 8, 7, 6, 6)


def _size(x: Tensor) -> Tensor:
    """Return ‖X‖₁, (…, 1, 1)."""
    return max(sum(absolute(x), axis=-2, keepdims=True), axis=-1, keepdims=True)


def _root(a: Tensor, steps: int) -> Tensor:
    """Return √A, by Denman and Beavers' iteration in its form of a product, with scaling.

    NaN where what it leads to is no root. Source: Cheng, Higham, Kenney & Laub, "Approximating the
    logarithm of a matrix to specified accuracy" (2001), (3.6) and (3.10).
    """
    n = a.shape[-1]
    unit = unit_matrix(a, n)
    product, root = a, a
    for _ in range(steps):
        logarithm = _slogdet(product)[1]
        logarithm = where(isfinite(logarithm), logarithm, 0.0)
        scale = cast(expand_dims(exp(logarithm * (-0.5 / n)), axis=(-2, -1)), a.dtype)
        inverse = _inv(product)
        # What has no inverse is no root in the end.
        inverse = where(isfinite(inverse), inverse, unit) / (scale * scale)
        root = matmul(root, unit + inverse) * (scale * 0.5)
        product = unit * 0.5 + (product * (scale * scale) + inverse) * 0.25
    small = float(np.sqrt(np.finfo(real_dtype(a)).eps))
    size = _size(root)
    return _unless_apart(root, _size(matmul(root, root) - a), size * size * small)


def _unless_apart(found: Tensor, apart: Tensor, limit: Tensor) -> Tensor:
    """Return a result, and NaN where a distance is beyond a limit, or NaN."""
    return where(apart <= limit, found, float("nan"))


@composite
def _sqrtm(a: Tensor) -> Tensor:
    if 0 in a.shape:
        return a * 1.0
    # The squares of what is very large or small are out of range.
    own = extremes(a)
    return times_power(_root(times_power(a, -own), _STEPS), own // 2)


#: Gauss and Legendre's points and weights on [0, 1].
_POINTS, _WEIGHTS = (np.polynomial.legendre.leggauss(16) + np.array([[1.0], [0.0]])) / 2.0


@composite
def _logm(a: Tensor) -> Tensor:
    """log A = 2ᵏ log A^(1/2ᵏ), the roots taken until they are near the identity.

    log(1 + E) = ∫₀¹ E (1 + t E)⁻¹ dt, by Gauss and Legendre's rule: a Padé approximant (Dieci,
    Morini & Papini, "Computational techniques for real logarithms of matrices", 1996).
    """
    if 0 in a.shape:
        return a * 1.0
    unit = unit_matrix(a, a.shape[-1])
    near, factor = a, _size(a) * 0.0 + 1.0
    for steps in _STEPS_OF_ROOTS:
        far = _size(near - unit) > 0.5
        near = where(far, _root(where(far, near, unit), steps), near)
        factor = where(far, factor * 2.0, factor)
    rest = near - unit
    points = constant(a, _POINTS.reshape(-1, *(1,) * a.ndim))
    weights = constant(a, _WEIGHTS.reshape(-1, *(1,) * a.ndim))
    right = broadcast_to(rest, (len(_POINTS), *rest.shape))
    terms = _solve(right * points + unit, right)
    found = sum(terms * weights, axis=0) * cast(factor, a.dtype)
    return _unless_apart(found, _size(rest), _size(rest) * 0.0 + 0.75)


def sqrtm(x: TensorLike, /) -> Tensor:
    """Return the principal square root X of square matrices x: X X = x.

    Its eigenvalues have positive real parts. Of real matrices it is real. Gradients of any order,
    by the Fréchet derivative.

    Source of the derivative: Higham, "Functions of matrices" (2008), theorem 3.6.

    Raises:
        LinAlgError: when a matrix has an eigenvalue that is 0 or a negative number, up to rounding
            (NaN under `ug.jit`).
        ShapeError: when they are not square.

    Example:
        >>> sqrtm([[4.0, 0.0], [0.0, 9.0]]).numpy().round(5).tolist()
        [[2.0, 0.0], [0.0, 3.0]]
    """
    wide, dtype = square("sqrtm", x)
    out: Tensor = _sqrtm(wide)
    require_answer("sqrtm", _NO_ROOT, out, wide)
    return cast(out, dtype)


def logm(x: TensorLike, /) -> Tensor:
    """Return the principal logarithm of square matrices, the inverse of `expm`.

    Of real matrices it is real. Gradients of any order, by the Fréchet derivative.

    Raises:
        LinAlgError: when a matrix has an eigenvalue that is 0 or a negative number, up to rounding,
            or one beyond e^±100 (NaN under `ug.jit`).
        ShapeError: when they are not square.

    Example:
        >>> logm([[1.0, 1.0], [0.0, 1.0]]).numpy().round(5).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    wide, dtype = square("logm", x)
    out: Tensor = _logm(wide)
    require_answer("logm", _NO_ROOT, out, wide)
    return cast(out, dtype)
