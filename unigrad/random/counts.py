"""Numbers of events: geometric, Poisson and binomial draws.

They are integers, and the same on every backend. What makes them is computed so that no library
can round it differently: products of floats that no sum follows (a compiler may fuse those),
comparisons, and sums of integers. Only the rejection for large means compares logarithms, in
float64, where the probability that two backends decide otherwise is below 10⁻¹² for a draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil, exp, log2

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, constant, visible
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import DTypeError
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum, minimum
from unigrad.ops.comparison import isnan, where
from unigrad.ops.elementary import log, sqrt
from unigrad.ops.indexing import take
from unigrad.ops.rounding import trunc
from unigrad.ops.shaping import broadcast_to
from unigrad.random.keys import as_key, common_shape, draw_shape, fitting, halves
from unigrad.random.parameters import CHANCE, CHANCE_OF_SUCCESS, COUNT, RATE, Given, parameters
from unigrad.random.rejection import centred, first_accepted, words
from unigrad.random.stirling import deviance, rest_of_factorial
from unigrad.random.uniforms import unit

__all__ = ["binomial", "geometric", "poisson"]

#: Up to this mean the distribution function is summed up, term by term; so many are enough.
_FEW = 10.0
_TERMS = 56
#: Binary digits of probabilities, and of sums that decide on an integer.
_PLACES, _FRACTION = 62, 20


def _prepared(
    name: str,
    key: TensorLike,
    shape: int | Sequence[int] | None,
    dtype: DTypeLike,
    *given: Given,
) -> tuple[Tensor, tuple[int, ...], DType, list[Tensor]]:
    """Return the key, the shape, the dtype, and float64 parameters of that shape."""
    key = as_key(name, key)
    chosen = dtypes.as_dtype(dtype)
    if chosen not in dtypes.INTEGER and chosen not in dtypes.FLOATING:
        raise DTypeError(f"random.{name}: counts are integers or floats, not {chosen.name}")
    found = parameters(name, key, dtypes.float64, given)
    wanted = common_shape(name, *found) if shape is None else draw_shape(name, shape)
    fitting(name, wanted, *found)
    return key, wanted, chosen, [broadcast_to(one, wanted) for one in found]


def _finished(count: Tensor, dtype: DType, *of: Tensor) -> Tensor:
    """Return counts in a dtype: NaN (-1 among integers) where a parameter is NaN."""
    if dtype in dtypes.INTEGER:
        count = minimum(count, int(min(np.iinfo(dtype).max, 2**62)))
        missing: float = -1
    else:
        count, missing = cast(count, dtype), np.nan
    for one in of:
        if visible(one) is None:
            count = where(isnan(one), missing, count)
    return cast(count, dtype)


def _levels(x: Tensor, most: int) -> int:
    """Return how many binary digits the integers up to the greatest of x have, if it is known."""
    values = visible(x)
    if values is None or not values.size:
        return most
    return int(min(max(ceil(log2(float(values.max()) + 1.0)), 1), most))


def geometric(
    key: TensorLike,
    p: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike = "int64",
) -> Tensor:
    """Return how many trials of chance ``p`` it takes until the first success, 1 or more.

    One more than the greatest k with (1 - p)^k ≥ u, of the uniform u of `jax.random` (52 binary
    digits for a float64 tensor, else 23). k is found digit by digit from squares.

    Raises:
        SettingError: when ``p`` is not in (0, 1].
        ShapeError: when ``p`` does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is complex or bool, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> geometric(key(0), 1.0, (3,)).tolist()
        [1, 1, 1]
    """
    given = ("p", p, CHANCE_OF_SUCCESS)
    key, wanted, chosen, (chance,) = _prepared("geometric", key, shape, dtype, given)
    double = getattr(p, "dtype", None) == dtypes.float64
    drawn = unit(key, wanted, dtypes.float64 if double else dtypes.float32)
    u = cast(drawn, dtypes.float64)
    u = where(u > 0.0, u, 1.0)
    digits = _levels(40.0 / maximum(chance, 2.0**-53), 53)
    squares = [1.0 - chance]
    for _ in range(digits - 1):
        squares.append(squares[-1] * squares[-1])
    power, count = u * 0.0 + 1.0, cast(u * 0.0, dtypes.int64)
    for i in range(digits - 1, -1, -1):
        further = power * squares[i]
        good = further >= u
        power = where(good, further, power)
        count = where(good, count + 2**i, count)
    return _finished(count + 1, chosen, chance)


def poisson(
    key: TensorLike,
    lam: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike = "int64",
) -> Tensor:
    """Return numbers of events at a mean rate ``lam``.

    Rates below 10 by inversion; others by Hörmann's transformed rejection ("The transformed
    rejection method for generating Poisson random variables", 1993, PTRS) in at most 32 rounds,
    which all fail with a probability below 10⁻¹⁶.

    Raises:
        SettingError: when ``lam`` is negative or above 2⁴².
        ShapeError: when ``lam`` does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is complex or bool, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> poisson(key(0), 0.0, (3,)).tolist()
        [0, 0, 0]
    """
    key, _, chosen, (rate,) = _prepared("poisson", key, shape, dtype, ("lam", lam, RATE))
    first, second = halves(key)
    safe = where(isnan(rate), 0.0, rate)
    few = safe < _FEW
    count = _by_kind(
        few,
        lambda: _few_events(first, where(few, safe, 1.0)),
        lambda: _many_events(second, maximum(safe, _FEW)),
    )
    return _finished(count, chosen, rate)


def _by_kind(few: Tensor, summed: Callable[[], Tensor], rejected: Callable[[], Tensor]) -> Tensor:
    """Return draws for small means and for large ones; only the kind that is there, if known."""
    values = visible(few)
    if values is not None and values.all():
        return summed()
    if values is not None and not values.any():
        return rejected()
    return where(few, summed(), rejected())


def _inverted(key: Tensor, shape: tuple[int, ...], terms: Iterator[Tensor]) -> Tensor:
    """Return how many partial sums of probabilities are at most u, in integers of 62 digits."""
    high, _ = words(key, shape, low=64 - _PLACES)
    total, count = high * 0, high * 0
    for term in terms:
        total = total + cast(trunc(term * 2.0**_PLACES), dtypes.int64)
        reached = high >= total
        count = where(reached, count + 1, count)
        known = visible(reached)
        if known is not None and not known.any():
            break
    return count


#: e^-x for the digits of x in [0, 16): four of eleven binary digits, down to 2⁻⁴⁰.
_TABLES = [np.array([exp(-j * 2.0 ** (4 - 11 * (i + 1))) for j in range(2048)]) for i in range(4)]


def _exp_of_minus(x: Tensor) -> Tensor:
    """Return e^-x of float64 x in [0, 16), x cut after 40 binary digits: a product of entries."""
    digits = cast(trunc(x * 2.0**40), dtypes.int64)
    product = None
    for i, table in enumerate(_TABLES):
        place = (digits >> (11 * (3 - i))) & 2047
        factor = take(constant(digits, table, dtypes.float64), place)
        product = factor if product is None else product * factor
    assert product is not None
    return product


def _few_events(key: Tensor, rate: Tensor) -> Tensor:
    def terms() -> Iterator[Tensor]:
        term = _exp_of_minus(rate)
        for k in range(1, _TERMS):
            yield term
            term = term * (rate * (1.0 / k))

    return _inverted(key, rate.shape, terms())


def _quantised(x: Tensor, factor: float, offset: float) -> Tensor:
    """Return factor · x + offset in whole multiples of 2⁻²⁰, summed in integers."""
    whole = cast(trunc(x * (factor * 2.0**_FRACTION)), dtypes.int64)
    return cast(whole + round(offset * 2**_FRACTION), dtypes.float64) * 2.0**-_FRACTION


def _proposal(
    key: Tensor, shape: tuple[int, ...], a: Tensor, b: Tensor, centre: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return floor((2a / us + b) U + centre) with us = ½ - |U|, us itself, and another uniform.

    ``centre`` counts 2⁻²⁰. U and us are exact, and the last sum is one of integers.
    """
    high, low = words(key, shape)
    place = cast(high * 2 + (1 - 2**32), dtypes.float64) * 2.0**-33
    us = 0.5 - abs(place)
    moved = trunc((a * 2.0 / us + b) * place * 2.0**_FRACTION)
    return (cast(moved, dtypes.int64) + centre) >> _FRACTION, us, centred(low, 32)


