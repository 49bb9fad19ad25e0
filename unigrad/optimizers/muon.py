"""Muon: momentum whose matrices are made orthogonal; other parameters by Adam."""

from __future__ import annotations

import math
from typing import Any

from unigrad.core.tensor import Tensor
from unigrad.ops.linear import matmul, matrix_transpose
from unigrad.ops.statistics import norm
from unigrad.optimizers.adam import adam
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Descent, one_of
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import Selection
from unigrad.optimizers.updates import Leaf, Number, Step, update

#: a, b and c of X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X.
COEFFICIENTS = (3.4445, -4.775, 2.0315)


def orthogonalized(
    x: Tensor, steps: int, coefficients: tuple[float, float, float], epsilon: Number
) -> Tensor:
    """Return about the nearest matrix with orthonormal rows or columns, by Newton and Schulz.

    Singular values end between 0.7 and 1.2: the coefficients are chosen for speed.
    """
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = matrix_transpose(x) if tall else x
    x = x / (norm(x) + epsilon)
    for _ in range(steps):
        gram = matmul(x, matrix_transpose(x))
        x = a * x + matmul(b * gram + c * matmul(gram, gram), x)
    return matrix_transpose(x) if tall else x


def _length_of(shape: tuple[int, ...], scale: str) -> float:
    """Return what an orthogonal matrix of a shape is multiplied by."""
    # Of a matrix without elements nothing is multiplied.
    rows, columns = (max(1, one) for one in shape)
    if scale == "rms":
        return 0.2 * math.sqrt(max(rows, columns))
    if scale == "outputs":
        return math.sqrt(max(1.0, columns / rows))
    return math.sqrt(max(1.0, rows / columns)) if scale == "rows" else 1.0


@update(slots=2)
def _muon_update(
    at: Step,
    rate: Number,
    momentum: Number,
    epsilon: Number,
    beta1: Number,
    beta2: Number,
    adam_epsilon: Number,
    rate_ratio: Number,
    *,
    nesterov: bool,
    steps: int,
    coefficients: tuple[float, float, float],
    scale: str,
    accumulate: str,
    epsilon_at: str,
    adam_nesterov: bool,
) -> Leaf:
    """See `Muon`."""
    pace, share, floor = at.narrow_all(rate, momentum, epsilon)
    rest = at.narrow(1.0 if accumulate == "sum" else 1.0 - momentum)
    corrected = accumulate == "corrected"
    ahead = at.narrow(1.0 / at.correction(momentum, 1)) if corrected and nesterov else 1.0
    own = at.narrow(1.0 / at.correction(momentum)) if corrected else 1.0
    other = adam(
        at, rate * rate_ratio, beta1, beta2, adam_epsilon,
        epsilon_at=epsilon_at, nesterov=adam_nesterov,
    )  # fmt: skip

    def leaf(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        if p.ndim != 2:
            return tuple(other(p, g, m, v))
        m = share * m + rest * g
        direction = share * (ahead * m) + rest * (own * g) if nesterov else own * m
        found = orthogonalized(direction, steps, coefficients, floor)
        return p - pace * _length_of(p.shape, scale) * found, m, v

    return leaf


class Muon(Descent):
    """m ← μ m + (1 - μ) g; w ← w - α s O(μ m + (1 - μ) g) for matrices; `Adam` for the others.

    O makes a matrix about orthogonal: X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X, five times from X / ‖X‖.
    s depends on the shape.

    Sources: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); for
    s = 0.2 √max(n, m): Liu et al., "Muon is scalable for LLM training" (2025).

    Keras's Muon is ``scale="rms", accumulate="sum", epsilon=1e-7, adam_epsilon=1e-7,
    adam_epsilon_at="hat", weight_decay=0.004`` with a rate of 0.001; optax's ``scale="outputs",
    accumulate="corrected", epsilon=1e-8, adam_nesterov=True``, where m is divided by 1 - μᵗ⁺¹ and g
    by 1 - μᵗ. torch's takes matrices alone, decays by 0.1 and computes O in bfloat16, for which
    there is no setting: its numbers are not the same on all backends.

    Args:
        learning_rate: α; see `Descent`.
        momentum: μ.
        weight_decay: λ; weights decay beside the formula.
        nesterov: take O of m itself when False.
        epsilon: added to ‖X‖.
        steps: how often X is multiplied.
        coefficients: a, b, c.
        scale: s: "rows" √max(1, n / m) of n rows and m columns, "outputs" √max(1, m / n), "rms"
            0.2 √max(n, m), or "none".
        accumulate: m as a "mean" (above), a "sum" (μ m + g, and O(μ m + g)), or a "corrected" mean.
        beta1: β₁ of Adam.
        beta2: β₂ of Adam.
        adam_epsilon: ε of Adam.
        adam_epsilon_at: "outside" or "hat"; see `Adam`.
        adam_nesterov: see `Adam`.
        rate_ratio: Adam's rate by α.
        decay_only: see `Descent`.
    """

    slot_names = ("momentum", "square")
    op = _muon_update
    decouples = True
    momentum = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    adam_epsilon = Hyperparameter(least=0.0)
    rate_ratio = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        nesterov: bool = True,
        *,
        epsilon: float = 1e-7,
        steps: int = 5,
        coefficients: tuple[float, float, float] = COEFFICIENTS,
        scale: str = "rows",
        accumulate: str = "mean",
        beta1: float = 0.9,
        beta2: float = 0.999,
        adam_epsilon: float = 1e-8,
        adam_epsilon_at: str = "outside",
        adam_nesterov: bool = False,
        rate_ratio: float = 1.0,
        decay_only: Selection | None = None,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, decay_only=decay_only)
        self.momentum = momentum
        self.epsilon = epsilon
        self.beta1 = beta1
        self.beta2 = beta2
        self.adam_epsilon = adam_epsilon
        self.rate_ratio = rate_ratio
        self._settings: dict[str, Any] = {
            "nesterov": bool(nesterov),
            "steps": int(steps),
            "coefficients": tuple(float(one) for one in coefficients),
            "scale": one_of("Muon", "scale", scale, ("rows", "outputs", "rms", "none")),
            "accumulate": one_of("Muon", "accumulate", accumulate, ("mean", "sum", "corrected")),
            "adam_nesterov": bool(adam_nesterov),
            "epsilon_at": one_of("Muon", "adam_epsilon_at", adam_epsilon_at, ("outside", "hat")),
        }

    def _slot_shapes(self, name: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        return [shape, () if len(shape) == 2 else shape]
