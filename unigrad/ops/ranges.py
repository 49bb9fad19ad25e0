"""Tensors of regular numbers: ranges, spacings, and the matrices of ones on diagonals.

Of Python numbers they are computed once in float64 or int64, for all backends alike, and then
placed on the current one (`ug.use_backend`) and on ``device``, or beside ``like``, or on
``backend``: see `unigrad.ops.creation`. Of tensors they are computed beside these.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, cast, common_tensors, visible
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, ShapeError, TracingError
from unigrad.core.operands import operands
from unigrad.core.plans import Plans
from unigrad.core.tensor import Tensor
from unigrad.ops.creation import from_host
from unigrad.ops.filling import NAMES, PLAIN
from unigrad.ops.shaping import as_shape
from unigrad.ops.spacing import (
    are_computed,
    between,
    multiples_between,
    numbers_of,
    powers_between,
    steps_from,
)

__all__ = ["arange", "eye", "geomspace", "identity", "linspace", "logspace", "tri"]


@operands("start", "stop", "step")
def arange(
    start: TensorLike,
    /,
    stop: TensorLike | None = None,
    step: TensorLike = 1,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return start, start + step, … below ``stop``; with one number, from 0 up to it.

    Int64 when all numbers are ints, else the default floating dtype; tensors promote, and have
    derivatives by their start and step.

    Raises:
        ShapeError: when the step is zero.
        TracingError: when a number is traced: it decides how long the result is.

    Example:
        >>> arange(1, 7, 2).tolist()
        [1, 3, 5]
    """
    key = None
    if (
        type(start) is int
        and (stop is None or type(stop) is int)
        and type(step) is int
        and type(dtype) in NAMES
    ):
        key = (start, stop, step, dtype)
        values = _ranges.get(key)
        if values is not None:
            return from_host(values, values.dtype, device, like, backend)
    first, last = (0, start) if stop is None else (start, stop)
    numbers: list[Any] = [first, last, step]
    if not {type(first), type(last), type(step)} <= PLAIN:
        numbers = numbers_of("arange", *numbers, real=False)
        if are_computed(numbers):
            return steps_from(numbers, (device, like, backend), _chosen(dtype))
        numbers = [_scalar("arange", one) for one in numbers]
    if numbers[2] == 0:
        raise ShapeError("arange: the step is not zero")
    kind: type = int if all(isinstance(one, int) for one in numbers) else float
    chosen = dtypes.default_dtype_of_kind(kind) if dtype is None else dtypes.as_dtype(dtype)
    values = np.arange(*numbers, dtype=np.int64 if kind is int else np.float64).astype(chosen)
    if key is not None and values.size <= _LONGEST:
        _ranges.keep(key, values)
    return from_host(values, chosen, device, like, backend)


#: Ranges of integers on the host, by their numbers and dtype; long ones are not kept.
_ranges = Plans()
_LONGEST = 64


def _scalar(name: str, value: Any) -> int | float:
    """Return a number as Python's int or float."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        try:
            return operator.index(value)
        except TracingError:
            raise
        except TypeError:
            raise DTypeError(f"{name}: expected a real number, not {value!r}") from None
    return value


def _samples(name: str, num: Any) -> int:
    """Return how many numbers are asked for."""
    (count,) = as_shape(name, num)
    if count < 0:
        raise ShapeError(f"{name}: {num} is no number of samples")
    return count


@operands("start", "stop")
def linspace(
    start: TensorLike,
    stop: TensorLike,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return evenly spaced numbers from ``start`` to ``stop``, which ``endpoint=False`` leaves out.

    Raises:
        ShapeError: when ``num`` is negative.

    Example:
        >>> linspace(0, 1, 3).tolist()
        [0.0, 0.5, 1.0]
    """
    ends, place = [start, stop], (device, like, backend)
    if not {type(start), type(stop)} <= PLAIN:
        ends = numbers_of("linspace", start, stop, real=False)
        if are_computed(ends):
            count, wanted = _samples("linspace", num), _chosen(dtype)
            found = between("linspace", ends, count, endpoint, place, wanted)
            return _rounded(found, ends, dtype)
        ends = [one if isinstance(one, complex) else _scalar("linspace", one) for one in ends]
    kind: type = complex if any(isinstance(one, complex) for one in ends) else float
    chosen = dtypes.default_dtype_of_kind(kind) if dtype is None else dtypes.as_dtype(dtype)
    count = _samples("linspace", num)
    return from_host(_spaced(np.linspace, ends, count, endpoint, chosen), chosen, *place)


