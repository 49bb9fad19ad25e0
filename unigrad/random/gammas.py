"""The gamma distribution, and those made of gamma variates.

Source: Marsaglia and Tsang, "A simple method for generating gamma variables", ACM Transactions on
Mathematical Software 26, 2000. A proposal is accepted with a probability of 0.95 or more; twelve
are drawn, so that all fail with a probability below 10⁻¹⁵.

Everything is computed in float64 and rounded once. Whether a proposal is accepted depends on
logarithms in which libraries differ by some 10⁻¹² (XLA's, in tails), so the probability that two
backends decide otherwise is below 10⁻¹¹ for a draw.

Draws are functions of their shape through the distribution function, and are differentiated by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from math import sqrt as root
from typing import NamedTuple

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import ShapeError
from unigrad.core.op import primitive
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import maximum
from unigrad.ops.comparison import isnan, where
from unigrad.ops.elementary import erfinv, exp, log, log1p, sqrt
from unigrad.ops.identity import stop_gradient
from unigrad.ops.shaping import broadcast_to
from unigrad.ops.softmax import softmax
from unigrad.random.continuous import normal
from unigrad.random.keys import as_key, common_shape, draw_shape, fitting, float_dtype, halves
from unigrad.random.parameters import POSITIVE, draw, parameters
from unigrad.random.rejection import centred, first_accepted, words

__all__ = ["beta", "chisquare", "dirichlet", "gamma", "loggamma", "student_t"]

#: The logarithm of a draw, given again; its derivative by the shape is the reference's rule.
_gamma_sample = primitive("random_gamma_sample")


class _Sample(NamedTuple):
    """Draws x of Gamma(α) = steady · e^exponent, as float64.

    The logarithm of a large x has few digits of x, so x is made of these two. Both are constants;
    `change` is 0, and its derivative by α is that of log x.
    """

    steady: Tensor
    exponent: Tensor
    change: Tensor
    log: Tensor


def log_gamma(key: Tensor, alpha: Tensor) -> Tensor:
    """Return log x of draws x of Gamma(alpha), one for each element, as float64."""
    return _sample(key, alpha).log


def _gamma(key: Tensor, alpha: Tensor) -> Tensor:
    """Return draws of Gamma(alpha), one for each element, as float64."""
    drawn = _sample(key, alpha)
    return drawn.steady * exp(drawn.exponent + drawn.change)


def _sample(key: Tensor, alpha: Tensor) -> _Sample:
    still = stop_gradient(alpha)
    # Of Gamma(α + 1) times U^(1/α), where α < 1: a square root would be of a negative number.
    small = still < 1.0
    d = where(small, still + 1.0, still) - 1 / 3
    d = where(isnan(d), 1.0, d)
    first, second = halves(key)

    def propose(subkey: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Propose t, of draws d (1 + t)³."""
        high, low = words(subkey, shape, low=24)
        # Exact: a number of 41 bits around 0.
        x = erfinv(cast(high * 2 + (1 - 2**40), dtypes.float64) * 2.0**-40) * root(2)
        t = x / (sqrt(d) * 3.0)
        # log u < x²/2 + d - dv + d log v of v = (1 + t)³, without what cancels.
        inside = t > -1.0
        safe = where(inside, t, 0.0)
        accepted = inside & (log(centred(low, 24)) < x * x * _excess(safe) * (1 / 9))
        return safe, accepted

    v = first_accepted(first, alpha.shape, propose, d * 0.0, groups=3, rounds=4) + 1.0
    high, _ = words(second, alpha.shape, low=12)
    exponent = where(small, log(centred(high, 52)) / still, 0.0)
    steady = where(still > 0.0, d * v * v * v, nan)
    log_x: Tensor = _gamma_sample(alpha, log(steady) + exponent)
    change = where(exponent > -inf, log_x - stop_gradient(log_x), 0.0)
    return _Sample(steady, exponent, change, log_x)


def _excess(t: Tensor) -> Tensor:
    """Return (9/2) t² + 1 - (1 + t)³ + 3 log(1 + t), over t²; it is -¾ t² + … near 0."""
    near = (t < 0.03) & (t > -0.03)
    safe = where(near, 0.5, t)
    direct = (log1p(safe) - safe + safe * safe * 0.5 - safe * safe * safe * (1 / 3)) * 3.0
    series = t * 0.0
    for n in range(12, 3, -1):
        series = series * t + 3.0 * (-1.0) ** (n + 1) / n
    return where(near, series * t * t, direct / (safe * safe))


