"""Compiled functions that a caller of the library differentiates, through `ug.interop`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.core.registry import current_backend
from unigrad_conformance.subject import Unsupported, require_close

_X = np.array([0.5, -1.25, 2.0])
_Y = np.array([1.5, 0.25, -0.75])


def _slopes(function: Callable[..., Any], arrays: Sequence[Any]) -> list[Any]:
    """Return the library's own derivatives of the sum of a function's result."""
    backend = current_backend()
    natives = [backend.from_numpy(one, None) for one in arrays]
    # What was compiled, and how, may depend on the calls before.
    for _ in range(3):
        function(*natives)
    try:
        results, pullback = backend.vjp(lambda *given: [function(*given)], natives)
    except ug.NotDifferentiableError as error:
        if backend.differentiates:
            raise
        raise Unsupported(str(error)) from None
    found = pullback([backend.from_numpy(np.ones(backend.shape(results[0])), None)])
    return [np.zeros_like(_X) if one is None else backend.to_numpy(one) for one in found]


def arguments_are_followed() -> None:
    """The derivative of a program by its arguments comes through it."""
    program = ug.interop(ug.jit(lambda x, y: ug.tanh(x) * y + ug.stack([x, y])[0] ** 2))
    found = _slopes(program, [_X, _Y])
    t = np.tanh(_X)
    require_close("by the first argument", found[0], (1 - t * t) * _Y + 2 * _X, 1e-12)
    require_close("by the second argument", found[1], t, 1e-12)


def loops_are_followed() -> None:
    """And of one with loops in it."""

    def looped(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
        carry, rows = ug.scan(
            lambda c, row: (c * row, c + row), ug.ones(3, like=x), ug.stack([x, y])
        )
        found: ug.Tensor = carry + ug.sum(rows, axis=0)
        return found

    # x y, and the rows 1 + x and x + y.
    found = _slopes(ug.interop(ug.jit(looped)), [_X, _Y])
    require_close("by the first row", found[0], _Y + 2.0, 1e-12)
    require_close("by the second row", found[1], _X + 1.0, 1e-12)


def what_it_closes_over_is_followed() -> None:
    """And by an argument of a function around it, which the program was not made for."""

    def around(x: Any, y: Any) -> Any:
        return ug.interop(ug.jit(lambda z: z * x))(y)

    def through(x: Any, y: Any) -> Any:
        return ug.interop(lambda x, y: ug.jit(lambda z: ug.sin(z) * x)(y))(x, y)

    for function, slopes in ((around, (_Y, _X)), (through, (np.sin(_Y), np.cos(_Y) * _X))):
        found = _slopes(function, [_X, _Y])
        for name, one, other in zip(("outside", "inside"), found, slopes, strict=True):
            require_close(f"by what is {name}", one, other, 1e-12)


#: Checks by name.
PROGRAM_CALLERS: dict[str, Callable[[], None]] = {
    f"programs of a caller: {one.__name__.replace('_', ' ')}": one
    for one in (arguments_are_followed, loops_are_followed, what_it_closes_over_is_followed)
}
