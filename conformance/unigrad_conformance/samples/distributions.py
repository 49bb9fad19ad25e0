"""Samples of distributions with parameters, and of those made of several draws."""

import math
from typing import Any

import numpy as np

from unigrad_conformance import threefry, variates
from unigrad_conformance.sample import Array, Case, case, positive, real, samples, values
from unigrad_conformance.samples.random import normal_of

_KEYS = [values(threefry.seeded(seed)) for seed in (3, 2**40 + 9)]
_FLOATS = ("float32", "float64")
_SHAPE = (4, 5)
_TINY = {dtype: float(np.finfo(dtype).smallest_normal) for dtype in _FLOATS}


def _drawn(op: str, *cases: Case, **rest: Any) -> None:
    """Declare samples of numbers that depend on nothing but the key."""
    samples(op, *cases, differentiable=False, **rest)


def _between(low: dict[str, float]) -> Any:
    return lambda key, dtype: threefry.between(key, _SHAPE, dtype, low[dtype], 1.0)


_epsilon = {dtype: float(np.finfo(dtype).eps) for dtype in _FLOATS}
_above = {dtype: float(np.nextafter(np.dtype(dtype).type(-1), 0)) for dtype in _FLOATS}
_from_tiny, _from_eps, _around = (_between(low) for low in (_TINY, _epsilon, _above))

for _dtype in _FLOATS:
    _draws = [case(key, _SHAPE, _dtype) for key in _KEYS]
    _drawn(
        "random.laplace",
        *_draws,
        dtype=_dtype,
        oracle=lambda key, shape, dtype: np.sign(u := _around(key, dtype)) * np.log1p(-np.abs(u)),
    )
    _drawn(
        "random.logistic",
        *_draws,
        dtype=_dtype,
        oracle=lambda key, shape, dtype: np.log(u := _from_tiny(key, dtype)) - np.log1p(-u),
        terms=lambda key, shape, dtype: 1.0 + np.abs(np.log(_from_tiny(key, dtype))),
    )
    _drawn(
        "random.cauchy",
        *_draws,
        dtype=_dtype,
        ulps=8,
        oracle=lambda key, shape, dtype: np.tan(math.pi * (_from_eps(key, dtype) - 0.5)),
        # The argument is rounded, which the tangent enlarges by 1 + tan².
        terms=lambda key, shape, dtype: 1.0 + np.tan(math.pi * (_from_eps(key, dtype) - 0.5)) ** 2,
    )


def _e(key: Array) -> Array:
    """Return exponential draws of float64."""
    return -np.log1p(-threefry.unit(key, _SHAPE, "float64"))


# Functions of their parameters, differentiated by them.
samples(
    "random.pareto",
    case(_KEYS[0], positive(5), _SHAPE, "float64"),
    dtype="float64",
    oracle=lambda key, b, shape, dtype: np.exp(_e(key) / b),
)
samples(
    "random.weibull",
    case(_KEYS[0], positive(5), positive(4, 1), _SHAPE, "float64"),
    dtype="float64",
    oracle=lambda key, scale, c, shape, dtype: scale * _e(key) ** (1 / c),
)
samples(
    "random.rayleigh",
    case(_KEYS[1], positive(5), _SHAPE, "float64"),
    dtype="float64",
    oracle=lambda key, scale, shape, dtype: (
        scale * np.sqrt(-2 * np.log(threefry.unit(key, shape, dtype)))
    ),
)
samples(
    "random.multivariate_normal",
    case(_KEYS[0], real(2, 3), real(3, 3)),
    dtype="float64",
    ulps=64,
    oracle=lambda key, mean, a: (
        mean + normal_of(key, (2, 3), "float64") @ np.linalg.cholesky(a @ a.T + np.eye(3)).T
    ),
    call=lambda ug, key, mean, a: ug.random.multivariate_normal(
        key, mean, ug.astype(a, "float64") @ ug.astype(a, "float64").T + np.eye(3), None, "float64"
    ),
)

_SHAPES = np.array([1e-3, 0.4, 1.0, 3.5, 1e4])


def _logs(key: threefry.Key, alpha: Any) -> Array:
    return variates.log_gammas(key, np.broadcast_to(np.asarray(alpha, np.float64), _SHAPE))


def _share(first: Array, second: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(second - first)))


def _softmax(logs: Array) -> Array:
    x = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(x / x.sum(axis=-1, keepdims=True))


