"""L-BFGS, conjugate gradients and least squares on functions of Moré, Garbow & Hillstrom (1981)."""

import math

import numpy as np
import pytest
import scipy.optimize

import unigrad as ug
from unigrad.optimizers import LBFGS, ConjugateGradient, GaussNewton, LevenbergMarquardt
from unigrad.optimizers.line_search import Bounds, Point, strong_wolfe

T = np.arange(1, 11) * 0.1
FIFTHS = np.arange(1, 21) / 5.0
N = 10
NUMBERS = np.arange(1.0, N + 1)


def at(array):
    return ug.asarray(array)


def stacked(*residuals):
    return ug.stack([ug.asarray(r) for r in residuals])


def wood(x):
    return stacked(
        10 * (x[1] - x[0] ** 2), 1 - x[0], 90**0.5 * (x[3] - x[2] ** 2), 1 - x[2],
        10**0.5 * (x[1] + x[3] - 2), 10**-0.5 * (x[1] - x[3]),
    )  # fmt: skip


def freudenstein_roth(x):
    return stacked(
        -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1], -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1]
    )


def powell_singular(x):
    return stacked(
        x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2,
        10**0.5 * (x[0] - x[3]) ** 2,
    )  # fmt: skip


def helical_valley(x):
    turned = ug.atan2(x[1], x[0]) / (2 * math.pi)
    return stacked(10 * (x[2] - 10 * turned), 10 * (ug.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2])


def box(x):
    expected = at(np.exp(-T) - np.exp(-10 * T))
    return ug.exp(-at(T) * x[0]) - ug.exp(-at(T) * x[1]) - x[2] * expected


def brown_dennis(x):
    first = x[0] + at(FIFTHS) * x[1] - at(np.exp(FIFTHS))
    second = x[2] + x[3] * at(np.sin(FIFTHS)) - at(np.cos(FIFTHS))
    return first**2 + second**2


def variably_dimensioned(x):
    total = (at(NUMBERS) * (x - 1)).sum()
    return ug.concat([x - 1, stacked(total, total**2)])


def broyden_tridiagonal(x):
    zero = ug.zeros(1, dtype="float64")
    below, above = ug.concat([zero, x[:-1]]), ug.concat([x[1:], zero])
    return (3 - 2 * x) * x - below - 2 * above + 1


def trigonometric(x):
    return N - ug.cos(x).sum() + at(NUMBERS) * (1 - ug.cos(x)) - ug.sin(x)


#: Residuals and where to start.
FUNCTIONS = {
    "Rosenbrock": (lambda x: stacked(10 * (x[1] - x[0] ** 2), 1 - x[0]), [-1.2, 1.0]),
    "Freudenstein and Roth": (freudenstein_roth, [0.5, -2.0]),
    "Beale": (
        lambda x: stacked(
            *[c - x[0] * (1 - x[1] ** k) for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))]
        ),
        [1.0, 1.0],
    ),
    "Brown, badly scaled": (
        lambda x: stacked(x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2), [1.0, 1.0],
    ),
    "Powell, badly scaled": (
        lambda x: stacked(1e4 * x[0] * x[1] - 1, ug.exp(-x[0]) + ug.exp(-x[1]) - 1.0001),
        [0.0, 1.0],
    ),
    "Powell, singular": (powell_singular, [3.0, -1.0, 0.0, 1.0]),
    "Wood": (wood, [-3.0, -1.0, -3.0, -1.0]),
    "helical valley": (helical_valley, [-1.0, 0.0, 0.0]),
    "box": (box, [0.0, 10.0, 20.0]),
    "Brown and Dennis": (brown_dennis, [25.0, 5.0, -5.0, -1.0]),
    "variably dimensioned": (variably_dimensioned, list(1 - NUMBERS / N)),
    "Broyden, tridiagonal": (broyden_tridiagonal, [-1.0] * N),
    "trigonometric": (trigonometric, [1 / N] * N),
    "Rosenbrock, extended": (
        lambda x: ug.concat([10 * (x[1::2] - x[0::2] ** 2), 1 - x[0::2]]), [-1.2, 1.0] * 5,
    ),
    "penalty": (
        lambda x: ug.concat([1e-5**0.5 * (x - 1), stacked((x * x).sum() - 0.25)]), list(NUMBERS),
    ),
}  # fmt: skip


def loss_of(name):
    residuals = FUNCTIONS[name][0]
    return lambda x: (residuals(x) ** 2).sum()


def start_of(name):
    return np.array(FUNCTIONS[name][1])


def by_scipy(name, method):
    both = ug.value_and_grad(loss_of(name))

    def evaluate(x):
        value, slope = both(ug.asarray(x))
        return float(value), slope.numpy()

    return scipy.optimize.minimize(evaluate, start_of(name), jac=True, method=method)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lbfgs_evaluates_no_more_than_scipy(name):
    with ug.use_backend("numpy"):
        found = LBFGS().run(loss_of(name), ug.asarray(start_of(name)))
        reference = by_scipy(name, "L-BFGS-B")
    assert found.converged
    assert found.evaluations <= 1.2 * reference.nfev
    assert found.value <= reference.fun * (1 + 1e-6) + 1e-10


