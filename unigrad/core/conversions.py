"""What conversions of layers share: one result for one object, and which weights are frozen.

Readers and writers of layers pass weights on as arrays, which are turned, split and joined on the
way. Which of them are trained goes the same way: the weights are passed once more as marks, NaN
where one is frozen and 1 elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import numpy as np

from unigrad.core.errors import DTypeError
from unigrad.core.native_code import LayerData

_marking: ContextVar[bool] = ContextVar("unigrad_marking_weights", default=False)


def once(
    convert: Callable[[Any], Any], check: Callable[[list[Any]], None] | None = None
) -> Callable[[Any], Any]:
    """Return a function that gives one object one result, however often it meets it in a call.

    Args:
        convert: the function, which calls the one returned for what is inside of an object.
        check: is given all objects that were met, at the end of a call.

    Example:
        >>> pair = once(lambda x: [pair(one) for one in x] if isinstance(x, list) else object())
        >>> leaf = "a leaf"
        >>> first, second = pair([leaf, leaf])
        >>> first is second
        True
    """
    met: ContextVar[dict[int, tuple[Any, Any]] | None] = ContextVar("unigrad_met", default=None)

    def run(given: Any) -> Any:
        known = met.get()
        if known is None:
            token = met.set({})
            try:
                found = run(given)
                if check is not None:
                    check([one for one, _ in (met.get() or {}).values()])
                return found
            finally:
                met.reset(token)
        if id(given) not in known:
            known[id(given)] = (given, convert(given))
        return known[id(given)][1]

    return run


def refuse_tied(weights: Iterable[Any]) -> None:
    """Raise `DTypeError` when a weight comes twice: layers that share one without being one."""
    if any(number > 1 for number in Counter(map(id, weights)).values()):
        raise DTypeError("no conversion of tied weights: one weight in two places, not one layer")


def value_or_mark(value: Any, trained: bool) -> Any:
    """Return a weight's value, or its mark where these are read."""
    return np.full(value.shape, 1.0 if trained else np.nan) if _marking.get() else value


def read_with_marks(read: Callable[[Any], LayerData], layer: Any) -> LayerData:
    """Read a layer, and which of its weights are frozen."""
    data = read(layer)
    token = _marking.set(True)
    try:
        return _frozen_by(data, read(layer))
    finally:
        _marking.reset(token)


def _frozen_by(data: LayerData, marks: LayerData) -> LayerData:
    frozen = [name for name, one in marks.state.items() if np.isnan(one).any()]
    settings = {name: _inside(value, marks.settings[name]) for name, value in data.settings.items()}
    return replace(data, settings=settings, frozen=tuple(frozen))


def _inside(value: Any, marks: Any) -> Any:
    if isinstance(value, LayerData):
        return _frozen_by(value, marks)
    if isinstance(value, list):
        return [_inside(one, mark) for one, mark in zip(value, marks, strict=True)]
    return value


def marks_of(data: LayerData) -> LayerData:
    """Return a layer's data with marks in place of its weights."""
    state = {
        name: np.full(np.shape(one), np.nan if name in data.frozen else 1.0)
        for name, one in data.state.items()
    }
    settings = {name: _marks_inside(value) for name, value in data.settings.items()}
    return replace(data, state=state, settings=settings)


def _marks_inside(value: Any) -> Any:
    if isinstance(value, LayerData):
        return marks_of(value)
    return [_marks_inside(one) for one in value] if isinstance(value, list) else value


def any_frozen(data: LayerData) -> bool:
    """Tell whether a weight of a layer, or of one among its settings, is frozen."""
    values = [*data.settings.values()]
    while values:
        one = values.pop()
        if isinstance(one, list):
            values += one
        elif isinstance(one, LayerData) and any_frozen(one):
            return True
    return bool(data.frozen)


def is_frozen(kind: str, mark: Any) -> bool:
    """Tell whether a weight that a library's layer got for a mark is frozen.

    Raises:
        DTypeError: when it is in part, the library having one weight for several.
    """
    nothing = np.isnan(mark)
    if nothing.any() and not nothing.all():
        raise DTypeError(f"no conversion of a {kind} whose weights are frozen in part")
    return bool(nothing.any())
