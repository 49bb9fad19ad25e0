"""Reductions. ``axis`` is a tuple of ints, or ``None`` for all axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict as xp

from unigrad_array_api_strict import elementwise
from unigrad_array_api_strict.creation import is_bool

Axis = tuple[int, ...] | None


def _numbers(x: Any) -> Any:
    """Return integers of bools, which the standard neither adds nor orders."""
    return xp.astype(x, xp.int64) if is_bool(x) else x


def _sum(x: Any, *, axis: Axis, keepdims: bool) -> Any:
    return xp.sum(_numbers(x), axis=axis, keepdims=keepdims)


def _cumulative_sum(x: Any, *, axis: int, reverse: bool) -> Any:
    if reverse:
        x = xp.flip(x, axis=axis)
    found = xp.cumulative_sum(x, axis=axis, dtype=x.dtype)
    return xp.flip(found, axis=axis) if reverse else found


def _cumulative(extremum: Callable[..., Any]) -> Callable[..., Any]:
    """Return the running maximum or minimum, which the standard does not have."""

    def run(x: Any, *, axis: int) -> Any:
        found: list[Any] = []
        for one in xp.unstack(x, axis=axis):
            found.append(extremum(found[-1], one) if found else one)
        return xp.stack(found, axis=axis) if found else x

    return run


def _extremum(of_numbers: Callable[..., Any], of_bools: Callable[..., Any]) -> Callable[..., Any]:
    """Return a maximum or minimum, which the standard does not have of bools."""

    def run(x: Any, *, axis: Axis, keepdims: bool) -> Any:
        return (of_bools if is_bool(x) else of_numbers)(x, axis=axis, keepdims=keepdims)

    return run


TABLE: dict[str, Callable[..., Any]] = {
    "all": lambda x, axis, keepdims: xp.all(x, axis=axis, keepdims=keepdims),
    "any": lambda x, axis, keepdims: xp.any(x, axis=axis, keepdims=keepdims),
    "argmax": lambda x, axis: xp.argmax(x, axis=axis),
    "argmin": lambda x, axis: xp.argmin(x, axis=axis),
    "argsort": lambda x, axis, descending: xp.argsort(
        _numbers(x), axis=axis, descending=descending
    ),
    "cumulative_max": _cumulative(elementwise.TABLE["maximum"]),
    "cumulative_min": _cumulative(elementwise.TABLE["minimum"]),
    "cumulative_sum": _cumulative_sum,
    "max": _extremum(xp.max, xp.any),
    "min": _extremum(xp.min, xp.all),
    "searchsorted": lambda x1, x2, right: xp.searchsorted(
        _numbers(x1), _numbers(x2), side="right" if right else "left"
    ),
    "sum": _sum,
}
