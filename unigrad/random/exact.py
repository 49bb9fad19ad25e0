"""Decisions that no library rounds differently: logarithms and running sums for discrete draws.

A library's logarithm may differ from another's in the last digit, and a compiler may fuse a product
and a sum. Where a draw is an index, either would change it. So what decides is computed in integers
(int64, fixed point), which every library adds and multiplies alike in any order, or in sums of an
order that is written down.
"""

from __future__ import annotations

from math import log

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import cast, constant
from unigrad.core.dtypes import DType
from unigrad.core.op import composite
from unigrad.core.tensor import Tensor
from unigrad.ops.arithmetic import abs, maximum, minimum
from unigrad.ops.comparison import isnan, where
from unigrad.ops.indexing import getitem, take
from unigrad.ops.joining import concat, stack
from unigrad.ops.reductions import max
from unigrad.ops.rounding import trunc
from unigrad.ops.shaping import reshape
from unigrad.ops.sorting import searchsorted
from unigrad.random.uniforms import unit

#: Binary digits after the point of logarithms, and of scores (sums of logarithms and logits).
PLACES = 40
_SCORE_PLACES = 32
_LN2 = round(log(2) * 2**PLACES)
#: 1024 / (1 + (j + ½)/256), rounded: what brings a number with these leading digits next to 1.
_RECIPROCALS = np.array([round(1024 / (1 + (j + 0.5) / 256)) for j in range(256)], np.int64)
_LOGS = np.array([round(-log(int(c) / 1024) * 2**PLACES) for c in _RECIPROCALS], np.int64)
#: Scores beyond all others: of what is impossible, certain, or no number.
_NEVER, _SURELY, _NAN = -(2**62), 2**61, 2**62
_POWERS = 2.0 ** np.arange(-960, 1024)


@composite
def _random_log_of_integer(n: Tensor) -> Tensor:
    """Return ln n of int64 n in [1, 2⁶²) with `PLACES` binary digits; the error is below 2⁻³⁴.

    n = 2ᵉ · (1 + r) / c, where c is a number of ten digits from a table, and a polynomial in r.
    """
    exponent, rest = n * 0, n
    for step in (32, 16, 8, 4, 2, 1):
        shifted = rest >> step
        exponent = where(shifted > 0, exponent + step, exponent)
        rest = where(shifted > 0, shifted, rest)
    scaled = n << (62 - exponent)
    place = (scaled >> 54) & 255
    r = ((scaled >> 10) * take(constant(n, _RECIPROCALS), place) - 2**62) >> 22
    half = r >> 2
    square = (half * half) >> 36
    cube = (square * r) >> 40
    series = r - (square >> 1) + ((cube * 21845) >> 16) - ((square * square) >> 42)
    found: Tensor = exponent * _LN2 + take(constant(n, _LOGS), place) + series
    return found


def log_of_integer(n: Tensor) -> Tensor:
    """Return ln n of int64 n in [1, 2⁶²) in fixed point, with `PLACES` binary digits."""
    out: Tensor = _random_log_of_integer(n)
    return out


def log_of_float(x: Tensor) -> Tensor:
    """Return ln x of finite float64 x > 2⁻⁹⁶⁰ in fixed point, with `PLACES` binary digits."""
    place = maximum(searchsorted(constant(x, _POWERS), x, side="right") - 1, 0)
    # A quotient of powers of two: nothing is rounded.
    digits = cast(trunc(x / take(constant(x, _POWERS), place) * 2.0**52), dtypes.int64)
    found: Tensor = log_of_integer(maximum(digits, 1)) + (place - 960 - 52) * _LN2
    return found


def gumbel_scores(key: Tensor, shape: tuple[int, ...], dtype: DType) -> Tensor:
    """Return Gumbel noise -ln(-ln u) in fixed point, of the same u as `ug.random.gumbel`."""
    digits = {2: 23, 4: 23, 8: 52}[dtype.itemsize]
    drawn = unit(key, shape, dtypes.float64 if dtype.itemsize == 8 else dtypes.float32)
    n = cast(cast(drawn, dtypes.float64) * 2.0**digits, dtypes.int64)
    # Zero stands for the smallest normal number.
    lowest = 1022 if dtype.itemsize == 8 else 126
    e = where(n == 0, lowest * _LN2, digits * _LN2 - log_of_integer(maximum(n, 1)))
    scores: Tensor = (PLACES * _LN2 - log_of_integer(maximum(e, 1))) >> (PLACES - _SCORE_PLACES)
    return scores


def scores_of_logits(logits: Tensor, axis: int) -> Tensor:
    """Return logits in fixed point, as scores: with Gumbel noise the greatest is the draw."""
    wide = cast(logits, dtypes.float64)
    finite = where(abs(wide) < np.inf, wide, 0.0)
    # Nothing is taken off of ordinary logits: a sum could be fused with what comes before it.
    step = 2.0**28
    shift = trunc(max(where(wide == -np.inf, -np.inf, finite), axis=axis, keepdims=True) / step)
    shift = where(abs(shift) < np.inf, shift, 0.0) * step
    near = maximum(minimum(finite - shift, 2.0**29), -(2.0**29))
    found = cast(trunc(near * 2.0**_SCORE_PLACES), dtypes.int64)
    found = where(wide == -np.inf, _NEVER, where(wide == np.inf, _SURELY, found))
    return where(isnan(wide), _NAN, found)


def scores_of_chances(p: Tensor) -> Tensor:
    """Return the logarithms of probabilities as scores."""
    wide = cast(p, dtypes.float64)
    some = wide > 0.0
    found = log_of_float(where(some, wide, 1.0)) >> (PLACES - _SCORE_PLACES)
    return where(some, found, _NEVER)


#: How many neighbours are summed one after the other, as XLA does it on CPUs.
_ROW = 16


@composite
def _random_running_sums(x: Tensor) -> Tensor:
    """Return the running sums of a vector, in the order in which JAX 0.10 adds them on CPUs.

    Rows of 16 are summed one by one, and the sums of rows are summed likewise, and added. Each sum
    is rounded, and no product is near that it could be fused with.
    """
    size = x.shape[0]
    rows = -(-size // _ROW)
    if rows * _ROW != size:
        x = concat([x, constant(x, np.zeros(rows * _ROW - size))])
    table = reshape(x, (rows, _ROW))
    columns = [getitem(table, (slice(None), 0))]
    for j in range(1, _ROW):
        columns.append(columns[-1] + getitem(table, (slice(None), j)))
    inner = stack(columns, axis=1)
    if rows > 1:
        before = getitem(_random_running_sums(columns[-1]), slice(rows - 1))
        before = concat([constant(x, np.zeros(1)), before])
        inner = inner + reshape(before, (rows, 1))
    return getitem(reshape(inner, (rows * _ROW,)), slice(size))


def running_sums(x: Tensor) -> Tensor:
    """Return the running sums of a vector of floats, the same on every backend."""
    out: Tensor = _random_running_sums(x)
    return out