# The derivative by a shape is that of the quantile, not that of the algorithm: the tests of
# gradients compare it with finite differences of the former.
_drawn(
    "random.loggamma",
    *[case(key, values(_SHAPES), _SHAPE, "float64") for key in _KEYS],
    dtype="float64",
    ulps=64,
    oracle=lambda key, a, shape, dtype: _logs(key, a),
    terms=lambda key, a, shape, dtype: 1.0 + np.abs(_logs(key, a)),
)
_drawn(
    "random.gamma",
    *[case(key, values(_SHAPES[1:4].repeat([1, 2, 2])), _SHAPE, "float64") for key in _KEYS],
    dtype="float64",
    ulps=64,
    oracle=lambda key, a, shape, dtype: np.exp(_logs(key, a)),
)
_drawn(
    "random.chisquare",
    case(_KEYS[0], values(3.0), _SHAPE, "float64"),
    dtype="float64",
    ulps=64,
    oracle=lambda key, df, shape, dtype: 2 * np.exp(_logs(key, df / 2)),
)
_drawn(
    "random.student_t",
    case(_KEYS[0], values(3.0), _SHAPE, "float64"),
    dtype="float64",
    ulps=64,
    oracle=lambda key, df, shape, dtype: (
        normal_of(threefry.split(key)[0], shape, dtype)
        * np.sqrt(df / 2 / np.exp(_logs(threefry.split(key)[1], df / 2)))
    ),
)
_drawn(
    "random.beta",
    case(_KEYS[0], values(0.5), values(2.0), _SHAPE, "float64"),
    dtype="float64",
    ulps=64,
    oracle=lambda key, a, b, shape, dtype: _share(
        *[_logs(k, x) for k, x in zip(threefry.split(key), (a, b), strict=True)]
    ),
)
_drawn(
    "random.dirichlet",
    case(_KEYS[0], values(_SHAPES[:5]), (4,), "float64"),
    dtype="float64",
    ulps=512,
    oracle=lambda key, alpha, shape, dtype: _softmax(_logs(key, alpha)),
)


def _in_ball(key: Array, d: int, p: float, shape: tuple[int, ...], dtype: str) -> Array:
    first, second = threefry.split(key)
    of_size, of_sign = threefry.split(first)
    g = np.exp(variates.log_gammas(of_size, np.full((*shape, d), 1 / p)))
    e = -np.log1p(-threefry.unit(second, shape, dtype))
    # Coins are float32 draws, whatever the dtype.
    signs = 2.0 * (threefry.unit(of_sign, (*shape, d), "float32") < 0.5) - 1
    return np.asarray(signs * (g / (g.sum(-1) + e)[..., None]) ** (1 / p))


def _q(key: Array, n: int, shape: tuple[int, ...], m: int, dtype: str) -> Array:
    q, r = np.linalg.qr(normal_of(key, (*shape, max(n, m), min(n, m)), dtype))
    q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    return np.asarray(np.swapaxes(q, -1, -2) if n < m else q)


_drawn(
    "random.ball",
    case(_KEYS[0], 3, 2.0, (4,), "float64"),
    case(_KEYS[1], 2, 1.0, (3,), "float64"),
    dtype="float64",
    ulps=64,
    oracle=_in_ball,
)
_drawn(
    "random.orthogonal",
    case(_KEYS[0], 3, (2,), 3, "float64"),
    case(_KEYS[1], 2, (), 4, "float64"),
    dtype="float64",
    ulps=4096,
    oracle=_q,
)

_drawn(
    "random.poisson",
    *[
        case(key, values(rates))
        for key in _KEYS
        for rates in (
            np.array([0.0, 0.3, 4.0, 9.5]),
            np.array([10.0, 33.3, 1e3, 3e4]),
            np.array([2.0, 50.0]),
        )
    ],
    dtype="int64",
    oracle=variates.poissons,
)
_drawn(
    "random.binomial",
    *[
        case(key, values(np.array(n)), values(np.array(p)))
        for key in _KEYS
        for n, p in (
            ([0, 5, 20, 1000], [0.3, 1.0, 0.9, 0.004]),
            ([50, 300, 10**6, 60], [0.5, 0.9, 0.3, 0.2]),
        )
    ],
    dtype="int64",
    oracle=variates.binomials,
)


