"""The table of conventions: one answer at every edge where libraries disagree.

One line per edge: a function of ``ug`` and its inputs, its value and its gradient there. Where
the derivative exists, it is that; at a kink, the symmetric choice; at the corner of an activation
that saturates, the flat side; otherwise IEEE.
"""

from __future__ import annotations

import math

from unigrad_conformance.edge import edge

NAN, INF = math.nan, math.inf
SELU = 1.0507009873554804934 * 1.6732632423543772848

# -- kinks: the symmetric choice
edge("abs at 0", lambda ug, x: ug.abs(x), [0.0, -2.0], value=[0.0, 2.0], gradients=([0.0, -1.0],))
edge("sign at 0", lambda ug, x: ug.sign(x), [0.0, -2.0], value=[0.0, -1.0], gradients=([0.0, 0.0],))
edge(
    "norm of order 1 at 0",
    lambda ug, x: ug.norm(x, ord=1), [0.0, -2.0], value=2.0, gradients=([0.0, -1.0],),
)  # fmt: skip
for _name in ("maximum", "minimum", "fmax", "fmin"):
    edge(
        f"{_name} at a tie",
        lambda ug, x, y, name=_name: getattr(ug, name)(x, y),
        [2.0], [2.0], value=[2.0], gradients=([0.5], [0.5]),
    )  # fmt: skip
edge(
    "max over a tie",
    lambda ug, x: ug.max(x),
    [3.0, 1.0, 3.0],
    value=3.0,
    gradients=([0.5, 0.0, 0.5],),
)
edge(
    "min over a tie",
    lambda ug, x: ug.min(x),
    [3.0, 1.0, 1.0],
    value=1.0,
    gradients=([0.0, 0.5, 0.5],),
)
edge(
    "max over a tie of three along an axis",
    lambda ug, x: ug.max(x, axis=1), [[1.0, 1.0, 1.0], [0.0, 2.0, 2.0]],
    value=[1.0, 2.0], gradients=([[1 / 3, 1 / 3, 1 / 3], [0.0, 0.5, 0.5]],),
)  # fmt: skip
edge(
    "norm of order ∞ over a tie",
    lambda ug, x: ug.norm(x, ord=INF), [2.0, -2.0, 1.0],
    value=2.0, gradients=([0.5, -0.5, 0.0],),
)  # fmt: skip
edge(
    "max_pool over a tie and with a NaN",
    lambda ug, x: ug.max_pool(x, 2), [[[2.0], [2.0], [NAN], [3.0]]],
    value=[[[2.0], [NAN]]], gradients=([[[0.5], [0.5], [1.0], [0.0]]],),
)  # fmt: skip
edge(
    "max with NaNs",
    lambda ug, x: ug.max(x),
    [1.0, NAN, NAN],
    value=NAN,
    gradients=([0.0, 0.5, 0.5],),
)

edge(
    "norm of order ½ beside a 0",
    lambda ug, x: ug.norm(x, ord=0.5),
    [0.0, 4.0],
    value=4.0,
    gradients=([0.0, 1.0],),
)
edge(
    "norm of order 3 beyond the range of cubes",
    lambda ug, x: ug.norm(x * 1e30, ord=3) / 1e30,
    [0.0, -4.0],
    value=4.0,
    gradients=([0.0, -1.0],),
)
edge(
    "norm of order -∞ over a tie",
    lambda ug, x: ug.norm(x, ord=-INF),
    [2.0, -1.0, 1.0],
    value=1.0,
    gradients=([0.0, -0.5, 0.5],),
)
edge(
    "nonzero has derivative 0",
    lambda ug, x: ug.nonzero(x)[0],
    [0.0, 2.0, 3.0],
    value=[1, 2],
    gradients=([0.0, 0.0, 0.0],),
)

