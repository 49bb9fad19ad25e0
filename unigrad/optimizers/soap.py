"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from __future__ import annotations

import math
from typing import Any, Unpack

from unigrad.control.branches import cond
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import equal
from unigrad.ops.elementary import sqrt
from unigrad.ops.filling import zeros
from unigrad.ops.linalg.factorizing import qr
from unigrad.ops.linear import matmul, matrix_transpose, trace
from unigrad.ops.ranges import eye
from unigrad.ops.shaping import reshape
from unigrad.optimizers.adam import adam
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Leaf, Number, Step, update


def sides(shape: tuple[int, ...], largest: int) -> tuple[int, int]:
    """Return the sizes of the left and the right preconditioner; 0 where there is none.

    Example:
        >>> sides((3, 4), 10), sides((3, 3, 2, 4), 10), sides((5,), 10)
        ((3, 4), (0, 4), (0, 0))
    """
    if len(shape) < 2:
        return 0, 0
    rows, columns = math.prod(shape[:-1]), shape[-1]
    return rows if rows <= largest else 0, columns if columns <= largest else 0


def _turned(x: Tensor, left: Tensor | None, right: Tensor | None) -> Tensor:
    """Return Qₗ x Qᵣᵀ; a basis of None is that of the coordinates."""
    x = x if left is None else matmul(left, x)
    return x if right is None else matmul(x, matrix_transpose(right))


def _iterated(gram: Tensor, basis: Tensor, shift: Number) -> Tensor:
    """Return the basis after one orthogonal iteration with P + δ tr(P)/n I."""
    size = gram.shape[0]
    moved = matmul(gram, basis) + (shift * (trace(gram) / size)) * basis
    found: Tensor = qr(moved).Q
    return found


@update(slots=6)
def _soap_update(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    shampoo_beta: Number,
    shift: Number,
    *,
    every: int,
    largest: int,
) -> Leaf:
    """See `SOAP`."""
    plain = adam(at, rate, beta1, beta2, epsilon)
    wide = sqrt(at.correction(beta2))
    pace, floor = at.narrow(wide / at.correction(beta1) * rate), at.narrow(epsilon * wide)
    first, second, gather = at.average(beta1), at.average(beta2), at.average(shampoo_beta)
    added = at.narrow(shift)
    due = equal((at.number - 1) % every, 0)

    def leaf(p: Tensor, g: Tensor, m: Tensor, v: Tensor, *kept: Tensor) -> tuple[Tensor, ...]:
        rows, columns = sides(p.shape, largest)
        if not rows and not columns:
            return (*plain(p, g, m, v), *kept)
        grams, bases = list(kept[:2]), list(kept[2:])
        left, right = bases[0] if rows else None, bases[1] if columns else None
        back = [None if one is None else matrix_transpose(one) for one in (left, right)]
        matrix = (math.prod(p.shape[:-1]), p.shape[-1])
        m, table = first(m, g), reshape(g, matrix)
        turned = _turned(table, *back)
        v = second(v, reshape(turned * turned, p.shape))
        change = _turned(reshape(m, matrix), *back) / (sqrt(reshape(v, matrix)) + floor)
        moved = p - pace * reshape(_turned(change, left, right), p.shape)
        for side, size, square in ((0, rows, table), (1, columns, matrix_transpose(table))):
            if size:
                grams[side] = gather(grams[side], matmul(square, matrix_transpose(square)))
                bases[side] = cond(
                    due, lambda gram, basis: _iterated(gram, basis, added),
                    lambda gram, basis: basis * 1.0, grams[side], bases[side],
                )  # fmt: skip
        return moved, m, v, *grams, *bases

    return leaf


class SOAP(Descent):
    """Adam in the eigenbasis of Shampoo's preconditioner; vectors and numbers by `Adam` itself.

    Of a matrix: m ← β₁ m + (1 - β₁) g; g' = Qₗᵀ g Qᵣ; v ← β₂ v + (1 - β₂) g'²;
    w ← w - α Qₗ (m̂' / (√v̂ + ε)) Qᵣᵀ with m' = Qₗᵀ m Qᵣ; L ← β L + (1 - β) g gᵀ, R likewise of gᵀ g.
    At the first and at each f-th step after it Q ← QR(P Q), of L and R: one orthogonal iteration
    towards the eigenvectors. A weight of more axes is a matrix of its last axis and all others.

    Source: Vyas et al., "SOAP: improving and stabilizing Shampoo using Adam" (2024), algorithms 3
    and 4.

    The authors' program begins with the eigenvectors of the first L and R, and does no step then.
    Where those have not full rank, as where there are fewer examples than rows, eigenvectors are
    any basis of what is left, which each library chooses in its own way. So here Q begins as I,
    and P in P Q has δ tr(P)/n on its diagonal, which changes no eigenvector: one answer on all
    backends.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε, added outside of the root after the bias correction.
        shampoo_beta: β, in [0, 1).
        every: f, from one iteration to the next.
        largest_size: sides that are longer have no preconditioner, and Q = I.
        shift: δ.
        common: see `Descent`; weights decay beside the formula.

    Raises:
        SettingError: when a number is out of its range.
    """

    slot_names = ("m", "v", "left", "right", "left_basis", "right_basis")
    op = _soap_update
    decouples = True
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    shampoo_beta = Hyperparameter(least=0.0, below=1.0)
    shift = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.003,
        beta1: float = 0.95,
        beta2: float = 0.95,
        epsilon: float = 1e-8,
        *,
        shampoo_beta: float = 0.95,
        every: int = 10,
        largest_size: int = 4096,
        shift: float = 1e-3,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        if every < 1 or largest_size < 0:
            raise SettingError(
                f"SOAP: every={every}, largest_size={largest_size}: expected at least 1 and 0"
            )
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.shampoo_beta = shampoo_beta
        self.shift = shift
        self._settings: dict[str, Any] = {"every": int(every), "largest": int(largest_size)}

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        shape, dtype = parameter.shape, parameter.dtype
        sizes = sides(shape, self._settings["largest"])
        means = [zeros(shape, dtype=dtype, like=parameter) for _ in range(2)]
        grams = [zeros((size, size), dtype=dtype, like=parameter) for size in sizes]
        return [*means, *grams, *(eye(size, dtype=dtype, like=parameter) for size in sizes)]

    def _slot_shapes(self, name: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        squares = [(size, size) for size in sides(shape, self._settings["largest"])]
        return [shape, shape, *squares, *squares]
