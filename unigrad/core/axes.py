"""Axes as arguments: integers, counted from the front, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.core.errors import AxisError, DTypeError, ShapeError, TracingError


def axis_number(name: str, axis: Any) -> int:
    """Return an axis as Python's int.

    Raises:
        DTypeError: when it is no integer. A bool is none, though Python would count with it.
    """
    try:
        number = None if isinstance(axis, (bool, np.bool_)) else axis.__index__()
    except TracingError:
        raise
    except (AttributeError, TypeError):
        number = None
    if number is None:
        raise DTypeError(f"{name}: an axis is an integer, not {axis!r}")
    return int(number)


def plain_axis(name: str, axis: Any) -> Any:
    """Return one axis as Python's int, several as a tuple of them, and ``None`` as it is.

    Raises:
        DTypeError: when one is no integer.
    """
    if axis is None or type(axis) is int:
        return axis
    if isinstance(axis, (tuple, list)):
        return plain_axes(name, axis)
    return axis_number(name, axis)


def plain_axes(name: str, axes: Sequence[Any]) -> tuple[int, ...]:
    """Return axes as Python's ints. Raises as `plain_axis`."""
    if type(axes) is tuple:
        for one in axes:
            if type(one) is not int:
                break
        else:
            return axes
    return tuple([one if type(one) is int else axis_number(name, one) for one in axes])


def normalize_axis(name: str, axis: Any, ndim: int) -> int:
    """Return an axis counted from the front.

    Raises:
        AxisError: when it is outside of ``[-ndim, ndim)``.
        DTypeError: when it is no integer.
    """
    index = axis if type(axis) is int else axis_number(name, axis)
    if not -ndim <= index < ndim:
        raise AxisError(f"{name}: axis {axis} is out of range for {ndim} dimensions")
    return index % ndim


def normalize_axes(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Return one axis, several, or all (``None``) as a sorted tuple.

    Raises:
        ShapeError: when one is out of range or comes twice.
    """
    if axis is None:
        return tuple(range(ndim))
    many = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(sorted(normalize_axis(name, one, ndim) for one in many))
    if len(set(axes)) != len(axes):
        raise ShapeError(f"{name}: axis {axis} names a dimension twice")
    return axes
