"""Control flow as functions: `scan` and `stop_gradient`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.core import tree
from unigrad.core.arguments import TensorLike, as_tensor, untracked
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS, primitive, wrap
from unigrad.core.tensor import Tensor

__all__ = ["identity", "scan", "stop_gradient"]

_stop_gradient = primitive("stop_gradient")
_identity = primitive("identity")


def identity(x: TensorLike, /) -> Tensor:
    """Return the same value as a new one: a tape that watches ``x`` later does not see it.

    Example:
        >>> identity([1, 2]).tolist()
        [1, 2]
    """
    out: Tensor = _identity(as_tensor(x))
    return out


def stop_gradient(x: TensorLike, /) -> Tensor:
    """Return the same value, constant for every derivative.

    Example:
        >>> import unigrad as ug
        >>> float(ug.grad(lambda x: x * stop_gradient(x))(3.0))
        3.0
    """
    out: Tensor = _stop_gradient(untracked(as_tensor(x)))
    return out


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Carry a state along the first axis of ``xs`` and stack what each step gives.

    The meaning is that of ``for x in xs: carry, y = f(carry, x)``, with ``y`` stacked.

    Args:
        f: ``(carry, x) -> (carry, y)``; pytrees, whose carry keeps its structure.
        init: the first carry.
        xs: a pytree of tensors with one common first axis, or ``None``.
        length: the number of steps when ``xs`` is ``None``.
        reverse: go from the last element to the first; the results keep the order of ``xs``.

    Returns:
        The last carry and the stacked results.

    Without any steps ``f`` still runs once, on zeros, to tell the shapes and dtypes of the empty
    results.

    Raises:
        ShapeError: when the lengths differ, none is given, or the carry changes its structure.

    Example:
        >>> import unigrad as ug
        >>> carry, sums = scan(lambda c, x: (c + x, c + x), ug.asarray(0), ug.asarray([1, 2, 3]))
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
    if not count:
        return init, _no_results(f, init, tree.unflatten(structure, [_row(one) for one in leaves]))
    rows = [OPS["unstack"](leaf, axis=0) for leaf in leaves]
    carry, before = init, tree.structure(init)
    results: list[Any] = []
    for i in range(count - 1, -1, -1) if reverse else range(count):
        carry, result = f(carry, tree.unflatten(structure, [row[i] for row in rows]))
        if tree.structure(carry) != before:
            raise ShapeError(
                f"scan: the carry changed its structure from {before} to {tree.structure(carry)}"
            )
        results.append(result)
    if reverse:
        results.reverse()
    columns = [tree.flatten(result)[0] for result in results]
    stacked = [
        OPS["stack"](*[as_tensor(one) for one in column], axis=0)
        for column in zip(*columns, strict=True)
    ]
    return carry, tree.unflatten(tree.structure(results[0]), stacked)


def _row(leaf: Tensor) -> Tensor:
    """Return a row of zeros for an empty tensor."""
    zeros = np.zeros(leaf.shape[1:], leaf.dtype)
    return wrap(leaf.backend, leaf.backend.from_numpy(zeros, leaf.device))


def _no_results(f: Callable[[Any, Any], tuple[Any, Any]], carry: Any, x: Any) -> Any:
    """Return what stacking the results of no steps gives."""
    _, result = f(tree.map(_unseen, carry), x)
    return tree.map(lambda one: OPS["stack"](_unseen(one), axis=0)[:0], result)


def _unseen(x: TensorLike) -> Tensor:
    """Return the tensor of anything that stands for one, for no recorder to see."""
    return untracked(as_tensor(x))
