"""Initializers: statistics against the published formulas, and the same weights everywhere."""

import importlib
import math
from typing import Any

import jax
import numpy as np
import pytest
import scipy.stats

import unigrad as ug
from unigrad.initializers import VarianceScaling

#: Name, and the variance for a kernel with these fans.
SCALED = {
    "glorot_uniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "glorot_normal": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he_uniform": lambda fan_in, fan_out: 2 / fan_in,
    "he_normal": lambda fan_in, fan_out: 2 / fan_in,
    "lecun_uniform": lambda fan_in, fan_out: 1 / fan_in,
    "lecun_normal": lambda fan_in, fan_out: 1 / fan_in,
}
#: Shapes with their fans: dense, and a convolution of window 3 × 3.
SHAPES = {(150, 400): (150, 400), (3, 3, 40, 100): (360, 900)}


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize("shape", SHAPES)
def test_moments_and_bounds(name: str, shape: tuple[int, ...]) -> None:
    weights = ug.initializers.get(name)(ug.random.key(1), shape, "float64").numpy()
    deviation = math.sqrt(SCALED[name](*SHAPES[shape]))
    size = weights.size
    # Five standard errors; that of a variance is at most √(2/n) of it, as for a normal one.
    assert abs(weights.mean()) < 5 * deviation / math.sqrt(size)
    assert abs(weights.var() / deviation**2 - 1) < 5 * math.sqrt(2 / size)
    bound = math.sqrt(3) if "uniform" in name else 2 / 0.87962566103423978
    largest = np.abs(weights).max() / deviation
    assert 0.99 * bound < largest <= bound * (1 + 1e-12)


@pytest.mark.parametrize(
    "name", [*SCALED, "uniform", "normal", "truncated_normal", "zeros", "ones"]
)
def test_same_on_every_backend(backend: str, name: str) -> None:
    init = ug.initializers.get(name)
    weights = init(ug.random.key(5), (20, 30))
    assert (weights.backend.name, weights.dtype.name) == (backend, "float32")
    with ug.use_backend("numpy"):
        expected = init(ug.random.key(5), (20, 30)).numpy()
    if "normal" in name:
        # Up to the rounding of the inverse error function.
        np.testing.assert_allclose(weights.numpy(), expected, rtol=2e-5, atol=1e-7)
    else:
        np.testing.assert_array_equal(weights.numpy(), expected)


@pytest.mark.parametrize("name", SCALED)
def test_as_jax(name: str) -> None:
    oracle = getattr(jax.nn.initializers, name)()
    key = jax.random.key(3, impl="threefry2x32")
    expected = np.asarray(oracle(key, (12, 20), "float32"))
    got = ug.initializers.get(name)(ug.random.key(3), (12, 20)).numpy()
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-7)


def test_simple_ones() -> None:
    key, shape = ug.random.key(2), (300, 200)
    normal = ug.initializers.Normal(stddev=0.5, mean=2.0)(key, shape).numpy()
    assert abs(normal.mean() - 2.0) < 5 * 0.5 / math.sqrt(normal.size)
    assert abs(normal.std() / 0.5 - 1) < 5 / math.sqrt(2 * normal.size)
    uniform = ug.initializers.Uniform(-1.0, 3.0)(key, shape).numpy()
    assert -1.0 <= uniform.min() < -0.99
    assert 2.99 < uniform.max() <= 3.0
    cut = ug.initializers.TruncatedNormal(stddev=0.1)(key, shape).numpy()
    assert 0.199 < np.abs(cut).max() <= 0.2
    assert (ug.initializers.Constant(3.5)(None, 4, "float64").numpy() == 3.5).all()


def test_the_truncated_normal_has_two_names():
    key, shape = ug.random.key(0), (3, 4)
    named, short = (VarianceScaling(2.0, "fan_in", one) for one in ("truncated_normal", "normal"))
    assert np.array_equal(named(key, shape).numpy(), short(key, shape).numpy())


def test_a_scale_and_axes_of_ones_own() -> None:
    # (outputs, inputs), as torch keeps its dense kernels.
    init = VarianceScaling(3.0, "fan_in", "untruncated_normal", in_axis=1, out_axis=0)
    weights = init(ug.random.key(0), (50, 600), "float64").numpy()
    assert abs(weights.var() / (3 / 600) - 1) < 5 * math.sqrt(2 / weights.size)
    assert ug.initializers.fans((8, 3, 5, 5), in_axis=1, out_axis=0) == (75, 200)
    assert ug.initializers.fans(()) == (1, 1)
    assert ug.initializers.fans(7) == (7, 7)


