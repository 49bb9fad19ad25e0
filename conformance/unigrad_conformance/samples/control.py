"""Samples of the ops that only concern recording, and of loops and branches.

What loops are when they are traced, `unigrad_conformance.loops` checks.
"""

from typing import Any

import numpy as np

from unigrad.core.op import OPS
from unigrad_conformance.sample import case, complexes, integers, positive, real, samples, values

# Its result is constant for a tape, whose answer is None then: the scenarios say so.
samples(
    "stop_gradient",
    case(real(2, 3)),
    case(real()),
    case(integers(3)),
    oracle=np.copy,
    ulps=0,
    differentiable=False,
)
# In the public namespace this name is that of the identity matrix.
samples(
    "identity",
    case(real(2, 3)),
    case(real()),
    case(integers(3)),
    oracle=np.copy,
    ulps=0,
    call=lambda ug, x: OPS["identity"](x),
)
# The results of a loop that has no derivative in reverse mode.
samples(
    "unbounded",
    case(real(2, 3)),
    oracle=np.copy,
    ulps=0,
    call=lambda ug, x: OPS["unbounded"](x, x),
    differentiable=False,
)


def _scan(ug: Any, init: Any, xs: Any, **settings: Any) -> Any:
    return ug.scan(lambda c, x: (c * x + x, c * c), init, xs, **settings)


def _scanned(init: Any, xs: Any, reverse: bool = False) -> Any:
    carry, results = init, [init] * len(xs)
    for i in range(len(xs))[:: -1 if reverse else 1]:
        carry, results[i] = carry * xs[i] + xs[i], carry * carry
    return carry, np.stack(results)


samples(
    "scan",
    case(real(3), real(4, 3)),
    case(real(), real(5), reverse=True),
    case(complexes(3), complexes(4, 3)),
    oracle=_scanned,
    ulps=32,
    call=_scan,
)
samples(
    "map",
    case(real(4, 3)),
    case(complexes(4, 3)),
    oracle=lambda x: np.sin(x) * x,
    ulps=16,
    call=lambda ug, x: ug.map(lambda row: ug.sin(row) * row, x),
)
samples(
    "fori_loop",
    case(real(3)),
    case(complexes(3)),
    oracle=lambda x: x * (x + 1.0) * (x + 2.0),
    ulps=16,
    call=lambda ug, x: ug.fori_loop(1, 3, lambda i, c: c * (x + ug.astype(i, x.dtype)), x),
)
samples(
    "while_loop",
    case(real(3, low=1.0)),
    case(complexes(3)),
    oracle=lambda x: x**8,
    ulps=32,
    call=lambda ug, x: ug.while_loop(
        lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * c[1]), (0, x), max_steps=5
    )[1],
)
samples(
    "cond",
    case(values(True), real(3)),
    case(values(False), real(3)),
    case(values(True), complexes(3)),
    oracle=lambda p, x: np.sin(x) if p else x * x,
    ulps=16,
    call=lambda ug, p, x: ug.cond(p, ug.sin, lambda v: v * v, x),
)
samples(
    "switch",
    case(values(1), real(3)),
    case(values(7), real(3)),
    case(values(-2), real(3)),
    case(values(2), complexes(3)),
    ulps=16,
    oracle=lambda i, x: (x * x, np.sin(x), np.cos(x))[min(max(int(i), 0), 2)],
    call=lambda ug, i, x: ug.switch(i, [lambda v: v * v, ug.sin, ug.cos], x),
)
samples(
    "associative_scan",
    case(positive(5)),
    case(positive(3, 4), axis=1, reverse=True),
    case(complexes(6)),
    oracle=lambda x, axis=0, reverse=False: (
        np.flip(np.cumprod(np.flip(x, axis), axis), axis) if reverse else np.cumprod(x, axis)
    ),
    ulps=16,
    call=lambda ug, x, **settings: ug.associative_scan(ug.multiply, x, **settings),
)
