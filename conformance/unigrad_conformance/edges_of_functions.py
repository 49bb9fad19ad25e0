"""Edges of functions that are made of others: kinks, corners, zeros."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from unigrad_conformance.edge import edge

INF, NAN = math.inf, math.nan

edge(
    "cbrt at 0",
    lambda ug, x: ug.cbrt(x),
    [0.0, -8.0],
    value=[0.0, -2.0],
    gradients=([INF, 1 / 12],),
)
edge(
    "divide_no_nan by 0",
    lambda ug, x, y: ug.divide_no_nan(x, y),
    [3.0, 3.0],
    [0.0, 2.0],
    value=[0.0, 1.5],
    gradients=([0.0, 0.5], [0.0, -0.75]),
)
edge(
    "fmod of 0 and of a negative number",
    lambda ug, x, y: ug.fmod(x, y),
    [0.0, -7.0],
    [2.0, 3.0],
    value=[0.0, -1.0],
    gradients=([1.0, 1.0], [0.0, 2.0]),
)
edge(
    "logaddexp2 at a tie and of -∞",
    lambda ug, x, y: ug.logaddexp2(x, y),
    [1.0, -INF],
    [1.0, -INF],
    value=[2.0, -INF],
    gradients=([0.5, 0.0], [0.5, 0.0]),
)
edge(
    "frexp: the mantissa's derivative",
    lambda ug, x: ug.frexp(x)[0],
    [8.0, 0.0],
    value=[0.5, 0.0],
    gradients=([0.0625, 1.0],),
)
edge(
    "prelu at 0: the branch for x ≤ 0",
    lambda ug, x, a: ug.nn.prelu(x, a),
    [0.0, 2.0],
    [0.3, 0.3],
    value=[0.0, 2.0],
    gradients=([0.3, 1.0], [0.0, 0.0]),
)
for _name, _value in (("hard_shrink", 2.0), ("soft_shrink", 1.5)):
    edge(
        f"{_name} at its corners: the flat side",
        lambda ug, x, name=_name: getattr(ug.nn, name)(x),
        [-0.5, 0.5, 2.0],
        value=[0.0, 0.0, _value],
        gradients=([0.0, 0.0, 1.0],),
    )
edge(
    "threshold at its corner: the flat side",
    lambda ug, x: ug.nn.threshold(x, 1.0, -3.0),
    [1.0, 2.0],
    value=[-3.0, 2.0],
    gradients=([0.0, 1.0],),
)
edge(
    "sparsemax where an element just falls to 0",
    lambda ug, x: ug.nn.sparsemax(x)[0],
    [1.0, 0.0],
    value=1.0,
    gradients=([0.0, 0.0],),
)
edge(
    "adaptive_max_pool over ties, with windows of two lengths",
    lambda ug, x: ug.nn.adaptive_max_pool(x, 2),
    [[[2.0], [2.0], [1.0], [3.0], [3.0]]],
    value=[[[2.0], [3.0]]],
    gradients=([[[0.5], [0.5], [0.0], [0.5], [0.5]]],),
)
edge(
    "l2_normalize of zeros",
    lambda ug, x: ug.nn.l2_normalize(x, epsilon=0.5),
    [0.0, 0.0],
    value=[0.0, 0.0],
    gradients=([2.0, 2.0],),
)
edge(
    "special.j1 at 0",
    lambda ug, x: ug.special.j1(x),
    [0.0],
    value=[0.0],
    gradients=([0.5],),
)
edge(
    "special.ndtri at its ends",
    lambda ug, x: ug.special.ndtri(x),
    [0.0, 1.0],
    value=[-INF, INF],
    gradients=([INF, INF],),
)
for _name in ("j1", "i1"):
    edge(
        f"special.{_name} at and beside 0, second order",
        lambda ug, x, name=_name: getattr(ug.special, name)(x),
        [0.0, 1e-10, -1e-5],
        gradients=([0.5, 0.5, 0.5 + 3.0 / 16.0 * 1e-10 * (1 if _name == "i1" else -1)],),
        second=([0.0] + [x * (1 if _name == "i1" else -1) for x in (3.75e-11, -3.75e-6)],),
    )
edge(
    "special.log_ndtr at 0 and infinities",
    lambda ug, x: ug.special.log_ndtr(x),
    [0.0, INF, -INF],
    value=[math.log(0.5), 0.0, -INF],
    gradients=([math.sqrt(2.0 / math.pi), 0.0, INF],),
    tangent=[math.sqrt(2.0 / math.pi), 0.0, INF],
)
edge(
    "special.xlogy where x is 0",
    lambda ug, x, y: ug.special.xlogy(x, y),
    [0.0, 0.0, 0.0],
    [2.0, 0.0, INF],
    value=[0.0, 0.0, 0.0],
    gradients=([math.log(2.0), -INF, INF], [0.0, 0.0, 0.0]),
)
edge(
    "special.xlog1py where x is 0",
    lambda ug, x, y: ug.special.xlog1py(x, y),
    [0.0, 0.0, 0.0],
    [1.0, -1.0, INF],
    value=[0.0, 0.0, 0.0],
    gradients=([math.log(2.0), -INF, INF], [0.0, 0.0, 0.0]),
)
edge(
    "special.gammainc where a is 0 or ∞",
    lambda ug: ug.stack(
        [
            f(
                ug.asarray([0.0, 0.0, 0.0, 1.0, INF, INF]),
                ug.asarray([0.0, 1.0, INF, INF, 1.0, INF]),
            )
            for f in (ug.special.gammainc, ug.special.gammaincc)
        ]
    ),
    value=[[NAN, 1.0, 1.0, 1.0, 0.0, NAN], [NAN, 0.0, 0.0, 0.0, 1.0, NAN]],
)
edge(
    "special.zeta far out",
    lambda ug: ug.special.zeta(ug.asarray([1.5, 1.5]), ug.asarray([INF, 0.0])),
    value=[0.0, INF],
)
edge(
    "special.owens_t at infinities",
    lambda ug, h, a: ug.special.owens_t(h, a),
    [0.0, INF],
    [INF, 1.0],
    value=[0.25, 0.0],
)


def _by_a_step(ug: Any, x: Any, step: Callable[[Any], Any]) -> Any:
    """Return the gradient of Σ x · step(x) by the step, of which it is linear."""
    with ug.GradientTape() as tape:
        tape.watch(x)
        taken = step(x)
        y = ug.sum(x * taken)
    return tape.gradient(y, taken)


for _name, _step in {
    "a cast comparison": lambda ug, x: ug.astype(x > 0.0, x.dtype),
    "where": lambda ug, x: ug.where(x > 0.0, ug.ones_like(x), ug.zeros_like(x)),
    "one_hot": lambda ug, x: ug.one_hot(ug.argmax(x), 2, dtype=x.dtype),
    "floor": lambda ug, x: ug.floor(x),
}.items():
    edge(
        f"the gradient by {_name}, a step on the way",
        lambda ug, x, step=_step: _by_a_step(ug, x, lambda x: step(ug, x)),
        [3.0, -2.0],
        value=[3.0, -2.0],
    )
edge(
    "logaddexp of a number",
    lambda ug, x: ug.logaddexp(x, 0.1) + ug.logaddexp(0.7, x),
    [0.3, -2.0],
    gradients=([1 / (1 + math.exp(0.1 - x)) + 1 / (1 + math.exp(0.7 - x)) for x in (0.3, -2.0)],),
)
