"""Adafactor: the mean square of a matrix by those of its rows and columns."""

from __future__ import annotations

import math
from typing import Any

from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum, minimum
from unigrad.ops.comparison import where
from unigrad.ops.elementary import exp, log, rsqrt, sqrt
from unigrad.ops.reductions import mean
from unigrad.ops.shaping import expand_dims
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Descent, one_of
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import Selection
from unigrad.optimizers.updates import Leaf, Number, Step, update


def factored_axes(shape: tuple[int, ...], least: int, axes: str) -> tuple[int, int] | None:
    """Return the axes over which the averages of rows and of columns are taken, if any.

    Example:
        >>> factored_axes((3, 4), 0, "last"), factored_axes((3, 4), 128, "last")
        ((1, 0), None)
    """
    if len(shape) < 2:
        return None
    last = (len(shape) - 2, len(shape) - 1)
    order = last if axes == "last" else sorted(range(len(shape)), key=lambda i: shape[i])[-2:]
    second, first = order
    return None if min(shape[first], shape[second]) < least else (first, second)


def _root_mean_square(x: Tensor) -> Tensor:
    return sqrt(mean(x * x))


@update(slots=lambda moves, **_: 3 + moves)
def _adafactor_update(
    at: Step,
    rate: Number,
    decay_power: Number,
    epsilon: Number,
    least_scale: Number,
    threshold: Number,
    momentum: Number,
    weight_decay: Number,
    *,
    relative: bool,
    scaled: bool,
    clipped: bool,
    moves: bool,
    least_size: int,
    axes: str,
    epsilon_at: str,
    decay: str,
) -> Leaf:
    """See `Adafactor`."""
    entering = exp(-decay_power * log(at.time))
    past, now = at.narrow_all(1.0 - entering, entering)
    capped = minimum(1.0 / sqrt(at.time), rate) if relative else rate
    pace, floor, low, bound = at.narrow_all(capped, epsilon, least_scale, threshold)
    lost = at.narrow(weight_decay if decay == "plain" else rate * weight_decay)
    share, rest = at.narrow_all(momentum, 1.0 - momentum)
    adds = epsilon_at == "square"

    def factored(
        square: Tensor, row: Tensor, column: Tensor, first: int, second: int
    ) -> tuple[Tensor, ...]:
        row = past * row + now * mean(square, axis=first)
        column = past * column + now * mean(square, axis=second)
        along = second - 1 if second > first else second
        whole = mean(row, axis=along, keepdims=True)
        whole = whole if adds else maximum(whole, floor)
        product = expand_dims(row / whole, axis=first) * expand_dims(column, axis=second)
        # Squares beyond the dtype's range: no step, as where nothing is factored.
        infinite = expand_dims(whole, axis=first) == math.inf
        return where(infinite, math.inf, product), row, column

    def leaf(
        p: Tensor, g: Tensor, row: Tensor, column: Tensor, v: Tensor, *rest_of: Tensor
    ) -> tuple[Tensor, ...]:
        left = p - lost * p if decay == "before" else p
        square = g * g + floor if adds else g * g
        chosen = factored_axes(p.shape, least_size, axes)
        if chosen is None:
            estimate = v = past * v + now * square
        else:
            estimate, row, column = factored(square, row, column, *chosen)
        change = g * rsqrt(estimate if adds else maximum(estimate, floor * floor))
        if clipped:
            change = change / maximum(_root_mean_square(change) / bound, 1.0)
        change = pace * change
        if scaled:
            change = maximum(_root_mean_square(left), low) * change
        moved = [share * rest_of[0] + rest * change] if moves else []
        change = moved[0] if moves else change
        left = left if decay == "before" else p - lost * p
        return left - change, row, column, v, *moved

    return leaf


