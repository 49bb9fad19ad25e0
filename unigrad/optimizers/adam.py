"""Adam and its kin: steps along a mean gradient, scaled by a mean square, both corrected."""

from __future__ import annotations

from typing import Literal, Unpack

from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum
from unigrad.ops.elementary import sqrt
from unigrad.optimizers.base import LearningRate
from unigrad.optimizers.descent import Common, Descent, one_of
from unigrad.optimizers.numbers import Hyperparameter
from unigrad.optimizers.transformation import Selection
from unigrad.optimizers.updates import Leaf, Number, Step, update


def adam(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    epsilon_root: Number | None = None,
    *,
    epsilon_at: str = "outside",
    amsgrad: str = "",
    nesterov: bool = False,
) -> Leaf:
    """Algorithm 1 of Kingma & Ba (2015), bias correction moved out of the arrays:

    m̂ / (√v̂ + ε) = (√c₂ / c₁) · m / (√v + ε √c₂) with cᵢ = 1 - βᵢᵗ.
    """
    square2 = at.correction(beta2)
    wide = sqrt(square2)
    scale = at.narrow(wide / at.correction(beta1) * rate)
    ahead = at.narrow(wide / at.correction(beta1, 1) * rate) if nesterov else scale
    added = 0.0 if epsilon_root is None else epsilon_root * square2
    places: dict[str, tuple[Number, Number]] = {
        "outside": (added, epsilon * wide),
        "inside": (added + epsilon * square2, 0.0),
        "hat": (added, epsilon),
    }
    inner, outer = places[epsilon_at]
    within = None if epsilon_root is None else at.narrow(inner)
    floor, size = at.narrow(outer), at.narrow(square2)
    first, second = at.average(beta1), at.average(beta2)

    def leaf(p: Tensor, g: Tensor, m: Tensor, v: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        m, v = first(m, g), second(v, g * g)
        kept, largest = v, []
        if amsgrad:
            largest = [maximum(rest[0], v / size if amsgrad == "corrected" else v)]
            kept = largest[0] * size if amsgrad == "corrected" else largest[0]
        below = sqrt(kept if within is None else kept + within) + floor
        if nesterov:
            return (p - first(ahead * m, scale * g) / below, m, v, *largest)
        return (p - scale * m / below, m, v, *largest)

    return leaf


@update(slots=2)
def _adam_update(at: Step, rate: Number, beta1: Number, beta2: Number, epsilon: Number) -> Leaf:
    """m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; w ← w - α m̂ / (√v̂ + ε)."""
    return adam(at, rate, beta1, beta2, epsilon)


@update(slots=lambda amsgrad, **_: 3 if amsgrad else 2)
def _adam_variant_update(
    at: Step,
    rate: Number,
    beta1: Number,
    beta2: Number,
    epsilon: Number,
    epsilon_root: Number,
    *,
    epsilon_at: str,
    amsgrad: str,
    nesterov: bool,
) -> Leaf:
    """Adam with other settings than the usual ones."""
    return adam(
        at, rate, beta1, beta2, epsilon, epsilon_root,
        epsilon_at=epsilon_at, amsgrad=amsgrad, nesterov=nesterov,
    )  # fmt: skip


class Adam(Descent):
    """m ← β₁ m + (1 - β₁) g; v ← β₂ v + (1 - β₂) g²; w ← w - α m̂ / (√v̂ + ε).

    m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ) at step t = 1, 2, …: epsilon is added outside of the
    root, after the correction.

    Sources: Kingma & Ba, "Adam: a method for stochastic optimization" (2015), algorithm 1; amsgrad:
    Reddi, Kale & Kumar, "On the convergence of Adam and beyond" (2018).

    This is torch's Adam and optax's ``adam``. Keras adds ε to the root of the uncorrected v
    (``epsilon_at="hat"``, the form before section 2.1 of the paper) and has ε = 1e-7. optax's
    ``eps_root`` is `epsilon_root`. For amsgrad, torch and Keras keep the largest v
    (``amsgrad=True``), optax's ``amsgrad`` the largest v̂ (``amsgrad="corrected"``).

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        amsgrad: divide by the root of the largest v so far (or, "corrected", of the largest v̂).
        nesterov: m̂ = β₁ m / (1 - β₁ᵗ⁺¹) + (1 - β₁) g / (1 - β₁ᵗ), as optax's ``nadam``.
        epsilon_at: "outside" of the root, "inside", or "hat": √v + ε without the correction.
        epsilon_root: what is added to v̂ beside that.
        common: see `Descent`.

    Raises:
        SettingError: when a β is outside of [0, 1).
    """

    slot_names: tuple[str, ...] = ("m", "v")
    op = _adam_update
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)
    epsilon_root = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        amsgrad: bool | Literal["corrected"] = False,
        *,
        nesterov: bool = False,
        epsilon_at: str = "outside",
        epsilon_root: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        owner = type(self).__name__
        one_of(owner, "epsilon_at", epsilon_at, ("outside", "inside", "hat"))
        kind = amsgrad if isinstance(amsgrad, str) else "largest" if amsgrad else ""
        one_of(owner, "amsgrad", kind, ("", "largest", "corrected"))
        if kind or nesterov or epsilon_at != "outside" or epsilon_root:
            self.epsilon_root = epsilon_root
            self.op = _adam_variant_update
            self._settings = {
                "epsilon_at": epsilon_at, "amsgrad": kind, "nesterov": bool(nesterov),
            }  # fmt: skip
        else:
            self.left_out = {"epsilon_root": 0.0}
        if kind:
            self.slot_names = ("m", "v", "largest")


