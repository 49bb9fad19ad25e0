"""AdaBelief, Yogi and Adan: Adam with other second moments."""

from __future__ import annotations

from typing import Unpack

from unigrad.core.arguments import cast
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.elementary import sqrt
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent, one_of, start
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import Selection
from unigrad.optimizers.updates import Leaf, Number, Step, update


@update(slots=2)
def _adabelief_update(
    at: Step, rate: Number, beta1: Number, beta2: Number, epsilon: Number, epsilon_root: Number
) -> Leaf:
    """s ← β₂ s + (1 - β₂)(g - m)² + ε'; w ← w - α m̂ / (√ŝ + ε)."""
    root = sqrt(at.correction(beta2))
    scale = at.narrow(root / at.correction(beta1) * rate)
    floor, added = at.narrow_all(epsilon * root, epsilon_root)
    first, second = at.average(beta1), at.average(beta2)

    def leaf(p: Tensor, g: Tensor, m: Tensor, s: Tensor) -> tuple[Tensor, ...]:
        m = first(m, g)
        error = g - m
        s = second(s, error * error) + added
        return p - scale * m / (sqrt(s) + floor), m, s

    return leaf


class AdaBelief(Descent):
    """Adam that divides by how far gradients are from their mean: s ← β₂ s + (1 - β₂)(g - m)² + ε'.

    w ← w - α m̂ / (√ŝ + ε), m̂ and ŝ corrected as in `Adam`.

    Source: Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the belief in observed
    gradients" (2020), algorithm 2, where ε' = ε. As optax's ``adabelief``.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        epsilon_root: ε', which s gains at every step.
        common: see `Descent`.
    """

    slot_names = ("m", "s")
    op = _adabelief_update
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    epsilon_root = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-16,
        epsilon_root: float = 1e-16,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.epsilon_root = epsilon_root


@update(slots=2)
def _yogi_update(at: Step, rate: Number, beta1: Number, beta2: Number, epsilon: Number) -> Leaf:
    """v ← v - (1 - β₂) sign(v - g²) g²; w ← w - α m̂ / (√v̂ + ε)."""
    root = sqrt(at.correction(beta2))
    scale = at.narrow(root / at.correction(beta1) * rate)
    floor, now = at.narrow_all(epsilon * root, 1.0 - beta2)
    first = at.average(beta1)

    def leaf(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        m, square = first(m, g), g * g
        # Not by the sign of the difference: that of two infinite squares is NaN.
        step = now * square
        v = where(v < square, v + step, where(v > square, v - step, v))
        return p - scale * m / (sqrt(v) + floor), m, v

    return leaf


class Yogi(Descent):
    """Adam whose mean square changes by no more than g²: v ← v - (1 - β₂) sign(v - g²) g².

    w ← w - α m̂ / (√v̂ + ε), m̂ and v̂ corrected as in `Adam`.

    Source: Zaheer et al., "Adaptive methods for nonconvex optimization" (2018), algorithm 2, with
    the correction, the start and the defaults of optax's ``yogi`` and of its authors.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        initial: m and v before the first step, at least 0.
        common: see `Descent`.
    """

    slot_names = ("m", "v")
    op = _yogi_update
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-3,
        initial: float = 1e-6,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self._initial = start("Yogi", "initial", initial)

    def _slots_of(self, name: str, parameter: Tensor) -> list[Tensor]:
        return [one + self._initial for one in super()._slots_of(name, parameter)]


@update(slots=4)
def _adan_update(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    beta3: Number,
    epsilon: Number,
    epsilon_root: Number,
    weight_decay: Number,
    *,
    proximal: bool,
    change_share: str,
) -> Leaf:
    """m, d and n: averages of g, of its change d, and of (g + β₂ d)²; see `Adan`."""
    square3 = at.correction(beta3)
    root = sqrt(square3)
    share = beta2 if change_share == "beta2" else 1.0 - beta2
    of_mean = at.narrow(rate * root / at.correction(beta1))
    of_change = at.narrow(rate * root * share / at.correction(beta2))
    floor, within = at.narrow_all(epsilon * root, epsilon_root * square3)
    ahead, later = at.narrow(share), at.narrow(cast(at.number > 1, at.time.dtype))
    left = at.narrow(1.0 / (1.0 + rate * weight_decay) if proximal else 1.0 - rate * weight_decay)
    first, second, third = at.average(beta1), at.average(beta2), at.average(beta3)

    def leaf(
        p: Tensor, g: Tensor, m: Tensor, d: Tensor, n: Tensor, before: Tensor
    ) -> tuple[Tensor, ...]:
        change = later * (g - before)
        m, d, seen = first(m, g), second(d, change), g + ahead * change
        n = third(n, seen * seen)
        moved = (of_mean * m + of_change * d) / (sqrt(n + within) + floor)
        return (p - moved) * left if proximal else p * left - moved, m, d, n, g

    return leaf


class Adan(Descent):
    """Adam with the gradient's change: w ← (w - α (m̂ + β₂ d̂) / (√n̂ + ε)) / (1 + α λ).

    m, d and n are averages, with β₁, β₂ and β₃, of g, of its change since the step before (0 at the
    first), and of (g + β₂ · change)²; hats divide by 1 - βᵗ.

    Source: Xie et al., "Adan: adaptive Nesterov momentum algorithm for faster optimizing deep
    models" (2022), algorithm 1; the βs are those of its authors' code, 1 minus the paper's.

    optax's ``adan`` weighs the change by 1 - β₂ (``change_share="rest"``), adds 1e-8 inside of the
    root (``epsilon_root=1e-8``) and decays by w ← w - α λ w (``proximal=False``).

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        beta3: β₃, in [0, 1).
        epsilon: ε.
        weight_decay: λ.
        epsilon_root: what is added to n̂.
        proximal: shrink the weights by 1 / (1 + α λ) after the step.
        change_share: the change's weight: "beta2", or the "rest" of it, 1 - β₂.
        decay_only: see `Descent`.
    """

    slot_names = ("m", "change", "square", "gradient")
    op = _adan_update
    decays_itself = True
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    beta3 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    epsilon_root = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.98,
        beta2: float = 0.92,
        beta3: float = 0.99,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        epsilon_root: float = 0.0,
        proximal: bool = True,
        change_share: str = "beta2",
        decay_only: Selection | None = None,
    ) -> None:
        super().__init__(learning_rate, decay_only=decay_only)
        self.beta1 = beta1
        self.beta2 = beta2
        self.beta3 = beta3
        self.epsilon = epsilon
        self.epsilon_root = epsilon_root
        self.weight_decay = weight_decay
        chosen = one_of("Adan", "change_share", change_share, ("beta2", "rest"))
        self._settings = {"proximal": bool(proximal), "change_share": chosen}
