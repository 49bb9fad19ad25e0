"""Special functions, of which NumPy has few: computed in double precision.

Sources: NIST Digital Library of Mathematical Functions, 5.11 (Stirling), 8.7 and 8.9 (incomplete
gamma), 10.32 and 10.40 (Bessel), 25.11 (zeta by Euler and Maclaurin).
"""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def _wide(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Return a kernel computed in double precision, of arrays that are broadcast."""

    @wraps(kernel)
    def run(*arrays: Array) -> Array:
        dtype = arrays[0].dtype
        wide = np.broadcast_arrays(*[np.asarray(x, np.float64) for x in arrays])
        with np.errstate(all="ignore"):
            return kernel(*wide).astype(dtype, copy=False)

    return run


def _of_number(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return math.inf


_lgamma: Any = np.vectorize(_of_number, otypes=[np.float64])
lgamma = _wide(lambda x: _lgamma(x))

#: B₂ⱼ, j = 1 … 10.
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798,
    -174611 / 330,
)  # fmt: skip
_SHIFT = 10


@_wide
def digamma(x: Array) -> Array:
    """Reflect what is negative, shift to 10 and beyond, and sum Stirling's series there."""
    left = x < 0
    y = np.where(left, 1 - x, x)
    total = np.zeros_like(y)
    for _ in range(_SHIFT):
        near = y < _SHIFT
        total -= np.where(near, 1 / y, 0)
        y = np.where(near, y + 1, y)
    total += np.log(y) - 0.5 / y
    square = 1 / (y * y)
    power = square
    for j, b in enumerate(_BERNOULLI, 1):
        total -= b / (2 * j) * power
        power = power * square
    rest = x - np.round(x)
    total -= np.where(left, np.pi / np.tan(np.pi * np.where(left, rest, 0.5)), 0)
    return np.where((x <= 0) & (x == np.floor(x)), np.nan, total)


@_wide
def zeta(s: Array, q: Array) -> Array:
    """Sum ten terms, and the rest by Euler and Maclaurin."""
    total = np.zeros_like(q)
    for k in range(_SHIFT):
        total += (q + k) ** -s
    a = q + _SHIFT
    power = a**-s
    total += a * power / (s - 1) + 0.5 * power
    product, power = s, power / a
    for j, b in enumerate(_BERNOULLI, 1):
        total += b / math.factorial(2 * j) * product * power
        product = product * (s + 2 * j - 1) * (s + 2 * j)
        power = power / (a * a)
    # Far out the first term is all there is, and the others' products are no numbers.
    total = np.where(s > 400, q**-s, total)
    total = np.where((q == np.inf) & (s > 1), 0, total)
    total = np.where((s == 1) | (q == 0), np.inf, total)
    return np.where((s < 1) | (q < 0) | np.isnan(s + q), np.nan, total)


#: Stirling's series is used from here on, where the logarithms of large numbers would cancel.
_LARGE = 10.0


def _front(a: Array, x: Array) -> Array:
    """Return xᵃ e⁻ˣ / Γ(a + 1)."""
    large = a > _LARGE
    b = np.where(large, a, 1)
    off = (x - b) / b
    rest = sum(
        c / (2 * j * (2 * j - 1)) * b ** (1 - 2 * j) for j, c in enumerate(_BERNOULLI[:8], 1)
    )
    far = np.exp(-b * (off - np.log1p(off)) - rest) / np.sqrt(2 * np.pi * b)
    small = np.where(large, 1, a)
    return np.where(large, far, np.exp(small * np.log(x) - x - _lgamma(small + 1)))


def _series(a: Array, x: Array) -> Array:
    """Return P(a, x) where x < a + 1: the front times Σ xⁿ / ((a + 1) … (a + n))."""
    term = total = np.ones_like(x)
    n = 1
    while n < 100000 and (term > total * 1e-17).any():
        term = term * (x / (a + n))
        total = total + term
        n += 1
    return _front(a, x) * total


def _fraction(a: Array, x: Array) -> Array:
    """Return Q(a, x) where x ≥ a + 1: Legendre's continued fraction, from its front (Lentz)."""
    b = x + 1 - a
    c, d = np.full_like(x, 1e300), 1 / b
    total = d
    for n in range(1, 100000):
        numerator = -n * (n - a)
        b = b + 2
        d = 1 / (numerator * d + b)
        c = b + numerator / c
        step = c * d
        total = total * step
        if (np.abs(step - 1) < 1e-16).all():
            break
    return _front(a, x) * a * total


def _incomplete(a: Array, x: Array, upper: bool) -> Array:
    inside = (a > 0) & (x >= 0) & np.isfinite(x) & np.isfinite(a)
    low = inside & (x < a + 1)
    high = inside & ~low
    out = np.full(x.shape, np.nan)
    below = _series(a[low], x[low])
    above = _fraction(a[high], x[high])
    out[low] = np.where(x[low] == 0, float(upper), 1 - below if upper else below)
    out[high] = above if upper else 1 - above
    # Γ(0) has all its mass at 0, Γ(∞) has it at ∞.
    out[(a >= 0) & (x > 0) & ((a == 0) | (x == np.inf)) & np.isfinite(a)] = float(not upper)
    out[(a == np.inf) & (x >= 0) & np.isfinite(x)] = float(upper)
    return out


gammainc = _wide(lambda a, x: _incomplete(a, x, False))
gammaincc = _wide(lambda a, x: _incomplete(a, x, True))

#: The trapezoidal rule on the circle, exact to the order of its nodes; beyond, the expansion at ∞.
_NODES = np.cos((np.arange(48) + 0.5) * (np.pi / 48))
_FAR = 30.0
_TERMS = 20


def _bessel(x: Array, order: int) -> Array:
    size = np.abs(x)
    near = np.minimum(size, _FAR)[..., None]
    if order:
        # By parts, so that nothing cancels: x/π ∫ e^(x cos t) sin² t dt.
        found = near[..., 0] * np.mean(np.exp(near * (_NODES - 1)) * (1 - _NODES**2), -1)
    else:
        found = np.mean(np.exp(near * (_NODES - 1)), -1)
    far = np.maximum(size, _FAR)
    term = total = np.ones_like(far)
    for k in range(1, _TERMS):
        term = term * (((2 * k - 1) ** 2 - 4 * order * order) / (8 * k * far))
        total = total + term
    found = np.where(size > _FAR, total / np.sqrt(2 * np.pi * far), found)
    return np.where(np.isnan(x), x, np.copysign(found, x) if order else found)


i0e = _wide(lambda x: _bessel(x, 0))
i1e = _wide(lambda x: _bessel(x, 1))

TABLE: dict[str, Callable[..., Any]] = {
    "digamma": digamma,
    "gammainc": gammainc,
    "gammaincc": gammaincc,
    "i0e": i0e,
    "i1e": i1e,
    "lgamma": lgamma,
    "zeta": zeta,
}
