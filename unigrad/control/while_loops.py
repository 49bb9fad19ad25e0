"""`while_loop` and `fori_loop`: loops whose length values, or bounds, decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.control.bodies import SCALARS, captured, first_tensor, is_traced, returned
from unigrad.control.carrying import captured_step, check_step, same_structure
from unigrad.control.ops import WHILE
from unigrad.control.scanning import loop
from unigrad.core import dtypes, tree
from unigrad.core.arguments import as_tensor
from unigrad.core.calls import check_function
from unigrad.core.copying import own_handles
from unigrad.core.dtypes import INTEGER
from unigrad.core.errors import DTypeError, SettingError, ShapeError
from unigrad.core.tensor import Tensor
from unigrad.tracing.grounded import grounded

__all__ = ["fori_loop", "while_loop"]


def while_loop(
    cond_fn: Callable[[Any], Any],
    body_fn: Callable[[Any], Any],
    init: Any,
    max_steps: int | None = None,
) -> Any:
    """Apply a function again and again while a condition holds.

    The meaning is that of ``while cond_fn(carry): carry = body_fn(carry)``. Where functions are
    traced both run once, and the loop is a single op.

    Reverse mode has to keep every step, so there a loop needs a bound, `max_steps`; it then costs
    as many steps as the bound says, those after the end being cheap. Forward mode needs none.

    Args:
        cond_fn: takes the carry, returns a scalar bool.
        body_fn: takes the carry, returns the next, of the same structure, shapes and dtypes.
        init: the first carry: a pytree. Python's numbers in it take the dtype that they need.
        max_steps: stop after so many steps, whatever the condition says.

    Raises:
        ShapeError: when the carry changes its structure or shapes, or the condition is no scalar.
        DTypeError: when the carry's dtype is not a wider one after the first step, or the
            condition is no bool.
        SettingError: when ``max_steps`` is negative, or no integer.
        NotDifferentiableError: when reverse mode is asked of a traced loop without bound.

    Source of name and meaning: ``jax.lax.while_loop``; the bound is that of ``equinox``.

    Example:
        >>> import unigrad as ug
        >>> float(while_loop(lambda x: x < 100.0, lambda x: 2.0 * x, ug.asarray(3.0)))
        192.0
    """
    check_function("while_loop: cond_fn", cond_fn)
    check_function("while_loop: body_fn", body_fn)
    if max_steps is not None and (type(max_steps) is not int or max_steps < 0):
        raise SettingError(f"while_loop: max_steps is a number of steps, not {max_steps!r}")
    if is_traced(init) and max_steps != 0:
        return _as_one_op(cond_fn, body_fn, init, max_steps)
    carry, kept = own_handles(init), tree.structure(init)
    steps = 0
    while (max_steps is None or steps < max_steps) and _holds(cond_fn(carry)):
        before = carry
        carry = body_fn(carry)
        same_structure("while_loop", "carry", kept, tree.structure(carry))
        if not steps:
            check_step("while_loop", tree.leaves(before), tree.leaves(carry), kept)
        steps += 1
    return returned(carry)


def fori_loop(
    lower: Any,
    upper: Any,
    body_fn: Callable[[Any, Any], Any],
    init: Any,
    *,
    unroll: int | bool = 1,
) -> Any:
    """Apply a function for each integer from one bound up to another.

    The meaning is that of ``for i in range(lower, upper): carry = body_fn(i, carry)``, where ``i``
    is an int64 scalar. With bounds that are Python's integers it can be differentiated in reverse
    mode; with bounds that are tensors in a traced function it is a `while_loop` without bound.

    Args:
        lower, upper: integers: Python's or scalars.
        body_fn: ``(i, carry) -> carry``.
        init: the first carry: a pytree.
        unroll: as `scan`'s, where the bounds are Python's integers.

    Raises:
        ShapeError, DTypeError: as `while_loop`, or when a bound is no integer scalar.
        SettingError: when ``unroll`` is no positive integer.

    Source of name and meaning: ``jax.lax.fori_loop``.

    Example:
        >>> int(fori_loop(0, 5, lambda i, total: total + i, 0))
        10
    """
    check_function("fori_loop: body_fn", body_fn)
    bounds = [_bound(lower), _bound(upper)]
    if not is_traced([one for one in bounds if type(one) is Tensor] or None) or all(
        type(one) is int for one in bounds
    ):
        first, last = int(bounds[0]), int(bounds[1])
        return _counted(first, last, body_fn, init, unroll)

    def body(carry: tuple[Any, Any]) -> tuple[Any, Any]:
        i, value = carry
        return i + 1, body_fn(i, value)

    start = as_tensor(bounds[0], first_tensor(bounds, init), dtypes.int64)
    return while_loop(lambda carry: carry[0] < bounds[1], body, (start, init))[1]


def _counted(
    first: int, last: int, body_fn: Callable[[Any, Any], Any], init: Any, unroll: int | bool
) -> Any:
    """Loop a known number of times."""
    if last <= first:
        return returned(init)

    def body(carry: tuple[Any, Any], _: Any) -> tuple[Any, None]:
        i, value = carry
        return (i + 1, body_fn(i, value)), None

    start = as_tensor(first, first_tensor(init), dtypes.int64)
    (_, found), _ = loop("fori_loop", body, (start, init), None, last - first, False, unroll)
    return found


def _bound(value: Any) -> int | Tensor:
    """Return a bound as Python's integer or as an integer scalar.

    Raises:
        ShapeError, DTypeError: when it is neither.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    tensor = as_tensor(value)
    if tensor.shape:
        raise ShapeError(f"fori_loop: a bound is a scalar, not of shape {tensor.shape}")
    if tensor.dtype not in INTEGER:
        raise DTypeError(f"fori_loop: a bound is an integer, not {tensor.dtype.name}")
    return tensor


def _holds(condition: Any) -> bool:
    """Return an eager condition as a bool."""
    if isinstance(condition, SCALARS):
        return bool(condition)
    tensor = as_tensor(condition)
    _check_condition(tensor)
    return bool(tensor)


def _check_condition(found: Any) -> None:
    """Check what a condition returned: a value or a tensor.

    Raises:
        ShapeError: when it is no scalar.
        DTypeError: when it is no bool.
    """
    if found.shape:
        raise ShapeError(f"while_loop: the condition is a scalar, not of shape {found.shape}")
    if found.dtype != dtypes.bool_:
        raise DTypeError(f"while_loop: the condition is a bool, not {found.dtype.name}")


def _as_one_op(
    cond_fn: Callable[[Any], Any], body_fn: Callable[[Any], Any], init: Any, max_steps: int | None
) -> Any:
    """Capture condition and body and run the loop as an op."""
    leaves, kept = tree.flatten(init)
    if not leaves:
        raise ShapeError("while_loop: the carry is empty, so the condition never changes")

    def step(carry: list[Any], _: list[Tensor]) -> list[Any]:
        after = body_fn(tree.unflatten(kept, carry))
        same_structure("while_loop", "carry", kept, tree.structure(after))
        return tree.leaves(after)

    body, constants, first = captured_step("while_loop", step, kept, leaves, [])

    def asks(*carry: Tensor) -> list[Any]:
        return [cond_fn(tree.unflatten(kept, list(carry)))]

    condition, asked = captured(asks, [grounded(x) for x in first])
    _check_condition(condition.outputs[0])
    found = WHILE(
        *first,
        *asked,
        *constants,
        condition=condition,
        body=body,
        carries=len(first),
        conditions=len(asked),
        max_steps=max_steps,
    )
    return tree.unflatten(kept, list(found))
