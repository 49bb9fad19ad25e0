"""Distributions against `jax.random` and SciPy, the same everywhere, and keys that are reused."""

import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
import scipy.stats

import unigrad as ug
from unigrad.random import reuse
from unigrad_conformance import bad_draws

SEED = 11


@pytest.fixture(autouse=True)
def oracle() -> Iterator[None]:
    """The oracle needs 64 bits and the layout of counters that JAX has by default."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    with jax.threefry_partitionable(True):
        yield
    jax.config.update("jax_enable_x64", before)


def assert_within(got: ug.Tensor, wanted: Any, ulps: float) -> None:
    """Values within units in the last place, of 1 for those below."""
    found, wanted = got.numpy(), np.asarray(wanted)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    unit = np.spacing(np.maximum(np.abs(wanted), 1).astype(found.dtype)).astype(np.float64)
    off = np.abs(found.astype(np.float64) - wanted.astype(np.float64)) / unit
    assert off.max() <= ulps, off.max()


@pytest.mark.parametrize(
    "name", ["normal", "gumbel", "exponential", "laplace", "logistic", "cauchy"]
)
def test_functions_of_a_uniform_number_are_those_of_jax(backend: str, name: str) -> None:
    key, theirs = ug.random.key(SEED), jax.random.key(SEED, impl="threefry2x32")
    got = getattr(ug.random, name)(key, (20000,), "float32")
    assert_within(got, getattr(jax.random, name)(theirs, (20000,), "float32"), 4)


def test_those_of_a_parameter_are_those_of_jax(backend: str) -> None:
    key, theirs = ug.random.key(SEED), jax.random.key(SEED, impl="threefry2x32")
    shape, two, half = (5000,), np.float32(2.5), np.float32(1.5)
    got = ug.random.pareto(key, 2.5, shape)
    assert_within(got, jax.random.pareto(theirs, two, shape, "float32"), 4)
    got = ug.random.weibull(key, 2.5, 1.5, shape)
    assert_within(got, jax.random.weibull_min(theirs, two, half, shape, "float32"), 4)
    got = ug.random.rayleigh(key, 2.5, shape)
    assert_within(got, jax.random.rayleigh(theirs, two, shape, "float32"), 4)


@pytest.mark.parametrize("size", [3, 17, 300, 10_000])
def test_choice_with_chances_is_that_of_jax(backend: str, size: int) -> None:
    p = np.random.default_rng(size).random(size).astype(np.float32)
    theirs = jax.random.key(SEED, impl="threefry2x32")
    got = ug.random.choice(ug.random.key(SEED), size, (20_000,), True, p).numpy()
    np.testing.assert_array_equal(got, jax.random.choice(theirs, size, (20_000,), True, p))


def test_scores_are_equal_bit_for_bit(backend: str) -> None:
    """Close scores, of which float32 logarithms would change the order, are sorted alike."""
    key = ug.random.key(SEED)
    p = np.random.default_rng(1).random(10_000).astype(np.float32)
    logits = np.random.default_rng(2).normal(size=(30, 1000)).astype(np.float32)
    found = [
        ug.random.choice(key, 10_000, (10_000,), False, p),
        ug.random.categorical(key, logits, -1, (50, 30)),
        ug.random.categorical(key, logits, -1, (300, 30), False),
    ]
    with ug.use_backend("numpy"):
        key = ug.random.key(SEED)
        wanted = [
            ug.random.choice(key, 10_000, (10_000,), False, p),
            ug.random.categorical(key, logits, -1, (50, 30)),
            ug.random.categorical(key, logits, -1, (300, 30), False),
        ]
    for got, one in zip(found, wanted):
        np.testing.assert_array_equal(got.numpy(), one.numpy())


@pytest.mark.parametrize("bounds", [(8.0, 20.0), (-20.0, -8.0), (30.0, np.inf), (3.0, 3.001)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tails_of_the_normal_distribution(
    backend: str, bounds: tuple[float, float], dtype: str
) -> None:
    low, high = bounds
    for given in (bounds, [ug.asarray(one, dtype=dtype) for one in bounds]):
        x = ug.random.truncated_normal(ug.random.key(3), *given, (20_000,), dtype).numpy()
        assert ((x > np.dtype(dtype).type(low)) & (x < np.dtype(dtype).type(high))).all()
        known = scipy.stats.truncnorm(low, high)
        x = x.astype(np.float64)
        assert abs(x.mean() - known.mean()) < 5 * known.std() / len(x) ** 0.5
        # A tail is nearly exponential, whose kurtosis is 9.
        assert abs(x.var() / known.var() - 1) < 5 * (8 / len(x)) ** 0.5


def test_a_truncated_draw_is_a_function_of_its_bounds(backend: str) -> None:
    """By finite differences, in the middle and in both tails."""
    key, h = ug.random.key(3), 1e-5
    for low, high in ((-1.0, 2.0), (5.0, 6.0), (-7.0, -6.0), (9.0, 30.0)):

        def draw(low: Any, high: Any) -> ug.Tensor:
            return ug.random.truncated_normal(key, low, high, (9,), "float64")

        bounds = [ug.asarray(one, dtype="float64") for one in (low, high)]
        with ug.GradientTape() as tape:
            tape.watch(bounds)
            x = draw(*bounds)
        got = tape.gradient(x, bounds)
        for i, one in enumerate(got):
            step = h * np.eye(2)[i]
            moved = [ug.asarray([low, high]) + s * step for s in (-1, 1)]
            sides = [draw(at[0], at[1]).numpy().sum() for at in moved]
            np.testing.assert_allclose(one.numpy(), (sides[1] - sides[0]) / (2 * h), 1e-6, 1e-8)


def test_locations_and_scales(backend: str) -> None:
    key, scale = ug.random.key(0), np.array([1.0, 2.0])
    for name in ("normal", "gumbel", "laplace", "logistic", "cauchy"):
        draw: Callable[..., ug.Tensor] = getattr(ug.random, name)
        x = draw(key, (5, 2), "float64").numpy()
        placed = draw(key, (5, 2), "float64", loc=3.0, scale=scale)
        np.testing.assert_allclose(placed.numpy(), 3.0 + scale * x, rtol=1e-15)
        with pytest.raises(ug.ShapeError):
            draw(key, (5, 2), loc=np.zeros(3))


def test_errors(backend: str) -> None:
    key = ug.random.key(0)
    for error, call in (
        (ug.SettingError, lambda: ug.random.choice(key, 2, p=np.array([1.0, -1.0]))),
        (ug.SettingError, lambda: ug.random.choice(key, 2, p=np.zeros(2))),
        (ug.SettingError, lambda: ug.random.bernoulli(key, 1.5)),
        (ug.SettingError, lambda: ug.random.dropout_mask(key, -0.1, (3,))),
        (ug.SettingError, lambda: ug.random.multivariate_normal(key, np.zeros(2), -np.eye(2))),
        (ug.SettingError, lambda: ug.random.binomial(key, 2.5, 0.5)),
        (ug.SettingError, lambda: ug.random.poisson(key, 1e30)),
        (ug.SettingError, lambda: ug.random.ball(key, 2, -1.0)),
        (ug.ShapeError, lambda: ug.random.multivariate_normal(key, np.zeros(2), np.eye(3))),
        (ug.ShapeError, lambda: ug.random.dirichlet(key, 1.0)),
        (ug.ShapeError, lambda: ug.random.gamma(key, np.ones(2), (3,))),
        (ug.ShapeError, lambda: ug.random.categorical(key, np.zeros(2), -1, (3,), False)),
        (ug.DTypeError, lambda: ug.random.gamma(key, 1.0, dtype="int32")),
        (ug.DTypeError, lambda: ug.random.rademacher(key, (), "uint8")),
        (ug.DTypeError, lambda: ug.random.poisson(key, 1.0, dtype="complex64")),
    ):
        with pytest.raises(error):
            call()


OUTSIDE: dict[str, Callable[[Any], Any]] = {
    "gamma": lambda key: ug.random.gamma(key, 0.0, (2,)),
    "gammas": lambda key: ug.random.gamma(key, [1.0, -1.0], (2,)),
    "dirichlet": lambda key: ug.random.dirichlet(key, np.array([1.0, np.nan])),
    "normal": lambda key: ug.random.normal(key, (2,), scale=np.float32(-1.0)),
    "half": lambda key: ug.random.gamma(key, 1e6, (2,), "float16"),
    "truncated_normal": lambda key: ug.random.truncated_normal(key, [2.0, 3.0], 2.5),
    "ball": lambda key: ug.random.ball(key, 2, -1.0),
    "bernoulli": lambda key: ug.random.bernoulli(key, 1.5, (2,)),
    "poisson": lambda key: ug.random.poisson(key, -1.0, (2,)),
    "categorical": lambda key: ug.random.categorical(key, [0.0, np.inf], shape=(2,)),
    "choice": lambda key: ug.random.choice(key, 2, (2,), p=[1.0, -1.0]),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_numbers_are_seen_to_be_outside_in_a_trace_as_well(backend: str, name: str) -> None:
    for call in (OUTSIDE[name], ug.jit(OUTSIDE[name])):
        with pytest.raises(ug.SettingError, match=r"random\.\w+: "):
            call(ug.random.key(0))


def test_no_draws_and_narrow_integers(backend: str) -> None:
    key = ug.random.key(0)
    for x in (
        ug.random.gamma(key, 2.0, (0, 3)),
        ug.random.poisson(key, 20.0, (0, 3)),
        ug.random.truncated_normal(key, 8.0, 9.0, (0, 3)),
        ug.random.orthogonal(key, 3, (0,)),
    ):
        assert x.size == 0
    assert ug.random.poisson(key, 1e6, (3,), "int8").tolist() == [127] * 3


# -- keys that are used twice


@pytest.fixture
def watching() -> Iterator[None]:
    reuse.watch()
    yield
    reuse.watch(False)


def _reported(program: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program()
    return [str(one.message) for one in caught if one.category is ug.random.KeyReuseWarning]


def _lines(*calls: Callable[[], Any]) -> list[int]:
    return [call.__code__.co_firstlineno for call in calls]


def test_a_reused_key_is_reported_with_both_lines(backend: str, watching: None) -> None:
    key = ug.random.key(123)
    first = lambda: ug.random.student_t(key, 3.0, (4,))  # noqa: E731
    second = lambda: ug.random.choice(key, 5, (2,))  # noqa: E731
    assert _reported(first) == []
    (message,) = _reported(second)
    one, two = _lines(first, second)
    assert f"{__file__}:{one} (random.student_t)" in message
    assert f"{__file__}:{two} (random.randint)" in message


def test_keys_used_once_are_not_reported(backend: str, watching: None) -> None:
    def program() -> None:
        one, two, three, four = ug.random.split(ug.random.key(5), 4)
        for i in range(3):
            ug.random.normal(ug.random.fold_in(one, i))
        ug.random.dirichlet(two, np.ones(3))
        ug.random.permutation(three, 10)
        ug.random.choice(four, 10, (3,))
        generator = ug.random.Generator(1)
        generator.gamma(2.0)
        generator.poisson(50.0)

    assert _reported(program) == []


def _every_draw() -> dict[str, Callable[[Any], Any]]:
    """Return a call of every function that uses a key up."""
    of_one = "chisquare", "gamma", "loggamma", "pareto", "poisson", "student_t"
    given: dict[str, tuple[Any, ...]] = {
        **dict.fromkeys(of_one, (1.0,)),
        "beta": (1.0, 1.0), "binomial": (5, 0.5), "geometric": (0.5,), "weibull": (1.0, 1.0),
        "categorical": ([0.0, 0.0],), "dirichlet": ([1.0, 1.0],), "randint": ((), 0, 3),
        "multivariate_normal": ([0.0], [[1.0]]), "permutation": (3,), "orthogonal": (2,),
        "truncated_normal": (-1.0, 1.0), "ball": (2,), "dropout_mask": (0.5,),
        "multinomial": (5, [0.5, 0.5]),
    }  # fmt: skip
    random: Any = ug.random

    def call(name: str, key: Any) -> Any:
        return getattr(random, name)(key, *given.get(name, ()))

    def choose(replace: bool, p: Any, key: Any) -> Any:
        return random.choice(key, 3, (2,), replace, p)

    draws = {one for one in random.__all__ if one.islower()} - {"key", "fold_in", "choice"}
    calls = {one: partial(call, one) for one in draws}
    for replace in (False, True):
        for p in (None, [0.1, 0.2, 0.7]):
            calls[f"choice {replace} {p}"] = partial(choose, replace, p)
    return calls


def test_every_draw_uses_its_key_up_once(watching: None) -> None:
    with ug.use_backend("numpy"):
        for name, call in _every_draw().items():
            reuse.watch()
            key = ug.random.key(1)
            assert _reported(lambda: call(key)) == [], name  # noqa: B023
            assert len(_reported(lambda: call(key))) == 1, name  # noqa: B023


def test_a_parameter_that_rounding_took_out_of_its_domain_says_so() -> None:
    key = ug.random.key(0)
    for value in (1e-9, ug.asarray(1e-9, dtype="float64"), 7e4):
        with pytest.raises(ug.SettingError, match="to which it is rounded in float16"):
            ug.random.gamma(key, value, dtype="float16")


@pytest.mark.parametrize("backend", ["numpy", "torch"], indirect=True)
def test_tails_in_programs(backend: str) -> None:
    bad_draws.tails_have_slopes_in_programs()


def test_a_traced_key_is_watched_too(backend: str, watching: None) -> None:
    def draw(key: ug.Tensor) -> ug.Tensor:
        return ug.random.normal(key) + ug.random.normal(key)

    (message,) = _reported(lambda: ug.jit(draw)(ug.random.key(77)))
    assert message.count(__file__) == 2


def test_the_variable_switches_it_on() -> None:
    program = "import unigrad as ug; k = ug.random.key(0)\nug.random.normal(k)\nug.random.normal(k)"
    for value, said in (("1", True), ("0", False), ("", False)):
        environment = {**os.environ, "UNIGRAD_DEBUG_KEYS": value, "UNIGRAD_BACKEND": "numpy"}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )
        assert ("KeyReuseWarning" in done.stderr) is said, done.stderr
