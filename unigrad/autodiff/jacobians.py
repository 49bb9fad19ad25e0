"""Jacobians by reverse mode: one backward pass per element of the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unigrad.autodiff.cotangents import unknown_word
from unigrad.core import tree
from unigrad.core.dispatch import wrap
from unigrad.core.errors import ShapeError
from unigrad.core.op import OPS
from unigrad.core.tensor import Tensor

if TYPE_CHECKING:
    from unigrad.autodiff.tape import GradientTape


def jacobian_rows(tape: GradientTape, target: Tensor, sources: Any, unconnected: Any) -> Any:
    """Stack the gradients of the target's elements, one by one."""
    target = tape._value(target)
    leaves, structure = tree.flatten(sources)
    # Of no elements: one question all the same, to see which sources are connected.
    rows = _rows(tape, target, leaves, _basis(target) or [None], unconnected)
    columns = [
        _stack([row[i] for row in rows], target, leaf.shape) for i, leaf in enumerate(leaves)
    ]
    return tree.unflatten(structure, columns)


def batch_jacobian_rows(
    tape: GradientTape, target: Tensor, source: Tensor, unconnected: Any
) -> Tensor:
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
        cotangents.append(_like(target, one.reshape(target.shape)))
    # An unconnected source gets zeros in any case, as in TensorFlow.
    rows = [row[0] for row in _rows(tape, target, [source], cotangents, "zero")]
    if not rows:
        return _like(target, np.zeros((batch, *inner, *source.shape[1:]), source.dtype))
    stacked: Tensor = OPS["stack"](*rows, axis=1)
    out: Tensor = OPS["reshape"](stacked, shape=(batch, *inner, *source.shape[1:]))
    return out


def _rows(
    tape: GradientTape,
    target: Tensor,
    sources: list[Any],
    cotangents: Sequence[Tensor | None],
    how: Any,
) -> list[list[Tensor | None]]:
    """Ask the tape once per cotangent, keeping it usable in between."""
    persistent, tape.persistent = tape.persistent, True
    try:
        if not persistent and tape._recording:
            tape._pause()
        # An unwatched source that is the target itself counts for `gradient` only (TensorFlow).
        rows = [tape._ask(target, sources, one, how, False)[0] for one in cotangents]
    finally:
        tape.persistent = persistent
    tape._spend()
    tape._release()
    return rows


def _basis(target: Tensor) -> list[Tensor | None]:
    """Return the unit cotangents of a target."""
    basis: list[Tensor | None] = []
    for position in range(target.size):
        one = np.zeros(target.size, target.dtype)
        one[position] = 1
        basis.append(_like(target, one.reshape(target.shape)))
    return basis


def _like(target: Tensor, array: np.ndarray[Any, Any]) -> Tensor:
    """Return an ndarray as a tensor beside another."""
    backend = target.backend
    return wrap(backend, backend.from_numpy(array, backend.device(target.native)))


def _stack(column: list[Tensor | None], target: Tensor, source: tuple[int, ...]) -> Tensor | None:
    """Assemble the rows of one source."""
    rows = [row for row in column if row is not None]
    if len(rows) < len(column):
        return None
    stacked: Tensor = OPS["stack"](*rows, axis=0)
    out: Tensor = OPS["reshape"](stacked[: target.size], shape=(*target.shape, *source))
    return out
