"""Samples of averages, covariances, areas, slopes, interpolation and histograms."""

import math
from typing import Any

import numpy as np

from unigrad_conformance.sample import (
    booleans,
    case,
    complexes,
    distinct,
    integers,
    positive,
    real,
    samples,
    values,
)

samples(
    "ptp",
    case(distinct(3, 4)),
    case(distinct(2, 3, 2), axis=(0, 2), keepdims=True),
    case(distinct(3, 4), axis=-1),
    case(integers(3, 4), axis=0),
    oracle=np.ptp,
)


def _moments(x: Any, **settings: Any) -> Any:
    return np.mean(x, **settings), np.var(x, **settings)


samples(
    "moments",
    case(real(3, 4)),
    case(real(2, 3, 2), axis=(0, -1), keepdims=True),
    case(integers(3, 4), axis=0),
    oracle=_moments,
    ulps=16,
)


def _weighted(ug: Any, x: Any, weights: Any, **settings: Any) -> Any:
    return ug.average(x, weights=weights, **settings)


def _average(x: Any, weights: Any = None, **settings: Any) -> Any:
    return np.average(x, weights=weights, **settings)


samples("average", case(real(3, 4), axis=0, returned=True), case(integers(3, 4)), case(real()),
        oracle=_average)  # fmt: skip
samples(
    "average",
    case(real(3, 4), positive(3, 4)),
    case(real(3, 4), positive(4), axis=1, keepdims=True, returned=True),
    case(real(2, 3, 4), positive(4, 2), axis=(2, 0)),
    case(integers(3), values([1, 2, 3])),
    oracle=_average,
    call=_weighted,
    ulps=8,
)
samples("average", case(complexes(3, 4), positive(3, 4), axis=0), oracle=_average, call=_weighted,
        ulps=8, brief=True)  # fmt: skip


def _cov(*arrays: Any, correction: Any = None, **settings: Any) -> Any:
    function: Any = np.cov
    return function(*arrays, ddof=correction, **settings)


samples(
    "cov",
    case(real(3, 5)),
    case(real(5, 2), rowvar=False, bias=True),
    case(real(5), real(5), correction=0),
    case(real(2, 4), real(1, 4)),
    case(integers(2, 4)),
    case(real(4)),
    oracle=_cov,
    ulps=32,
)
samples("cov", case(complexes(2, 4)), oracle=_cov, ulps=32, brief=True)
samples(
    "cov",
    case(real(2, 4), values([1, 2, 1, 3]), positive(4)),
    oracle=lambda x, f, a: np.cov(x, fweights=f, aweights=a),
    call=lambda ug, x, f, a: ug.cov(x, fweights=f, aweights=a),
    ulps=32,
)
samples("corrcoef", case(real(3, 5)), case(real(5), real(5)), case(real(4, 2), rowvar=False),
        oracle=np.corrcoef, ulps=32)  # fmt: skip
samples("corrcoef", case(complexes(2, 4)), oracle=np.corrcoef, ulps=32, brief=True)

# -- curves
samples(
    "trapezoid",
    case(real(3, 4)),
    case(real(3, 4), axis=0, dx=0.3),
    case(integers(4)),
    case(real(1)),
    oracle=np.trapezoid,
)
samples(
    "trapezoid",
    case(real(3, 4), real(3), axis=0),
    case(real(3, 4), real(3, 4)),
    oracle=np.trapezoid,
    ulps=8,
)
samples("trapezoid", case(complexes(3, 4)), oracle=np.trapezoid, brief=True)
_PLACES = values([0.0, 0.4, 1.5, 2.1])
samples(
    "gradient",
    case(real(3, 4)),
    case(real(4), 0.5, edge_order=2),
    case(real(3, 4), 2.0, 0.5),
    case(real(4, 3), _PLACES, axis=0, edge_order=2),
    case(real(3, 4), _PLACES, axis=-1),
    case(real(2)),
    case(integers(4)),
    oracle=np.gradient,
    ulps=8,
)
samples("gradient", case(complexes(4)), oracle=np.gradient, brief=True, ulps=8)
_XP, _X = values([-1.0, 0.5, 1.25, 3.0]), values([[-2.0, -0.3, 0.7], [2.2, 2.9, 4.0]])
samples(
    "interp",
    case(_X, _XP, real(4)),
    case(_X, _XP, real(4), left=-1.5, right=7.0),
    case(_X, values([0.3, 2.9, 1.1]), real(3), period=3.0),
    case(values([math.inf, -math.inf, math.nan, 3.0, -1.0]), _XP, real(4)),
    case(real(3), values([0.5]), real(1)),
    case(values(2), [0.0, 4.0], [0.0, 1.0]),
    oracle=np.interp,
    ulps=16,
    contracts=True,
)
samples("interp", case(_X, _XP, complexes(4)), oracle=np.interp, brief=True, ulps=16)

# -- counts
_BETWEEN = values([[0.13, 1.9, 0.77], [0.5, 1.3, 0.91]])


def _counted(x: Any, bins: Any = 10, **settings: Any) -> Any:
    return np.histogram(x, bins, **settings)


samples(
    "histogram",
    case(_BETWEEN, 4),
    case(values([2.0, 2.0])),
    case(values([1, 5, 3, 3]), 3),
    oracle=_counted,
    dtype=("int64", None),
)
# No edge depends on an element.
samples("histogram", case(values(np.zeros((0,))), 2), case(_BETWEEN, 3, range=(0.0, 1.0)),
        case(values([0.5, math.nan, 1.0, -3.0]), [0.0, 0.5, 1.0]), oracle=_counted,
        dtype=("int64", None), differentiable=False)  # fmt: skip
samples("histogram", case(booleans(5), 2), dtype=("int64", "float32"),
        oracle=lambda x, bins: np.histogram(x.astype(float), bins))  # fmt: skip
samples(
    "histogram",
    case(_BETWEEN, real(2, 3), 4),
    case(_BETWEEN, positive(2, 3), 3, density=True),
    oracle=lambda x, w, bins, **settings: np.histogram(x, bins, weights=w, **settings),
    call=lambda ug, x, w, bins, **settings: ug.histogram(x, bins, weights=w, **settings),
)
samples("histogram_bin_edges", case(_BETWEEN, 3), oracle=np.histogram_bin_edges)
_IDS = values([3, 0, 1, 3, 1])


def _bincount(x: Any, weights: Any = None, length: int = 0) -> Any:
    if weights is None or weights.dtype.kind != "c":
        return np.bincount(x, weights, length)
    return np.bincount(x, weights.real, length) + 1j * np.bincount(x, weights.imag, length)


samples("bincount", case(_IDS, length=4), case(_IDS, length=6), case(values([0]), length=1),
        oracle=_bincount, dtype="int64")  # fmt: skip
samples("bincount", case(_IDS, real(5), length=5), case(_IDS, integers(5), length=4),
        oracle=lambda x, w, length: np.bincount(x, w, length))  # fmt: skip
samples("bincount", case(_IDS, complexes(5), length=4), oracle=_bincount, brief=True)
