"""Edges with infinities and NaNs, whose derivatives no finite differences can check.

A derivative at an infinity is the limit where the rule has one, otherwise IEEE. By an input that
is NaN no function has a derivative: what is here at NaNs is that elements only move.
"""

from __future__ import annotations

import math
import sys

from unigrad_conformance.edge import edge

NAN, INF = math.nan, math.inf

# -- slopes
edge(
    "abs at infinities",
    lambda ug, x: ug.abs(x),
    [-INF, INF, -0.0],
    value=[INF, INF, 0.0],
    gradients=([-1.0, 1.0, 0.0],),
)
edge(
    "negative and positive",
    lambda ug, x: ug.negative(x) + ug.positive(x) * 3.0,
    [NAN, 1.0],
    value=[NAN, 2.0],
    gradients=([2.0, 2.0],),
)
edge(
    "erf at infinities",
    lambda ug, x: ug.erf(x),
    [-INF, INF, NAN],
    value=[-1.0, 1.0, NAN],
    gradients=([0.0, 0.0, NAN],),
)
edge(
    "erfc at infinities",
    lambda ug, x: ug.erfc(x),
    [-INF, INF, NAN],
    value=[2.0, 0.0, NAN],
    gradients=([0.0, 0.0, NAN],),
)
edge(
    "hard_silu at infinities",
    lambda ug, x: ug.nn.hard_silu(x),
    [-4.0, -3.0, 3.0, INF],
    value=[0.0, 0.0, 3.0, INF],
    gradients=([0.0, 0.0, 1.0, 1.0],),
    second=([0.0, 0.0, 0.0, 0.0],),
    tangent=[0.0, 0.0, 1.0, 1.0],
)
edge(
    "gelu at infinities",
    lambda ug, x: ug.nn.gelu(x),
    [-INF, INF],
    value=[NAN, INF],
    gradients=([NAN, NAN],),
    second=([NAN, NAN],),
    tangent=[NAN, NAN],
)
edge(
    "erf at infinities, second order",
    lambda ug, x: ug.erf(x),
    [INF, 30.0],
    gradients=([0.0, 0.0],),
    second=([NAN, 0.0],),
    tangent=[0.0, 0.0],
)
edge(
    "relu at infinities",
    lambda ug, x: ug.nn.relu(x),
    [-INF, INF],
    value=[0.0, INF],
    gradients=([0.0, 1.0],),
)
edge(
    "atanh beyond 1",
    lambda ug, x: ug.atanh(x),
    [INF, -INF, 0.0],
    value=[NAN, NAN, 0.0],
    gradients=([NAN, NAN, 1.0],),
)
edge(
    "the extreme numbers that nan_to_num gives",
    lambda ug: ug.nan_to_num(ug.asarray([INF, -INF, NAN], dtype="float64")),
    value=[sys.float_info.max, -sys.float_info.max, 0.0],
)
edge(
    "powers of ½, which are square roots but for -∞",
    lambda ug, x: x**0.5,
    [-INF, 4.0, -1.0, INF],
    value=[INF, 2.0, NAN, INF],
    gradients=([0.0, 0.25, NAN, 0.0],),
    tangent=[0.0, 0.25, NAN, 0.0],
)
edge(
    "powers of ½ of a zero that is negative",
    lambda ug: 1.0 / ug.asarray([-0.0, 0.0], dtype="float64") ** 0.5,
    value=[INF, INF],
)
edge(
    "powers of -½",
    lambda ug, x: x**-0.5,
    [-INF, 4.0, -0.0],
    value=[0.0, 0.5, INF],
    gradients=([0.0, -0.0625, -INF],),
)
edge(
    "std with a correction that is NaN",
    lambda ug: ug.stack([f(ug.asarray([1.0, 2.0]), correction=NAN) for f in (ug.std, ug.var)]),
    value=[NAN, NAN],
)
edge(
    "nan_to_num",
    lambda ug, x: ug.nan_to_num(x, nan=2.0, posinf=3.0, neginf=-4.0),
    [NAN, INF, -INF, 1.0],
    value=[2.0, 3.0, -4.0, 1.0],
    gradients=([0.0, 0.0, 0.0, 1.0],),
)
edge(
    "clip at infinities",
    lambda ug, x: ug.clip(x, -1.0, 1.0),
    [-INF, INF],
    value=[-1.0, 1.0],
    gradients=([0.0, 0.0],),
)

# -- the greater and the less
_MAXIMUM, _MINIMUM = [0.25, INF, INF, INF, -INF], [-INF, 0.25, -INF, INF, -INF]
_OF_MAXIMUM, _OF_MINIMUM = [1.0, 0.0, 1.0, 0.5, 0.5], [0.0, 1.0, 0.0, 0.5, 0.5]
for _name, _value, _by_first in (
    ("maximum", _MAXIMUM, _OF_MAXIMUM),
    ("fmax", _MAXIMUM, _OF_MAXIMUM),
    ("minimum", _MINIMUM, _OF_MINIMUM),
    ("fmin", _MINIMUM, _OF_MINIMUM),
):
    edge(
        f"{_name} at infinities",
        lambda ug, x, y, name=_name: getattr(ug, name)(x, y),
        [0.25, 0.25, INF, INF, -INF],
        [-INF, INF, -INF, INF, -INF],
        value=_value,
        gradients=(_by_first, [1.0 - one for one in _by_first]),
    )
    edge(
        f"{_name} of infinities and a scalar",
        lambda ug, x, name=_name: getattr(ug, name)(x, 0.25),
        [-INF, INF],
        value=_value[:2],
        gradients=([1.0 - one for one in _by_first[:2]],),
    )
