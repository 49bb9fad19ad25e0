"""What draws promise as statistics: their distributions, no memory, gradients, and their errors.

Seeds are fixed, so a check passes or fails for good. A probability below 10⁻⁴ is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import scipy.special
import scipy.stats

import unigrad as ug
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, quiet

_COUNT = 4000
_RARE = 1e-4
_DEVIATIONS = 5.0

#: The arguments between the key and the shape, and the distribution that the draws must have.
CONTINUOUS: Mapping[str, list[tuple[tuple[Any, ...], Any]]] = {
    "uniform": [((), scipy.stats.uniform())],
    "normal": [((), scipy.stats.norm())],
    "laplace": [((), scipy.stats.laplace())],
    "logistic": [((), scipy.stats.logistic())],
    "cauchy": [((), scipy.stats.cauchy())],
    "gumbel": [((), scipy.stats.gumbel_r())],
    "exponential": [((), scipy.stats.expon())],
    "truncated_normal": [
        ((low, high), scipy.stats.truncnorm(low, high))
        for low, high in ((-1.0, 2.0), (8.0, 20.0), (-20.0, -8.0), (0.0, 1.0), (-9.0, 0.5))
    ],
    "pareto": [((3.0,), scipy.stats.pareto(3.0))],
    "weibull": [((2.0, 1.5), scipy.stats.weibull_min(1.5, scale=2.0))],
    "rayleigh": [((2.0,), scipy.stats.rayleigh(scale=2.0))],
    "gamma": [((a,), scipy.stats.gamma(a)) for a in (0.2, 1.0, 7.5, 1e4)],
    "loggamma": [((2.5,), scipy.stats.loggamma(2.5))],
    "chisquare": [((3.0,), scipy.stats.chi2(3.0))],
    "student_t": [((5.0,), scipy.stats.t(5.0))],
    "beta": [((a, b), scipy.stats.beta(a, b)) for a, b in ((0.5, 2.0), (20.0, 3.0))],
}
DISCRETE: Mapping[str, list[tuple[tuple[Any, ...], Any]]] = {
    "poisson": [((rate,), scipy.stats.poisson(rate)) for rate in (0.5, 6.0, 12.0, 300.0)],
    "binomial": [
        ((n, p), scipy.stats.binom(n, p)) for n, p in ((9, 0.4), (40, 0.5), (900, 0.9), (30, 0.02))
    ],
    "geometric": [((p,), scipy.stats.geom(p)) for p in (0.7, 0.05)],
}


def _floats(name: str, arguments: tuple[Any, ...], dtype: str = "float64", seed: int = 1) -> Array:
    function = getattr(ug.random, name)
    drawn = function(ug.random.key(seed), *arguments, (_COUNT,), dtype).numpy()
    return np.asarray(drawn, np.float64)


def _require_chance(what: str, chance: float) -> None:
    if not chance > _RARE:
        raise Deviation(f"{what}: draws like these have a probability of {chance:.1e}")


def _require_moment(what: str, found: float, wanted: float, error: float) -> None:
    if not abs(found - wanted) <= _DEVIATIONS * error:
        raise Deviation(f"{what} is {found}, not {wanted} within {_DEVIATIONS} · {error:.2e}")


def has_its_distribution(name: str) -> None:
    """The draws pass Kolmogorov's and Smirnov's test, and have the mean and the variance."""
    for arguments, distribution in CONTINUOUS[name]:
        for dtype in ("float64", "float32"):
            what = f"{name}{arguments} in {dtype}"
            x = _floats(name, arguments, dtype)
            _require_chance(what, scipy.stats.kstest(x, distribution.cdf).pvalue)
            _moments(what, x, distribution)


def _moments(what: str, x: Array, distribution: Any) -> None:
    mean, variance, _, kurtosis = [float(m) for m in distribution.stats("mvsk")]
    if np.isfinite(variance) and variance > 0:
        _require_moment(f"{what}: the mean", x.mean(), mean, (variance / len(x)) ** 0.5)
    # Far out in a tail SciPy's own integral of the fourth moment has no digits.
    if np.isfinite(kurtosis) and -2 < kurtosis < 1e3:
        error = variance * ((kurtosis + 2) / len(x)) ** 0.5
        _require_moment(f"{what}: the variance", x.var(), variance, error)


def has_its_chances(name: str) -> None:
    """Counts of the draws pass Pearson's χ² test."""
    for arguments, distribution in DISCRETE[name]:
        x = _floats(name, arguments, "int64")
        low, high = distribution.ppf(1e-3), distribution.ppf(1 - 1e-3)
        edges = np.unique(np.linspace(low, high, 24).astype(int))
        chances = np.diff(np.concatenate([[0.0], distribution.cdf(edges), [1.0]]))
        bounds = np.concatenate([[-np.inf], edges + 0.5, [np.inf]])
        _chances(f"{name}{arguments}", np.histogram(x, bounds)[0], chances)


