"""Edges of Python's numbers beside tensors: beyond a dtype's range, and Python's own functions.

A number that a dtype does not hold is what it is rounded to, an infinity, as values are by a cast.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad_conformance.edge import edge

INF = math.inf


def _plain(ug: Any, x: Any) -> Any:
    """Return bfloat16 in a dtype that NumPy has by itself."""
    return ug.astype(x, "float32") if x.dtype.name == "bfloat16" else x


for _dtype in ("float16", "bfloat16", "float32"):
    for _name, _value in {
        "maximum": [INF, INF],
        "minimum": [1.0, 2.0],
        "add": [INF, INF],
        "divide": [0.0, 0.0],
        "pow": [1.0, INF],
        "hypot": [INF, INF],
        "less": [True, True],
        "full_like": [INF, INF],
        "leaky_relu": [1.0, 2.0],
        "elu": [1.0, 2.0],
    }.items():
        edge(
            f"{_name} of {_dtype} and 1e300",
            lambda ug, name=_name, dtype=_dtype: _plain(
                ug, getattr(ug, name)(ug.asarray([1.0, 2.0], dtype=dtype), 1e300)
            ),
            value=_value,
        )
    edge(
        f"where in {_dtype} by 1e300",
        lambda ug, dtype=_dtype: _plain(
            ug, ug.where(ug.asarray([True, False]), ug.asarray([1.0, 2.0], dtype=dtype), -1e300)
        ),
        value=[1.0, -INF],
    )
    edge(
        f"pad of {_dtype} with 1e300",
        lambda ug, dtype=_dtype: _plain(
            ug, ug.pad(ug.asarray([1.0], dtype=dtype), 1, constant_values=1e300)
        ),
        value=[INF, 1.0, INF],
    )
for _name, _value in {
    "maximum": [INF, INF],
    "minimum": [1.0, 2.0],
    "multiply": [INF, INF],
    "divide": [0.0, 0.0],
    "pow": [1.0, INF],
    "hypot": [INF, INF],
}.items():
    edge(
        f"{_name} of float16 and 70000",
        lambda ug, name=_name: getattr(ug, name)(ug.asarray([1.0, 2.0], dtype="float16"), 70000),
        value=_value,
    )
edge(
    "float16 // 0.1, which is rounded first",
    lambda ug: ug.asarray([1.0, 2.0, 0.3, -1.0], dtype="float16") // 0.1,
    value=[10.0, 20.0, 3.0, -11.0],
)
edge(
    "0.1 // float16, which is rounded first",
    lambda ug: 0.1 // ug.asarray([0.01, -0.01], dtype="float16"),
    value=[9.0, -10.0],
)

#: Numbers of which half precision rounds some, and whose quotients it rounds most of.
_SIZES = np.array([0.1, 0.3, 2.7, 3.0, 33.0, 66.3, 257.0, 1000.0, 2049.0, 4e4])
_NUMBERS = (0.1, -2.7, 3, 257, -2049, 65504, 70000)


def _in_pairs(ug: Any, function: Callable[[Any, Any], Any], x: Any) -> Any:
    """Return a function of all pairs of numbers, and of each beside one of Python's."""
    with_numbers = [function(x, one) for one in _NUMBERS] + [function(one, x) for one in _NUMBERS]
    return _plain(ug, ug.concat([function(x[:, None], x), ug.stack(with_numbers)]))


def _rounded_once(function: Callable[[Any, Any], Any], x: Any) -> Any:
    """Return what `_in_pairs` does, in double precision and rounded to the dtype of x."""
    wide = x.astype(np.float64)
    with np.errstate(all="ignore"):
        beside = np.array(_NUMBERS).astype(x.dtype).astype(np.float64)[:, None]
        found = [function(wide[:, None], wide), function(wide, beside), function(beside, wide)]
        return np.concatenate(found).astype(x.dtype).astype(np.float32)