def _many_events(key: Tensor, rate: Tensor) -> Tensor:
    b = _quantised(sqrt(rate), 2.53, 0.931)
    a = _quantised(b, 0.02483, -0.059)
    inverse_alpha = 1.1328 / (b - 3.4) + 1.1239
    v_r = 0.9277 - 3.6224 / (b - 2.0)
    whole = cast(trunc(rate * 2.0**_FRACTION), dtypes.int64)
    centre = whole + round(0.43 * 2**_FRACTION)

    def propose(subkey: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        k, us, v = _proposal(subkey, shape, a, b, centre)
        quick = (us >= 0.07) & (v <= v_r)
        never = (k < 0) | ((us < 0.013) & (v > us))
        safe = maximum(k, 0)
        weight = -deviance(cast(safe, dtypes.float64), rate) - rest_of_factorial(safe)
        # A weight of k log λ - λ - log k! is this deviance and what Stirling leaves.
        slow = log(v * inverse_alpha / (a / (us * us) + b)) <= weight
        return k, quick | (slow & ~never)

    return first_accepted(key, rate.shape, propose, whole >> _FRACTION, groups=4, rounds=8)


def binomial(
    key: TensorLike,
    n: TensorLike,
    p: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike = "int64",
) -> Tensor:
    """Return numbers of successes in ``n`` trials of chance ``p``.

    Means (of the rarer outcome) below 10 by inversion; others by Hörmann's transformed rejection
    ("The generation of binomial random variates", 1993, BTRS) in at most 32 rounds, which all fail
    with a probability below 10⁻¹⁵.

    Raises:
        SettingError: when ``n`` is no whole number in [0, 2⁴²], or ``p`` is not in [0, 1].
        ShapeError: when a parameter does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is complex or bool, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> binomial(key(0), 5, 1.0, (3,)).tolist()
        [5, 5, 5]
    """
    given = (("n", n, COUNT), ("p", p, CHANCE))
    key, _, chosen, (trials, chance) = _prepared("binomial", key, shape, dtype, *given)
    first, second = halves(key)
    wrong = isnan(trials) | isnan(chance)
    whole, part = where(wrong, 0.0, trials), where(wrong, 0.0, chance)
    often = part > 0.5
    rare = where(often, 1.0 - part, part)
    mean = whole * rare
    few = mean < _FEW
    count = _by_kind(
        few,
        lambda: _few_successes(first, where(few, whole, 0.0), where(few, rare, 0.0)),
        lambda: _many_successes(
            second, where(few, 100.0, whole), where(few, 0.5, rare), where(few, 50.0, mean)
        ),
    )
    total = cast(whole, dtypes.int64)
    return _finished(where(often, total - count, count), chosen, trials, chance)


def _few_successes(key: Tensor, n: Tensor, p: Tensor) -> Tensor:
    odds = p / (1.0 - p)

    def terms() -> Iterator[Tensor]:
        term = _power(1.0 - p, n)
        for k in range(1, _TERMS):
            yield term
            term = term * (maximum(n - float(k - 1), 0.0) * (1.0 / k)) * odds

    return minimum(_inverted(key, n.shape, terms()), cast(n, dtypes.int64))


def _power(x: Tensor, n: Tensor) -> Tensor:
    """Return xⁿ of whole n by squares: products alone."""
    rest, product = cast(n, dtypes.int64), x * 0.0 + 1.0
    for _ in range(_levels(n, 43)):
        product = where((rest & 1) > 0, product * x, product)
        x, rest = x * x, rest >> 1
    return product


def _many_successes(key: Tensor, n: Tensor, p: Tensor, mean: Tensor) -> Tensor:
    q = 1.0 - p
    spread = sqrt(mean * q)
    b = _quantised(spread, 2.53, 1.15)
    a = _quantised(b, 0.0248, -0.0873) + trunc(p * (0.01 * 2.0**_FRACTION)) * 2.0**-_FRACTION
    alpha = (5.1 / b + 2.83) * spread
    v_r = 0.92 - 4.2 / b
    centre = cast(trunc(mean * 2.0**_FRACTION), dtypes.int64) + 2 ** (_FRACTION - 1)
    total = cast(n, dtypes.int64)
    mode = cast(trunc((n + 1.0) * p), dtypes.int64)
    failures = n * q

    def weight(k: Tensor) -> Tensor:
        """Return the logarithm of a probability, up to a constant."""
        hits = cast(k, dtypes.float64)
        rest = rest_of_factorial(k) + rest_of_factorial(total - k)
        return -deviance(hits, mean) - deviance(n - hits, failures) - rest

    of_mode = weight(mode)

    def propose(subkey: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        k, us, v = _proposal(subkey, shape, a, b, centre)
        quick = (us >= 0.07) & (v <= v_r)
        inside = (k >= 0) & (k <= total)
        safe = minimum(maximum(k, 0), total)
        slow = log(v * alpha / (a / (us * us) + b)) <= weight(safe) - of_mode
        return k, inside & (quick | slow)

    return first_accepted(key, n.shape, propose, mode, groups=4, rounds=8)