class AdamW(Adam):
    """Adam, and weights that decay beside it: w ← w - α λ w.

    Source: Loshchilov & Hutter, "Decoupled weight decay regularization" (2019).

    The default λ is torch's; optax has 1e-4, Keras 4e-3.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        weight_decay: λ.
        amsgrad: as in `Adam`, as are the others.
        nesterov: see `Adam`.
        epsilon_at: see `Adam`.
        epsilon_root: see `Adam`.
        decay_only: see `Descent`.
    """

    decouples = True

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool | Literal["corrected"] = False,
        *,
        nesterov: bool = False,
        epsilon_at: str = "outside",
        epsilon_root: float = 0.0,
        decay_only: Selection | None = None,
    ) -> None:
        super().__init__(
            learning_rate, beta1, beta2, epsilon, amsgrad,
            nesterov=nesterov, epsilon_at=epsilon_at, epsilon_root=epsilon_root,
            weight_decay=weight_decay, decay_only=decay_only,
        )  # fmt: skip


@update(slots=2)
def _adamax_update(
    at: Step, rate: Number, beta1: Number, beta2: Number, epsilon: Number, *, epsilon_at: str
) -> Leaf:
    """m ← β₁ m + (1 - β₁) g; u ← max(β₂ u, |g| + ε); w ← w - α m̂ / u."""
    mean, scale = at.average(beta1), at.narrow(rate / at.correction(beta1))
    share, floor = at.narrow_all(beta2, epsilon)

    def leaf(p: Tensor, g: Tensor, m: Tensor, u: Tensor) -> tuple[Tensor, ...]:
        m = mean(m, g)
        size = abs(g) + floor if epsilon_at == "inside" else abs(g)
        u = maximum(share * u, size)
        return p - scale * m / (u if epsilon_at == "inside" else u + floor), m, u

    return leaf


class Adamax(Descent):
    """Adam with the largest gradient for the mean square: u ← max(β₂ u, |g| + ε); w ← w - α m̂ / u.

    m ← β₁ m + (1 - β₁) g and m̂ = m / (1 - β₁ᵗ).

    Source: Kingma & Ba (2015), algorithm 2, which has no ε.

    torch's and optax's have ε inside of the maximum, Keras's u + ε (``epsilon_at="outside"``). The
    default rate is the paper's and torch's; Keras has 0.001.

    Args:
        learning_rate: α; see `Descent`.
        beta1: β₁, in [0, 1).
        beta2: β₂, in [0, 1).
        epsilon: ε.
        epsilon_at: "inside" of the maximum, or "outside".
        common: see `Descent`.
    """

    slot_names: tuple[str, ...] = ("m", "u")
    op = _adamax_update
    beta1 = Hyperparameter(least=0.0, below=1.0)
    beta2 = Hyperparameter(least=0.0, below=1.0)
    epsilon = Hyperparameter(least=0.0)

    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        *,
        epsilon_at: str = "inside",
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        chosen = one_of("Adamax", "epsilon_at", epsilon_at, ("inside", "outside"))
        self._settings = {"epsilon_at": chosen}
