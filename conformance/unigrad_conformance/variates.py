"""Draws that need rejection or inversion once more, one by one, in Python's numbers: an oracle.

Sources: Marsaglia and Tsang 2000 (gamma), Hörmann 1993 (PTRS, BTRS). How words become candidates
is unigrad's convention: see `unigrad.random`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from unigrad_conformance import threefry
from unigrad_conformance.sample import Array


def _first(key: threefry.Key, size: int, groups: int, rounds: int, low: int, propose: Any) -> Any:
    """Return for each element the first candidate that ``propose(element, high, low)`` gives."""
    found: list[Any] = [None] * size
    for subkey in threefry.split(key, groups):
        for place, word in enumerate(threefry.words(subkey, rounds * size, 64)):
            if found[place % size] is None:
                found[place % size] = propose(place % size, word >> low, word % 2**low)
        if None not in found:
            break
    return found


def log_gammas(key: threefry.Key, alpha: Array) -> Array:
    """Return the logarithms of gamma draws, one for each shape parameter."""
    shapes = alpha.ravel().tolist()
    first, second = threefry.split(key)
    offsets = [a + (a < 1) - 1 / 3 for a in shapes]

    def propose(i: int, high: int, low: int) -> float | None:
        x = math.sqrt(2) * float(mpmath.erfinv(mpmath.mpf(2 * high + 1 - 2**40) / 2**40))
        v = (1 + x / math.sqrt(9 * offsets[i])) ** 3
        u = (2 * low + 1) / 2**25
        if v <= 0 or math.log(u) >= x * x / 2 + offsets[i] * (1 - v + math.log(v)):
            return None
        return math.log(offsets[i] * v)

    logs = _first(first, len(shapes), 3, 4, 24, propose)
    for i, word in enumerate(threefry.words(second, len(shapes), 64)):
        if shapes[i] < 1:
            logs[i] += math.log((2 * (word >> 12) + 1) / 2**53) / shapes[i]
    return np.array(logs).reshape(alpha.shape)


def _inverse(word: int, chances: Callable[[int], Any]) -> int:
    """Return the number of partial sums that 62 digits of a word reach."""
    count, total = 0, mpmath.mpf(0)
    while True:
        total += chances(count)
        if mpmath.mpf(word >> 2) / 2**62 < total:
            return count
        count += 1


def poissons(key: threefry.Key, rate: Array) -> Array:
    """Return Poisson draws, one for each rate."""
    rates = rate.ravel().tolist()
    few, many = threefry.split(key)
    words = threefry.words(few, len(rates), 64)

    def small(i: int) -> int:
        x = mpmath.mpf(rates[i])
        return _inverse(words[i], lambda k: mpmath.exp(-x) * x**k / mpmath.factorial(k))

    def weight(i: int, k: int) -> float:
        return float(k * math.log(rates[i]) - rates[i] - math.lgamma(k + 1))

    def propose(i: int, high: int, low: int) -> int | None:
        if rates[i] < 10:
            return 0
        b = 0.931 + 2.53 * math.sqrt(rates[i])
        a = -0.059 + 0.02483 * b
        limits = 0.9277 - 3.6224 / (b - 2), 1.1239 + 1.1328 / (b - 3.4)
        return _transformed(a, b, rates[i] + 0.43, limits, high, low, lambda k: weight(i, k))

    large = _first(many, len(rates), 4, 8, 32, propose)
    found = [small(i) if x < 10 else large[i] for i, x in enumerate(rates)]
    return np.array(found, np.int64).reshape(rate.shape)


def _transformed(
    a: float,
    b: float,
    centre: float,
    limits: tuple[float, float],
    high: int,
    low: int,
    weight: Callable[[int], float],
) -> int | None:
    """Return one candidate of the transformed rejection, ``None`` when it is not accepted."""
    u, v = (2 * high + 1) / 2**33 - 0.5, (2 * low + 1) / 2**33
    us = 0.5 - abs(u)
    k = math.floor((2 * a / us + b) * u + centre)
    if us >= 0.07 and v <= limits[0]:
        return k
    if k < 0 or (us < 0.013 and v > us):
        return None
    return k if math.log(v * limits[1] / (a / (us * us) + b)) <= weight(k) else None


def binomials(key: threefry.Key, n: Array, p: Array) -> Array:
    """Return binomial draws, one for each pair of a number of trials and a chance."""
    trials, chances = [x.ravel().tolist() for x in np.broadcast_arrays(n, p)]
    rare = [min(one, 1 - one) for one in chances]
    few, many = threefry.split(key)
    words = threefry.words(few, len(trials), 64)

    def small(i: int) -> int:
        q = mpmath.mpf(rare[i])
        return _inverse(
            words[i],
            lambda k: mpmath.binomial(trials[i], k) * q**k * (1 - q) ** (trials[i] - k),
        )

    def weight(i: int, k: int) -> float:
        n = int(trials[i])
        if not 0 <= k <= n:
            return -math.inf
        logs = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
        return logs + k * math.log(rare[i]) + (n - k) * math.log1p(-rare[i])

    def propose(i: int, high: int, low: int) -> int | None:
        mean = trials[i] * rare[i]
        if mean < 10:
            return 0
        spread = math.sqrt(mean * (1 - rare[i]))
        b = 1.15 + 2.53 * spread
        a = -0.0873 + 0.0248 * b + 0.01 * rare[i]
        limits = 0.92 - 4.2 / b, (2.83 + 5.1 / b) * spread
        mode = weight(i, math.floor((trials[i] + 1) * rare[i]))
        return _transformed(a, b, mean + 0.5, limits, high, low, lambda k: weight(i, k) - mode)

    large = _first(many, len(trials), 4, 8, 32, propose)
    found = [small(i) if n * q < 10 else large[i] for i, (n, q) in enumerate(zip(trials, rare))]  # noqa: B905
    flipped = [int(n) - k if p > 0.5 else k for n, k, p in zip(trials, found, chances)]  # noqa: B905
    return np.array(flipped, np.int64)


def running_sums(p: Sequence[float]) -> Array:
    """Return running sums in float32: those of sixteen neighbours, and of their last ones."""
    rows = [list(p[i : i + 16]) for i in range(0, len(p), 16)]
    inner = [np.cumsum(np.array(row, np.float32)) for row in rows]
    if len(rows) == 1:
        return inner[0]
    # The last row's sum is not needed.
    before = running_sums([float(row[-1]) for row in inner])
    moved = [row + before[i - 1] if i else row for i, row in enumerate(inner)]
    return np.concatenate(moved)
