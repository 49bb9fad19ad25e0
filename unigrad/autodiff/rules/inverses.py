"""Derivatives of what is solved with matrices: solutions, inverses, determinants, exponentials.

Sources: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008); Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear
least squares problems whose variables separate" (1973); Al-Mohy and Higham, "Computing the Fréchet
derivative of the matrix exponential" (2009). Ȳ stands for the gradient by Y, as `of_matrices` has
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.autodiff.rules.registry import add_up, of_matrices
from unigrad.core.arguments import cast
from unigrad.core.op import Op
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import conj
from unigrad.ops.joining import concat
from unigrad.ops.linalg.matrices import adjoint, imaginary_part, real_part, unit_matrix
from unigrad.ops.linalg.powers import _expm
from unigrad.ops.linalg.roots import _logm, _sqrtm
from unigrad.ops.linalg.scales import exponents, extremes, times_power
from unigrad.ops.linalg.solving import (
    _cofactors,
    _inv,
    _solve,
    solve_triangle,
    triangle,
)
from unigrad.ops.linear import matmul, matrix_transpose, trace
from unigrad.ops.reductions import sum
from unigrad.ops.shaping import broadcast_to, expand_dims

# -- A X = B: dX = A⁻¹ (dB - dA X); B̄ = A⁻ᴴ X̄, Ā = -B̄ Xᴴ


def _solve_pullback(g: Tensor, out: Tensor, a: Tensor, b: Tensor) -> Sequence[Tensor]:
    right: Tensor = _solve(adjoint(a), g)
    return -matmul(right, adjoint(out)), right


def _solve_jvp(tangents: Any, out: Tensor, a: Tensor, b: Tensor) -> Tensor:
    moved: Tensor = _solve(a, _moved(tangents[0], tangents[1], out))
    return moved


def _moved(da: Tensor | None, db: Tensor | None, x: Tensor) -> Tensor:
    """Return dB - dA X."""
    return add_up(
        [*([] if db is None else [db]), *([] if da is None else [-matmul(da, x)])],
    )


of_matrices("solve", _solve_pullback, _solve_jvp)

# -- the same of a triangle: what is not read has derivative 0


def _triangle_pullback(
    g: Tensor, out: Tensor, a: Tensor, b: Tensor, *, lower: bool, unit_diagonal: bool
) -> Sequence[Tensor]:
    right = solve_triangle(a, g, lower, True, unit_diagonal)
    return -triangle(matmul(right, adjoint(out)), lower, unit_diagonal), right


def _triangle_jvp(
    tangents: Any, out: Tensor, a: Tensor, b: Tensor, *, lower: bool, unit_diagonal: bool
) -> Tensor:
    da = None if tangents[0] is None else triangle(tangents[0], lower, unit_diagonal)
    moved = _moved(da, tangents[1], out)
    return solve_triangle(a, moved, lower, unit_diagonal=unit_diagonal)


of_matrices("triangular_solve", _triangle_pullback, _triangle_jvp)

# -- Y = A⁻¹: dY = -Y dA Y


def _inv_pullback(g: Tensor, out: Tensor, a: Tensor) -> Sequence[Tensor]:
    back = adjoint(out)
    return (-matmul(matmul(back, g), back),)


def _inv_jvp(tangents: Any, out: Tensor, a: Tensor) -> Tensor:
    return -matmul(matmul(out, tangents[0]), out)


of_matrices("inv", _inv_pullback, _inv_jvp)

# -- d det A = Σ C dA with the cofactors C


def _det_pullback(g: Tensor, out: Tensor, a: Tensor) -> Sequence[Tensor]:
    return (expand_dims(g, (-1, -2)) * conj(_cofactors_in_range(a)),)


def _det_jvp(tangents: Any, out: Tensor, a: Tensor) -> Tensor:
    return _sum_of_products(_cofactors_in_range(a), tangents[0])


def _cofactors_in_range(a: Tensor) -> Tensor:
    """Return C, whose formula has the determinant: it is out of range before the cofactors are."""
    if not a.size:
        found: Tensor = _cofactors(a)
        return found
    own = extremes(a)
    return times_power(_cofactors(times_power(a, -own)), own * (a.shape[-1] - 1))


def _sum_of_products(x: Tensor, y: Tensor) -> Tensor:
    """Return Σ x y of matrices."""
    return sum(x * y, axis=(-2, -1))


of_matrices("det", _det_pullback, _det_jvp)

# -- C = det(A) A⁻ᵀ: d Cᵀ = tr(A⁻¹ dA) Cᵀ - Cᵀ dA A⁻¹, where there is an inverse


def _cofactors_pullback(g: Tensor, out: Tensor, a: Tensor) -> Sequence[Tensor]:
    # Of Y = A⁻¹ and C = det(A) Yᵀ.
    inverse: Tensor = _inv(a)
    spread = conj(_sum_of_products(conj(g), out))
    through = matmul(matmul(adjoint(inverse), matrix_transpose(g)), conj(out))
    return (expand_dims(spread, (-1, -2)) * adjoint(inverse) - through,)


def _cofactors_jvp(tangents: Any, out: Tensor, a: Tensor) -> Tensor:
    inverse: Tensor = _inv(a)
    step = matmul(inverse, tangents[0])
    spread = expand_dims(trace(step), (-1, -2)) * out
    return spread - matrix_transpose(matmul(step, matrix_transpose(out)))


of_matrices("cofactors", _cofactors_pullback, _cofactors_jvp)

# -- log det A: d log|det A| = Re tr(A⁻¹ dA), d sign = i sign Im tr(A⁻¹ dA)


def _slogdet_pullback(
    g: Sequence[Tensor | None], out: Sequence[Tensor], a: Tensor
) -> Sequence[Tensor]:
    inverse: Tensor = _inv(a)
    sign = out[0]
    weight = sign * 0.0 if g[1] is None else cast(g[1], a.dtype)
    if g[0] is not None and a._native.dtype in a.backend.native_complex:
        weight = weight + cast(imaginary_part(conj(sign) * g[0]), a.dtype) * 1j
    return (expand_dims(weight, (-1, -2)) * adjoint(inverse),)


def _slogdet_jvp(tangents: Any, out: Sequence[Tensor], a: Tensor) -> Any:
    moved = trace(_solve(a, tangents[0]))
    if a._native.dtype not in a.backend.native_complex:
        return None, moved
    return out[0] * cast(imaginary_part(moved), a.dtype) * 1j, real_part(moved)


of_matrices("slogdet", _slogdet_pullback, _slogdet_jvp)

# -- the pseudo-inverse P of a constant rank:
#    dP = -P dA P + P Pᴴ dAᴴ (1 - A P) + (1 - P A) dAᴴ Pᴴ P


def _pinv_pullback(g: Tensor, out: Tensor, a: Tensor, *, rtol: float) -> Sequence[Tensor]:
    back, turned = adjoint(out), adjoint(g)
    rows, columns = _beside(a, out), _beside(out, a)
    first = -matmul(matmul(back, g), back)
    second = matmul(matmul(matmul(rows, turned), out), back)
    # From the inside: a product of two inverses may be out of range.
    third = matmul(back, matmul(out, matmul(turned, columns)))
    return (first + second + third,)


def _pinv_jvp(tangents: Any, out: Tensor, a: Tensor, *, rtol: float) -> Tensor:
    da, back = tangents[0], adjoint(out)
    turned = adjoint(da)
    rows, columns = _beside(a, out), _beside(out, a)
    first = -matmul(matmul(out, da), out)
    second = matmul(out, matmul(back, matmul(turned, rows)))
    third = matmul(matmul(matmul(columns, turned), back), out)
    return first + second + third


def _beside(x: Tensor, y: Tensor) -> Tensor:
    """Return 1 - x y."""
    return unit_matrix(x, x.shape[-2]) - matmul(x, y)


of_matrices("pinv", _pinv_pullback, _pinv_jvp)

# -- functions of matrices: the derivative L(A, E) stands in the corner of f([[A, E], [0, A]]); its
#    adjoint is L(Aᴴ, ·). It is linear in E, which is made small, so that what f asks of the size of
#    a matrix is about A. Of f(s² A) = sʰ f(A), or that and a multiple of the identity, L(s² A, E)
#    is sʰ⁻² L(A, E)

#: The size of E beside A, as an exponent of two: eigenvalues of A down to that size are larger, and
#: three such sizes are in range, for third derivatives.
_DEPTHS = {4: 32, 8: 200}


def _function_of_matrices(op: Op, halves: int | None = None) -> None:
    def frechet(a: Tensor, direction: Tensor) -> Tensor:
        n = a.shape[-1]
        direction = broadcast_to(direction, a.shape)
        if not a.size:
            return direction
        if halves is None:
            # The larger a matrix, the more often its exponential is squared.
            small = exponents(direction) + 10
            back = small
        else:
            own = extremes(a)
            a = times_power(a, -own)
            depth = _DEPTHS[np.finfo(a.dtype).dtype.itemsize]
            small = exponents(direction) + (depth - exponents(a))
            back = small + own // 2 * (halves - 2)
        direction = times_power(direction, -small)
        above = concat([a, direction], axis=-1)
        below = concat([a * 0.0, a], axis=-1)
        both: Tensor = op(concat([above, below], axis=-2))
        corner: Tensor = both[..., :n, n:]
        return times_power(corner, back)

    def pullback(g: Tensor, out: Tensor, a: Tensor) -> Sequence[Tensor]:
        return (frechet(adjoint(a), g),)

    def jvp(tangents: Any, out: Tensor, a: Tensor) -> Tensor:
        return frechet(a, tangents[0])

    of_matrices(op.name, pullback, jvp)
    # The tangent is linear, but nobody sees it from the ops that it is made of.
    op.rule.transposed = False


_function_of_matrices(_expm)
_function_of_matrices(_logm, halves=0)
_function_of_matrices(_sqrtm, halves=1)
