"""What random programs are made of: smooth operations, in unigrad and in plain NumPy.

The NumPy side is also given complex numbers whose imaginary part is infinitesimal, a tangent (see
`unigrad_conformance.fuzz.program`): it must be analytic, and decide by real parts.

An operation is asked for its settings with the values that it would get: it answers None where it
does not fit, or where it is too near to a pole or a kink for a fair comparison.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import unigrad as ug

Array = npt.NDArray[Any]
#: Returns a number below another: the one source of randomness (or of hypothesis).
Choose = Callable[[int], int]
Settings = dict[str, Any]

#: How near to a kink or a pole a value may be.
_NEAR = 0.05


@dataclass(frozen=True)
class Operation:
    """One operation: how many tensors it takes, both ways to run it, and its settings."""

    name: str
    arity: int
    run: Callable[..., ug.Tensor]
    plain: Callable[..., Array]
    ask: Callable[..., Settings | None]


#: Every operation by name.
OPERATIONS: dict[str, Operation] = {}


def declare(
    name: str,
    arity: int,
    plain: Callable[..., Array],
    ask: Callable[..., Settings | None],
    run: Callable[..., Any] | None = None,
) -> None:
    OPERATIONS[name] = Operation(name, arity, run or getattr(ug, name), plain, ask)


# -- elementwise


def _where_all(holds: Callable[..., Any]) -> Callable[..., Settings | None]:
    """Ask for nothing but that a condition holds for all elements."""
    return lambda choose, *values: {} if bool(np.all(holds(*values))) else None


def _branch(condition: Array, one: Any, other: Any) -> Array:
    """Choose by a condition; like `np.where`, for branches that are only good on their side."""
    with np.errstate(all="ignore"):
        result: Array = np.where(condition, one, other)
    return result


def _erf(z: Array) -> Array:
    """Return erf of the real part, with the tangent by its derivative 2 exp(-x²) / √π."""
    real = np.vectorize(math.erf, otypes=[float])(z.real)
    result: Array = real + 1j * z.imag * 2 / math.sqrt(math.pi) * np.exp(-(z.real**2))
    return result


def _sigmoid(z: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-z))
    return result


def _softplus(z: Array) -> Array:
    result: Array = np.log(1 + np.exp(z))
    return result


_ELEMENTWISE: list[tuple[str, Callable[..., Array], Callable[..., Any]]] = [
    ("exp", np.exp, lambda x: x < 3),
    ("expm1", lambda z: np.exp(z) - 1, lambda x: x < 3),
    ("exp2", lambda z: np.exp(z * math.log(2)), lambda x: x < 4),
    ("log", np.log, lambda x: x > 0.1),
    ("log1p", lambda z: np.log(1 + z), lambda x: x > -0.8),
    ("log10", np.log10, lambda x: x > 0.1),
    ("sqrt", np.sqrt, lambda x: x > 0.1),
    ("rsqrt", lambda z: 1 / np.sqrt(z), lambda x: x > 0.1),
    ("square", np.square, lambda x: np.abs(x) < 5),
    ("reciprocal", lambda z: 1 / z, lambda x: np.abs(x) > 0.2),
    ("negative", np.negative, lambda x: True),
    ("sin", np.sin, lambda x: True),
    ("cos", np.cos, lambda x: True),
    ("tan", np.tan, lambda x: np.abs(x) < 1.2),
    ("tanh", np.tanh, lambda x: True),
    ("sinh", np.sinh, lambda x: np.abs(x) < 3),
    ("cosh", np.cosh, lambda x: np.abs(x) < 3),
    ("atan", np.arctan, lambda x: True),
    ("asin", np.arcsin, lambda x: np.abs(x) < 0.9),
    ("acos", np.arccos, lambda x: np.abs(x) < 0.9),
    ("asinh", np.arcsinh, lambda x: True),
    ("atanh", np.arctanh, lambda x: np.abs(x) < 0.9),
    ("erf", _erf, lambda x: True),
    ("sigmoid", _sigmoid, lambda x: np.abs(x) < 20),
    ("silu", lambda z: z * _sigmoid(z), lambda x: np.abs(x) < 20),
    ("softplus", _softplus, lambda x: np.abs(x) < 15),
    ("log_sigmoid", lambda z: -_softplus(-z), lambda x: np.abs(x) < 15),
    ("mish", lambda z: z * np.tanh(_softplus(z)), lambda x: np.abs(x) < 15),
    ("softsign", lambda z: z / (1 + z * np.sign(z.real)), lambda x: np.abs(x) > _NEAR),
    ("gelu", lambda z: z * (1 + _erf(z / math.sqrt(2))) / 2, lambda x: True),
    ("abs", lambda z: z * np.sign(z.real), lambda x: np.abs(x) > _NEAR),
    ("relu", lambda z: z * (z.real > 0), lambda x: np.abs(x) > _NEAR),
    ("elu", lambda z: _branch(z.real > 0, z, np.exp(z) - 1), lambda x: np.abs(x) > _NEAR),
]
_OF_TWO: list[tuple[str, Callable[..., Array], Callable[..., Any]]] = [
    ("add", np.add, lambda x, y: True),
    ("subtract", np.subtract, lambda x, y: True),
    ("multiply", np.multiply, lambda x, y: True),
    ("divide", np.divide, lambda x, y: np.abs(y) > 0.3),
    ("pow", lambda x, y: np.exp(y * np.log(x)), lambda x, y: (x > 0.2) & (np.abs(y) < 3)),
    ("maximum", lambda x, y: _branch(x.real > y.real, x, y), lambda x, y: abs(x - y) > _NEAR),
    ("minimum", lambda x, y: _branch(x.real < y.real, x, y), lambda x, y: abs(x - y) > _NEAR),
    ("hypot", lambda x, y: np.sqrt(x * x + y * y), lambda x, y: x * x + y * y > 0.1),
    ("logaddexp", lambda x, y: np.log(np.exp(x) + np.exp(y)), lambda x, y: abs(x) + abs(y) < 20),
    (
        "atan2",
        lambda y, x: (
            np.arctan2(y.real, x.real)
            + 1j * (y.imag * x.real - x.imag * y.real) / (x.real**2 + y.real**2)
        ),
        lambda y, x: x * x + y * y > 0.1,
    ),
]

for _name, _plain, _holds in _ELEMENTWISE:
    declare(_name, 1, _plain, _where_all(_holds))


def _broadcast(holds: Callable[..., Any]) -> Callable[..., Settings | None]:
    """Ask for shapes that broadcast, and a condition."""

    def ask(choose: Choose, x: Array, y: Array) -> Settings | None:
        try:
            np.broadcast_shapes(x.shape, y.shape)
        except ValueError:
            return None
        return {} if bool(np.all(holds(x, y))) else None

    return ask


for _name, _plain, _holds in _OF_TWO:
    declare(_name, 2, _plain, _broadcast(_holds))


def _scaled(choose: Choose, x: Array) -> Settings:
    return {"by": (-1.5, 0.5, 2, 3)[choose(4)], "plus": (-1, 0.25, 2)[choose(3)]}


def _affine(x: Any, *, by: float, plus: float) -> Any:
    """Use Python scalars on either side."""
    return plus - x * by + x / 2


declare("affine", 1, _affine, _scaled, _affine)
declare(
    "chosen",
    2,
    lambda x, y: _branch(x.real > 0, x * y, y),
    _broadcast(lambda x, y: (np.abs(x) > _NEAR) & (y == y)),
    lambda x, y: ug.where(x > 0, x * y, y),
)
declare(
    "clip",
    1,
    lambda z, min, max: np.where(z.real < min, min, np.where(z.real > max, max, z)),
    lambda choose, x: {"min": -1.0, "max": 1.0} if np.all(np.abs(np.abs(x) - 1) > _NEAR) else None,
)


# -- along axes


def some_axis(choose: Choose, x: Array) -> int:
    """Choose an axis, from the front or from the back."""
    return choose(2 * x.ndim) - x.ndim


def _axes(choose: Choose, x: Array, holds: Callable[..., Any] | None = None) -> Settings | None:
    """Ask for axes and keepdims."""
    kept = bool(choose(2))
    kind = choose(3)
    if kind == 0 or not x.ndim:
        axis: Any = None
    elif kind == 1:
        axis = some_axis(choose, x)
    else:
        axis = tuple(i for i in range(x.ndim) if choose(2)) or (x.ndim - 1,)
    if holds is not None and not np.all(holds(x, axis)):
        return None
    return {"axis": axis, "keepdims": kept}


def _std(z: Array, *, axis: Any, keepdims: bool) -> Array:
    off = z - np.mean(z, axis=axis, keepdims=True)
    result: Array = np.sqrt(np.mean(off * off, axis=axis, keepdims=keepdims))
    return result


def _log_sum_exp(z: Array, *, axis: Any, keepdims: bool = True) -> Array:
    result: Array = np.log(np.sum(np.exp(z), axis=axis, keepdims=keepdims))
    return result


def _extremum(z: Array, *, axis: Any, keepdims: bool, sign: int = 1) -> Array:
    """Return the elements whose real part is greatest, by a mask: there are no ties."""
    best = (sign * z.real) == np.max(sign * z.real, axis=axis, keepdims=True)
    result: Array = np.sum(np.where(best, z, 0), axis=axis, keepdims=keepdims)
    return result


def _apart(x: Array, axis: Any = None) -> bool:
    """Tell whether no two elements are near."""
    return x.size < 2 or bool(np.min(np.diff(np.sort(x, axis=None))) > 0.01)


_moderate = partial(_axes, holds=lambda x, axis: np.abs(x) < 15)
declare("sum", 1, np.sum, _axes)
declare("mean", 1, np.mean, _axes)
declare("prod", 1, np.prod, _axes)
declare(
    "var",
    1,
    lambda z, **settings: _std(z, **settings) ** 2,
    partial(_axes, holds=lambda x, axis: np.var(x, axis=axis) > 0.01),
)
declare("std", 1, _std, partial(_axes, holds=lambda x, axis: np.var(x, axis=axis) > 0.01))
declare("logsumexp", 1, _log_sum_exp, _moderate)
declare("max", 1, _extremum, partial(_axes, holds=_apart))
declare("min", 1, partial(_extremum, sign=-1), partial(_axes, holds=_apart))
declare(
    "norm",
    1,
    lambda z, **settings: np.sqrt(np.sum(z * z, **settings)),
    partial(_axes, holds=lambda x, axis: np.sum(x * x, axis=axis) > 0.1),
)


def _axis(choose: Choose, x: Array) -> Settings | None:
    return {"axis": some_axis(choose, x)} if x.ndim and np.all(np.abs(x) < 15) else None


def _sort(z: Array, *, axis: int) -> Array:
    return np.take_along_axis(z, np.argsort(z.real, axis=axis), axis)


declare("softmax", 1, lambda z, axis: np.exp(z - _log_sum_exp(z, axis=axis)), _axis)
declare("log_softmax", 1, lambda z, axis: z - _log_sum_exp(z, axis=axis), _axis)
declare("cumulative_sum", 1, np.cumsum, _axis)
declare("cumulative_prod", 1, np.cumprod, _axis)
declare("sort", 1, _sort, lambda choose, x: _axis(choose, x) if _apart(x) else None)
