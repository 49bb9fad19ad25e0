"""Draws from what is no distribution: refused where values are seen, else NaN, -1 or False."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.errors import bad
from unigrad_conformance.subject import Deviation, quiet

_INF, _NAN = float("inf"), float("nan")

#: A draw by a key and two parameters, the parameters of which there is none, and a word of the
#: message.
_Draw = tuple[Callable[[ug.Tensor, ug.Tensor], ug.Tensor], list[float], str]
#: Those that take long to compile: in programs, tests/test_distributions.py has them.
_SLOW = {"gamma", "poisson", "truncated_normal, wrong way round"}


def _normal_of_two(key: ug.Tensor, x: ug.Tensor) -> ug.Tensor:
    """Draw of the covariance [[2, x₀], [x₁, 2]]."""
    rows = ug.stack([x[0] * 0.0 + 2.0, x[0], x[1], x[0] * 0.0 + 2.0])
    return ug.random.multivariate_normal(key, [0.0, 0.0], ug.reshape(rows, (2, 2)))


_DRAWS: dict[str, _Draw] = {
    "categorical, all impossible": (
        lambda key, x: ug.random.categorical(key, x), [-_INF, -_INF], "-inf",
    ),
    "categorical, a NaN": (lambda key, x: ug.random.categorical(key, x), [_NAN, 0.0], "nan"),
    "categorical, +∞": (lambda key, x: ug.random.categorical(key, x), [_INF, 0.0], "inf"),
    "categorical, too few without replacement": (
        lambda key, x: ug.random.categorical(key, x, shape=(2,), replace=False),
        [0.0, -_INF], "2",
    ),
    "choice, too few without replacement": (
        lambda key, x: ug.random.choice(key, 2, (2,), replace=False, p=x), [0.0, 1.0], "2",
    ),
    "choice, a negative chance": (
        lambda key, x: ug.random.choice(key, 2, (2,), p=x), [-1.0, 1.0], "p",
    ),
    "choice, no chance": (lambda key, x: ug.random.choice(key, 2, (2,), p=x), [0.0, 0.0], "p"),
    "uniform, wrong way round": (
        lambda key, x: ug.random.uniform(key, (3,), None, x[0], x[1]), [1.0, 0.0], "minval",
    ),
    "uniform, wider than the dtype": (
        lambda key, x: ug.random.uniform(key, (3,), "float32", x[0], x[1]),
        [-3e38, 3e38], "float32",
    ),
    "uniform, without a bound": (
        lambda key, x: ug.random.uniform(key, (3,), None, x[0], x[1]), [0.0, _INF], "inf",
    ),
    "truncated_normal, wrong way round": (
        lambda key, x: ug.random.truncated_normal(key, x[0], x[1]), [1.0, 0.0], "lower",
    ),
    "multivariate_normal, not symmetric": (_normal_of_two, [1.0, 0.0], "symmetric"),
    "multivariate_normal, not positive": (_normal_of_two, [3.0, 3.0], "definite"),
    "gamma": (lambda key, x: ug.random.gamma(key, x[0]), [-1.0, 0.0], "-1.0"),
    "normal": (lambda key, x: ug.random.normal(key, (), scale=x[0]), [-1.0, 0.0], "scale"),
    "poisson": (lambda key, x: ug.random.poisson(key, x[0]), [_NAN, 0.0], "nan"),
    "multinomial, a negative chance": (
        lambda key, x: ug.random.multinomial(key, 3, x), [-1.0, 2.0], "-1.0",
    ),
    "multinomial, no chance": (
        lambda key, x: ug.random.multinomial(key, 3, x), [0.0, 0.0], "positive",
    ),
    "bernoulli": (lambda key, x: ug.random.bernoulli(key, x[0]), [2.0, 0.0], "2.0"),
    "dropout_mask": (lambda key, x: ug.random.dropout_mask(key, x[0]), [-1.0, 0.0], "rate"),
}  # fmt: skip


def _eager(one: _Draw) -> ug.Tensor:
    draw, given, _ = one
    return draw(ug.random.key(0), ug.asarray(given, dtype="float64"))


for _name, _one in _DRAWS.items():
    bad(f"random.{_name}", ug.SettingError, _one[2], looks=True)(partial(_eager, _one))


def gives_nan_in_a_program(name: str) -> None:
    """Where nobody can look, a draw from no distribution is NaN, -1 or False, not a number."""
    draw, given, _ = _DRAWS[name]
    with quiet():
        values = ug.jit(draw)(ug.random.key(0), ug.asarray(given, dtype="float64")).numpy()
    right = {"f": np.isnan(values), "i": values == -1, "b": ~values.astype(bool)}
    if not right[values.dtype.kind].all():
        raise Deviation(f"random.{name}: {values.tolist()} in a program")


bad("random.randint, wrong way round", ug.SettingError, "minval", "3", "1", looks=True)(
    lambda: ug.random.randint(ug.random.key(0), (), 3, 1)
)
bad("random.fold_in of 33 bits", ug.SettingError, "fold_in", "4294967296", looks=True)(
    lambda: ug.random.fold_in(ug.random.key(0), 2**32)
)
bad("random.fold_in of a negative tensor", ug.SettingError, "fold_in", "-1", looks=True)(
    lambda: ug.random.fold_in(ug.random.key(0), ug.asarray(-1))
)


def _with_a_key(call: Callable[[ug.Tensor], Any]) -> Any:
    return call(ug.random.key(0))


for _name, _call in {
    "fold_in": lambda key: ug.random.fold_in(key, True),
    "permutation": lambda key: ug.random.permutation(key, True),
    "choice": lambda key: ug.random.choice(key, True),
    "split": lambda key: ug.random.split(key, True),
    "key": lambda key: ug.random.key(True),
}.items():
    bad(f"random.{_name} of a bool", ug.DTypeError, _name)(partial(_with_a_key, _call))
bad("scan with a bool for a length", ug.SettingError, "scan", "length", "True")(
    lambda: ug.scan(lambda carry, _: (carry, carry), 0.0, length=True)
)


def tails_have_slopes_in_programs() -> None:
    """The slope of `truncated_normal` by its bounds, known and unknown, on either side of 0."""
    lows, highs = [0.0, -1.0, 2.0, -1.0], [1.0, 0.0, 3.0, 1.0]

    def total(low: ug.Tensor, high: ug.Tensor) -> ug.Tensor:
        return ug.sum(ug.random.truncated_normal(ug.random.key(3), low, high, dtype="float64"))

    slopes = ug.grad(total, argnums=(0, 1))
    bounds = [ug.asarray(one, dtype="float64") for one in (lows, highs)]
    size = 1e-6
    for got in (slopes(*bounds), ug.jit(slopes)(*bounds)):
        for i, slope in enumerate(got):
            want = []
            for step in (size, -size):
                moved = [one + step if j == i else one for j, one in enumerate(bounds)]
                drawn = ug.random.truncated_normal(
                    ug.random.key(3), moved[0], moved[1], dtype="float64"
                )
                want.append(drawn.numpy())
            expected = (want[0] - want[1]) / (2 * size)
            if not np.allclose(slope.numpy(), expected, 1e-4, 1e-4):
                raise Deviation(f"slopes by bound {i}: {slope.tolist()}, not {expected.tolist()}")


#: A check per draw that compiles soon, by name.
IN_PROGRAMS: dict[str, Callable[[], None]] = {
    f"random.{name}, in a program": partial(gives_nan_in_a_program, name)
    for name in _DRAWS
    if name not in _SLOW
}
#: What takes long to compile, by name.
SLOW: dict[str, Callable[[], None]] = {
    "tails have slopes in programs": tails_have_slopes_in_programs
}