for _half in (dtypes.float16, dtypes.bfloat16):
    _few = np.concatenate([_SIZES, -_SIZES]).astype(_half)
    for _name, _function in {
        "floor_divide": np.floor_divide,
        "remainder": np.remainder,
        "fmod": np.fmod,
    }.items():
        for _compiled in (False, True):
            edge(
                f"{_name} of {_half.name} in pairs{', compiled' if _compiled else ''}",
                lambda ug, x=_few, name=_name, compiled=_compiled: (
                    ug.jit if compiled else _as_it_is
                )(lambda x: _in_pairs(ug, getattr(ug, name), x))(ug.asarray(x)),
                value=_rounded_once(_function, _few),
            )
    edge(
        f"a product // y in {_half.name}, compiled",
        lambda ug, half=_half: ug.jit(lambda x, y: _plain(ug, (x * y) // y))(
            ug.asarray([66.3, -7.1, 33.0], dtype=half), ug.asarray([0.1, 0.7, 2.7], dtype=half)
        ),
        value=[66.0, -8.0, 32.0],
    )
for _name in ("remainder", "fmod"):
    edge(
        f"{_name} of bfloat16 whose quotient leaves the range",
        lambda ug, name=_name: _plain(
            ug,
            getattr(ug, name)(
                ug.full(64, 1e38, dtype="bfloat16"), ug.full(64, 0.1, dtype="bfloat16")
            ),
        ),
        value=[0.02685546875] * 64,
    )
edge("5.0 % y", lambda ug, y: 5.0 % y, [3.0, 0.7], value=[2.0, 0.1], gradients=([-1.0, -7.0],))
edge(
    "divmod, the quotient", lambda ug, y: divmod(y, 2.0)[0], [7.0], value=[3.0], gradients=([0.0],)
)
edge("divmod, the rest", lambda ug, y: divmod(y, 2.0)[1], [7.0], value=[1.0], gradients=([1.0],))
edge("divmod of a number", lambda ug, y: divmod(7.0, y)[1], [2.0], value=[1.0], gradients=([-3.0],))
edge("round", lambda ug, y: round(y), [2.5, -1.7], value=[2.0, -2.0], gradients=([0.0, 0.0],))
edge("round to a digit", lambda ug, y: round(y, 1), [0.25, 1.5], value=[0.2, 1.5])
edge("round to tens", lambda ug: round(ug.asarray([125, -17]), -1), value=[120, -20])
edge("math.trunc", lambda ug, y: math.trunc(y), [2.7, -2.7], value=[2.0, -2.0])
edge("math.floor", lambda ug, y: math.floor(y), [2.7, -2.7], value=[2.0, -3.0])
edge("math.ceil", lambda ug, y: math.ceil(y), [2.7, -2.7], value=[3.0, -2.0])
edge(
    "a tensor is not None",
    lambda ug: ug.asarray([ug.ones(2) == None, ug.ones(2) in [None]]),  # noqa: E711
    value=[False, False],
)


def _is_refused(ug: Any, function: Callable[[Any], Any]) -> Any:
    """Tell whether a function of an int8 tensor raises `DTypeError`."""
    try:
        function(ug.asarray([1, 2], dtype="int8"))
    except ug.DTypeError:
        return ug.asarray(True)
    return ug.asarray(False)


edge(
    "an int8 and 300 in a list",
    lambda ug: _is_refused(ug, lambda x: ug.stack([300, x[0]])),
    value=True,
)
edge(
    "pad of int8 with 300",
    lambda ug: _is_refused(ug, lambda x: ug.pad(x, 1, constant_values=300)),
    value=True,
)
for _power, _compiled in ((-1, False), (-1, True), (-2, True), (3, True)):
    edge(
        f"i ** {_power}{', compiled' if _compiled else ''}",
        lambda ug, n=_power, run=_compiled: (
            ug.abs((ug.jit if run else _as_it_is)(lambda z: z**n)(ug.asarray([1j])) - 1j**n) < 1e-6
        ),
        value=[True],
    )


def _as_it_is(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return function


#: The second of a range's numbers in float64, between operands of fewer digits.
_DIGITS: dict[str, tuple[Callable[[Any, Any], Any], float]] = {
    "linspace": (lambda ug, one: ug.linspace(0, one, 4, dtype="float64"), 1 / 3),
    "logspace": (lambda ug, one: ug.logspace(0, one, 4, base=2.0, dtype="float64"), 2 ** (1 / 3)),
    "geomspace": (lambda ug, one: ug.geomspace(one, 2.0, 4, dtype="float64"), 2 ** (1 / 3)),
    "arange": (
        lambda ug, one: ug.arange(one, 9.0, ug.asarray(0.1, dtype="float32"), dtype="float64"),
        1.0 + float(np.float32(0.1)),
    ),
}
for _name, (_range, _second) in _DIGITS.items():
    for _of in ("int64", "float32"):
        edge(
            f"{_name} with digits, of {_of}",
            lambda ug, run=_range, second=_second, of=_of: (
                abs(run(ug, ug.asarray(1, dtype=of))[1] / second - 1.0) < 1e-12
            ),
            value=True,
        )
edge(
    "linspace of integers to integers",
    lambda ug: ug.linspace(ug.asarray(0), 2**30 + 2, 3, dtype="int64")[1] == 2**29 + 1,
    value=True,
)

# -- settings that need more than 32 bits
_LONG = 2**32 + 3
for _name, _shape_of in {
    "full": lambda ug: ug.full((0, _LONG), 2.0),
    "full_like": lambda ug: ug.full_like(ug.zeros((0, _LONG)), 2.0),
    "reshape": lambda ug: ug.permute_dims(ug.reshape(ug.zeros((0, 1)), (_LONG, 0)), (1, 0)),
    "broadcast_to": lambda ug: ug.broadcast_to(ug.zeros((0, 1)), (0, _LONG)),
    "tile": lambda ug: ug.tile(ug.zeros((0, 1)), (1, _LONG)),
    "getitem": lambda ug: ug.zeros((0, 2 * _LONG))[:, 1 : _LONG + 1],
    "getitem by steps": lambda ug: ug.zeros((0, 2 * _LONG))[:, ::2],
    "getitem backwards": lambda ug: ug.zeros((0, _LONG))[:, ::-1],
    "jit": lambda ug: ug.jit(lambda x: ug.broadcast_to(x, (0, 2 * _LONG))[:, _LONG:])(
        ug.zeros((0, 1))
    ),
}.items():
    edge(
        f"{_name} with an axis of no elements beside one of 2³² + 3",
        lambda ug, shape_of=_shape_of: ug.asarray(list(shape_of(ug).shape)),
        value=[0, _LONG],
    )
for _shift in (2**32 + 1, 2**64 + 1, -(2**64)):
    edge(
        f"roll by {_shift}",
        lambda ug, x, shift=_shift: ug.roll(x, shift),
        [1.0, 2.0, 3.0],
        value=list(np.roll([1.0, 2.0, 3.0], _shift % 3)),
    )
for _dtype in ("int32", "int64"):
    edge(
        f"in_top_k of {_dtype} among more than 2³¹",
        lambda ug, dtype=_dtype: ug.in_top_k(
            ug.asarray([1, 0], dtype=dtype), ug.asarray([[3.0, 1.0, 2.0]] * 2), 2**31
        ),
        value=[True, True],
    )
edge(
    "more differences than elements",
    lambda ug, x: ug.diff(x, n=2**40),
    [1.0, 2.0, 3.0],
    value=[],
)
