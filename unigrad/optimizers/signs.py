"""Lion and Rprop: steps whose direction is a sign."""

from __future__ import annotations

from typing import Unpack

from unigrad.core.arguments import cast
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import sign
from unigrad.ops.comparison import where
from unigrad.ops.limits import clip
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.updates import Leaf, Number, Step, update


@update(slots=1)
def _lion_update(at: Step, rate: Number, beta1: Number, beta2: Number) -> Leaf:
    """w ← w - α sign(β₁ m + (1 - β₁) g); m ← β₂ m + (1 - β₂) g."""
    rate, ahead, mean = at.narrow(rate), at.average(beta1), at.average(beta2)
    return lambda p, g, m: (p - rate * sign(ahead(m, g)), mean(m, g))


class Lion(Descent):
    """w ← w - α (sign(β₁ m + (1 - β₁) g) + λ w); m ← β₂ m + (1 - β₂) g. The sign of 0 is 0.

    Source: Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2.

    As Keras's and optax's, whose default rates and decays differ: Keras's rate is 0.001, optax's λ
    0.001.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        common: see `Descent`; weights decay beside the formula.
    """

    slot_names = ("m",)
    op = _lion_update
    decouples = True
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)

    def __init__(
        self,
        learning_rate: LearningRate = 1e-4,
        beta1: float = 0.9,
        beta2: float = 0.99,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2


@update(slots=2)
def _rprop_update(
    at: Step,
    rate: Number,
    shrink: Number,
    grow: Number,
    least: Number,
    most: Number,
    *,
    late: bool,
) -> Leaf:
    """Rprop without weight back-tracking ("iRprop-"); see `Rprop`."""
    first = cast(at.number == 1, at.time.dtype)
    start, size = at.narrow_all(first * rate, 1.0 - first)
    less, more, least, most = at.narrow_all(shrink, grow, least, most)

    def leaf(p: Tensor, g: Tensor, before: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        agree = sign(g) * sign(before)
        steps = start + size * steps
        steps = where(agree > 0, steps * more, where(agree < 0, steps * less, steps))
        steps = clip(steps, least, most)
        turned = agree < 0
        if late:
            now = where(turned, 0.0, sign(g) * steps)
            return p - where(turned, 0.0, before), now, steps
        g = where(turned, 0.0, g)
        return p - sign(g) * steps, g, steps

    return leaf


class Rprop(Descent):
    """w ← w - s sign(g), each with a size of its own, which grows while the gradient's sign stays.

    s ← η⁺ s where the sign is that of the step before, and η⁻ s where it is the other one; there
    the parameter waits for one step, and the gradient counts as 0 in the next one. s is α before
    the first step, and always within the bounds.

    Sources: Riedmiller & Braun, "A direct adaptive method for faster backpropagation learning: the
    RPROP algorithm" (1993); without back-tracking: Igel & Hüsken, "Empirical evaluation of the
    improved Rprop learning algorithms" (2003). As torch's; optax's does each step one step
    later, and not where the sign has turned meanwhile (``late=True``).

    Args:
        learning_rate: α, which counts at the first step alone.
        shrink: η⁻.
        grow: η⁺.
        least_step: the lower bound of s.
        largest_step: the upper bound.
        late: do each step at the next one.
        common: see `Descent`.
    """

    slot_names = ("gradient", "step_size")
    op = _rprop_update
    shrink = Hyperparameter(least=0.0, below=1.0)
    grow = Hyperparameter(least=1.0)
    least_step = Hyperparameter(least=0.0)
    largest_step = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        shrink: float = 0.5,
        grow: float = 1.2,
        least_step: float = 1e-6,
        largest_step: float = 50.0,
        *,
        late: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.shrink = shrink
        self.grow = grow
        self.least_step = least_step
        self.largest_step = largest_step
        self._settings = {"late": bool(late)}