# -- activations: the flat side at a corner
edge("relu at 0", lambda ug, x: ug.nn.relu(x), [0.0], value=[0.0], gradients=([0.0],))
edge(
    "relu6 at its corners",
    lambda ug, x: ug.nn.relu6(x),
    [0.0, 6.0, 3.0],
    value=[0.0, 6.0, 3.0],
    gradients=([0.0, 0.0, 1.0],),
)
edge(
    "hard_tanh at its corners",
    lambda ug, x: ug.nn.hard_tanh(x),
    [-1.0, 1.0, 0.5],
    value=[-1.0, 1.0, 0.5],
    gradients=([0.0, 0.0, 1.0],),
)
edge(
    "hard_sigmoid at its corners",
    lambda ug, x: ug.nn.hard_sigmoid(x),
    [-3.0, 3.0],
    value=[0.0, 1.0],
    gradients=([0.0, 0.0],),
)
edge(
    "leaky_relu at 0",
    lambda ug, x: ug.nn.leaky_relu(x) / ug.nn.leaky_relu(ug.asarray(-1.0, dtype=x.dtype)),
    [0.0],
    value=[0.0],
    gradients=([-1.0],),
)
edge("elu at 0", lambda ug, x: ug.nn.elu(x), [0.0], value=[0.0], gradients=([1.0],))
edge("selu at 0", lambda ug, x: ug.nn.selu(x), [0.0], value=[0.0], gradients=([SELU],))
edge("gelu is exact", lambda ug, x: ug.nn.gelu(x), [1.0], value=[0.8413447460685429])
edge(
    "clip on its bounds",
    lambda ug, x: ug.clip(x, 0.0, 1.0),
    [0.0, 1.0, 0.5, -1.0, 2.0],
    value=[0.0, 1.0, 0.5, 0.0, 1.0],
    gradients=([1.0, 1.0, 1.0, 0.0, 0.0],),
)

# -- roots of sums of squares: 0 at 0
edge(
    "norm of order 2 at 0",
    lambda ug, x: ug.norm(x),
    [0.0, 0.0],
    value=0.0,
    gradients=([0.0, 0.0],),
)
edge(
    "std of a constant",
    lambda ug, x: ug.std(x),
    [2.0, 2.0, 2.0],
    value=0.0,
    gradients=([0.0, 0.0, 0.0],),
)
edge(
    "hypot at the origin",
    lambda ug, x, y: ug.hypot(x, y),
    [0.0],
    [0.0],
    value=[0.0],
    gradients=([0.0], [0.0]),
)
edge(
    "atan2 at the origin",
    lambda ug, y, x: ug.atan2(y, x),
    [0.0],
    [0.0],
    value=[0.0],
    gradients=([0.0], [0.0]),
)
edge("sinc at 0", lambda ug, x: ug.sinc(x), [0.0], value=[1.0], gradients=([0.0],))

# -- powers
edge("x**0 at 0", lambda ug, x: x**0.0, [0.0], value=[1.0], gradients=([0.0],))
edge("x**1 at 0", lambda ug, x: x**1.0, [0.0], value=[0.0], gradients=([1.0],))
edge(
    "x**2 at 0 and below",
    lambda ug, x: x**2,
    [0.0, -3.0],
    value=[0.0, 9.0],
    gradients=([0.0, -6.0],),
)
edge(
    "0**y by y",
    lambda ug, y: ug.pow(ug.zeros_like(y), y),
    [2.0, 0.0],
    value=[0.0, 1.0],
    gradients=([0.0, 0.0],),
)
edge(
    "(-1)**y by y",
    lambda ug, y: ug.pow(-ug.ones_like(y), y),
    [2.0],
    value=[1.0],
    gradients=([NAN],),
)

# -- products with zeros: exact
edge(
    "prod with one zero",
    lambda ug, x: ug.prod(x),
    [2.0, 0.0, 3.0],
    value=0.0,
    gradients=([0.0, 6.0, 0.0],),
)
edge(
    "prod with two zeros",
    lambda ug, x: ug.prod(x),
    [0.0, 0.0, 3.0],
    value=0.0,
    gradients=([0.0, 0.0, 0.0],),
)
edge(
    "cumulative_prod with a zero",
    lambda ug, x: ug.cumulative_prod(x),
    [2.0, 0.0, 3.0],
    value=[2.0, 0.0, 0.0],
    gradients=([1.0, 8.0, 0.0],),
)