@operands("start", "stop", "base")
def logspace(
    start: TensorLike,
    stop: TensorLike,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    base: TensorLike = 10.0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return the powers of ``base`` whose exponents are ``linspace(start, stop, num)``.

    Raises:
        ShapeError: when ``num`` is negative.

    Example:
        >>> logspace(0, 2, 3).tolist()
        [1.0, 10.0, 100.0]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    count = _samples("logspace", num)
    first, last, root = numbers = [start, stop, base]
    if not {type(start), type(stop), type(base)} <= PLAIN:
        first, last, root = numbers = numbers_of("logspace", *numbers)
        if are_computed(numbers):
            found = powers_between(
                "logspace", (first, last), root, count, endpoint, (device, like, backend),
                _chosen(dtype),
            )  # fmt: skip
            return _rounded(found, numbers, dtype)
    values = _spaced(np.logspace, (first, last), count, endpoint, chosen, base=root)
    return from_host(values, chosen, device, like, backend)


@operands("start", "stop")
def geomspace(
    start: TensorLike,
    stop: TensorLike,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return numbers from ``start`` to ``stop``, each the same multiple of the one before.

    Raises:
        ShapeError: when an end is zero, or ``num`` is negative.

    Example:
        >>> geomspace(1, 100, 3).tolist()
        [1.0, 10.0, 100.0]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    count = _samples("geomspace", num)
    first, last = ends = numbers_of("geomspace", start, stop)
    if any(_is_zero(one) for one in ends):
        raise ShapeError("geomspace: neither end is zero")
    if are_computed(ends):
        place = (device, like, backend)
        found = multiples_between("geomspace", ends, count, endpoint, place, _chosen(dtype))
        return _rounded(found, ends, dtype)
    values = _spaced(np.geomspace, (first, last), count, endpoint, chosen)
    return from_host(values, chosen, device, like, backend)


def _spaced(
    spacing: Callable[..., npt.NDArray[Any]],
    ends: Sequence[Any],
    count: int,
    endpoint: Any,
    dtype: dtypes.DType,
    **settings: Any,
) -> npt.NDArray[Any]:
    """Return what a function of NumPy's gives for plain numbers: short results are kept."""
    # Zeros are equal whatever their sign, and so are numbers of other types: not their texts.
    key = (spacing, *map(repr, ends), count, bool(endpoint), dtype, repr(settings))
    values = _spacings.get(key)
    if values is None:
        values = spacing(*ends, count, endpoint=endpoint, **settings).astype(dtype)
        if values.size <= _LONGEST:
            _spacings.keep(key, values)
    found: npt.NDArray[Any] = values
    return found


_spacings = Plans()


def _is_zero(number: Any) -> bool:
    """Tell whether a number is 0, as far as anybody knows."""
    if not isinstance(number, Tensor):
        return bool(number == 0)
    found = visible(number)
    return found is not None and not found.all()


def _chosen(dtype: DTypeLike | None) -> dtypes.DType | None:
    return None if dtype is None else dtypes.as_dtype(dtype)


def _rounded(x: Tensor, numbers: Sequence[Any], dtype: DTypeLike | None) -> Tensor:
    """Return what was computed from operands in the dtype asked for, else in theirs."""
    if dtype is not None:
        return cast(x, dtypes.as_dtype(dtype))
    common = common_tensors("linspace", numbers)[0].dtype
    return cast(x, common if common in dtypes.INEXACT else dtypes.default_dtype())


def _sides(name: str, n_rows: Any, n_cols: Any, k: Any) -> tuple[int, int, int]:
    """Return a matrix's lengths and the number of a diagonal.

    Raises:
        ShapeError: when a length is negative.
        DTypeError: when one is no integer.
    """
    rows, columns, diagonal = as_shape(name, (n_rows, n_rows if n_cols is None else n_cols, k))
    if rows < 0 or columns < 0:
        raise ShapeError(f"{name}: a shape has no negative lengths, as {(rows, columns)} has")
    return rows, columns, diagonal


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return a matrix of zeros with ones on the k-th diagonal (above the main one for k > 0).

    Raises:
        ShapeError: when a length is negative.

    Example:
        >>> eye(2).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    return from_host(np.eye(*_sides("eye", n_rows, n_cols, k)), chosen, device, like, backend)


def identity(
    n: int,
    /,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return the identity matrix of n rows.

    Raises:
        ShapeError: when there are fewer than none.

    Example:
        >>> identity(1).tolist()
        [[1.0]]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    return from_host(np.eye(*_sides("identity", n, None, 0)), chosen, device, like, backend)


def tri(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return a matrix of ones on and below the k-th diagonal, zeros above.

    Raises:
        ShapeError: when a length is negative.

    Example:
        >>> tri(2).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    return from_host(np.tri(*_sides("tri", n_rows, n_cols, k)), chosen, device, like, backend)
