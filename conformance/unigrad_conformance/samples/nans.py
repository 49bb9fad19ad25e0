"""Samples of quantiles, and of reductions that leave NaNs out."""

import math
from typing import Any

import numpy as np

from unigrad_conformance.sample import (
    booleans,
    case,
    complexes,
    distinct,
    integers,
    real,
    samples,
    values,
)

_NAN = math.nan
_SOME = values([[1.5, _NAN, -2.0], [_NAN, 4.0, 0.5]])
_ALONE = values([[_NAN, _NAN], [3.0, -math.inf], [_NAN, math.inf]])
_NONE = values(np.zeros((0,)))
_ZEROS = values([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]])

for _name in ("nansum", "nanprod", "nanmean"):
    samples(
        _name,
        case(real(2, 3, 2), axis=(0, -1), keepdims=True),
        case(_ZEROS, axis=1),
        case(_SOME),
        case(_SOME, axis=0),
        case(_ALONE, axis=-1),
        case(_NONE),
        case(real()),
        oracle=getattr(np, _name),
        ulps=8,
    )
    samples(_name, case(complexes(2, 3), axis=0), oracle=getattr(np, _name), brief=True, ulps=8)
samples("nansum", case(integers(2, 3)), oracle=np.nansum)
samples("nansum", case(booleans(4)), oracle=np.nansum, dtype="int64")
samples("nansum", case(integers(3), dtype="float64"), oracle=np.nansum, dtype="float64")
samples("nanmean", case(integers(2, 3), axis=0), oracle=np.nanmean)

for _name in ("nanmax", "nanmin"):
    samples(
        _name,
        case(distinct(2, 3, 2), axis=(0, 2)),
        case(distinct(3, 4), axis=-1, keepdims=True),
        case(_SOME),
        case(_ALONE, axis=1),
        case(integers(2, 3), axis=0),
        case(distinct()),
        oracle=getattr(np, _name),
        ulps=0.0,
    )


def _place(op: str) -> Any:
    extremum = getattr(np, op.replace("arg", ""))

    def oracle(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        best = extremum(x, axis=axis, keepdims=True)
        return np.argmax(x == best, axis=axis, keepdims=keepdims)

    return oracle


for _name in ("nanargmax", "nanargmin"):
    samples(
        _name,
        case(distinct(3, 4)),
        case(distinct(3, 4), axis=-1, keepdims=True),
        case(_SOME, axis=0),
        # Beside a NaN the infinity is the number.
        case(values([_NAN, -math.inf])),
        case(values([_NAN, math.inf])),
        case(integers(3, 4), axis=1),
        oracle=_place(_name),
        dtype="int64",
        zero_gradient=True,
    )


def _spread(function: Any) -> Any:
    def oracle(x: Any, correction: float = 0.0, **settings: Any) -> Any:
        return function(x, ddof=correction, **settings)

    return oracle


for _name in ("nanvar", "nanstd"):
    samples(
        _name,
        case(real(3, 4)),
        case(real(2, 3, 2), axis=(0, 2), correction=1, keepdims=True),
        case(_SOME, axis=1),
        case(_SOME, axis=0, correction=1),
        case(integers(3, 4), axis=0),
        case(_NONE),
        oracle=_spread(getattr(np, _name)),
        ulps=16,
    )
samples(
    "nanstd",
    case(values([[1e30, -1e30, 2e30], [3e-30, 1e-30, 0.0]]), axis=1),
    oracle=np.nanstd,
    ulps=16,
    differentiable=False,
)

_METHODS = ("linear", "lower", "higher", "nearest", "midpoint")
for _name in ("median", "nanmedian"):
    samples(
        _name,
        case(distinct(3, 4)),
        case(distinct(2, 3, 3), axis=(0, 2), keepdims=True),
        case(distinct(5), axis=-1),
        case(_SOME, axis=1),
        case(values([1.0, math.inf])),
        case(values([_NAN, 1.0, 2.0])),
        case(integers(3, 4), axis=0),
        case(_NONE),
        case(real()),
        oracle=getattr(np, _name),
    )


def _quantiles(op: str) -> Any:
    function = getattr(np, op)

    def oracle(x: Any, q: Any, **settings: Any) -> Any:
        if not x.size:
            return np.full(np.shape(q), _NAN)
        if np.ndim(q) < 2:
            return function(x, q, **settings)
        found = function(x, np.ravel(q), **settings)
        return found.reshape((*np.shape(q), *found.shape[1:]))

    return oracle


for _name, _whole in (("quantile", 1), ("percentile", 100)):
    samples(
        _name,
        *[case(distinct(3, 4), 0.3 * _whole, axis=0, method=method) for method in _METHODS],
        case(distinct(3, 5), [0.0, 0.45 * _whole, 1.0 * _whole], axis=1, keepdims=True),
        case(distinct(3, 4), values([[0.2, 0.61], [0.9, 0.05]]), axis=-1)
        if _whole == 1
        else case(distinct(3, 4), values([20.0, 61.0])),
        case(integers(3, 4), 0.25 * _whole),
        case(_SOME, 0.3 * _whole, axis=1),
        case(_NONE, [0.5 * _whole]),
        oracle=_quantiles(_name),
        ulps=8,
    )
    samples(
        f"nan{_name}",
        case(distinct(3, 4), 0.3 * _whole, axis=0),
        case(distinct(2, 3, 3), [0.1 * _whole, 0.77 * _whole], axis=(0, 2), keepdims=True),
        case(_SOME, 0.3 * _whole, axis=1),
        *[case(_SOME, [0.3 * _whole], axis=None, method=method) for method in _METHODS],
        case(_ALONE, 0.5 * _whole, axis=1, method="lower"),
        case(integers(3, 4), 0.25 * _whole),
        oracle=_quantiles(f"nan{_name}"),
        ulps=8,
    )