def loggamma(
    key: TensorLike,
    a: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return the logarithms of gamma floats; finite where the floats themselves are too small.

    Arguments and errors: as `gamma`, of which the same key gives the numbers themselves.

    Example:
        >>> from unigrad.random import key
        >>> bool(loggamma(key(0), 1e-5).item() < -1000)
        True
    """
    given = draw("loggamma", key, shape, dtype, ("a", a, POSITIVE), compute=dtypes.float64)
    return cast(log_gamma(given.key, given.parameters[0]), given.dtype)


def gamma(
    key: TensorLike,
    a: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return gamma floats of density x^(a - 1) e⁻ˣ / Γ(a).

    ``shape`` is by default that of ``a``. Multiply by a scale, or divide by a rate.

    Raises:
        SettingError: when ``a`` is not positive.
        ShapeError: when ``a`` does not broadcast to ``shape``, or ``key`` is no key.
        DTypeError: when ``dtype`` is not floating, or ``key`` is no key.

    Example:
        >>> from unigrad.random import key
        >>> bool(abs(gamma(key(0), 3.0, (10000,)).mean().item() - 3.0) < 0.1)
        True
    """
    given = draw("gamma", key, shape, dtype, ("a", a, POSITIVE), compute=dtypes.float64)
    return cast(_gamma(given.key, given.parameters[0]), given.dtype)


def chisquare(
    key: TensorLike,
    df: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return χ² floats of ``df`` degrees of freedom: twice the gamma floats of df/2.

    Errors: as `gamma`.

    Example:
        >>> from unigrad.random import key
        >>> bool(chisquare(key(0), 2.0).item() > 0)
        True
    """
    given = draw("chisquare", key, shape, dtype, ("df", df, POSITIVE), compute=dtypes.float64)
    return cast(_gamma(given.key, given.parameters[0] * 0.5) * 2.0, given.dtype)


def student_t(
    key: TensorLike,
    df: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return Student's t floats of ``df`` degrees of freedom: normal over √(χ²/df).

    Errors: as `gamma`.

    Example:
        >>> from unigrad.random import key
        >>> student_t(key(0), 5.0, (3,)).shape
        (3,)
    """
    given = draw("student_t", key, shape, dtype, ("df", df, POSITIVE), compute=dtypes.float64)
    half = given.parameters[0] * 0.5
    first, second = halves(given.key)
    below = _sample(second, half)
    drawn = cast(normal(first, given.shape, given.dtype), dtypes.float64)
    ratio = sqrt(half / below.steady) * exp((below.exponent + below.change) * -0.5)
    return cast(drawn * ratio, given.dtype)


def beta(
    key: TensorLike,
    a: TensorLike,
    b: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return beta floats of density proportional to x^(a - 1) (1 - x)^(b - 1): x / (x + y) of
    gamma floats of ``a`` and ``b``.

    Errors: as `gamma`.

    Example:
        >>> from unigrad.random import key
        >>> 0.0 <= beta(key(0), 0.5, 0.5).item() <= 1.0
        True
    """
    given = draw(
        "beta", key, shape, dtype, ("a", a, POSITIVE), ("b", b, POSITIVE), compute=dtypes.float64
    )
    logs = [
        log_gamma(subkey, one)
        for subkey, one in zip(halves(given.key), given.parameters, strict=True)
    ]
    most = stop_gradient(maximum(*logs))
    x, y = [exp(one - most) for one in logs]
    return cast(x / (x + y), given.dtype)


def dirichlet(
    key: TensorLike,
    alpha: TensorLike,
    shape: int | Sequence[int] | None = None,
    dtype: DTypeLike | None = None,
) -> Tensor:
    """Return probabilities along a last axis, of density proportional to Π xᵢ^(αᵢ - 1).

    ``shape`` is that of the result without the last axis, by default that of ``alpha`` without it.

    Raises:
        ShapeError: when ``alpha`` has no axis, or does not broadcast.
        SettingError, DTypeError: as `gamma`.

    Example:
        >>> from unigrad.random import key
        >>> round(dirichlet(key(0), [1.0, 2.0, 3.0]).sum().item(), 5)
        1.0
    """
    name = "dirichlet"
    key = as_key(name, key)
    chosen = float_dtype(name, dtype)
    (shapes,) = parameters(name, key, chosen, [("alpha", alpha, POSITIVE)], dtypes.float64)
    if not shapes.ndim:
        raise ShapeError("random.dirichlet: alpha has a last axis, of the probabilities")
    batch = common_shape(name, shapes)[:-1] if shape is None else draw_shape(name, shape)
    wanted = fitting(name, (*batch, shapes.shape[-1]), shapes)
    return cast(softmax(log_gamma(key, broadcast_to(shapes, wanted)), axis=-1), chosen)
