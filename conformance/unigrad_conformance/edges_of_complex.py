"""Edges of complex numbers: branch cuts, whose side the sign of a zero tells, and infinite parts.

Values are those of C99, annex G.6, which Python's `cmath` has.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

from unigrad_conformance.edge import edge

INF, NAN = math.inf, math.nan

_NAMES = (
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh"),
    *("exp", "log", "sqrt", "tan", "tanh"),
)
#: On both sides of the cuts, beside the origin, and far out.
_POINTS = tuple(
    complex(a, b)
    for a, b in (
        *((-2.5, 0.0), (-2.5, -0.0), (2.5, 0.0), (2.5, -0.0), (-0.0, 2.5), (0.0, -2.5)),
        *((-0.0, -2.5), (-1e-3, 1e-3), (1e-3, -1e-3), (1e30, 1.0), (-1.0, 1e30)),
    )
)
_FAR = tuple(
    complex(a, b)
    for a, b in ((INF, 1.0), (-INF, -1.0), (1.0, INF), (INF, INF), (-INF, INF), (INF, NAN))
)


def _parts(ug: Any, x: Any) -> Any:
    return ug.stack([ug.real(x), ug.imag(x)])


def _answers(name: str, point: complex) -> bool:
    """Tell whether `cmath` has a value, the same in all dtypes, whose signs are specified."""
    if name in ("cos", "cosh", "sin", "sinh", "exp", "tan", "tanh") and abs(point) > 100.0:
        return False
    try:
        getattr(cmath, name)(point)
    except (ValueError, OverflowError):
        return False
    # There C99 leaves a sign open.
    return not (math.isnan(point.imag) and name in ("acos", "asin", "sqrt"))


for _name in _NAMES:
    _points = [z for z in _POINTS + _FAR if _answers(_name, z)]
    _values = [getattr(cmath, _name)(z) for z in _points]
    edge(
        f"{_name} of complex numbers at its cuts and ends",
        lambda ug, name=_name, points=tuple(_points): _parts(
            ug, getattr(ug, name)(ug.asarray(list(points), dtype="complex128"))
        ),
        value=[[z.real for z in _values], [z.imag for z in _values]],
    )
edge(
    "log2 and log10 of complex numbers",
    lambda ug: ug.stack(
        [
            _parts(ug, f(ug.asarray([0.0, 1e200j, -1e-200], dtype="complex128")))
            for f in (ug.log2, ug.log10)
        ]
    ),
    value=[
        [
            [-INF, 200 / math.log10(2), -200 / math.log10(2)],
            [0.0, math.pi / 2 / math.log(2), math.pi / math.log(2)],
        ],
        [[-INF, 200.0, -200.0], [0.0, math.pi / 2 / math.log(10), math.pi / math.log(10)]],
    ],
)
edge(
    "reciprocal of complex 0 and ∞",
    lambda ug: _parts(
        ug, ug.reciprocal(ug.asarray([0.0, complex(INF, INF), -2j], dtype="complex128"))
    ),
    value=[[INF, 0.0, 0.0], [NAN, 0.0, 0.5]],
)
edge(
    "rsqrt below the branch cut",
    lambda ug: _parts(ug, ug.rsqrt(ug.asarray([complex(-4.0, -0.0), 4.0], dtype="complex128"))),
    value=[[0.0, 0.5], [0.5, 0.0]],
)
edge(
    "a complex number over ∞",
    lambda ug: _parts(ug, ug.asarray([1 + 2j, -3.0], dtype="complex128") / INF),
    value=[[0.0, 0.0], [0.0, 0.0]],
)
