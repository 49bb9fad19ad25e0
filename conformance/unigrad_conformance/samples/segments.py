"""Samples of segments, ragged rows and running extremes. Ties are broken evenly: see the edges."""

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

_IDS, _SORTED = values([2, 0, 2, 3, 0]), values([0, 0, 2, 2, 2])
_SQUARE = values([[1, 0], [1, 1]])


def _by_segments(reduce: Any) -> Any:
    def oracle(x: Any, ids: Any, count: Any = None, **settings: Any) -> Any:
        count = ids.max() + 1 if count is None else count
        return np.stack([reduce(x[ids == i], **settings) for i in range(count)])

    return oracle


def _or_zero(function: Any) -> Any:
    return lambda x, **settings: (function if len(x) else np.sum)(x, axis=0, **settings)


def _std(x: Any, correction: float = 0.0) -> Any:
    return np.std(x, axis=0, ddof=correction) if len(x) else np.sum(x, axis=0)


def _extremum(name: str) -> Any:
    function, worst = getattr(np, name), {"max": -math.inf, "min": math.inf}[name]

    def reduce(x: Any) -> Any:
        if x.dtype.kind == "f":
            return function(x, axis=0, initial=worst)
        limits = np.iinfo(x.dtype)
        return function(x, axis=0, initial=limits.min if name == "max" else limits.max)

    return reduce


for _name, _reduce in {
    "segment_sum": lambda x: np.sum(x, axis=0),
    "segment_mean": _or_zero(np.mean),
    "segment_prod": lambda x: np.prod(x, axis=0),
}.items():
    samples(
        _name,
        case(real(5, 2), _IDS, 5),
        case(real(5), _SORTED, 3),
        case(real(2, 2), _SQUARE, 2),
        case(values([0.0, 2.0, 3.0, 0.0, 0.0]), _IDS, 4),
        case(integers(5, 2), _IDS, 4),
        oracle=_by_segments(_reduce),
        ulps=8,
    )
    samples(_name, case(complexes(5), _IDS, 4), oracle=_by_segments(_reduce), ulps=8, brief=True)
samples("segment_sum", case(booleans(5), _IDS, 4), oracle=_by_segments(lambda x: np.sum(x, axis=0)),
        dtype="int64")  # fmt: skip
for _name in ("max", "min"):
    samples(
        f"segment_{_name}",
        case(distinct(5, 2), _SORTED, 3),
        case(distinct(5), _IDS, 5),
        case(distinct(2, 2), _SQUARE, 2),
        case(values([1.0, math.nan, 2.0, 0.0, 3.0]), _IDS, 4),
        case(integers(5, 2), _IDS, 4),
        oracle=_by_segments(_extremum(_name)),
        ulps=0.0,
    )


def _softmax(x: Any, ids: Any, count: Any = None) -> Any:
    power = np.exp(x - np.stack([np.max(x[ids == i], 0) for i in range(ids.max() + 1)])[ids])
    return power / np.stack([power[ids == i].sum(0) for i in range(ids.max() + 1)])[ids]


samples("segment_softmax", case(real(5, 2), values([2, 0, 2, 1, 0]), 5),
        case(real(2, 2), _SQUARE, 2),
        case(integers(5), values([0, 0, 1, 1, 1]), 2),
        case(values([900.0, -900.0, 890.0]), values([0, 1, 0]), 2),
        oracle=_softmax, ulps=8)  # fmt: skip
samples("segment_std", case(real(5, 2), _SORTED, 3), case(real(5), _SORTED, 3, correction=1),
        case(real(2, 2), values([[1, 1], [1, 1]]), 3),
        case(integers(5), _SORTED, 4), oracle=_by_segments(_std), ulps=16)  # fmt: skip

_SPLITS = [0, 2, 2, 5]


def _gathered(x: Any, splits: Any, indices: Any, length: int) -> Any:
    rows = [x[splits[i % 3] : splits[i % 3 + 1]] for i in indices]
    return np.concatenate(rows), np.cumsum([0, *[len(row) for row in rows]])


samples("ragged_gather", case(real(5, 2), _SPLITS, values([2, 1, 0, -1]), length=8),
        case(real(5), _SPLITS, [0, 0], length=4), case(integers(5), _SPLITS, values([1]), length=0),
        oracle=_gathered, dtype=(None, "int64"))  # fmt: skip
samples("ragged_gather", case(complexes(5), _SPLITS, [2], length=3), oracle=_gathered, brief=True,
        dtype=(None, "int64"))  # fmt: skip

# -- running extremes
for _name, _function in {
    "cumulative_max": np.maximum.accumulate,
    "cumulative_min": np.minimum.accumulate,
}.items():
    samples(
        _name,
        case(distinct(5)),
        case(distinct(3, 4), axis=0),
        case(distinct(2, 3, 2), axis=-2),
        case(values([1.0, math.inf, math.nan, -math.inf])),
        case(integers(3, 5), axis=1),
        case(booleans(5)),
        case(values(np.zeros((0,)))),
        oracle=lambda x, axis=0, function=_function: function(x, axis=axis),
        ulps=0.0,
    )
samples(
    "cumulative_logsumexp",
    case(real(5)),
    case(real(3, 4), axis=-1),
    case(real(3, 4), axis=0),
    case(values([-math.inf, -math.inf, 0.0, 900.0, 900.0])),
    case(integers(5)),
    case(positive(1)),
    oracle=lambda x, axis=0: np.logaddexp.accumulate(np.asarray(x, float), axis=axis),
    ulps=8,
)
