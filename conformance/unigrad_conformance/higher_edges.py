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