def _chances(what: str, counts: Array, chances: Array) -> None:
    """Test counts after joining those of which fewer than five are expected."""
    many = chances * counts.sum() >= 5
    counts = np.append(counts[many], counts[~many].sum())
    expected = np.append(chances[many], chances[~many].sum()) * counts.sum()
    some = expected > 0
    if counts[~some].any():
        raise Deviation(f"{what}: a draw that is impossible")
    expected = expected[some] / expected[some].sum() * counts.sum()
    _require_chance(what, scipy.stats.chisquare(counts[some], expected).pvalue)


def categories_have_their_chances() -> None:
    """`categorical` and `choice` follow their probabilities, `rademacher` and coins theirs."""
    p = np.array([0.1, 0.05, 0.3, 0.0, 0.55])
    key = ug.random.key(2)
    with np.errstate(divide="ignore"):
        logits = ug.asarray(np.log(p))
    drawn = {
        "categorical": ug.random.categorical(key, logits, shape=(_COUNT,)),
        "choice": ug.random.choice(key, 5, (_COUNT,), True, p),
        "categorical without replacement": ug.random.categorical(
            key, ug.broadcast_to(logits, (_COUNT, 5)), -1, (1, _COUNT), False
        )[0],
    }
    for what, x in drawn.items():
        _chances(what, np.bincount(x.numpy(), minlength=5), p)
    # Few of many are drawn, so that none of the chances changes much on the way.
    heavy = np.where(np.arange(20_000) % 2 == 0, 4.0, 1.0)
    found = ug.random.choice(key, 20_000, (400,), False, heavy).numpy()
    _chances("choice without replacement", np.bincount(found % 2), np.array([0.8, 0.2]))
    signs = ug.random.rademacher(key, (_COUNT,)).numpy()
    _chances("rademacher", np.bincount((signs + 1) // 2, minlength=2), np.array([0.5, 0.5]))
    kept = ug.random.dropout_mask(key, 0.3, (_COUNT,)).numpy()
    _chances("dropout_mask", np.bincount(kept.astype(int)), np.array([0.3, 0.7]))


def nothing_comes_twice_without_replacement() -> None:
    """Draws without replacement are distinct, with probabilities and without."""
    key, p = ug.random.key(5), np.linspace(1, 2, 60)
    for what, x in (
        ("choice", ug.random.choice(key, 60, (50,), False)),
        ("choice with p", ug.random.choice(key, 60, (50,), False, p)),
        ("categorical", ug.random.categorical(key, np.log(p), -1, (50,), False)),
    ):
        if len(set(x.tolist())) != 50:
            raise Deviation(f"{what}: an index comes twice")


def vectors_have_their_covariance() -> None:
    """Normal vectors, points in a ball and orthogonal matrices have their second moments."""
    key = ug.random.key(4)
    cov = np.array([[2.0, -0.6, 0.3], [-0.6, 1.0, 0.2], [0.3, 0.2, 0.5]])
    x = ug.random.multivariate_normal(key, np.arange(3.0), cov, (_COUNT,), "float64").numpy()
    error = np.sqrt((np.outer(np.diag(cov), np.diag(cov)) + cov**2) / _COUNT)
    if (np.abs(np.cov(x.T) - cov) > _DEVIATIONS * error).any():
        raise Deviation(f"multivariate_normal: the covariance is {np.cov(x.T)}")
    ball = ug.random.ball(key, 3, 2.0, (_COUNT,), "float64").numpy()
    radius = np.linalg.norm(ball, axis=-1)
    _require_chance("ball: the radius", scipy.stats.kstest(radius**3, "uniform").pvalue)
    q = ug.random.orthogonal(key, 3, (1000,), dtype="float64").numpy()
    off = np.abs(q @ q.transpose(0, 2, 1) - np.eye(3)).max()
    if off > 1e-12:
        raise Deviation(f"orthogonal: off by {off}")
    # A coordinate of a point on the sphere in three dimensions is uniform.
    for i in range(3):
        chance = scipy.stats.kstest(q[:, i, 0], scipy.stats.uniform(-1, 2).cdf).pvalue
        _require_chance("orthogonal: a coordinate", chance)


def draws_have_no_memory() -> None:
    """Neighbours are uncorrelated, at several distances; every bit is a fair coin."""
    x = ug.random.uniform(ug.random.key(8), (20 * _COUNT,), "float64").numpy() - 0.5
    for lag in (1, 2, 3, 8, 64, 1000):
        correlation = float((x[:-lag] * x[lag:]).mean() * 12)
        _require_moment(f"the correlation at a lag of {lag}", correlation, 0.0, len(x) ** -0.5)
    words = ug.random.bits(ug.random.key(8), (20 * _COUNT,), "uint32").numpy()
    for i in range(32):
        share = float(((words >> np.uint32(i)) & 1).mean())
        _require_moment(f"the share of bit {i}", share, 0.5, 0.5 * len(words) ** -0.5)


def split_keys_are_independent() -> None:
    """Draws of a key's children, of children's children and of folded keys are uncorrelated."""
    key = ug.random.key(9)
    children = [*ug.random.split(key, 3)]
    children += [*ug.random.split(children[0])]
    # (The keys that fold_in makes of small integers are those of split, as in `jax.random`.)
    children += [ug.random.fold_in(children[1], i) for i in range(5, 8)]
    shape = (5 * _COUNT,)
    x = np.stack([ug.random.normal(one, shape).numpy() for one in (key, *children)])
    correlations = np.corrcoef(x) - np.eye(len(x))
    _require_moment("a correlation", np.abs(correlations).max(), 0.0, shape[0] ** -0.5)


def gamma_follows_its_quantile() -> None:
    """A gamma draw is differentiated by its shape as the quantile of a fixed probability."""
    for shape in (0.05, 0.7, 1.0, 4.0, 60.0, 3e3):
        a = ug.asarray(np.full(40, shape))
        for reference in (False, True):
            with ug.GradientTape(reference=reference) as tape:
                tape.watch(a)
                x = ug.random.loggamma(ug.random.key(3), a, dtype="float64")
            got = tape.gradient(x, a).numpy()
            _require_slopes(f"loggamma({shape})", x.numpy(), shape, got)


def _require_slopes(what: str, log_x: Array, a: float, got: Array) -> None:
    """Compare slopes with central differences of SciPy's quantiles, where those have digits."""
    x, h = np.exp(log_x), 1e-4 * a
    lower = scipy.special.gammainc(a, x)
    usable = (lower > 1e-10) & (lower < 0.99) & (x > 1e-200)
    quantiles = [np.log(scipy.special.gammaincinv(a + step, lower[usable])) for step in (-h, h)]
    wanted = (quantiles[1] - quantiles[0]) / (2 * h)
    off = np.abs(got[usable] / wanted - 1).max()
    if not off < 1e-5:
        raise Deviation(f"the gradient of {what} is off by {off:.1e}")


def gradients_are_those_of_the_mean() -> None:
    """The mean of a draw's gradient is the gradient of the mean: beta, Student's t, Dirichlet."""
    key = ug.random.key(6)

    def slope(draw: Callable[[ug.Tensor], ug.Tensor], at: float) -> Array:
        x = ug.asarray(np.full(_COUNT, at))
        with ug.GradientTape() as tape:
            tape.watch(x)
            drawn = draw(x)
        found: Array = tape.gradient(drawn, x).numpy()
        return found

    cases = {
        "beta by a": (slope(lambda a: ug.random.beta(key, a, 2.0, dtype="float64"), 3.0), 2 / 25),
        "beta by b": (slope(lambda b: ug.random.beta(key, 3.0, b, dtype="float64"), 2.0), -3 / 25),
        "t² by df": (
            # The mean of t² is df / (df - 2).
            slope(lambda df: ug.random.student_t(key, df, dtype="float64") ** 2, 12.0),
            -2 / 100,
        ),
        "chisquare": (slope(lambda df: ug.random.chisquare(key, df, dtype="float64"), 3.0), 1.0),
    }
    for what, (slopes, wanted) in cases.items():
        _require_moment(f"{what}: the mean slope", slopes.mean(), wanted,
                        slopes.std() / len(slopes) ** 0.5)  # fmt: skip


#: Calls with a parameter outside of its domain, as functions of that parameter.
OUTSIDE: Mapping[str, tuple[Callable[[ug.Tensor, Any], ug.Tensor], float]] = {
    "gamma": (lambda key, a: ug.random.gamma(key, a), -1.0),
    "loggamma": (lambda key, a: ug.random.loggamma(key, a), 0.0),
    "beta": (lambda key, a: ug.random.beta(key, a, 1.0), float("nan")),
    "dirichlet": (lambda key, a: ug.random.dirichlet(key, ug.stack([a, a])), -1.0),
    "chisquare": (lambda key, df: ug.random.chisquare(key, df), float("inf")),
    "student_t": (lambda key, df: ug.random.student_t(key, df), -3.0),
    "pareto": (lambda key, b: ug.random.pareto(key, b), 0.0),
    "weibull": (lambda key, c: ug.random.weibull(key, 1.0, c), -1.0),
    "rayleigh": (lambda key, scale: ug.random.rayleigh(key, scale), -1.0),
    "normal": (lambda key, scale: ug.random.normal(key, scale=scale), -1.0),
    "laplace": (lambda key, loc: ug.random.laplace(key, loc=loc), float("nan")),
    "truncated_normal": (lambda key, low: ug.random.truncated_normal(key, low, 1.0), 2.0),
    "poisson": (lambda key, rate: ug.random.poisson(key, rate, dtype="float32"), -1.0),
    "binomial": (lambda key, p: ug.random.binomial(key, 5, p, dtype="float32"), 1.5),
    "geometric": (lambda key, p: ug.random.geometric(key, p, dtype="float32"), 0.0),
}


def refuses_what_is_outside_of_the_domain(name: str) -> None:
    """A parameter that is none is a `SettingError` in eager mode, and gives NaN in a program."""
    key, (call, wrong) = ug.random.key(0), OUTSIDE[name]
    with quiet():
        try:
            call(key, ug.asarray(wrong))
        except ug.SettingError:
            pass
        else:
            raise Deviation(f"{name} takes {wrong}")
        found = ug.jit(call)(key, ug.asarray(wrong)).numpy()
    if not np.isnan(found).all():
        raise Deviation(f"{name} of {wrong} gives {found} in a program, not NaN")


#: Draws of counts and indices, as functions of a key and probabilities.
COUNTS: Mapping[str, Callable[[ug.Tensor, ug.Tensor], ug.Tensor]] = {
    "choice": lambda key, p: ug.random.choice(key, 200, (300,), True, p),
    "choice without replacement": lambda key, p: ug.random.choice(key, 200, (100,), False, p),
    "categorical": lambda key, p: ug.random.categorical(key, ug.log(p), shape=(300,)),
    "binomial": lambda key, p: ug.random.binomial(key, 30, p / 2),
    "poisson": lambda key, p: ug.random.poisson(key, p * 8),
    "geometric": lambda key, p: ug.random.geometric(key, p / 2),
    "rademacher": lambda key, p: ug.random.rademacher(key, (50,)),
}


def programs_draw_the_same(name: str) -> None:
    """Counts and indices of a compiled function are those of a plain one, exactly."""
    draw, key = COUNTS[name], ug.random.key(12)
    p = ug.asarray(np.linspace(0.5, 1.5, 200).astype(np.float32))
    got, wanted = ug.jit(draw)(key, p).numpy(), draw(key, p).numpy()
    if not np.array_equal(got, wanted):
        raise Deviation(f"{got} in a program, {wanted} outside")


#: A check per distribution, by name.
DISTRIBUTIONS: dict[str, Callable[[], None]] = {
    **{f"distribution of {name}": partial(has_its_distribution, name) for name in CONTINUOUS},
    **{f"chances of {name}": partial(has_its_chances, name) for name in DISCRETE},
}
#: A check per draw with a domain, by name.
DOMAINS: dict[str, Callable[[], None]] = {
    f"outside of the domain: {name}": partial(refuses_what_is_outside_of_the_domain, name)
    for name in OUTSIDE
}
#: A check per draw of counts, by name.
PROGRAMS_THAT_DRAW: dict[str, Callable[[], None]] = {
    f"a program draws the same: {name}": partial(programs_draw_the_same, name) for name in COUNTS
}
#: The other checks, by name.
STATISTICS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        categories_have_their_chances,
        nothing_comes_twice_without_replacement,
        vectors_have_their_covariance,
        draws_have_no_memory,
        split_keys_are_independent,
        gamma_follows_its_quantile,
        gradients_are_those_of_the_mean,
    )
}
