"""Schedule-free AdamW: an average of the steps in place of a falling rate."""

from __future__ import annotations

from typing import Any

from unigrad.core import tree
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.arithmetic import maximum
from unigrad.ops.elementary import exp, log, sqrt
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Descent
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import Selection
from unigrad.optimizers.updates import Leaf, Number, Step, update


@update(slots=2, shared=2)
def _schedule_free_update(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    power: Number,
    weight_decay: Number,
    weighing: Number,
    total: Tensor,
    largest: Tensor,
) -> tuple[Leaf, Tensor, Tensor]:
    """See `ScheduleFreeAdamW`."""
    wide = at.time.dtype
    top = maximum(cast(largest, wide), weighing)
    # A rate of 0 weighs nothing; its logarithm is none.
    some = cast(top > 0.0, wide)
    weight = some * exp(power * log(top + (1.0 - some)))
    new_total = cast(total, wide) + weight
    fresh = weight / (new_total + (1.0 - some) * cast(new_total == 0.0, wide))
    now, past = at.narrow_all(fresh, 1.0 - fresh)
    root = sqrt(at.correction(beta2))
    scale, floor, pace = at.narrow_all(rate * root, epsilon * root, rate * weight_decay)
    inner, outer = at.narrow_all(beta1, 1.0 - beta1)
    second = at.average(beta2)

    def leaf(y: Tensor, g: Tensor, z: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        v = second(v, g * g)
        x = (y - outer * z) / inner
        z = z - (scale * g / (sqrt(v) + floor) + pace * y)
        x = past * x + now * z
        return inner * x + outer * z, z, v

    return leaf, cast(new_total, total.dtype), cast(top, largest.dtype)


class ScheduleFreeAdamW(Descent):
    """AdamW on z, averaged to x; the loss's gradient is taken between the two, at y.

    v ← β₂ v + (1 - β₂) g²; z ← z - α (g / (√v̂ + ε) + λ y); x ← (1 - c) x + c z;
    y = (1 - β₁) z + β₁ x, with c = α^r / Σ α^r over the largest rates so far. The parameters are y;
    evaluate the model at x: `averaged` of a state, or `average_of` a Variable.

    Source: Defazio et al., "The road less scheduled" (2024), algorithm 1. As optax's
    ``schedule_free_adamw``; Keras's weighs all steps alike and decays beside the formula
    (``power=0.0, decoupled=True``). A warm-up is a schedule. optax weighs a step by the rate of the
    one after it (``weigh_ahead=True``), which makes a difference where the rate is a schedule.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in (0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        weight_decay: λ.
        power: r.
        decoupled: decay beside the formula, y ← y - α λ y before the step, and z by none.
        decay_only: see `Descent`.
        weigh_ahead: whether c is made of the rate of the step to come.
    """

    slot_names = ("z", "v")
    shared_names = ("weight_sum", "largest_rate")
    op = _schedule_free_update
    decays_itself = True
    beta1 = Hyperparameter(least=1e-12, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    power = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        power: float = 2.0,
        *,
        decoupled: bool = False,
        decay_only: Selection | None = None,
        weigh_ahead: bool = False,
    ) -> None:
        super().__init__(learning_rate, decoupled=decoupled, decay_only=decay_only)
        self._weigh_ahead = bool(weigh_ahead)
        self.decays_itself = not decoupled
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.power = power
        self.weight_decay = weight_decay

    def _operands(self, done: Tensor) -> list[float | Tensor]:
        found = super()._operands(done)
        if not self.decays_itself:
            found.append(0.0)
        return [*found, self._rate(done + 1) if self._weigh_ahead else found[0]]

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        zeros = super()._slots_of(name, parameter)[1]
        return [zeros + parameter, zeros]

    def averaged(self, parameters: Any, state: Any) -> Any:
        """Return x = (y - (1 - β₁) z) / β₁ of parameters y and their state, as `update` gives."""
        return tree.map(self._average, parameters, state["z"])

    def _average(self, y: Any, z: Any) -> Tensor:
        y = as_tensor(y)
        share = self.beta1
        return cast((cast(y, z.dtype) - (1.0 - share) * z) / share, y.dtype)

    def average_of(self, variable: Variable) -> Tensor:
        """Return x of a Variable.

        Raises:
            KeyError: when the optimizer does not know it.
        """
        return self._average(variable._untaped(), self._slots.of(variable)[0]._untaped())
