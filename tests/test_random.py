"""`ug.random` on every backend against `jax.random`, and its errors."""

import math
from typing import Any

import jax
import numpy as np
import pytest
import scipy.special

import unigrad as ug

SEED = 7
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
RANGES = ((-1.0, 1.0), (-0.3, 0.7), (2.5, 9.1), (0.0, 3.7), (1e-3, 1e3), (-5.5, -5.4))


@pytest.fixture(autouse=True)
def oracle() -> Any:
    """The oracle needs 64 bits and the layout of counters that JAX has by default."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    with jax.threefry_partitionable(True):
        yield
    jax.config.update("jax_enable_x64", before)


def oracle_key(seed: int = SEED) -> Any:
    return jax.random.key(seed, impl="threefry2x32")


def assert_same(got: Any, expected: Any) -> None:
    """Same dtype, shape and bits."""
    got, expected = got.numpy(), np.asarray(expected)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(
        got.reshape(-1).view(np.uint8), expected.reshape(-1).view(np.uint8)
    )


def assert_close(got: Any, expected: Any, ulps: float) -> None:
    """Same dtype and shape, and values within units in the last place (of 1 for those below)."""
    got, expected = got.numpy(), np.asarray(expected)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    spacing = np.spacing(np.maximum(np.abs(expected), 1).astype(got.dtype)).astype(np.float64)
    error = np.abs(got.astype(np.float64) - expected.astype(np.float64)) / spacing
    assert error.max() <= ulps, error.max()


def uniform_of_jax(shape: tuple[int, ...], dtype: str, low: float, high: float) -> Any:
    """Return `jax.random.uniform`'s numbers, those of float16 with a rounding after each step.

    XLA leaves one out where a processor has arithmetic of half precision.
    """
    if dtype != "float16":
        return jax.random.uniform(oracle_key(), shape, dtype, low, high)
    unit = np.asarray(jax.random.uniform(oracle_key(), shape, dtype))
    first, last = np.float16(low), np.float16(high)
    expected = np.maximum(first, unit * (last - first) + first)
    x = np.float16(1 + 2**-10)
    if jax.jit(lambda x, y: x * x + y)(x, -x) == x * x - x:
        np.testing.assert_array_equal(
            expected, jax.random.uniform(oracle_key(), shape, dtype, low, high)
        )
    return expected


@pytest.mark.parametrize("seed", [0, 1, 2**32 + 5, 2**63 - 1, -1, -(2**63)])
def test_key(backend: str, seed: int) -> None:
    assert_same(ug.random.key(seed), jax.random.key_data(oracle_key(seed)))
    assert ug.random.key(seed).backend.name == backend


def test_split_unpacks_and_fold_in(backend: str) -> None:
    first, second, third = ug.random.split(ug.random.key(SEED), 3)
    expected = jax.random.key_data(jax.random.split(oracle_key(), 3))
    for got, one in zip((first, second, third), expected):
        assert_same(got, one)
    for data in (0, 5, 2**31, 2**32 - 1):
        expected = jax.random.key_data(jax.random.fold_in(oracle_key(), data))
        assert_same(ug.random.fold_in(ug.random.key(SEED), data), expected)
        assert_same(ug.random.fold_in(ug.random.key(SEED), ug.asarray(data)), expected)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_bits(backend: str, dtype: str) -> None:
    got = ug.random.bits(ug.random.key(SEED), (3, 5), dtype)
    assert_same(got, jax.random.bits(oracle_key(), (3, 5), dtype))


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform(backend: str, dtype: str) -> None:
    key = ug.random.key(SEED)
    assert_same(
        ug.random.uniform(key, (7, 11), dtype), jax.random.uniform(oracle_key(), (7, 11), dtype)
    )
    for low, high in RANGES:
        got = ug.random.uniform(key, (2000,), dtype, low, high)
        assert_same(got, uniform_of_jax((2000,), dtype, low, high))


def test_uniform_with_arrays_as_bounds(backend: str) -> None:
    low, high = np.float32([-3.3, -1.7, 0.2]), np.float32([[2.1], [11.7]])
    got = ug.random.uniform(ug.random.key(SEED), (500, 2, 3), "float32", low, high)
    assert_same(got, jax.random.uniform(oracle_key(), (500, 2, 3), "float32", low, high))


def test_uniform_is_a_function_of_its_bounds(backend: str) -> None:
    key, low, high = ug.random.key(SEED), ug.asarray(-0.5), ug.asarray(2.0)
    unit = ug.random.uniform(key, (4,)).numpy()
    for reference in (False, True):
        with ug.GradientTape(reference=reference) as tape:
            tape.watch(low)
            tape.watch(high)
            x = ug.random.uniform(key, (4,), None, low, high)
        by_low, by_high = tape.gradient(x, [low, high])
        np.testing.assert_allclose(by_high.numpy(), unit.sum(), rtol=1e-6)
        np.testing.assert_allclose(by_low.numpy(), (1 - unit).sum(), rtol=1e-6)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_randint(backend: str, dtype: str) -> None:
    key, limits = ug.random.key(SEED), np.iinfo(dtype)
    ranges = [(0, 10), (3, 4), (5, 5), (0, 100), (0, 300), (limits.min // 2, limits.max)]
    if limits.max < 2**63 - 1:
        ranges.append((int(limits.min), int(limits.max) + 1))
    for low, high in ranges:
        got = ug.random.randint(key, (5, 61), low, high, dtype)
        bound = np.array(high, "uint64" if high >= 2**63 else "int64")
        expected = jax.random.randint(oracle_key(), (5, 61), np.array(low), bound, dtype)
        assert_same(got, expected)


def test_randint_of_the_whole_range_is_bits(backend: str) -> None:
    # The oracle cannot be asked for this range; by its formula these are the second key's bits.
    key = ug.random.key(SEED)
    _, second = ug.random.split(key)
    got = ug.random.randint(key, (50,), 0, 2**64, "uint64")
    assert_same(got, ug.random.bits(second, (50,), "uint64").numpy())


def test_randint_with_arrays_as_bounds(backend: str) -> None:
    low, high = np.array([0, 1, -(2**40)]), np.array([5, 2**40, 50000])
    for dtype in ("int64", "int32", "uint16"):
        got = ug.random.randint(
            ug.random.key(SEED), (200, 3), ug.asarray(low), ug.asarray(high), dtype
        )
        clipped = [np.clip(x, np.iinfo(dtype).min, np.iinfo(dtype).max + 1) for x in (low, high)]
        bounds = (low, high) if dtype == "int64" else clipped
        assert_same(got, jax.random.randint(oracle_key(), (200, 3), *bounds, dtype))


def test_bernoulli(backend: str) -> None:
    key, p = ug.random.key(SEED), np.linspace(0, 1, 200)
    got = ug.random.bernoulli(key, 0.3, (200,))
    assert_same(got, jax.random.bernoulli(oracle_key(), np.float32(0.3), (200,)))
    assert_same(ug.random.bernoulli(key, ug.asarray(p)), jax.random.bernoulli(oracle_key(), p))


@pytest.mark.parametrize("size", [0, 1, 2, 5, 1000, 1700])
def test_permutation_of_integers(backend: str, size: int) -> None:
    got = ug.random.permutation(ug.random.key(SEED), size)
    assert_same(got, jax.random.permutation(oracle_key(), size))


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("independent", [False, True])
def test_permutation_of_arrays(backend: str, axis: int, independent: bool) -> None:
    x = np.arange(60.0).reshape(5, 4, 3)
    got = ug.random.permutation(ug.random.key(SEED), ug.asarray(x), axis, independent)
    assert_same(got, jax.random.permutation(oracle_key(), x, axis, independent))


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_choice(backend: str, replace: bool, weighted: bool) -> None:
    p = np.linspace(0.1, 1, 50) if weighted else None
    for a in (50, np.arange(150.0).reshape(50, 3)):
        got = ug.random.choice(ug.random.key(SEED), a, (4, 5), replace, p)
        assert_same(got, jax.random.choice(oracle_key(), a, (4, 5), replace, p))
    a = np.arange(150.0).reshape(3, 50)
    got = ug.random.choice(ug.random.key(SEED), a, (4,), replace, p, axis=1)
    assert_same(got, jax.random.choice(oracle_key(), a, (4,), replace, p, axis=1))


def test_categorical(backend: str) -> None:
    key = ug.random.key(SEED)
    logits = np.random.default_rng(1).normal(size=(6, 7, 5)).astype("float32")
    for axis in (-1, 0, 1):
        expected = jax.random.categorical(oracle_key(), logits, axis)
        assert_same(ug.random.categorical(key, logits, axis), expected)
    for some, axis, shape in ((logits, 1, (9, 6, 5)), (logits[:1], -1, (4, 6, 7))):
        expected = jax.random.categorical(oracle_key(), some, axis, shape)
        assert_same(ug.random.categorical(key, some, axis, shape), expected)


# XLA's own logarithms and, in the tails, its inverse error function lose digits in float64, so
# `jax.random` and the JAX backend are further from the exact numbers than the others.
XLA = {"float32": 100, "float64": 10000}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logarithmic(backend: str, dtype: str) -> None:
    key, tiny = ug.random.key(SEED), float(np.finfo(dtype).tiny)
    u = ug.random.uniform(key, (3, 1000), dtype).numpy().astype(np.longdouble)
    positive = ug.random.uniform(key, (3, 1000), dtype, tiny, 1.0).numpy().astype(np.longdouble)
    for name, exact in (
        ("exponential", -np.log1p(-u)),
        ("gumbel", -np.log(-np.log(positive))),
    ):
        got = getattr(ug.random, name)(key, (3, 1000), dtype)
        assert_close(got, exact.astype(dtype), ulps=XLA[dtype] if backend == "jax" else 4)
        oracle = getattr(jax.random, name)(oracle_key(), (3, 1000), dtype)
        # The JAX backend's log1p of float64 is mended; the rest is XLA's own.
        same = backend == "jax" and (name, dtype) != ("exponential", "float64")
        assert_close(got, oracle, ulps=0 if same else XLA[dtype])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal(backend: str, dtype: str) -> None:
    key, edge = ug.random.key(SEED), float(np.nextafter(-np.ones((), dtype), 0))
    got = ug.random.normal(key, (3, 1000), dtype)
    u = ug.random.uniform(key, (3, 1000), dtype, edge, 1.0).numpy()
    exact = math.sqrt(2) * scipy.special.erfinv(u.astype(np.float64))
    # In float32 the formula is jax.random's own, whose tails are rough.
    assert_close(got, exact.astype(dtype), ulps=XLA[dtype] if dtype == "float32" else 5)
    near = 4 if dtype == "float32" else XLA[dtype]
    assert_close(got, jax.random.normal(oracle_key(), (3, 1000), dtype), ulps=near)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_in_every_precision(backend: str, dtype: str) -> None:
    got = ug.random.normal(ug.random.key(SEED), (200,), dtype)
    expected = jax.random.normal(oracle_key(), (200,), dtype)
    assert got.dtype.name == dtype
    rough = {"float16": 2**-9, "bfloat16": 2**-6, "float32": 1e-5, "float64": 1e-11}[dtype]
    np.testing.assert_allclose(
        got.numpy().astype(np.float64),
        np.asarray(expected).astype(np.float64),
        rtol=rough,
        atol=rough,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_truncated_normal(backend: str, dtype: str) -> None:
    key, low, high = ug.random.key(SEED), np.array([-2.0, 0.0], dtype), np.array([1.0, 3.0], dtype)
    got = ug.random.truncated_normal(key, -2.0, 2.0, (3000,), dtype)
    expected = jax.random.truncated_normal(oracle_key(), -2.0, 2.0, (3000,), dtype)
    assert_close(got, expected, XLA[dtype])
    got = ug.random.truncated_normal(key, low, high, (3000, 2), dtype)
    expected = jax.random.truncated_normal(oracle_key(), low, high, (3000, 2), dtype)
    assert_close(got, expected, XLA[dtype])
    assert ((got.numpy() > low) & (got.numpy() < high)).all()


@pytest.mark.parametrize("as_arrays", [False, True])
def test_truncated_normal_stays_inside_of_a_narrow_interval(backend: str, as_arrays: bool) -> None:
    for low, high in ((1.0, 1.000001), (-1.0, -0.999999)):
        bounds = [ug.asarray(low), ug.asarray(high)] if as_arrays else [low, high]
        got = ug.random.truncated_normal(ug.random.key(SEED), *bounds, (300,)).numpy()
        assert ((got > np.float32(low)) & (got < np.float32(high))).all()


def test_generator_splits_its_key(backend: str) -> None:
    generator = ug.random.Generator(3)
    state = ug.random.key(3)
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("bits", ((2,),)),
        ("split", (3,)),
        ("uniform", ((3,), "float64", -1.0, 2.0)),
        ("normal", ((3,),)),
        ("truncated_normal", (-1.0, 1.0, (3,))),
        ("gumbel", (3,)),
        ("exponential", (3,)),
        ("randint", ((4,), 0, 9)),
        ("bernoulli", (0.5, (9,))),
        ("categorical", (np.zeros(5, np.float32),)),
        ("permutation", (6,)),
        ("choice", (9, (3,))),
        ("laplace", (3,)),
        ("logistic", (3,)),
        ("cauchy", (3,)),
        ("pareto", (2.0, (3,))),
        ("weibull", (2.0, 1.0, (3,))),
        ("rayleigh", (2.0, (3,))),
        ("gamma", (2.0, (3,))),
        ("loggamma", (2.0, (3,))),
        ("beta", (2.0, 1.0, (3,))),
        ("dirichlet", (np.ones(3),)),
        ("chisquare", (2.0, (3,))),
        ("student_t", (2.0, (3,))),
        ("multivariate_normal", (np.zeros(2), np.eye(2))),
        ("orthogonal", (2, (3,))),
        ("ball", (2, 2.0, (3,))),
        ("rademacher", (3,)),
        ("dropout_mask", (0.5, (3,))),
        ("poisson", (2.0, (3,))),
        ("binomial", (9, 0.5, (3,))),
        ("geometric", (0.5, (3,))),
        ("multinomial", (9, [0.2, 0.3, 0.5], (3,))),
    ]
    assert {name for name, _ in calls} == {
        name for name in ug.random.__all__ if name[0].islower() and name not in ("key", "fold_in")
    }
    for name, arguments in calls:
        state, key = ug.random.split(state)
        got = getattr(generator, name)(*arguments).numpy()
        np.testing.assert_array_equal(got, getattr(ug.random, name)(key, *arguments).numpy())
    np.testing.assert_array_equal(generator.key.numpy(), state.numpy())


def test_the_same_numbers_under_jit(backend: str) -> None:
    def draw(generator: ug.random.Generator) -> tuple[ug.Tensor, ...]:
        return (
            generator.bits((3,), "uint64"),
            generator.uniform((50,), None, -0.3, 0.7),
            generator.uniform((50,), None, -0.3, 1.8),
            generator.uniform((50,), "float64", -0.3, 0.7),
            generator.uniform((50,), "float64", -0.3, 1.8),
            generator.randint((50,), 0, 100),
            generator.bernoulli(0.3, (50,)),
            generator.permutation(2000),
        )

    eager, compiled = ug.random.Generator(3), ug.random.Generator(3)
    program = ug.jit(lambda: draw(compiled))
    for _ in range(3):
        for got, expected in zip(program(), draw(eager)):
            np.testing.assert_array_equal(got.numpy(), expected.numpy())


def test_errors(backend: str) -> None:
    key = ug.random.key(0)
    for error, call in (
        (ug.random.SeedError, lambda: ug.random.key(2**63)),
        (OverflowError, lambda: ug.random.key(-(2**63) - 1)),
        (ug.DTypeError, lambda: ug.random.key(1.0)),
        (ug.DTypeError, lambda: ug.random.bits(ug.asarray([1, 2]))),
        (ug.ShapeError, lambda: ug.random.bits(ug.random.split(key))),
        (ug.ShapeError, lambda: ug.random.split(key, -1)),
        (ug.ShapeError, lambda: ug.random.normal(key, (2, -1))),
        (ug.DTypeError, lambda: ug.random.bits(key, (), "int32")),
        (ug.DTypeError, lambda: ug.random.uniform(key, (), "int32")),
        (ug.ShapeError, lambda: ug.random.uniform(key, (2,), None, ug.asarray([0.0] * 3))),
        (ug.DTypeError, lambda: ug.random.randint(key, (), 0.5, 3)),
        (ug.DTypeError, lambda: ug.random.randint(key, (), 0, 3, "float32")),
        (ug.DTypeError, lambda: ug.random.bernoulli(key, ug.asarray([1, 0]))),
        (ug.ShapeError, lambda: ug.random.categorical(key, np.zeros((2, 3)), shape=(5,))),
        (ug.ShapeError, lambda: ug.random.categorical(key, np.zeros((2, 3)), axis=2)),
        (ug.DTypeError, lambda: ug.random.permutation(key, 1.5)),
        (ug.ShapeError, lambda: ug.random.permutation(key, np.zeros(3), axis=1)),
        (ug.ShapeError, lambda: ug.random.choice(key, 3, (4,), replace=False)),
        (ug.ShapeError, lambda: ug.random.choice(key, 3, (2,), p=np.ones(4))),
        (ug.DTypeError, lambda: ug.random.fold_in(key, ug.asarray(1.0))),
        (ug.ShapeError, lambda: ug.random.fold_in(key, ug.asarray([1]))),
    ):
        with pytest.raises(error):
            call()