edge(
    "heaviside at infinities",
    lambda ug, x, y: ug.heaviside(x, y),
    [-INF, INF, NAN],
    [0.5, 0.5, 0.5],
    value=[0.0, 1.0, NAN],
    gradients=([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
)
edge(
    "max over infinities",
    lambda ug, x: ug.max(x, axis=1),
    [[-INF, INF, INF], [-INF, -INF, 0.0]],
    value=[INF, 0.0],
    gradients=([[0.0, 0.5, 0.5], [0.0, 0.0, 1.0]],),
)
edge(
    "min over infinities",
    lambda ug, x: ug.min(x, axis=1),
    [[-INF, INF, INF], [-INF, -INF, 0.0]],
    value=[-INF, -INF],
    gradients=([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]],),
)
edge(
    "min with NaNs",
    lambda ug, x: ug.min(x),
    [-INF, NAN, NAN],
    value=NAN,
    gradients=([0.0, 0.5, 0.5],),
)

# -- sums of exponentials: 0 where all terms are 0
edge(
    "logsumexp of -∞",
    lambda ug, x: ug.logsumexp(x, axis=1),
    [[-INF, -INF], [-INF, 1.0]],
    value=[-INF, 1.0],
    gradients=([[0.0, 0.0], [0.0, 1.0]],),
)
edge(
    "logaddexp of -∞",
    lambda ug, x, y: ug.logaddexp(x, y),
    [1.0, -INF, -INF],
    [-INF, 1.0, -INF],
    value=[1.0, 1.0, -INF],
    gradients=([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]),
)
edge(
    "logaddexp of ∞",
    lambda ug, x, y: ug.logaddexp(x, y),
    [INF, 1.0, INF, -INF, INF],
    [1.0, INF, -INF, INF, INF],
    value=[INF, INF, INF, INF, INF],
    gradients=([1.0, 0.0, 1.0, 0.0, NAN], [0.0, 1.0, 0.0, 1.0, NAN]),
)
edge(
    "softmax of -∞",
    lambda ug, x: ug.softmax(x) * ug.asarray([1.0, 2.0, 5.0], dtype=x.dtype),
    [0.0, -INF, 0.0],
    value=[0.5, 0.0, 2.5],
    gradients=([-1.0, 0.0, 1.0],),
)

# -- elements that only move
edge(
    "sort of NaNs and infinities",
    lambda ug, x: ug.where(ug.sort(x) == 2.0, 0.0, ug.sort(x)),
    [NAN, 2.0, INF, -INF, NAN],
    value=[-INF, 0.0, INF, NAN, NAN],
    gradients=([1.0, 0.0, 1.0, 1.0, 1.0],),
)
edge(
    "top_k of NaNs and infinities",
    lambda ug, x: ug.top_k(x, 3)[0],
    [NAN, 2.0, INF, -INF, 1.0],
    value=[NAN, INF, 2.0],
    gradients=([1.0, 1.0, 1.0, 0.0, 0.0],),
)
edge(
    "unique_values of NaNs and infinities",
    lambda ug, x: ug.unique_values(x),
    [NAN, 2.0, INF, INF],
    value=[2.0, INF, NAN],
    gradients=([1.0, 1.0, 1.0, 0.0],),
)
edge(
    "tril and triu of NaNs and infinities",
    lambda ug, x: ug.tril(x) + ug.triu(x) * 2.0,
    [[1.0, INF], [NAN, 2.0]],
    value=[[3.0, INF], [NAN, 6.0]],
    gradients=([[3.0, 2.0], [1.0, 3.0]],),
)

# -- division with infinities and zeros, as Python's; a remainder has the sign of its divisor
edge(
    "floor_divide with infinities",
    lambda ug, x, y: ug.floor_divide(x, y),
    [INF, -INF, INF, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 0.0],
    [2.0, INF, -2.0, INF, INF, -INF, -INF, 0.0, 0.0, 0.0],
    value=[NAN, NAN, NAN, 0.0, -1.0, -1.0, 0.0, INF, -INF, NAN],
    gradients=([0.0] * 10, [0.0] * 10),
)
edge(
    "remainder with infinities",
    lambda ug, x, y: ug.remainder(x, y),
    [INF, -INF, 1.0, -1.0, 1.0, -1.0, 1.0],
    [2.0, INF, INF, INF, -INF, -INF, 0.0],
    value=[NAN, NAN, 1.0, INF, -INF, -1.0, NAN],
    gradients=([1.0] * 7, [NAN, NAN, 0.0, 1.0, 1.0, 0.0, -INF]),
)
edge(
    "the signs of zero quotients",
    lambda ug, x, y: 1.0 / ug.floor_divide(x, y),
    [0.0, -0.0, 0.0, -0.0, -1.0, 1.0, -0.0],
    [2.0, 2.0, -2.0, -2.0, -INF, INF, INF],
    value=[INF, -INF, -INF, INF, INF, INF, -INF],
)
edge(
    "the signs of zero remainders",
    lambda ug, x, y: 1.0 / ug.remainder(x, y),
    [0.0, -0.0, 0.0, -0.0, -6.0, 5.0, -0.0],
    [2.0, 2.0, -2.0, -2.0, 3.0, -2.5, INF],
    value=[INF, INF, -INF, -INF, INF, -INF, INF],
)
