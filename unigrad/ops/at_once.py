"""Reductions by the shortest way: a shape, an axis and keepdims are planned for once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, cast

from unigrad.core.dispatch import dispatch
from unigrad.core.op import Op, composite
from unigrad.core.plans import Planned, Plans
from unigrad.core.tensor import Tensor

__all__: list[str] = []

_Given = ParamSpec("_Given")


def at_once(
    op: Op, takes: str = "native_reals"
) -> Callable[[Callable[_Given, Tensor]], Callable[_Given, Tensor]]:
    """Give a reduction a short way to its kernel for the commonest call.

    That is one tensor with elements, of a dtype among a backend's ``takes``, with ``axis`` ``None``
    or an int. The kernel then sees ``None``, or a tuple of one int.
    """
    plans = Plans()
    of_single = takes != "native_bools"

    def declare(function: Callable[_Given, Tensor]) -> Callable[_Given, Tensor]:
        long_way: Callable[..., Tensor] = function

        @wraps(function)
        def run(x: Any, /, *, axis: Any = None, keepdims: Any = False, **rest: Any) -> Tensor:
            if (
                type(x) is Tensor
                and (axis is None or type(axis) is int)
                and type(keepdims) is bool
                and not rest
            ):
                backend = x.backend
                native = x._native
                dtype = native.dtype
                if (of_single and dtype is backend.native_single) or (
                    dtype in getattr(backend, takes)
                ):
                    key = (backend.shape_key(native), axis, keepdims)
                    found = plans.get(key)
                    if found is None:
                        found = plans.keep(key, _plan(op, backend.shape(native), axis, keepdims))
                    if found:
                        made: Tensor = dispatch(found, backend, (x,), (native,))
                        return made
            return long_way(x, axis=axis, keepdims=keepdims, **rest)

        return cast(Callable[_Given, Tensor], run)

    return declare


def whole_reduction(function: Callable[_Given, Tensor]) -> Callable[_Given, Tensor]:
    """Make a reduction that is written in other ops an op of its own for the commonest call.

    That is the one of `at_once`, with no arguments but ``axis`` and ``keepdims``. A backend may
    bring a kernel for the op, or compile it whole; its formula is the function.
    """
    long_way: Callable[..., Tensor] = function

    @wraps(function)
    def body(x: Tensor, *, axis: tuple[int, ...] | None, keepdims: bool) -> Tensor:
        return long_way(x, axis=axis, keepdims=keepdims)

    op = composite(body)
    short_way = at_once(op)(function)
    op.public = short_way
    return short_way


def _plan(op: Op, shape: tuple[int, ...], axis: int | None, keepdims: bool) -> Planned | bool:
    """Return the op of one axis or all; False where the long way has something to say or to do."""
    if 0 in shape or not shape or not (axis is None or -len(shape) <= axis < len(shape)):
        return False
    axes = None if axis is None else (axis % len(shape),)
    return Planned(op, {"axis": axes, "keepdims": keepdims})
