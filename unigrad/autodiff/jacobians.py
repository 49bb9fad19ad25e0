"""Jacobians by reverse mode: one backward pass per element of the target.

Who differentiates is not known here: rows come from a function of target, sources and cotangents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from unigrad.autodiff.cotangents import unknown_word
from unigrad.core import tree
from unigrad.core.arguments import beside
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor

#: ``rows(target, sources, cotangents, unconnected)``: the sources' gradients for each cotangent.
Rows: TypeAlias = Callable[
    [Tensor, list[Any], Sequence[Tensor | None], Any], list[list[Tensor | None]]
]


def jacobian(find: Rows, target: Tensor, sources: Any, unconnected: Any) -> Any:
    """Stack the gradients of the target's elements, one by one."""
    leaves, structure = tree.flatten(sources)
    # Of no elements: one question all the same, to see which sources are connected.
    rows = find(target, leaves, _basis(target) or [None], unconnected)
    columns = [
        _stack([row[i] for row in rows], target, leaf.shape) for i, leaf in enumerate(leaves)
    ]
    return tree.unflatten(structure, columns)


def batch_jacobian(find: Rows, target: Tensor, source: Tensor, unconnected: Any) -> Tensor:
    """Take one backward pass per element of an example, for all examples at once."""
    if unconnected not in ("none", "zero"):
        raise unknown_word(unconnected)
    if not target.shape or not source.shape or target.shape[0] != source.shape[0]:
        raise ShapeError(
            f"batch_jacobian: target {target.shape} and source {source.shape} need the same "
            "first axis"
        )
    batch, inner = target.shape[0], target.shape[1:]
    size = int(np.prod(inner, dtype=np.int64))
    cotangents = []
    for i in range(size):
        one = np.zeros((batch, size), target.dtype)
        one[:, i] = 1
        cotangents.append(beside(target, one.reshape(target.shape)))
    # An unconnected source gets zeros in any case, as in TensorFlow.
    rows = [row[0] for row in find(target, [source], cotangents, "zero")]
    if not rows:
        return beside(target, np.zeros((batch, *inner, *source.shape[1:]), source.dtype))
    stacked: Tensor = OPS["stack"](*rows, axis=1)
    out: Tensor = OPS["reshape"](stacked, shape=(batch, *inner, *source.shape[1:]))
    return out


def _basis(target: Tensor) -> list[Tensor | None]:
    """Return the unit cotangents of a target."""
    basis: list[Tensor | None] = []
    for position in range(target.size):
        one = np.zeros(target.size, target.dtype)
        one[position] = 1
        basis.append(beside(target, one.reshape(target.shape)))
    return basis


def _stack(column: list[Tensor | None], target: Tensor, source: tuple[int, ...]) -> Tensor | None:
    """Assemble the rows of one source."""
    rows = [row for row in column if row is not None]
    if len(rows) < len(column):
        return None
    stacked: Tensor = OPS["stack"](*rows, axis=0)
    out: Tensor = OPS["reshape"](stacked[: target.size], shape=(*target.shape, *source))
    return out
