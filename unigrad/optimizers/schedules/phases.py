"""Rates that rise as well, in phases, once or again and again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from unigrad.core.arguments import TensorLike
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.elementary import cos, exp, log, sqrt
from unigrad.ops.limits import clip
from unigrad.ops.rounding import floor
from unigrad.optimizers.schedules.decays import constant, cosine
from unigrad.optimizers.schedules.parts import (
    Schedule,
    half_wave,
    require_finite,
    require_positive,
    time_of,
)


def cosine_restarts(
    rate: float, first: float, end: float = 0.0, growth: float = 2.0, shrink: float = 1.0
) -> Schedule:
    """`cosine` again and again: cycle i takes T mⁱ steps and starts at α sⁱ.

    Source: that of `cosine`; Keras's CosineDecayRestarts, torch's CosineAnnealingWarmRestarts
    (with s = 1).

    Args:
        rate: α.
        first: T.
        end: α∞.
        growth: m.
        shrink: s.

    Example:
        >>> [round(cosine_restarts(1.0, 2)(t).item(), 12) for t in (0, 1, 2, 4)]
        [1.0, 0.5, 1.0, 0.5]
    """
    require_finite("cosine_restarts", rate=rate, end=end)
    require_positive("cosine_restarts", first=first, growth=growth, shrink=shrink)
    if growth < 1:
        raise SettingError(f"cosine_restarts: growth={growth}: expected at least 1")

    def rate_at(step: TensorLike) -> Tensor:
        passed = time_of(step) / first
        if growth == 1.0:
            cycle = floor(passed)
            share = passed - cycle
        else:
            # Rounding must not move the first step of a cycle into the one before.
            full = log(1.0 + passed * (growth - 1.0)) / math.log(growth)
            cycle = floor(full + 1e-9)
            length = exp(math.log(growth) * cycle)
            share = clip((passed - (length - 1.0) / (growth - 1.0)) / length, 0.0, 1.0)
        top = exp(math.log(shrink) * cycle) * rate
        return end + (top - end) * 0.5 * (1.0 + cos(math.pi * share))

    return rate_at


def linear_warmup(steps: float, after: Schedule | float, start: float = 0.0) -> Schedule:
    """From α₀ to the first rate of another schedule in W steps, then that schedule from its start.

    Args:
        steps: W.
        after: the other schedule, or a constant.
        start: α₀.

    Example:
        >>> [linear_warmup(2, 1.0)(t).item() for t in (0, 1, 2)]
        [0.0, 0.5, 1.0]
    """
    require_finite("linear_warmup", start=start)
    require_positive("linear_warmup", steps=steps)
    following = after if callable(after) else constant(after)

    def rate_at(step: TensorLike) -> Tensor:
        time = time_of(step)
        top = following(time * 0.0)
        rising = start + (top - start) * clip(time / steps, 0.0, 1.0)
        return where(time < steps, rising, following(clip(time - steps, 0.0, None)))

    return rate_at


def warmup_cosine(rate: float, warmup: float, steps: float, end: float = 0.0) -> Schedule:
    """`linear_warmup` in W steps to α, and then `cosine` to α∞ at step T, which counts W.

    As optax's ``warmup_cosine_decay_schedule``.

    Args:
        rate: α.
        warmup: W.
        steps: T.
        end: α∞.

    Example:
        >>> [round(warmup_cosine(1.0, 2, 6)(t).item(), 6) for t in (0, 1, 2, 4, 6)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    require_positive("warmup_cosine", warmup=warmup, steps=steps)
    if steps <= warmup:
        raise SettingError(
            f"warmup_cosine: steps={steps}: expected more than the warm-up's {warmup}"
        )
    return linear_warmup(warmup, cosine(rate, steps - warmup, end))


def one_cycle(
    rate: float,
    steps: float,
    *,
    rise: float = 0.3,
    start_factor: float = 25.0,
    end_factor: float = 1e4,
) -> Schedule:
    """From α / d up to α in the first part of T steps and down to α / d / e, along cosines.

    Source: Smith & Topin, "Super-convergence: very fast training of neural networks using large
    learning rates" (2018), with two phases as torch's OneCycleLR, whose total_steps is T: it is at
    its top at step ρ T - 1 and at its end at step T - 1.

    Args:
        rate: α.
        steps: T.
        rise: ρ, the part in which the rate rises.
        start_factor: d.
        end_factor: e.

    Example:
        >>> [round(one_cycle(1.0, 11, rise=0.5)(t).item(), 3) for t in (0, 4, 5, 10)]
        [0.04, 0.971, 0.98, 0.0]
    """
    require_finite("one_cycle", rate=rate)
    require_positive(
        "one_cycle", steps=steps, rise=rise, start_factor=start_factor, end_factor=end_factor
    )
    top, last = rise * steps - 1.0, steps - 1.0
    if not 0.0 < top < last:
        raise SettingError(
            f"one_cycle: steps={steps}, rise={rise}: expected a top after the first step and "
            "before the last one"
        )
    start = rate / start_factor

    def rate_at(step: TensorLike) -> Tensor:
        time = time_of(step)
        up = half_wave(start, rate, clip(time / top, 0.0, 1.0))
        down = half_wave(rate, start / end_factor, clip((time - top) / (last - top), 0.0, 1.0))
        return where(time <= top, up, down)

    return rate_at


def wsd(
    rate: float,
    warmup: float,
    stable: float,
    decay: float,
    end: float = 0.0,
    *,
    shape: str = "linear",
) -> Schedule:
    """Warm-up, stable, decay: up to α in W steps, α for S steps, down to α∞ in D steps.

    Sources: Hu et al., "MiniCPM" (2024); "1-sqrt": Hägele et al., "Scaling laws and compute-optimal
    training beyond fixed training durations" (2024).

    Args:
        rate: α.
        warmup: W.
        stable: S.
        decay: D.
        end: α∞.
        shape: how it decays at the share x of D: "linear" 1 - x, "cosine", or "1-sqrt" 1 - √x.

    Example:
        >>> [wsd(1.0, 2, 2, 4)(t).item() for t in (1, 3, 6, 8)]
        [0.5, 1.0, 0.5, 0.0]
    """
    require_finite("wsd", rate=rate, warmup=warmup, stable=stable, end=end)
    require_positive("wsd", decay=decay)
    shapes: dict[str, Callable[[Tensor], Tensor]] = {
        "linear": lambda x: 1.0 - x,
        "cosine": lambda x: 0.5 * (1.0 + cos(math.pi * x)),
        "1-sqrt": lambda x: 1.0 - sqrt(x),
    }
    if shape not in shapes:
        raise SettingError(f"wsd: shape={shape!r}: expected one of {', '.join(shapes)}")

    def rate_at(step: TensorLike) -> Tensor:
        time = time_of(step)
        falling = shapes[shape](clip((time - warmup - stable) / decay, 0.0, 1.0))
        rate_now = end + (rate - end) * falling
        return where(time < warmup, rate * time / warmup, rate_now) if warmup else rate_now

    return rate_at


def cyclic(
    low: float, high: float, up: float, down: float | None = None, *, shrink: float = 1.0
) -> Schedule:
    """From α₀ up to α₁ in U steps and down again in D, again and again; the height by sⁱ each time.

    Source: Smith, "Cyclical learning rates for training neural networks" (2017); torch's CyclicLR,
    whose "triangular2" is s = ½.

    Args:
        low: α₀.
        high: α₁.
        up: U.
        down: D; U if ``None``.
        shrink: s.

    Example:
        >>> [cyclic(0.0, 1.0, 2)(t).item() for t in range(5)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    fall = up if down is None else down
    require_finite("cyclic", low=low, high=high)
    require_positive("cyclic", up=up, down=fall, shrink=shrink)

    def rate_at(step: TensorLike) -> Tensor:
        passed = time_of(step) / (up + fall)
        cycle = floor(passed)
        within = (passed - cycle) * (up + fall)
        share = where(within < up, within / up, 1.0 - (within - up) / fall)
        return low + (high - low) * exp(math.log(shrink) * cycle) * share

    return rate_at


def join(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """Schedules one after the other, each from its own start: schedule i ends at boundaries[i].

    Raises:
        SettingError: when there is not one schedule more than boundaries, or these do not grow.

    Example:
        >>> from unigrad.optimizers.schedules import linear
        >>> [join([constant(1.0), linear(1.0, 0.0, 2)], [1])(t).item() for t in range(4)]
        [1.0, 1.0, 0.5, 0.0]
    """
    if len(schedules) != len(boundaries) + 1 or list(boundaries) != sorted(set(boundaries)):
        raise SettingError(
            f"join: {len(schedules)} schedules and boundaries {list(boundaries)}: expected one "
            "schedule more than boundaries, which grow"
        )

    def rate_at(step: TensorLike) -> Tensor:
        time = time_of(step)
        rate: Tensor = schedules[0](time)
        for boundary, schedule in zip(boundaries, schedules[1:], strict=True):
            rate = where(time < boundary, rate, schedule(clip(time - boundary, 0.0, None)))
        return rate

    return rate_at