# -- order: stable, lowest index first
edge(
    "sort over a tie",
    lambda ug, x: ug.sort(x) * ug.asarray([1.0, 2.0, 3.0], dtype=x.dtype),
    [2.0, 1.0, 2.0],
    value=[1.0, 4.0, 6.0],
    gradients=([2.0, 1.0, 3.0],),
)
edge(
    "sort over a tie, descending",
    lambda ug, x: ug.sort(x, descending=True) * ug.asarray([1.0, 2.0, 3.0], dtype=x.dtype),
    [2.0, 1.0, 2.0],
    value=[2.0, 4.0, 3.0],
    gradients=([1.0, 3.0, 2.0],),
)
edge(
    "top_k over a tie",
    lambda ug, x: ug.top_k(x, 2)[0] * ug.asarray([1.0, 2.0], dtype=x.dtype),
    [2.0, 3.0, 2.0, 2.0],
    value=[3.0, 4.0],
    gradients=([2.0, 1.0, 0.0, 0.0],),
)
# Rows as long as those of which libraries find the greatest without sorting.
_LONG = [[2.0, 3.0, *[1.0] * 796, 2.0, 2.0], [-INF] * 800, [*[1.0] * 798, NAN, 2.0]]
edge(
    "top_k of long rows: ties, nothing but -∞, a NaN",
    lambda ug, x: ug.top_k(x, 3)[1],
    _LONG,
    value=[[1, 0, 798], [0, 1, 2], [798, 799, 0]],
)
edge(
    "top_k of one long row with ties",
    lambda ug, x: ug.top_k(x, 3)[1],
    [2.0, 3.0, *[1.0] * 2996, 2.0, 2.0],
    value=[1, 0, 2998],
)
edge(
    "top_k along the first of two axes, ties among many columns",
    lambda ug, x: ug.top_k(x, 2, axis=0)[0] * ug.asarray([[1.0], [2.0]], dtype=x.dtype),
    [[1.0] * 800, [*[3.0] * 799, 0.0], [3.0] * 800],
    value=[[3.0] * 800, [*[6.0] * 799, 2.0]],
    gradients=([[*[0.0] * 799, 2.0], [*[1.0] * 799, 0.0], [*[2.0] * 799, 1.0]],),
)
for _name in ("unique_values", "unique_counts", "unique_inverse", "unique_all"):
    edge(
        f"{_name} over a tie: the lowest index",
        lambda ug, x, name=_name: (
            (getattr(ug, name)(x) if name == "unique_values" else getattr(ug, name)(x)[0])
            * ug.asarray([1.0, 2.0], dtype=x.dtype)
        ),
        [2.0, 1.0, 2.0],
        value=[1.0, 4.0],
        gradients=([2.0, 1.0, 0.0],),
    )
edge("argsort over a tie", lambda ug, x: ug.argsort(x), [2.0, 1.0, 2.0, 1.0], value=[1, 3, 0, 2])
edge(
    "argmax over a tie",
    lambda ug, x: ug.argmax(x),
    [1.0, 3.0, 3.0],
    value=1,
    gradients=([0.0, 0.0, 0.0],),
)

