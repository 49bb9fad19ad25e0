"""Samples of sorting, searching and sets. Every tie is broken by the lowest index."""

import math
from typing import Any

import numpy as np

from unigrad_conformance.sample import booleans, case, distinct, integers, samples, values

_TIES = values([[2.0, 1.0, 2.0, 0.0, 1.0], [3.0, 3.0, 3.0, -1.0, 3.0]])
_SPECIAL = values([math.nan, 0.0, -math.inf, math.inf, -0.0, math.nan, -2.5, math.inf])


def _order(x: Any, axis: int = -1, descending: bool = False) -> Any:
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # The last ascending rank of a reversed tensor is the first descending one.
    flipped = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(flipped, axis)


def _sorted(x: Any, axis: int = -1, **settings: Any) -> Any:
    return np.take_along_axis(x, _order(x, axis, **settings), axis)


_CASES = (
    case(distinct(3, 4)),
    case(distinct(3, 4), descending=True),
    case(distinct(3, 2, 4), axis=0),
    case(distinct(3, 2, 4), axis=1, descending=True),
    case(distinct(1)),
    case(values(np.zeros((2, 0)))),
    case(_SPECIAL),
    case(_SPECIAL, descending=True),
    case(integers(3, 7)),
    case(integers(3, 7), descending=True),
    case(booleans(3, 7), axis=1),
    case(booleans(3, 7), descending=True),
)
_TIED = (
    case(_TIES),
    case(_TIES, descending=True),
    case(_TIES, axis=0, descending=True),
)
samples("sort", *_CASES, oracle=_sorted, ulps=0.0)
# The derivatives at ties are edges; here and below.
samples("sort", *_TIED, oracle=_sorted, ulps=0.0, differentiable=False)
samples("argsort", *_CASES, *_TIED, oracle=_order, dtype="int64", zero_gradient=True)


def _top(x: Any, k: int, axis: int = -1) -> Any:
    order = np.take(_order(x, axis, True), range(k), axis=axis)
    return np.take_along_axis(x, order, axis), order


samples(
    "top_k",
    case(distinct(3, 5), 2),
    case(distinct(3, 5), 5),
    case(distinct(4, 5), 3, axis=0),
    case(distinct(5), 0),
    case(_SPECIAL, 5),
    case(integers(3, 7), 3),
    oracle=_top,
    ulps=0.0,
    dtype=(None, "int64"),
)
samples(
    "top_k",
    case(_TIES, 4),
    oracle=_top,
    ulps=0.0,
    dtype=(None, "int64"),
    differentiable=False,
)


def _search(x1: Any, x2: Any, side: Any = "left", sorter: Any = None) -> Any:
    return np.searchsorted(x1, x2, side=side, sorter=sorter)


_LADDER = values([-1.5, 0.0, 1.0, 1.0, 2.5])
_PROBES = values([[-2.0, -1.5, 0.5], [1.0, 2.5, 3.0]])
samples(
    "searchsorted",
    case(_LADDER, _PROBES),
    case(_LADDER, _PROBES, side="right"),
    case(_LADDER, values(1.0)),
    case(values([2.5, -1.5, 1.0, 0.0, 1.0]), _PROBES, sorter=[1, 3, 2, 4, 0]),
    case(_LADDER, values([math.inf, -math.inf, math.nan])),
    case(values([1, 3, 3, 5]), integers(3, 4)),
    oracle=_search,
    dtype="int64",
    zero_gradient=True,
)

_UNIQUE = (
    case(distinct(3, 4)),
    case(integers(3, 7)),
    case(values([1.5, math.nan, 0.0, -0.0, math.nan])),
    case(booleans(5)),
    case(values(2.0)),
    case(values(np.zeros((0,)))),
)


def _unique(x: Any) -> Any:
    values, indices, inverse, counts = np.unique(x, True, True, True, equal_nan=False)
    return values, indices, inverse.reshape(np.shape(x)), counts


_COMPLEX_TIES = values([3 + 1j, 1 - 2j, 3 - 1j, 1 - 2j, 0.0, 3 + 1j])
_parts: Any
for _name, _parts, _dtypes in [
    ("unique_values", lambda x: _unique(x)[0], None),
    ("unique_counts", lambda x: _unique(x)[::3], (None, "int64")),
    ("unique_inverse", lambda x: _unique(x)[::2], (None, "int64")),
    ("unique_all", _unique, (None, "int64", "int64", "int64")),
]:
    samples(_name, *_UNIQUE, oracle=_parts, dtype=_dtypes)
    samples(_name, case(_TIES), oracle=_parts, dtype=_dtypes, differentiable=False)
    samples(_name, case(_COMPLEX_TIES), oracle=_parts, dtype=_dtypes, differentiable=False)
samples("isin", case(_COMPLEX_TIES, values([3.0 + 1.0j, 7.0])), oracle=np.isin, dtype="bool",
        differentiable=False)  # fmt: skip
samples(
    "isin",
    case(integers(3, 4), integers(5)),
    case(integers(3, 4), integers(2, 2), invert=True),
    case(_SPECIAL, values([0.0, math.nan, math.inf])),
    case(integers(3), values(np.zeros((0,), np.int64))),
    oracle=np.isin,
    dtype="bool",
    zero_gradient=True,
)
