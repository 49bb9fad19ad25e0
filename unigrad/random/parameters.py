"""What distributions do with their parameters: broadcast them, and refuse those of no distribution.

A value that is known (Python's numbers and ndarrays, or any in eager mode on a CPU) and outside of
its domain is a `SettingError`. One that nobody can look at (in a trace, on an accelerator) gives
NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, visible
from unigrad.core.dtypes import DType, DTypeLike
from unigrad.core.errors import SettingError
from unigrad.core.tensor import Tensor
from unigrad.ops.comparison import where
from unigrad.ops.shaping import broadcast_to
from unigrad.random.keys import as_key, common_shape, draw_shape, fitting, float_dtype, parameter


class Domain(NamedTuple):
    """Which values a parameter may take: in words, and as a function of numbers or tensors."""

    words: str
    holds: Callable[[Any], Any]


REAL = Domain("finite", lambda x: (x > -inf) & (x < inf))
POSITIVE = Domain("positive and finite", lambda x: (x > 0) & (x < inf))
CHANCE = Domain("in [0, 1]", lambda x: (x >= 0) & (x <= 1))
CHANCE_OF_SUCCESS = Domain("in (0, 1]", lambda x: (x > 0) & (x <= 1))
#: Beyond, an integer sum of 20 more binary digits would not fit into 63 bits.
RATE = Domain("in [0, 2⁴²]", lambda x: (x >= 0) & (x <= 2.0**42))
COUNT = Domain("a whole number in [0, 2⁴²]", lambda x: (x >= 0) & (x <= 2.0**42) & (x // 1 == x))

#: A parameter's name, the value, and its domain.
Given = tuple[str, TensorLike, Domain]


def within(
    name: str, what: str, x: Tensor, domain: Domain, given: TensorLike | None = None
) -> Tensor:
    """Return a parameter, NaN where it is outside of its domain and nobody can look at it.

    ``given`` is what was rounded to it.

    Raises:
        SettingError: when it is outside for all to see.
    """
    values = known(x, given)
    if values is None:
        return where(domain.holds(x), x, nan)
    if values.dtype.itemsize == 2:
        values = values.astype(np.float32)
    right = domain.holds(values)
    if not np.all(right):
        wrong = np.asarray(values)[~np.asarray(right)].flat[0]
        rounded = given is not None and _is_lost(given, domain)
        where_to = f", to which it is rounded in {x.dtype.name}" if rounded else ""
        raise SettingError(f"random.{name}: {what} is {domain.words}, not {wrong}{where_to}")
    return x


def known(x: Tensor, given: TensorLike | None) -> npt.NDArray[Any] | None:
    """Return a parameter's values if they are there to be checked.

    ``given`` is what it was made of: in a trace some backends make a constant of a known value that
    nobody can look at.
    """
    values = visible(x)
    if values is not None or not _is_plain(given):
        return values
    with np.errstate(over="ignore"):
        return np.asarray(given).astype(x.dtype)


def _is_plain(given: Any) -> bool:
    """Tell whether there are values and nothing but values: Python's numbers, NumPy's, lists."""
    if isinstance(given, (list, tuple)):
        return all(map(_is_plain, given))
    return isinstance(given, (int, float, np.ndarray, np.generic))


def _is_lost(given: TensorLike, domain: Domain) -> bool:
    """Tell whether a parameter was in its domain before it was rounded."""
    before = visible(given) if isinstance(given, Tensor) else np.asarray(given)
    return before is not None and bool(np.all(domain.holds(before.astype(np.float64))))


def parameters(
    name: str, key: Tensor, dtype: DType, given: Sequence[Given], compute: DType | None = None
) -> list[Tensor]:
    """Return checked parameters as Tensors, rounded to a dtype and held in another."""
    found = []
    for what, value, domain in given:
        tensor = within(name, what, parameter(name, key, value, dtype), domain, value)
        found.append(tensor if compute is None else parameter(name, key, tensor, compute))
    return found


class Draw(NamedTuple):
    """The arguments of a draw, normalised."""

    key: Tensor
    shape: tuple[int, ...]
    dtype: DType
    #: Each of the draw's shape, and of the dtype in which it is computed.
    parameters: list[Tensor]


def draw(
    name: str,
    key: TensorLike,
    shape: int | Sequence[int] | None,
    dtype: DTypeLike | None,
    *given: Given,
    compute: DType | None = None,
) -> Draw:
    """Return the normalised arguments of a draw of floats.

    Args:
        shape: ``None`` stands for what the parameters broadcast to.
        compute: the dtype of the returned parameters, when it is another than the draw's.
    """
    key = as_key(name, key)
    chosen = float_dtype(name, dtype)
    found = parameters(name, key, chosen, given, compute)
    wanted = common_shape(name, *found) if shape is None else draw_shape(name, shape)
    fitting(name, wanted, *found)
    return Draw(key, wanted, chosen, [broadcast_to(one, wanted) for one in found])


def placed(name: str, x: Tensor, loc: TensorLike = 0.0, scale: TensorLike = 1.0) -> Tensor:
    """Return loc + scale · x for a draw of a family of locations and scales.

    Raises:
        SettingError: when the scale is not positive, or a number of both is not finite.
        ShapeError: when one does not broadcast to the draw's shape.
    """
    if not (isinstance(scale, (int, float)) and scale == 1.0):
        (factor,) = parameters(name, x, x.dtype, [("scale", scale, POSITIVE)])
        fitting(name, x.shape, factor)
        x = x * factor
    if not (isinstance(loc, (int, float)) and loc == 0.0):
        (shift,) = parameters(name, x, x.dtype, [("loc", loc, REAL)])
        fitting(name, x.shape, shift)
        x = x + shift
    return x


def wide(dtype: DType) -> DType:
    """Return the dtype in which a draw is computed: float32 for half precision."""
    return dtypes.float32 if dtype.itemsize == 2 else dtype