# -- IEEE
edge("sqrt at 0", lambda ug, x: ug.sqrt(x), [0.0], value=[0.0], gradients=([INF],))
edge("log at 0", lambda ug, x: ug.log(x), [0.0], value=[-INF], gradients=([INF],))
edge("acos at 1", lambda ug, x: ug.acos(x), [1.0], value=[0.0], gradients=([-INF],))
edge(
    "where over sqrt at 0",
    lambda ug, x: ug.where(x > 0.0, ug.sqrt(x), 0.0),
    [0.0, 4.0],
    value=[0.0, 2.0],
    gradients=([NAN, 0.25],),
)
edge(
    "safe_where over sqrt at 0",
    lambda ug, x: ug.safe_where(x > 0.0, ug.sqrt, x, 0.0),
    [0.0, 4.0],
    value=[0.0, 2.0],
    gradients=([0.0, 0.25],),
)
edge(
    "NaN goes through",
    lambda ug, x: ug.exp(x) + x,
    [NAN, 0.0],
    value=[NAN, 1.0],
    gradients=([NAN, 2.0],),
)
for _name, _value in (("fmax", [5.0, 5.0]), ("fmin", [5.0, 1.0])):
    edge(
        f"{_name} passes over NaN",
        lambda ug, x, y, name=_name: getattr(ug, name)(x, y),
        [NAN, 5.0], [5.0, 1.0],
        value=_value,
        gradients=([0.0, 1.0], [1.0, 0.0]) if _name == "fmax" else ([0.0, 0.0], [1.0, 1.0]),
    )  # fmt: skip
edge("division by zero", lambda ug, x: 1.0 / x, [0.0, -0.0], value=[INF, -INF])

# -- steps: derivative 0, connected
for _name in ("floor", "round", "ceil", "trunc"):
    edge(
        f"{_name} has derivative 0",
        lambda ug, x, name=_name: getattr(ug, name)(x),
        [1.7, -1.2],
        gradients=([0.0, 0.0],),
    )
edge(
    "floor_divide has derivative 0",
    lambda ug, x, y: ug.floor_divide(x, y),
    [7.0],
    [2.0],
    value=[3.0],
    gradients=([0.0], [0.0]),
)
edge(
    "heaviside has derivative 0",
    lambda ug, x, y: ug.heaviside(x, y),
    [0.0, 2.0],
    [0.5, 0.5],
    value=[0.5, 1.0],
    gradients=([0.0, 0.0], [1.0, 0.0]),
)
edge(
    "comparison has derivative 0",
    lambda ug, x: x > 1.0,
    [0.0, 2.0],
    value=[False, True],
    gradients=([0.0, 0.0],),
)
edge(
    "round takes halves to even",
    lambda ug, x: ug.round(x),
    [0.5, 1.5, 2.5, -0.5, -1.5],
    value=[0.0, 2.0, 2.0, -0.0, -2.0],
)

# -- indices
edge(
    "at.set: the last of equal indices wins",
    lambda ug, x, v: x.at[[1, 1]].set(v),
    [1.0, 2.0, 3.0],
    [5.0, 6.0],
    value=[1.0, 6.0, 3.0],
    gradients=([1.0, 0.0, 1.0], [0.0, 1.0]),
)
edge(
    "at.add adds up over equal indices",
    lambda ug, x, v: x.at[[1, 1]].add(v),
    [1.0, 2.0, 3.0],
    [5.0, 6.0],
    value=[1.0, 13.0, 3.0],
    gradients=([1.0, 1.0, 1.0], [1.0, 1.0]),
)
edge(
    "reading an index twice",
    lambda ug, x: x[[0, 0, 2]],
    [1.0, 2.0, 3.0],
    value=[1.0, 1.0, 3.0],
    gradients=([2.0, 0.0, 1.0],),
)

# -- integers
edge("sigmoid of integers is floating", lambda ug: ug.nn.sigmoid(ug.asarray([0])), value=[0.5])
edge("mean of integers is floating", lambda ug: ug.mean(ug.asarray([1, 2])), value=1.5)
edge(
    "shifting beyond the width",
    lambda ug: ug.bitwise_left_shift(
        ug.asarray([1], dtype="int32"), ug.asarray([32], dtype="int32")
    ),
    value=[0],
)
edge(
    "shifting right beyond the width",
    lambda ug: ug.bitwise_right_shift(
        ug.asarray([5, -5], dtype="int32"), ug.asarray([40, 40], dtype="int32")
    ),
    value=[0, -1],
)