@pytest.mark.parametrize("name", ["Rosenbrock", "Wood", "trigonometric"])
@pytest.mark.parametrize("compiled", [False, True])
def test_lbfgs_is_the_same_everywhere(backend, name, compiled):
    found = LBFGS(compiled=compiled).run(loss_of(name), ug.asarray(start_of(name)))
    with ug.use_backend("numpy"):
        reference = LBFGS().run(loss_of(name), ug.asarray(start_of(name)))
    assert abs(found.evaluations - reference.evaluations) <= 2
    np.testing.assert_allclose(found.parameters.numpy(), reference.parameters.numpy(), atol=1e-4)


@pytest.mark.parametrize("name", ["Rosenbrock", "Beale", "Wood", "box", "trigonometric"])
def test_conjugate_gradients_converge(backend, name):
    found = ConjugateGradient().run(loss_of(name), ug.asarray(start_of(name)))
    assert found.converged
    assert found.gradient < 2e-2
    assert found.value < 1e-3


@pytest.mark.parametrize(
    "name", [one for one in FUNCTIONS if one not in ("Brown and Dennis", "Powell, badly scaled")]
)
def test_least_squares_end_where_scipys_do(name):
    with ug.use_backend("numpy"):
        found = LevenbergMarquardt().run(FUNCTIONS[name][0], ug.asarray(start_of(name)))

        def residuals(x):
            return FUNCTIONS[name][0](ug.asarray(x)).numpy()

        reference = scipy.optimize.least_squares(residuals, start_of(name), method="lm")
    assert found.converged
    assert found.value <= reference.cost * (1 + 1e-4) + 1e-8


@pytest.mark.parametrize("make", [LevenbergMarquardt, GaussNewton])
def test_least_squares_of_a_tree(backend, make):
    x = np.linspace(0.0, 2.0, 9)
    y = 2.0 * np.exp(-1.5 * x) + 0.5

    def residuals(p):
        return p["a"] * ug.exp(-p["b"] * at(x)) + p["c"] - at(y)

    given = {name: ug.asarray(np.float64(value)) for name, value in zip("abc", (1.0, 1.0, 0.0))}
    found = make().run(residuals, given)
    assert found.converged
    values = [found.parameters[name].item() for name in "abc"]
    np.testing.assert_allclose(values, [2.0, 1.5, 0.5], rtol=1e-6)


def test_variables_have_the_best_values(backend):
    w = [ug.Variable(np.array([3.0, -1.0])), ug.Variable(np.array(2.0))]
    found = LBFGS().minimize(lambda: (w[0] ** 2).sum() + (w[1] - 1.0) ** 2, w)
    assert found.converged
    np.testing.assert_allclose(w[0].numpy(), [0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(w[1].numpy(), 1.0, atol=1e-6)


def test_what_makes_no_sense_is_refused(backend):
    with pytest.raises(ug.SettingError, match="start"):
        LBFGS().run(lambda x: x.sum() * math.inf, ug.asarray([1.0]))
    with pytest.raises(ug.ShapeError, match="no parameters"):
        LBFGS().run(lambda x: 0.0, [])
    with pytest.raises(ug.DTypeError, match="float32 and float64"):
        LBFGS().run(lambda x: 0.0, [ug.ones(1), ug.ones(1, dtype="float64")])
    with pytest.raises(ug.DTypeError, match="int64"):
        ConjugateGradient().run(lambda x: 0.0, [ug.asarray([1])])
    with pytest.raises(ug.ShapeError, match="as many"):
        LevenbergMarquardt().run(lambda x: x[:1], ug.asarray([1.0, 2.0]))
    with pytest.raises(ug.ShapeError, match="vector"):
        LevenbergMarquardt().run(lambda x: x.sum(), ug.asarray([1.0, 2.0]))


def along(function, slope):
    return lambda a: Point(a, function(a), slope(a))


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1000.0])
@pytest.mark.parametrize(("function", "slope"), [
    # Moré & Thuente (1994), equations 5.1 and 5.2.
    (lambda a: -a / (a * a + 2), lambda a: (a * a - 2) / (a * a + 2) ** 2),
    (
        lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
        lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3,
    ),
])  # fmt: skip
def test_line_search_fulfils_the_strong_wolfe_conditions(function, slope, first):
    run, bounds = along(function, slope), Bounds(decrease=1e-3, curvature=0.1, width=1e-10)
    start = run(0.0)
    found = strong_wolfe(run, start, first, bounds)
    assert found.value <= start.value + 1e-3 * found.step * start.slope
    assert abs(found.slope) <= 0.1 * abs(start.slope)
