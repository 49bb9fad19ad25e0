"""NAdam and RAdam: Adam that looks ahead, and Adam that waits until its mean square is known."""

from __future__ import annotations

import math
from typing import Any, Unpack

from unigrad.core.arguments import cast, constant
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum
from unigrad.ops.elementary import exp, sqrt
from unigrad.optimizers.adam import _adam_variant_update
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent, one_of
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import Selection
from unigrad.optimizers.updates import Leaf, Number, Step, update


@update(slots=2, shared=1)
def _nadam_update(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    momentum_decay: Number,
    product: Tensor,
) -> tuple[Leaf, Tensor]:
    """Adam with m̂ = μₜ₊₁ m / (1 - μ₁⋯μₜ₊₁) + (1 - μₜ) g / (1 - μ₁⋯μₜ)."""
    now = beta1 * (1.0 - 0.5 * exp(math.log(0.96) * momentum_decay * at.time))
    following = beta1 * (1.0 - 0.5 * exp(math.log(0.96) * momentum_decay * (at.time + 1.0)))
    new = cast(product, at.time.dtype) * now
    of_mean = at.narrow(rate * following / (1.0 - new * following))
    of_gradient = at.narrow(rate * (1.0 - now) / (1.0 - new))
    root = sqrt(at.correction(beta2))
    first, second = at.average(beta1), at.average(beta2)
    size, floor = at.narrow(root), at.narrow(epsilon)

    def leaf(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        m, v = first(m, g), second(v, g * g)
        return p - (of_gradient * g + of_mean * m) / (sqrt(v) / size + floor), m, v

    return leaf, cast(new, product.dtype)


class NAdam(Descent):
    """Adam with Nesterov's momentum: w ← w - α m̂ / (√v̂ + ε), where m̂ looks one step ahead.

    m̂ = μₜ₊₁ m / (1 - μ₁⋯μₜ₊₁) + (1 - μₜ) g / (1 - μ₁⋯μₜ), μₜ = β₁ (1 - ½ · 0.96^(t ψ)).

    Source: Dozat, "Incorporating Nesterov momentum into Adam" (2016), where ψ = 0.004.

    This is torch's NAdam. Keras's has ψ = 1 (``momentum_decay=1.0``), a rate of 0.001 and ε = 1e-7;
    optax's ``nadam`` μₜ = β₁ (``momentum_decay=None``).

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        momentum_decay: ψ, or ``None`` for a constant μ = β₁.
        common: see `Descent`.
    """

    slot_names: tuple[str, ...] = ("m", "v")
    shared_names: tuple[str, ...] = ("momentum_product",)
    op = _nadam_update
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    epsilon_root = Hyperparameter(least=0.0)
    momentum_decay = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float | None = 0.004,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        if momentum_decay is None:
            self.shared_names = ()
            self.op = _adam_variant_update
            self.epsilon_root = 0.0
            self.left_out = {"momentum_decay": None}
            self._settings = {"epsilon_at": "outside", "amsgrad": "", "nesterov": True}
        else:
            self.momentum_decay = momentum_decay
            self.left_out = {"epsilon_root": 0.0}

    def _shared_of(self, like: Tensor) -> list[Tensor]:
        return [constant(like, 1.0) for _ in self.shared_names]


class NAdamW(NAdam):
    """NAdam, and weights that decay beside it: w ← w - α λ w.

    Sources: those of `NAdam` and `AdamW`.

    torch's with ``decoupled_weight_decay=True``; optax's ``nadamw`` has ``momentum_decay=None,
    weight_decay=1e-4``.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        weight_decay: λ.
        momentum_decay: ψ; see `NAdam`.
        decay_only: see `Descent`.
    """

    decouples = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        momentum_decay: float | None = 0.004,
        *,
        decay_only: Selection | None = None,
    ) -> None:
        super().__init__(
            learning_rate, beta1, beta2, epsilon, momentum_decay,
            weight_decay=weight_decay, decay_only=decay_only,
        )  # fmt: skip


#: The length of the approximated average from which on the variance of the step is known.
_KNOWN = 5.0


@update(slots=2)
def _radam_update(
    at: Step, rate: Number, beta1: Number, beta2: Number, epsilon: Number, *, epsilon_at: str
) -> Leaf:
    """w ← w - α r m̂ / (√v̂ + ε) where ρ > 5, and w - α m̂ before."""
    square2 = at.correction(beta2)
    longest = 2.0 / (1.0 - beta2) - 1.0
    length = longest - 2.0 * at.time * (1.0 - square2) / square2
    known = cast(length > _KNOWN, at.time.dtype)
    # Before it is known, the number below the root only has to be one.
    some = maximum(length, _KNOWN)
    rectified = sqrt(
        (some - 4.0) * (some - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * some)
    )
    root = sqrt(square2)
    scale = rate / at.correction(beta1)
    adaptive, plain = at.narrow_all(known * scale * rectified * root, (1.0 - known) * scale)
    floor = at.narrow(epsilon if epsilon_at == "hat" else epsilon * root)
    first, second = at.average(beta1), at.average(beta2)

    def leaf(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        m, v = first(m, g), second(v, g * g)
        return p - (adaptive / (sqrt(v) + floor) + plain) * m, m, v

    return leaf


class RAdam(Descent):
    """Adam whose steps are rectified: w ← w - α r m̂ / (√v̂ + ε) once ρ > 5, and w - α m̂ before.

    ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ), ρ∞ = 2 / (1 - β₂) - 1,
    r = √((ρ - 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ)).

    Source: Liu et al., "On the variance of the adaptive learning rate and beyond" (2020),
    algorithm 2.

    optax's ``radam``. torch adds ε to the root of the uncorrected v (``epsilon_at="hat"``).

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in (0.6, 1), where ρ∞ > 4.
        epsilon: ε.
        epsilon_at: "outside" of the root, or "hat": √v + ε without the correction.
        common: see `Descent`.
    """

    slot_names: tuple[str, ...] = ("m", "v")
    op = _radam_update
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=math.nextafter(0.6, 1.0), below=1.0)
    epsilon = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        epsilon_at: str = "outside",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        chosen = one_of("RAdam", "epsilon_at", epsilon_at, ("outside", "hat"))
        self._settings: dict[str, Any] = {"epsilon_at": chosen}
