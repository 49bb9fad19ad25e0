"""`Batched`: the interpreter behind `ug.vmap`.

A tensor of it is one example to the function, and a whole batch below. An op on it runs by its
batching rule; a composite without one is taken apart; what has neither runs once per example, with
a warning.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from unigrad.batching.registry import Batch, Unbatched, elementwise
from unigrad.core.backend import Backend
from unigrad.core.dispatch import wrap
from unigrad.core.errors import TracingError
from unigrad.core.interpreters import Frame, Interpreter, Lifted
from unigrad.core.leaks import warn_program
from unigrad.core.op import OPS, Op
from unigrad.core.running import apply
from unigrad.core.tensor import Tensor


class Examples(Lifted):
    """The native array of a tensor under `vmap`: shape and dtype are one example's."""

    __slots__ = ("batched", "value")

    def __init__(self, frame: Batching, value: Tensor, batched: bool) -> None:
        backend = value.backend
        native = value._native
        self.frame = frame
        #: A tensor of less depth, with the batch's axis first if ``batched``.
        self.value = value
        self.batched = batched
        self.dtype = native.dtype
        shape = backend.shape(native)
        self.shape = shape[1:] if batched else shape
        self.device = backend.device(native)


class Batching(Frame):
    """One call of a function under `vmap`."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class Batched(Interpreter):
    """The backend of tensors that are one example each."""

    array_type = Examples

    def run(self, op: Op, *natives: Any, **settings: Any) -> Any:
        frame: Batching = self.frame()
        values, axes = [], []
        for one in natives:
            if type(one) is Examples:
                self.check(one)
                values.append(one.value)
                axes.append(one.batched)
            else:
                values.append(one)
                axes.append(False)
        if not any(axes):
            return self._examples(frame, frame.below(apply, op, values, settings), False)
        rule = op.batching
        if rule is None and op.broadcasts:
            rule = elementwise
        if rule is not None:
            batch = Batch(op, frame.size, tuple(axes))
            found = frame.below(rule, batch, values, settings)
            if found is not NotImplemented:
                return self._examples(frame, found, True)
        if op.by_value:
            raise TracingError(
                f"{op.name}: the shape of its result depends on values, and would differ from "
                "example to example under ug.vmap; use ug.where, or return a mask"
            )
        if op.body is not None:
            return self._natives(
                op.body(*[wrap(self, x) if type(x) is Examples else x for x in natives], **settings)
            )
        warn_program(f"vmap: {op.name} has no batching rule; it runs once per example")
        found = frame.below(_one_by_one, op, frame.size, values, axes, settings)
        return self._examples(frame, found, True)

    def enter(self, frame: Batching, tensor: Tensor) -> Examples:
        return Examples(frame, tensor, False)

    def beside(self, native: Examples) -> str | None:
        return native.value.backend.beside(native.value._native)

    def beneath(self, native: Examples) -> Tensor:
        return native.value

    def _examples(self, frame: Batching, found: Any, batched: bool) -> Any:
        """Return what a rule gave as natives."""
        if type(found) is tuple or type(found) is list:
            return tuple([self._examples(frame, one, batched) for one in found])
        if type(found) is Unbatched:
            return Examples(frame, found.value, False)
        return Examples(frame, found, batched)

    def _natives(self, found: Any) -> Any:
        """Return what a body gave at this level as natives; it may have left out every input."""
        if type(found) is tuple:
            return tuple([self._natives(one) for one in found])
        return (found if found.backend is self else self.lift(found))._native


def _one_by_one(
    op: Op, size: int, values: Sequence[Any], axes: Sequence[bool], settings: Any
) -> Any:
    """Run an op on each example and stack the results; of none, on one of zeros, to be left out."""
    given = [
        OPS["pad"](x, widths=((0, 1), *[(0, 0)] * (x.ndim - 1)), value=0) if has and not size else x
        for x, has in zip(values, axes, strict=True)
    ]
    rows = [
        apply(op, [x[i] if has else x for x, has in zip(given, axes, strict=True)], settings)
        for i in range(max(size, 1))
    ]
    if type(rows[0]) is tuple:
        return tuple([OPS["stack"](*column, axis=0)[:size] for column in zip(*rows, strict=True)])
    return OPS["stack"](*rows, axis=0)[:size]


@functools.cache
def batched_at(root: Backend, depth: int) -> Batched:
    """Return the batching backend over a library's at a depth.

    Example:
        >>> from unigrad.core.registry import current_backend
        >>> batched_at(current_backend(), 1).depth
        1
    """
    return Batched(root, depth)
