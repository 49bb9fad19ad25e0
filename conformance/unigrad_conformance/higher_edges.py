"""Edges of second order and of forward mode, where the first gradient says too little.

At the origin the second derivatives are those of the textbook's rules (x / hypot(x, y), in which
the distance is 1 there); those of the 2-norm are 0. A step after an infinite slope has derivative 0
in both modes; a side that `where` does not take has 0 · ∞ in both.
"""

from __future__ import annotations

import math

from unigrad_conformance.edge import edge

NAN, INF = math.nan, math.inf

# -- powers
edge("x**1 at 0, second order", lambda ug, x: x**1, [0.0], gradients=([1.0],), second=([0.0],))
edge("x**1.0 at 0, second order", lambda ug, x: x**1.0, [0.0], gradients=([1.0],), second=([0.0],))
edge("x**2 at 0, second order", lambda ug, x: x**2, [0.0], gradients=([0.0],), second=([2.0],))
edge("x**3 at 0, second order", lambda ug, x: x**3, [0.0], gradients=([0.0],), second=([0.0],))
edge("x**0 at 0, second order", lambda ug, x: x**0, [0.0], gradients=([0.0],), second=([0.0],))
for _exponent, _first, _second in ((0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (2.0, 0.0, 2.0)):
    edge(
        f"x**[{_exponent:g}] at 0, second order",
        lambda ug, x, p=_exponent: ug.pow(x, ug.full_like(x, p)),
        [0.0], gradients=([_first],), second=([_second],),
    )  # fmt: skip
edge(
    "0**y by y, second order",
    lambda ug, y: ug.pow(ug.zeros_like(y), y),
    [0.0, 1.0, 2.0], gradients=([0.0, 0.0, 0.0],), second=([0.0, 0.0, 0.0],),
)  # fmt: skip
edge(
    "(0.0)**y by y, second order",
    lambda ug, y: 0.0**y,
    [0.0, 1.0, 2.0], gradients=([0.0, 0.0, 0.0],), second=([0.0, 0.0, 0.0],),
)  # fmt: skip

# -- the origin
edge(
    "hypot at the origin, second order",
    lambda ug, x, y: ug.hypot(x, y),
    [0.0], [0.0], gradients=([0.0], [0.0]), second=([1.0], [1.0]),
)  # fmt: skip
edge(
    "atan2 at the origin, second order",
    lambda ug, y, x: ug.atan2(y, x),
    [0.0], [0.0], gradients=([0.0], [0.0]), second=([-1.0], [1.0]),
)  # fmt: skip
edge(
    "norm of order 2 at 0, second order",
    lambda ug, x: ug.norm(x), [0.0, 0.0], gradients=([0.0, 0.0],), second=([0.0, 0.0],),
)  # fmt: skip
edge(
    "std of a constant, second order",
    lambda ug, x: ug.std(x), [2.0, 2.0], gradients=([0.0, 0.0],), second=([0.0, 0.0],),
)  # fmt: skip
edge(
    "abs at 0, second order",
    lambda ug, x: ug.abs(x), [0.0, -2.0], gradients=([0.0, -1.0],), second=([0.0, 0.0],),
)  # fmt: skip
edge(
    "prod with zeros, second order",
    lambda ug, x: ug.prod(x),
    [0.0, 0.0, 3.0], gradients=([0.0, 0.0, 0.0],), second=([3.0, 3.0, 0.0],),
)  # fmt: skip
edge(
    "logaddexp of -∞, second order",
    lambda ug, x, y: ug.logaddexp(x, y),
    [-INF], [-INF], gradients=([0.0], [0.0]), second=([0.0], [0.0]),
)  # fmt: skip

# -- steps after an infinite slope
for _name in ("floor", "ceil", "trunc", "round", "sign"):
    edge(
        f"{_name} of a root at 0",
        lambda ug, x, name=_name: getattr(ug, name)(ug.sqrt(x)),
        [0.0, 5.0], gradients=([0.0, 0.0],), tangent=[0.0, 0.0],
    )  # fmt: skip
edge(
    "floor of a logarithm at 0",
    lambda ug, x: ug.floor(ug.log(x)),
    [0.0, 3.0], value=[-INF, 1.0], gradients=([0.0, 0.0],), tangent=[0.0, 0.0],
)  # fmt: skip
edge(
    "floor_divide of a root at 0",
    lambda ug, x: ug.floor_divide(ug.sqrt(x), 2.0),
    [0.0, 5.0], gradients=([0.0, 0.0],), tangent=[0.0, 0.0],
)  # fmt: skip
edge(
    "comparison of a root at 0",
    lambda ug, x: ug.where(ug.sqrt(x) > 1.0, x * 2.0, x),
    [0.0, 5.0], gradients=([1.0, 2.0],), tangent=[1.0, 2.0],
)  # fmt: skip

# -- sides that are not taken
edge(
    "where over sqrt at 0, both modes",
    lambda ug, x: ug.where(x > 0.0, ug.sqrt(x), 0.0),
    [0.0, 4.0], gradients=([NAN, 0.25],), tangent=[NAN, 0.25],
)  # fmt: skip
edge(
    "safe_where over sqrt at 0, both modes",
    lambda ug, x: ug.safe_where(x > 0.0, ug.sqrt, x, 0.0),
    [0.0, 4.0], gradients=([0.0, 0.25],), tangent=[0.0, 0.25],
)  # fmt: skip
edge(
    "remainder of a number",
    lambda ug, y: 5.0 % y,
    [2.0, 3.0], value=[1.0, 2.0], gradients=([-2.0, -1.0],), tangent=[-2.0, -1.0],
)  # fmt: skip
edge(
    "x**y at the exponent 0",
    lambda ug, x, y: ug.pow(x, y),
    [2.0, 4.0],
    [0.0, 0.0],
    value=[1.0, 1.0],
    gradients=([0.0, 0.0], [math.log(2.0), math.log(4.0)]),
    second=([0.5, 0.25], [0.5 + math.log(2.0) ** 2, 0.25 + math.log(4.0) ** 2]),
)
edge(
    "elu at 0 to the second order",
    lambda ug, x: ug.nn.elu(x),
    [0.0, -0.0],
    value=[0.0, -0.0],
    gradients=([1.0, 1.0],),
    second=([1.0, 1.0],),
)

# -- a unit that is off after an infinite slope: 0 · ∞, as a side that is not taken
for _name, _call in (
    ("relu", lambda ug, x: ug.nn.relu(x)),
    ("relu6", lambda ug, x: ug.nn.relu6(x)),
    ("hard_sigmoid", lambda ug, x: ug.nn.hard_sigmoid(x)),
    ("hard_tanh", lambda ug, x: ug.nn.hard_tanh(x)),
    ("clip", lambda ug, x: ug.clip(x, -1.0, 1.0)),
    ("clip from below", lambda ug, x: ug.clip(x, -1.0)),
    ("maximum", lambda ug, x: ug.maximum(x, -1.0)),
    ("fmax", lambda ug, x: ug.fmax(x, ug.full_like(x, -1.0))),
):
    edge(
        f"{_name} of a logarithm at 0",
        lambda ug, x, call=_call: call(ug, ug.log(x)),
        [0.0], gradients=([NAN],), tangent=[NAN],
    )  # fmt: skip
for _name, _call in (
    ("heaviside", lambda ug, x: ug.heaviside(x, 0.5)),
    ("the sign by copysign", lambda ug, x: ug.copysign(1.0, x)),
):
    edge(
        f"{_name} of a logarithm at 0",
        lambda ug, x, call=_call: call(ug, ug.log(x)),
        [0.0, 3.0], gradients=([0.0, 0.0],), tangent=[0.0, 0.0],
    )  # fmt: skip
edge(
    "leaky_relu of a logarithm at 0",
    lambda ug, x: ug.nn.leaky_relu(ug.log(x)),
    [0.0, 2.0], value=[-INF, math.log(2.0)], gradients=([INF, 0.5],), tangent=[INF, 0.5],
)  # fmt: skip

# -- losses of certain predictions: wrong ones, then right ones
edge(
    "binary_crossentropy of certain predictions",
    lambda ug, p: ug.losses.binary_crossentropy(
        ug.asarray([[1.0], [0.0], [1.0], [0.0]], dtype=p.dtype), p
    ),
    [[0.0], [1.0], [1.0], [0.0]],
    value=[INF, INF, 0.0, 0.0],
    gradients=([[-INF], [INF], [-1.0], [1.0]],),
    second=([[INF], [INF], [1.0], [1.0]],),
    tangent=[-INF, INF, -1.0, 1.0],
)
edge(
    "categorical_crossentropy of certain predictions",
    lambda ug, p: ug.losses.categorical_crossentropy(
        ug.asarray([[1.0, 0.0], [0.0, 1.0]], dtype=p.dtype), p
    ),
    [[0.0, 1.0], [0.0, 1.0]],
    value=[INF, 0.0],
    gradients=([[-INF, 0.0], [0.0, -1.0]],),
    tangent=[-INF, -1.0],
)

# -- statistics of nothing, which nothing moves, and of infinities
for _name in ("mean", "var", "std"):
    edge(
        f"{_name} of nothing",
        lambda ug, x, name=_name: getattr(ug, name)(x, axis=1),
        [[], []], value=[NAN, NAN], gradients=([[], []],), tangent=[0.0, 0.0],
    )  # fmt: skip
edge(
    "std of equal infinities",
    lambda ug, x: ug.std(x), [INF, INF], value=0.0, gradients=([0.0, 0.0],), tangent=0.0,
)  # fmt: skip
edge(
    "var of an infinity",
    lambda ug, x: ug.var(x), [1.0, INF], value=NAN, gradients=([-INF, NAN],), tangent=NAN,
)  # fmt: skip

# -- at the ends of the domains, and outside of them
edge(
    "asin at ±1, second order",
    lambda ug, x: ug.asin(x),
    [1.0, -1.0], gradients=([INF, INF],), second=([INF, -INF],), tangent=[INF, INF],
)  # fmt: skip
edge(
    "acos at ±1, second order",
    lambda ug, x: ug.acos(x),
    [1.0, -1.0], gradients=([-INF, -INF],), second=([-INF, INF],), tangent=[-INF, -INF],
)  # fmt: skip
edge(
    "atanh at ±1, second order",
    lambda ug, x: ug.atanh(x),
    [1.0, -1.0], gradients=([INF, INF],), second=([INF, -INF],), tangent=[INF, INF],
)  # fmt: skip
edge(
    "acosh at the end of its domain and outside",
    lambda ug, x: ug.acosh(x),
    [1.0, 0.5, -2.0, INF],
    value=[0.0, NAN, NAN, INF],
    gradients=([INF, NAN, NAN, 0.0],),
    second=([-INF, NAN, NAN, 0.0],),
    tangent=[INF, NAN, NAN, 0.0],
)
edge(
    "rsqrt of zeros",
    lambda ug, x: ug.rsqrt(x),
    [0.0, -0.0],
    value=[INF, -INF],
    gradients=([-INF, -INF],),
    second=([INF, -INF],),
    tangent=[-INF, -INF],
)
