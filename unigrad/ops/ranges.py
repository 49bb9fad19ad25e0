"""Tensors of regular numbers: ranges, spacings, and the matrices of ones on diagonals.

They are computed once in float64 or int64, for all backends alike, and then placed on the current
one (`ug.use_backend`) and on ``device``, or beside ``like``, or on ``backend``: see
`unigrad.ops.creation`.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt

from unigrad.core import dtypes
from unigrad.core.dtypes import DTypeLike
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.ops.creation import from_host
from unigrad.ops.shaping import as_shape

__all__ = ["arange", "eye", "geomspace", "identity", "linspace", "logspace", "tri"]


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike | None = None,
    device: str | None = None,
    like: Any = None,
    backend: str | None = None,
) -> Tensor:
    """Return start, start + step, … below ``stop``; with one number, from 0 up to it.

    Int64 when all numbers are ints, else the default floating dtype.

    Raises:
        ShapeError: when the step is zero.

    Example:
        >>> arange(1, 7, 2).tolist()
        [1, 3, 5]
    """
    first, last = (0, start) if stop is None else (start, stop)
    numbers = [_scalar("arange", one) for one in (first, last, step)]
    if numbers[2] == 0:
        raise ShapeError("arange: the step is not zero")
    kind: type = int if all(isinstance(one, int) for one in numbers) else float
    chosen = dtypes.default_dtype_of_kind(kind) if dtype is None else dtypes.as_dtype(dtype)
    values = np.arange(*numbers, dtype=np.int64 if kind is int else np.float64)
    return from_host(values, chosen, device, like, backend)


def _scalar(name: str, value: Any) -> int | float:
    """Return a number as Python's int or float."""
    if isinstance(value, (Tensor, np.generic, np.ndarray)):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        try:
            return operator.index(value)
        except TypeError:
            raise DTypeError(f"{name}: expected a real number, not {value!r}") from None
    return value


def _samples(name: str, num: Any) -> int:
    """Return how many numbers are asked for."""
    (count,) = as_shape(name, num)
    if count < 0:
        raise ShapeError(f"{name}: {num} is no number of samples")
    return count


def linspace(
    start: float,
    stop: float,
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
    ends = [one if isinstance(one, complex) else _scalar("linspace", one) for one in (start, stop)]
    kind: type = complex if any(isinstance(one, complex) for one in ends) else float
    chosen = dtypes.default_dtype_of_kind(kind) if dtype is None else dtypes.as_dtype(dtype)
    count = _samples("linspace", num)
    values: npt.NDArray[Any] = np.linspace(ends[0], ends[1], count, endpoint=endpoint)
    return from_host(values, chosen, device, like, backend)


def logspace(
    start: float,
    stop: float,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return the powers of ``base`` whose exponents are ``linspace(start, stop, num)``.

    Raises:
        ShapeError: when ``num`` is negative.

    Example:
        >>> logspace(0, 2, 3).tolist()
        [1.0, 10.0, 100.0]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    values: npt.NDArray[Any] = np.logspace(
        start, stop, _samples("logspace", num), endpoint=endpoint, base=base
    )
    return from_host(values, chosen, device)


def geomspace(
    start: float,
    stop: float,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return numbers from ``start`` to ``stop``, each the same multiple of the one before.

    Raises:
        ShapeError: when an end is zero, or ``num`` is negative.

    Example:
        >>> geomspace(1, 100, 3).tolist()
        [1.0, 10.0, 100.0]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    if start == 0 or stop == 0:
        raise ShapeError("geomspace: neither end is zero")
    count = _samples("geomspace", num)
    values: npt.NDArray[Any] = np.geomspace(start, stop, count, endpoint=endpoint)
    return from_host(values, chosen, device)


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


def identity(n: int, /, *, dtype: DTypeLike | None = None, device: str | None = None) -> Tensor:
    """Return the identity matrix of n rows.

    Raises:
        ShapeError: when there are fewer than none.

    Example:
        >>> identity(1).tolist()
        [[1.0]]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    return from_host(np.eye(*_sides("identity", n, None, 0)), chosen, device)


def tri(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Tensor:
    """Return a matrix of ones on and below the k-th diagonal, zeros above.

    Raises:
        ShapeError: when a length is negative.

    Example:
        >>> tri(2).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    chosen = dtypes.default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    return from_host(np.tri(*_sides("tri", n_rows, n_cols, k)), chosen, device)