def _multinomials(key: Array, n: Array, p: Array) -> Array:
    """Share draws out between halves of the categories, again and again."""
    size = p.shape[-1]
    depth = max((size - 1).bit_length(), 0)
    full = np.zeros((*p.shape[:-1], 2**depth))
    full[..., :size] = p
    levels = [full]
    while levels[-1].shape[-1] > 1:
        levels.append(levels[-1][..., 0::2] + levels[-1][..., 1::2])
    count = np.broadcast_to(n, p.shape[:-1])[..., None]
    keys = threefry.split(key, max(depth, 1))
    for subkey, level in zip(keys, reversed(levels[:-1]), strict=False):
        both = level[..., 0::2] + level[..., 1::2]
        part = np.where(both > 0, level[..., 0::2] / np.where(both > 0, both, 1), 0)
        first = np.reshape(variates.binomials(subkey, count, part), part.shape)
        count = np.stack([first, count - first], -1).reshape(level.shape)
    return count[..., :size]


_drawn(
    "random.multinomial",
    *[case(key, values([20, 5]), values([[0.2, 0.5, 0.3], [0.0, 2.0, 1.0]])) for key in _KEYS],
    case(_KEYS[0], values(40), values([0.1, 0.2, 0.3, 0.4, 0.5])),
    case(_KEYS[1], values(7), values([1.0])),
    dtype="int64",
    oracle=_multinomials,
)


def _trials(key: Array, p: Array, shape: tuple[int, ...]) -> Array:
    u = threefry.unit(key, shape, "float64")
    return np.asarray(np.floor(np.log(u) / np.log1p(-p)) + 1).astype(np.int64)


_drawn(
    "random.geometric",
    *[case(key, values(np.array([0.9, 0.3, 0.01, 1e-6, 0.5])), _SHAPE) for key in _KEYS],
    dtype="int64",
    call=lambda ug, key, p, shape: ug.random.geometric(key, ug.astype(p, "float64"), shape),
    oracle=_trials,
)
_drawn(
    "random.rademacher",
    *[case(key, _SHAPE) for key in _KEYS],
    dtype="int64",
    oracle=lambda key, shape: 2 * (threefry.unit(key, shape, "float32") < 0.5) - 1,
)
_drawn(
    "random.dropout_mask",
    *[case(key, 0.25, _SHAPE) for key in _KEYS],
    dtype="bool",
    oracle=lambda key, rate, shape: threefry.unit(key, shape, "float32") < 1 - rate,
)

_CHANCES = values(np.linspace(0.1, 1, 50, dtype=np.float32))


def _looked_up(key: Array, size: int, shape: tuple[int, ...], replace: bool, p: Array) -> Array:
    bounds = variates.running_sums(p.astype(np.float32).tolist())
    rest = (1 - threefry.unit(key, shape, "float32")).astype(np.float32)
    return np.asarray(np.searchsorted(bounds, bounds[-1] * rest))


_drawn(
    "random.choice",
    *[case(key, 50, (40,), True, _CHANCES) for key in _KEYS],
    dtype="int64",
    oracle=_looked_up,
    call=lambda ug, key, size, shape, replace, p: ug.random.choice(
        key, size, shape, replace, ug.astype(p, "float32")
    ),
)


def _noisy(key: Array, logits: Array, shape: tuple[int, ...]) -> Array:
    u = threefry.between(key, shape, "float64", _TINY["float64"], 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(logits - np.log(-np.log(u)))


_drawn(
    "random.choice",
    *[case(key, 30, (20,), False, real(30, low=0.0, high=1.0)) for key in _KEYS],
    dtype="int64",
    call=lambda ug, key, size, shape, replace, p: ug.random.choice(
        key, size, shape, replace, ug.astype(p, "float64")
    ),
    oracle=lambda key, size, shape, replace, p: np.argsort(
        -_noisy(key, np.log(p), (size,)), kind="stable"
    )[:20],
)
_drawn(
    "random.categorical",
    *[case(key, real(3, 8), -1, (4, 3), False) for key in _KEYS],
    dtype="int64",
    call=lambda ug, key, logits, *rest: ug.random.categorical(
        key, ug.astype(logits, "float64"), *rest
    ),
    oracle=lambda key, logits, *rest: (
        np.argsort(-_noisy(key, logits, logits.shape), axis=-1, kind="stable")[:, :4].T
    ),
)