@pytest.mark.parametrize("name", SCALED)
def test_distributions_as_torch_and_jax(name: str) -> None:
    """The same distribution as theirs, by Kolmogorov and Smirnov's test of two samples."""
    torch = importlib.import_module("torch")
    shape = (120, 80)
    ours = ug.initializers.get(name)(ug.random.key(4), shape).numpy().ravel()
    key = jax.random.key(9, impl="threefry2x32")
    theirs = np.asarray(getattr(jax.nn.initializers, name)()(key, shape, "float32")).ravel()
    assert scipy.stats.ks_2samp(ours, theirs).pvalue > 1e-3
    of_torch = {
        "glorot_uniform": torch.nn.init.xavier_uniform_,
        "he_uniform": lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="relu"),
        "lecun_uniform": lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="linear"),
    }
    if name in of_torch:
        torch.manual_seed(1)
        weights = of_torch[name](torch.empty(shape[::-1])).numpy().ravel()
        assert scipy.stats.ks_2samp(ours, weights).pvalue > 1e-3


def test_gains_are_those_of_torch() -> None:
    init = importlib.import_module("torch").nn.init
    for name in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert ug.initializers.calculate_gain(name) == pytest.approx(init.calculate_gain(name))
    gain = ug.initializers.calculate_gain("leaky_relu", 0.3)
    assert gain == pytest.approx(init.calculate_gain("leaky_relu", 0.3))
    with pytest.raises(ug.SettingError, match="leaky_relu"):
        ug.initializers.calculate_gain("swish")
    with pytest.raises(ug.SettingError):
        ug.initializers.calculate_gain("relu", 0.1)


def test_structured_weights(backend: str) -> None:
    key, init = ug.random.key(1), ug.initializers
    for shape in ((6, 4), (4, 6), (2, 3, 4)):
        q = init.Orthogonal(2.0)(key, shape, "float64").numpy().reshape(-1, shape[-1])
        small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
        np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)
    kernel = init.delta_orthogonal(key, (3, 5, 2, 4), "float64").numpy()
    middle = kernel[1, 2]
    np.testing.assert_allclose(middle @ middle.T, np.eye(2), atol=1e-12)
    assert np.count_nonzero(kernel) == np.count_nonzero(middle)
    # A convolution with an identity in its middle hands on its input.
    np.testing.assert_array_equal(init.identity(key, (3, 2)).numpy(), np.eye(3, 2))
    kernel = init.identity(None, (3, 2, 2)).numpy()
    assert (kernel[1] == np.eye(2)).all()
    assert np.count_nonzero(kernel) == 2
    sparse = init.Sparse(0.3, stddev=2.0)(key, (200, 50)).numpy()
    assert ((sparse == 0).sum(axis=0) == 60).all()
    assert abs(sparse[sparse != 0].std() / 2 - 1) < 5 / math.sqrt(2 * 7000)
    # The zeros of two columns are not the same ones.
    assert (sparse[:, 0] == 0).tolist() != (sparse[:, 1] == 0).tolist()


def test_gates_have_fans_of_their_own() -> None:
    init = VarianceScaling(1.0, "fan_avg", gates=3)
    weights = init(ug.random.key(0), (100, 150), "float64").numpy()
    assert abs(weights.var() / (2 / 150) - 1) < 5 * math.sqrt(2 / weights.size)
    with pytest.raises(ug.ShapeError, match="gates"):
        ug.initializers.fans((3, 4), gates=3)


def test_bad_shapes_of_structured_weights() -> None:
    key, init = ug.random.key(0), ug.initializers
    for one, shape in (
        (init.orthogonal, (3,)),
        (init.identity, ()),
        (init.delta_orthogonal, (3, 4)),
        (init.delta_orthogonal, (3, 4, 2)),
        (init.sparse, (3, 4, 2)),
    ):
        with pytest.raises(ug.ShapeError):
            one(key, shape)
    with pytest.raises(ug.SettingError):
        init.Sparse(1.5)


@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_spreads_outside_of_their_domain(value: float) -> None:
    init = ug.initializers
    for make in (init.Normal, init.TruncatedNormal, init.VarianceScaling, init.HeNormal):
        with pytest.raises(ug.SettingError, match="expected a finite number, at least 0"):
            make(value)
    with pytest.raises(ug.SettingError, match="Sparse: stddev"):
        init.Sparse(0.5, value)


def test_get_and_equality() -> None:
    def own(key: Any, shape: Any, dtype: Any = None) -> ug.Tensor:
        return ug.random.normal(key, shape, dtype)

    assert ug.initializers.get(own) is own
    assert ug.initializers.get("he_normal") == ug.initializers.HeNormal()
    assert ug.initializers.HeNormal() != ug.initializers.HeNormal(scale=1.0)


def test_errors() -> None:
    with pytest.raises(ug.UnigradError, match="glorot_uniform"):
        ug.initializers.get("xavier")
    with pytest.raises(ug.UnigradError, match="fan_avg"):
        VarianceScaling(mode="fan")
    with pytest.raises(ug.UnigradError, match="uniform"):
        VarianceScaling(distribution="cauchy")
    with pytest.raises(ug.DTypeError, match="GlorotUniform"):
        ug.initializers.glorot_uniform(ug.random.key(0), (2, 3), "int32")
    with pytest.raises(ug.ShapeError, match="axis"):
        ug.initializers.fans((2, 3), in_axis=4)
