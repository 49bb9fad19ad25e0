"""Functions of rows at the ends of the dtypes: softmax, reductions, statistics, running sums.

A row of mild numbers has one special number in its body or its tail, and is 1, 7, 16 or 1,000 long.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np

import unigrad as ug
from unigrad.core import dtypes
from unigrad.core.op import OPS
from unigrad_conformance.ends import special
from unigrad_conformance.problem import epsilon, smallest, wide
from unigrad_conformance.sample import Array
from unigrad_conformance.subject import Deviation, quiet

_finfo: Any = ml_dtypes.finfo


@dataclass(frozen=True)
class OfRows:
    """A function of the last axis of a matrix."""

    op: str
    call: Callable[[Any, Any], Any]
    #: NumPy function of the matrix in long doubles, whose squares stay in range.
    oracle: Callable[[Any], Any]
    #: The magnitude of the terms that are added, where they may cancel.
    terms: Callable[[Any], Any] = lambda x: 0.0
    ulps: float = 8.0


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _logsumexp(x: Any) -> Any:
    peak = x.max(-1, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0)
    return np.log(np.exp(x - peak).sum(-1)) + peak[..., 0]


def _log_softmax(x: Any) -> Any:
    peak = x.max(-1, keepdims=True)
    return (x - peak) - np.log(np.exp(x - peak).sum(-1, keepdims=True))


def _size(x: Any) -> Any:
    return np.abs(x).sum(-1)


def _std(x: Any) -> Any:
    """The deviation of equal elements is 0, of an infinity too."""
    return np.where(x.min(-1) == x.max(-1), 0.0, x.std(-1))


def _norm(x: Any) -> Any:
    return np.sqrt((x * x).sum(-1))


def _normalized(x: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float64(1e-5))


def _parts(x: Any) -> Any:
    """The terms of what `_normalized` divides, in its unit."""
    size = np.abs(x)
    return (size + size.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)


TABLE = [
    OfRows("softmax", lambda ug, x: ug.softmax(x), _softmax, lambda x: _softmax(x) * 16),
    OfRows("log_softmax", lambda ug, x: ug.log_softmax(x), _log_softmax, lambda x: np.abs(x)),
    OfRows("logsumexp", lambda ug, x: ug.logsumexp(x, axis=-1), _logsumexp),
    OfRows("sum", lambda ug, x: ug.sum(x, axis=-1), lambda x: x.sum(-1), _size),
    OfRows("mean", lambda ug, x: ug.mean(x, axis=-1), lambda x: x.mean(-1), _size),
    OfRows("max", lambda ug, x: ug.max(x, axis=-1), lambda x: x.max(-1), ulps=0),
    OfRows("min", lambda ug, x: ug.min(x, axis=-1), lambda x: x.min(-1), ulps=0),
    OfRows("var", lambda ug, x: ug.var(x, axis=-1), lambda x: x.var(-1), ulps=16),
    OfRows("std", lambda ug, x: ug.std(x, axis=-1), _std, ulps=16),
    OfRows("norm", lambda ug, x: ug.norm(x, axis=-1), _norm),
    OfRows(
        "normalized", lambda ug, x: OPS["normalized"](x, epsilon=1e-5), _normalized, _parts, 16
    ),
    OfRows("norm", lambda ug, x: ug.norm(x, ord=1, axis=-1), _size, ulps=32),
    OfRows("norm", lambda ug, x: ug.norm(x, ord=np.inf, axis=-1), lambda x: abs(x).max(-1), ulps=0),
    OfRows(
        "cumulative_sum", lambda ug, x: ug.cumulative_sum(x, axis=-1),
        lambda x: x.cumsum(-1), lambda x: np.abs(x).cumsum(-1),
    ),
    OfRows("argmax", lambda ug, x: ug.argmax(x, axis=-1), lambda x: x.argmax(-1), ulps=0),
    OfRows("argmin", lambda ug, x: ug.argmin(x, axis=-1), lambda x: x.argmin(-1), ulps=0),
    OfRows("sort", lambda ug, x: ug.sort(x, axis=-1), lambda x: np.sort(x, -1), ulps=0),
]  # fmt: skip


@cache
def rows(dtype: dtypes.DType, length: int) -> Array:
    """Return a row for each special number in the first, a middle and the last place."""
    places = sorted({0, length // 2, length - 1})
    generator = np.random.default_rng(length)
    x = generator.uniform(0.5, 2.0, (len(special(dtype)) * len(places), length))
    x *= generator.choice([-1, 1], x.shape)
    for i, (number, place) in enumerate(
        (number, place) for number in wide(special(dtype)) for place in places
    ):
        x[i, place] = number
    return x.astype(dtype)


def check_rows(one: OfRows, dtype: dtypes.DType, length: int, flushing: bool) -> None:
    """Compare a function of rows with its oracle."""
    x = rows(dtype, length)
    if flushing:
        x = x[~((np.abs(wide(x)) > 0) & (np.abs(wide(x)) < smallest(dtype))).any(-1)]
    long = wide(x).astype(np.longdouble)
    with quiet():
        found = one.call(ug, ug.asarray(x)).numpy()
    with np.errstate(all="ignore"):
        want = np.asarray(one.oracle(long))
        if want.dtype.kind != "f":
            bad = found != want
        else:
            got = found.astype(np.longdouble)
            terms = np.maximum(np.abs(want), one.terms(long) if one.ulps else 0)
            budget = (one.ulps or 0.5) * (epsilon(dtype) * terms + smallest(dtype))
            limit = np.longdouble(float(_finfo(dtype).max)) * (1 + epsilon(dtype))
            near = np.abs(np.clip(got, -limit, limit) - np.clip(want, -limit, limit)) <= budget
            bad = ~((got == want) | (np.isnan(got) & np.isnan(want)) | (near & ~np.isinf(want)))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        row = wide(x)[index[0]]
        raise Deviation(
            f"{found[index]!r} at {list(index)} of a row of {length} with "
            f"{row[[0, length // 2, -1]].tolist()} at its ends and in the middle, "
            f"not {want[index]!r} ({int(bad.sum())} of {bad.size} elements are off)"
        )