class Adafactor(Descent):
    """Adam without a mean, with a mean square of one number per row and one per column.

    With β = 1 - t^-c, R ← β R + (1 - β) row means of g² + ε₁, C likewise by columns, the mean
    square is v = R C / mean(R); of vectors, v ← β v + (1 - β)(g² + ε₁). u = g / √v,
    u ← u / max(1, RMS(u) / d), w ← w - max(ε₂, RMS(w)) · min(α, 1 / √t) · u.

    Source: Shazeer & Stern, "Adafactor: adaptive learning rates with sublinear memory cost" (2018),
    algorithms 4 and 5.

    This is Keras's Adafactor but for its rate of 0.001 and the decay's place (``decay="before"``).
    torch's has ``epsilon_at="estimate"``: v ≥ ε₁² and mean(R) ≥ ε₁ in place of g² + ε₁, with ε₁ the
    dtype's own, 2.22e-16 in float64. optax's ``adafactor`` has ``relative_step=False,
    least_size=128, axes="largest", decay="plain"``, and α = 1 where it is given none.

    Args:
        learning_rate: α; see `Descent`.
        decay_power: c.
        epsilon: ε₁.
        least_scale: ε₂.
        threshold: d; ``None`` does not clip u.
        momentum: μ of an average of the steps, b ← μ b + (1 - μ) step; w ← w - b. 0 keeps none.
        weight_decay: λ; see ``decay``.
        relative_step: take min(α, 1 / √t) for the rate.
        scale_parameter: multiply by max(ε₂, RMS(w)).
        least_size: shorter axes are not factored.
        axes: which are, of more than two: the "last" two, or the "largest".
        epsilon_at: where ε₁ is: added to the "square", or a bound of the "estimate".
        decay: by α λ w together with the step ("beside") or "before" RMS(w), or by λ w ("plain").
        decay_only: see `Descent`.
    """

    slot_names: tuple[str, ...] = ("row", "column", "square")
    op = _adafactor_update
    decays_itself = True
    decay_power = Hyperparameter(least=0.0)
    epsilon = Hyperparameter(least=0.0)
    least_scale = Hyperparameter(least=0.0)
    threshold = Hyperparameter(least=0.0)
    momentum = Hyperparameter(least=0.0, below=1.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        decay_power: float = 0.8,
        epsilon: float = 1e-30,
        least_scale: float = 1e-3,
        threshold: float | None = 1.0,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        *,
        relative_step: bool = True,
        scale_parameter: bool = True,
        least_size: int = 0,
        axes: str = "last",
        epsilon_at: str = "square",
        decay: str = "beside",
        decay_only: Selection | None = None,
    ) -> None:
        super().__init__(learning_rate, decay_only=decay_only)
        self.decay_power = decay_power
        self.epsilon = epsilon
        self.least_scale = least_scale
        self.threshold = 1.0 if threshold is None else threshold
        self.momentum = momentum
        self.weight_decay = weight_decay
        if momentum:
            self.slot_names = (*self.slot_names, "step_mean")
        else:
            self.left_out["momentum"] = 0.0
        if threshold is None:
            self.left_out["threshold"] = threshold
        self._settings: dict[str, Any] = {
            "relative": bool(relative_step),
            "scaled": bool(scale_parameter),
            "clipped": threshold is not None,
            "moves": bool(momentum),
            "least_size": int(least_size),
            "axes": one_of("Adafactor", "axes", axes, ("last", "largest")),
            "epsilon_at": one_of("Adafactor", "epsilon_at", epsilon_at, ("square", "estimate")),
            "decay": one_of("Adafactor", "decay", decay, ("beside", "before", "plain")),
        }

    def _slot_shapes(self, name: str, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        rest = [shape] * (len(self.slot_names) - 3)
        chosen = factored_axes(shape, self._settings["least_size"], self._settings["axes"])
        if chosen is None:
            return [(), (), shape, *rest]
        row, column = [tuple(n for i, n in enumerate(shape) if i != axis) for axis in chosen]
        return [row, column, (), *rest]
