"""A line search for the strong Wolfe conditions, by Moré and Thuente. Plain numbers only.

Source: Moré & Thuente, "Line search algorithms with guaranteed sufficient decrease" (1994).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple


class Point(NamedTuple):
    """A step along the line, the value there, and the slope."""

    step: float
    value: float
    slope: float


class Bounds(NamedTuple):
    """What a step must fulfil: f(α) ≤ f(0) + c₁ α f'(0) and |f'(α)| ≤ c₂ |f'(0)|."""

    decrease: float = 1e-3
    curvature: float = 0.9
    #: The search ends when the interval is so narrow, relative to its upper end.
    width: float = 0.1
    largest: float = 1e10
    evaluations: int = 20


_USUAL = Bounds()


def strong_wolfe(
    along: Callable[[float], Point], start: Point, first: float, bounds: Bounds = _USUAL
) -> Point | None:
    """Return a step that fulfils the bounds, or ``None`` when none was found.

    Args:
        along: gives value and slope at a step.
        start: those at step 0; the slope is negative.
        first: the step to try first.
        bounds: the conditions.

    Example:
        >>> def along(a):
        ...     return Point(a, (a - 1.0) ** 2, 2.0 * (a - 1.0))
        >>> strong_wolfe(along, along(0.0), 0.1, Bounds(curvature=0.1)).step
        1.0
    """
    test = bounds.decrease * start.slope
    best = other = start
    bracketed, modified = False, True
    low, high = 0.0, first + 4.0 * first
    width = bounds.largest
    before = 2.0 * width
    step = min(first, bounds.largest)
    for _ in range(bounds.evaluations):
        now = along(step)
        enough = start.value + step * test
        if now.value <= enough and abs(now.slope) <= bounds.curvature * -start.slope:
            return now
        if not math.isfinite(now.value) or not math.isfinite(now.slope):
            # Out of the domain: half way back to what is known.
            step = best.step + 0.5 * (step - best.step)
            continue
        stuck = bracketed and (step <= low or step >= high or high - low <= bounds.width * high)
        if stuck or (step == bounds.largest and now.value <= enough and now.slope <= test):
            return now if now.value <= enough else None
        modified = modified and not (now.value <= enough and now.slope >= 0.0)
        if modified and now.value <= best.value and now.value > enough:
            # While no step decreases enough, what counts is the decrease beyond that.
            x, y, z = (_tilted(one, test) for one in (best, other, now))
            chosen, x, y, bracketed = next_step(x, y, z, bracketed, low, high)
            best, other = _tilted(x, -test), _tilted(y, -test)
        else:
            chosen, best, other, bracketed = next_step(best, other, now, bracketed, low, high)
        step = chosen
        if bracketed:
            if abs(other.step - best.step) >= 0.66 * before:
                step = best.step + 0.5 * (other.step - best.step)
            before, width = width, abs(other.step - best.step)
            low, high = sorted((best.step, other.step))
        else:
            low = step + 1.1 * (step - best.step)
            high = step + 4.0 * (step - best.step)
        step = min(max(step, 0.0), bounds.largest)
        if bracketed and (step <= low or step >= high or high - low <= bounds.width * high):
            step = best.step
    return None


def _tilted(point: Point, slope: float) -> Point:
    """Return a point of the function less a line through 0."""
    return Point(point.step, point.value - slope * point.step, point.slope - slope)


def next_step(
    best: Point, other: Point, now: Point, bracketed: bool, low: float, high: float
) -> tuple[float, Point, Point, bool]:
    """Return the next step to try, the ends of the new interval, and whether it brackets a minimum.

    The step is taken from the cubic and the quadratic through what is known of the ends.
    """
    opposite = now.slope * math.copysign(1.0, best.slope) < 0.0
    if now.value > best.value:
        cubic, secant = _cubic(best, now), _quadratic(best, now)
        closer = abs(cubic - best.step) < abs(secant - best.step)
        step = cubic if closer else cubic + 0.5 * (secant - cubic)
        bracketed = True
    elif opposite:
        cubic, secant = _cubic(now, best), _secant(now, best)
        step = cubic if abs(cubic - now.step) > abs(secant - now.step) else secant
        bracketed = True
    elif abs(now.slope) < abs(best.slope):
        step = _flatter(best, other, now, bracketed, low, high)
    elif bracketed:
        step = _cubic(now, other)
    else:
        step = high if now.step > best.step else low
    if now.value > best.value:
        other = now
    else:
        other, best = (best if opposite else other), now
    return step, best, other, bracketed


def _flatter(
    best: Point, other: Point, now: Point, bracketed: bool, low: float, high: float
) -> float:
    """Return the step where the slope has become flatter, but has not turned."""
    cubic = _cubic_beyond(best, now, low, high)
    secant = _secant(now, best)
    nearer = abs(cubic - now.step) < abs(secant - now.step)
    if not bracketed:
        return min(max(secant if nearer else cubic, low), high)
    step = cubic if nearer else secant
    most = now.step + 0.66 * (other.step - now.step)
    return min(most, step) if now.step > best.step else max(most, step)


def _terms(a: Point, b: Point) -> tuple[float, float]:
    """Return θ and what is below the root of the cubic's minimum, of two points."""
    theta = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope
    size = max(abs(theta), abs(a.slope), abs(b.slope))
    square = (theta / size) ** 2 - (a.slope / size) * (b.slope / size)
    return theta, size * math.sqrt(max(0.0, square))


def _cubic(a: Point, b: Point) -> float:
    """Return the minimum of the cubic through two points and their slopes, seen from the first."""
    theta, root = _terms(a, b)
    root = -root if b.step < a.step else root
    top = root - a.slope + theta
    return a.step + top / (2.0 * root - a.slope + b.slope) * (b.step - a.step)


def _cubic_beyond(best: Point, now: Point, low: float, high: float) -> float:
    """Return the cubic's minimum beyond the newer point, or the end of the interval there."""
    theta, root = _terms(best, now)
    root = -root if now.step > best.step else root
    ratio = (root - now.slope + theta) / (2.0 * root + best.slope - now.slope)
    if ratio < 0.0 and root != 0.0:
        return now.step + ratio * (best.step - now.step)
    return high if now.step > best.step else low


def _quadratic(a: Point, b: Point) -> float:
    """Return the minimum of the quadratic through two values and the first slope."""
    mean = (a.value - b.value) / (b.step - a.step) + a.slope
    return a.step + 0.5 * a.slope / mean * (b.step - a.step)


def _secant(a: Point, b: Point) -> float:
    """Return where the line through two slopes is zero."""
    return a.step + a.slope / (a.slope - b.slope) * (b.step - a.step)
