"""Samples of elementwise functions that are made of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.sample import (
    case,
    complexes,
    distinct,
    integers,
    positive,
    real,
    values,
)
from unigrad_conformance.sample import samples_of_one_derivative as samples

_ENDS = values([0.0, -0.0, np.inf, -np.inf, np.nan])

samples(
    "cbrt",
    case(positive(3, 4)),
    case(values([-8.0, 27.0])),
    case(real(0, 3)),
    case(integers(4, low=1)),
    oracle=np.cbrt,
)
samples("cbrt", case(_ENDS), case(values([1e-30, -1e30])), oracle=np.cbrt, differentiable=False)
for _name, _function in {"deg2rad": np.deg2rad, "rad2deg": np.rad2deg}.items():
    samples(_name, case(real(3, 4)), case(real()), case(integers(3)), oracle=_function)
samples(
    "logaddexp2",
    case(real(3, 4), real(4)),
    case(real(3), values([-np.inf, 50.0, -50.0])),
    case(real(3), 1.5),
    case(real(0, 3), real(3)),
    oracle=np.logaddexp2,
    terms=lambda x, y: np.maximum(1.0, np.maximum(np.abs(x), np.abs(y))),
)


def _quotient(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.where(y == 0, 0, np.divide(x, y))


samples(
    "divide_no_nan",
    case(real(3, 4), positive(4)),
    case(integers(4), 2),
    case(complexes(3), complexes(3)),
    case(real(0, 2), real(2)),
    oracle=_quotient,
)
samples("divide_no_nan", case(real(3), values([0.0, 2.0, -0.0])), oracle=_quotient,
        differentiable=False)  # fmt: skip
samples("fmod", case(values([7.3, -8.1, 5.5]), values([2.0, 3.0, -2.4])), case(distinct(3), 0.7),
        case(real(0, 2), real(2)), oracle=np.fmod)  # fmt: skip
samples(
    "fmod",
    case(
        values([-0.0, 5.0, np.inf, -3.0, -1e-20, 4.0]), values([2.0, np.inf, 2.0, 0.0, 1.0, -2.0])
    ),
    case(integers(8, low=-9, high=10), values([1, 2, 3, 4, -1, -2, -3, -4])),
    oracle=np.fmod,
    ulps=0,
    differentiable=False,
)
for _name, _ufunc in {"gcd": np.gcd, "lcm": np.lcm}.items():
    samples(
        _name,
        case(integers(3, 4, low=-60, high=60), integers(4, low=-9, high=9)),
        case(integers(3), 6),
        case(integers(0, 3), integers(3)),
        case(values([0, 0, 2**40 * 3]), values([0, 7, 2**20 * 9])),
        oracle=_ufunc,
        differentiable=False,
    )


def _frexp(x: Any) -> Any:
    with np.errstate(invalid="ignore"):
        mantissa, exponent = np.frexp(x)
    return mantissa, np.where(np.isfinite(x), exponent, 0)


samples("frexp", case(positive(3, 4)), case(values([-0.3, 9.0])), case(real(0, 3)),
        oracle=_frexp, ulps=0, dtype=(None, "int32"))  # fmt: skip
samples("frexp", case(_ENDS), case(values([-1e30, 1e-30])), oracle=_frexp, ulps=0,
        dtype=(None, "int32"), differentiable=False)  # fmt: skip
samples(
    "ldexp",
    case(real(3, 4), integers(4)),
    case(positive(3), 3),
    case(real(0, 3), integers(3)),
    oracle=lambda x, n: np.ldexp(x, n),
    ulps=0,
)
samples("ldexp", case(_ENDS, 3), case(values([3.0, -3.0]), values([2000, -2000])),
        oracle=np.ldexp, ulps=0, differentiable=False)  # fmt: skip
