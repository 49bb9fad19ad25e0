"""The carry of a loop: its leaves, their names in messages, and the dtypes that they settle at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

from unigrad.control.bodies import SCALARS, captured, first_tensor
from unigrad.core import dtypes
from unigrad.core.arguments import as_tensor, cast
from unigrad.core.errors import DTypeError, ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.tracing.graph import Graph, Value

#: A dtype can be widened a few times until it is the widest.
_MOST_TRIES = 6


def same_structure(name: str, what: str, before: Any, after: Any) -> None:
    """Refuse a carry or a result that is of another structure than before.

    Raises:
        ShapeError: when it is.
    """
    if after != before:
        raise ShapeError(f"{name}: the {what} changed its structure from {before} to {after}")


def leaf_names(what: str, structure: Any) -> list[str]:
    """Return the name of each leaf of a structure, as a program writes it.

    Example:
        >>> from unigrad.core import tree
        >>> leaf_names("carry", tree.structure((1, {"a": 2})))
        ['carry[0]', "carry[1]['a']"]
    """
    return [one.codify(what) for one in structure.accessors()]


def check_leaf(name: str, leaf: str, before: Any, after: Any) -> None:
    """Check that a leaf of the carry keeps its shape, and its dtype or a wider one.

    ``before`` and ``after`` are anything with a shape and a dtype.

    Raises:
        ShapeError: when the shape changes.
        DTypeError: when the dtype does, other than to one that the first carry promotes to.
    """
    if after.shape != before.shape:
        raise ShapeError(
            f"{name}: {leaf} has the shapes {before.shape} and {after.shape}, before and after "
            "a step"
        )
    if after.dtype != before.dtype and not _widens(before.dtype, after.dtype):
        raise DTypeError(
            f"{name}: {leaf} has the dtypes {before.dtype.name} and {after.dtype.name} before and "
            "after a step; cast one of them with ug.astype"
        )


def _widens(before: dtypes.DType, after: dtypes.DType) -> bool:
    try:
        return dtypes.result_dtype(before, after) == after
    except DTypeError:
        return False


def check_step(name: str, before: Sequence[Any], after: Sequence[Any], structure: Any) -> None:
    """Check what the first step of an eager loop did to the carry. Raises as `check_leaf`."""
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        arrays = isinstance(old, (Tensor, Variable)) and isinstance(new, (Tensor, Variable))
        if arrays and (old.shape != new.shape or old.dtype != new.dtype):
            check_leaf(name, leaf_names("carry", structure)[i], old, new)


def captured_step(
    name: str,
    step: Callable[[list[Any], list[Tensor]], list[Any]],
    structure: Any,
    init: Sequence[Any],
    others: Sequence[Tensor],
) -> tuple[Graph, list[Tensor], list[Tensor]]:
    """Capture one step of a loop.

    Python's numbers in the first carry take the dtype that the first step gives them, and a first
    carry of a narrower dtype is widened.

    Args:
        name: the function's, for messages.
        step: takes the leaves of the carry and ``others``; returns the new leaves, then anything.
        structure: that of the carry.
        init: the leaves of the first carry.
        others: what a step gets besides.

    Returns:
        The graph of (carry, others, what it closes over), the latter's values, the first carry.

    Raises:
        ShapeError, DTypeError: when a step changes the carry's shapes or dtypes.
    """
    given = [one if type(one) in SCALARS else as_tensor(one) for one in init]
    for _ in range(_MOST_TRIES):
        graph, outside = _captured_from(given, step, others)
        settled = [
            _settled(name, i, one, after, structure, first_tensor(given, others, outside))
            for i, (one, after) in enumerate(zip(given, graph.outputs, strict=False))
        ]
        if all(map(is_, settled, given)):
            return graph, outside, settled
        given = settled
    raise DTypeError(f"{name}: the dtypes of the carry change with every step")


def _captured_from(
    given: Sequence[Any],
    step: Callable[[list[Any], list[Tensor]], list[Any]],
    others: Sequence[Tensor],
) -> tuple[Graph, list[Tensor]]:
    """Capture a step from a carry, in which Python's numbers stay what they are."""

    def flat(*values: Tensor) -> list[Any]:
        rest = iter(values)
        carry = [next(rest) if type(one) is Tensor else one for one in given]
        return step(carry, list(rest))

    return captured(flat, [*[one for one in given if type(one) is Tensor], *others])


def _settled(
    name: str, place: int, one: Any, after: Value, structure: Any, like: Tensor | None
) -> Tensor:
    """Return a leaf of the first carry in the dtype that it has after a step."""
    if type(one) is Tensor:
        if after.shape != one.shape or after.dtype != one.dtype:
            check_leaf(name, leaf_names("carry", structure)[place], one, after)
        return cast(one, after.dtype)
    number = cast(as_tensor(one, like, after.dtype), after.dtype)
    return OPS["broadcast_to"](number, shape=after.shape) if after.shape else number
