"""Capturing a body: a function that is no part of what is traced or recorded around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.batching.interpreter import Examples
from unigrad.core.arguments import beside, untracked
from unigrad.core.dispatch import wrap
from unigrad.core.op import Op
from unigrad.core.tensor import Tensor
from unigrad.ops.indexing import getitem
from unigrad.tracing.capture import Capture, Symbol, tracing_at


class BodyCapture(Capture):
    """The capture of a body, whose examples are values of the library's own.

    So the ops that give them are in no graph and on no tape of those who trace or record outside.
    """

    def symbol(self, example: Tensor) -> Symbol:
        return super().symbol(grounded(example))

    def record(self, op: Op, natives: Sequence[Any], settings: Any) -> Any:
        """Note an op; a composite that the library has no kernel of is taken apart."""
        root = next(one for one in natives if type(one) is Symbol).example.backend
        if op.body is None or op.kernels[root] is not None:
            return super().record(op, natives, settings)
        level = tracing_at(root, self.depth)
        found = op.body(
            *[wrap(level, one) if type(one) is Symbol else one for one in natives], **settings
        )
        if type(found) is tuple:
            return tuple([_entered(level, one) for one in found])
        return _entered(level, found)


def _entered(level: Any, tensor: Tensor) -> Any:
    return (tensor if tensor.backend is level else level.lift(tensor))._native


def grounded(tensor: Tensor) -> Tensor:
    """Return a value of the library's own that a value under interpreters may have."""
    native = tensor._native
    if isinstance(native, Symbol):
        return grounded(native.example)
    if isinstance(native, Examples):
        value = grounded(native.value)
        return first_of(value) if native.batched else value
    return untracked(tensor)


def first_of(x: Tensor) -> Tensor:
    """Return a value like those along the first axis, of a tensor of the library's own."""
    if x.shape[0]:
        return getitem(x, 0)
    return beside(x, np.ones(x.shape[1:], x.dtype))
