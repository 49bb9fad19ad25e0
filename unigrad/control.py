"""Control flow as functions: `scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, common_tensors, untracked
from unigrad.core.copying import own_handles
from unigrad.core.dispatch import wrap
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor

__all__ = ["scan"]


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Carry a state along the first axis of ``xs`` and stack what each step gives.

    The meaning is that of ``for x in xs: carry, y = f(carry, x)``, with ``y`` stacked as by
    `stack`: results of several dtypes are promoted, a Python scalar among them counts as weak. So
    a sum may begin with ``0``. A carry has whatever dtype the last step gave it.

    Args:
        f: ``(carry, x) -> (carry, y)``; pytrees, each of one structure in all steps.
        init: the first carry.
        xs: a pytree of tensors with one common first axis, or ``None``.
        length: the number of steps when ``xs`` is ``None``.
        reverse: go from the last element to the first; the results keep the order of ``xs``.

    Returns:
        The last carry and the stacked results.

    Without any steps ``f`` still runs once, on zeros, to tell the shapes and dtypes of the empty
    results.

    Raises:
        ShapeError: when the lengths differ, none is given, the results' shapes differ, or the carry
            or the result changes its structure.
        DTypeError: when results have no common dtype.

    Example:
        >>> import unigrad as ug
        >>> carry, sums = scan(lambda c, x: (c + x, c + x), 0, ug.asarray([1, 2, 3]))
        >>> int(carry), sums.tolist()
        (6, [1, 3, 6])
    """
    leaves, structure = tree.flatten(xs)
    leaves = [as_tensor(leaf) for leaf in leaves]
    lengths = {leaf.shape[0] if leaf.ndim else -1 for leaf in leaves}
    if length is not None:
        lengths.add(length)
    if len(lengths) != 1 or -1 in lengths:
        raise ShapeError(f"scan: needs one common length, found {sorted(lengths)}")
    count = lengths.pop()
    # The function may assign to its carry, or return it: the caller's handles are not concerned.
    carry, kept = own_handles(init), tree.structure(init)
    if not count:
        return carry, _no_results(f, init, tree.unflatten(structure, [_row(one) for one in leaves]))
    rows = [OPS["unstack"](leaf, axis=0) for leaf in leaves]
    columns: list[list[Any]] = []
    given: Any = None
    for i in range(count - 1, -1, -1) if reverse else range(count):
        carry, result = f(carry, tree.unflatten(structure, [row[i] for row in rows]))
        _same_structure("carry", kept, tree.structure(carry))
        found, of_result = tree.flatten(result)
        if given is None:
            given = of_result
            columns = [[] for _ in found]
        _same_structure("result", given, of_result)
        for column, one in zip(columns, found, strict=True):
            column.append(one)
    if reverse:
        for column in columns:
            column.reverse()
    return own_handles(carry), tree.unflatten(given, [_stacked(column) for column in columns])


def _same_structure(what: str, before: Any, after: Any) -> None:
    """Refuse a carry or a result that is of another structure than before."""
    if after != before:
        raise ShapeError(f"scan: the {what} changed its structure from {before} to {after}")


def _stacked(column: list[Any]) -> Tensor:
    """Stack what the steps gave for one leaf."""
    dtypes = {one.native.dtype if type(one) is Tensor else None for one in column}
    if len(dtypes) > 1 or None in dtypes:
        column = list(common_tensors("scan", column))
    out: Tensor = OPS["stack"](*column, axis=0)
    return out


def _row(leaf: Tensor) -> Tensor:
    """Return a row of zeros for an empty tensor."""
    zeros = np.zeros(leaf.shape[1:], leaf.dtype)
    return wrap(leaf.backend, leaf.backend.from_numpy(zeros, leaf.device))


def _no_results(f: Callable[[Any, Any], tuple[Any, Any]], carry: Any, x: Any) -> Any:
    """Return what stacking the results of no steps gives."""
    after, result = f(tree.map(_unseen, carry), x)
    _same_structure("carry", tree.structure(carry), tree.structure(after))
    return tree.map(lambda one: OPS["stack"](as_tensor(_unseen(one)), axis=0)[:0], result)


def _unseen(x: TensorLike) -> Any:
    """Return the tensor of anything that stands for one, for no recorder to see.

    A Python scalar stays one: it is weak.
    """
    return x if isinstance(x, (bool, int, float, complex)) else untracked(as_tensor(x))
