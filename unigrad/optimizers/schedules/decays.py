"""Rates that fall, each by one formula."""

from __future__ import annotations

import math
from collections.abc import Sequence

from unigrad.core.arguments import TensorLike
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.elementary import exp, log, sqrt
from unigrad.ops.limits import clip
from unigrad.ops.rounding import floor
from unigrad.optimizers.schedules.parts import (
    Schedule,
    half_wave,
    require_finite,
    require_positive,
    time_of,
)


def constant(rate: float) -> Schedule:
    """α at every step.

    Example:
        >>> constant(0.5)(3).item()
        0.5
    """
    require_finite("constant", rate=rate)
    return lambda step: time_of(step) * 0.0 + rate


def piecewise(boundaries: Sequence[int], rates: Sequence[float]) -> Schedule:
    """rates[i] from step boundaries[i - 1] on, until boundaries[i].

    torch's MultiStepLR with rates multiplied by γ. Keras's PiecewiseConstantDecay keeps the old
    rate at a boundary itself: give it boundaries that are one less.

    Raises:
        SettingError: when there is not one rate more than boundaries, or these do not grow.

    Example:
        >>> [piecewise([2, 4], [1.0, 0.5, 0.25])(t).item() for t in (1, 2, 3, 4)]
        [1.0, 0.5, 0.5, 0.25]
    """
    require_finite("piecewise", **{f"rates[{i}]": rate for i, rate in enumerate(rates)})
    if len(rates) != len(boundaries) + 1 or list(boundaries) != sorted(set(boundaries)):
        raise SettingError(
            f"piecewise: {len(rates)} rates and boundaries {list(boundaries)}: expected one rate "
            "more than boundaries, which grow"
        )

    def rate_at(step: TensorLike) -> Tensor:
        time = time_of(step)
        rate = time * 0.0 + rates[0]
        for boundary, new in zip(boundaries, rates[1:], strict=True):
            rate = where(time >= boundary, new, rate)
        return rate

    return rate_at


def exponential(
    rate: float, decay_steps: float, decay: float, *, staircase: bool = False
) -> Schedule:
    """α γ^(t / T); with ``staircase``, α γ^⌊t / T⌋.

    torch's ExponentialLR has T = 1, its StepLR is the staircase.

    Args:
        rate: α.
        decay_steps: T.
        decay: γ.
        staircase: change at every T-th step only.

    Example:
        >>> exponential(1.0, 2, 0.25)(1).item()
        0.5
    """
    require_finite("exponential", rate=rate)
    require_positive("exponential", decay_steps=decay_steps, decay=decay)

    def rate_at(step: TensorLike) -> Tensor:
        passed = time_of(step) / decay_steps
        return rate * exp(math.log(decay) * (floor(passed) if staircase else passed))

    return rate_at


def inverse_time(
    rate: float, decay_steps: float, decay: float, *, staircase: bool = False
) -> Schedule:
    """α / (1 + γ t / T); with ``staircase``, α / (1 + γ ⌊t / T⌋). The lecture's is T = 1.

    Args:
        rate: α.
        decay_steps: T.
        decay: γ.
        staircase: change at every T-th step only.

    Example:
        >>> inverse_time(1.0, 1, 0.5)(2).item()
        0.5
    """
    require_finite("inverse_time", rate=rate, decay=decay)
    require_positive("inverse_time", decay_steps=decay_steps)

    def rate_at(step: TensorLike) -> Tensor:
        passed = time_of(step) / decay_steps
        return rate / (1.0 + decay * (floor(passed) if staircase else passed))

    return rate_at


def polynomial(rate: float, steps: float, end: float = 0.0, power: float = 1.0) -> Schedule:
    """(α - α∞)(1 - t / T)^p + α∞, and α∞ after T.

    Args:
        rate: α.
        steps: T.
        end: α∞.
        power: p.

    Example:
        >>> polynomial(1.0, 4, 0.0, 2.0)(2).item()
        0.25
    """
    require_finite("polynomial", rate=rate, end=end)
    require_positive("polynomial", steps=steps, power=power)

    def rate_at(step: TensorLike) -> Tensor:
        left = clip(1.0 - time_of(step) / steps, 0.0, 1.0)
        if power != 1.0:
            left = where(left > 0.0, exp(power * log(where(left > 0.0, left, 1.0))), 0.0)
        return (rate - end) * left + end

    return rate_at


def linear(start: float, end: float, steps: float) -> Schedule:
    """From α to α∞ in T steps, and α∞ afterwards.

    Example:
        >>> linear(0.0, 1.0, 4)(1).item()
        0.25
    """
    require_finite("linear", start=start, end=end)
    require_positive("linear", steps=steps)
    return lambda step: start + (end - start) * clip(time_of(step) / steps, 0.0, 1.0)


def cosine(rate: float, steps: float, end: float = 0.0) -> Schedule:
    """α∞ + (α - α∞)(1 + cos(π t / T)) / 2, and α∞ after T.

    Source: Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts" (2017).
    Keras and optax give ``end`` as a share of α.

    Args:
        rate: α.
        steps: T.
        end: α∞.

    Example:
        >>> round(cosine(1.0, 4)(2).item(), 12)
        0.5
    """
    require_finite("cosine", rate=rate, end=end)
    require_positive("cosine", steps=steps)
    return lambda step: half_wave(rate, end, clip(time_of(step) / steps, 0.0, 1.0))


def noam(width: int, warmup: float, scale: float = 1.0) -> Schedule:
    """s d^(-½) min(n^(-½), n W^(-3/2)) at step n = t + 1.

    Source: Vaswani et al., "Attention is all you need" (2017), eq. 3.

    Args:
        width: d, the model's.
        warmup: W.
        scale: s.

    Example:
        >>> [round(noam(4, 4)(t).item(), 4) for t in (0, 3, 15)]
        [0.0625, 0.25, 0.125]
    """
    require_positive("noam", width=width, warmup=warmup, scale=scale)

    def rate_at(step: TensorLike) -> Tensor:
        number = time_of(step) + 1.0
        rising, falling = number * warmup**-1.5, 1.0 / sqrt(number)
        return scale / math.sqrt(width) * where(rising < falling, rising, falling)

    return rate_at
