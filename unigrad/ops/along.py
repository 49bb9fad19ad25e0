"""Ops of a tensor and indices along an axis, by the shortest way."""

from __future__ import annotations

from typing import Any

from unigrad.core.dispatch import dispatch
from unigrad.core.errors import OutOfBoundsError
from unigrad.core.op import OPS
from unigrad.core.plans import BySetting, Planned
from unigrad.core.tensor import Tensor
from unigrad.ops.keys import within

__all__: list[str] = []


class Along(BySetting):
    """One of these ops, planned by its axis."""

    def __init__(self, op: str) -> None:
        super().__init__(op, "axis")

    def run(self, x: Tensor, index: Tensor, axis: int) -> Tensor:
        """Run on normalised arguments."""
        backend = x.backend
        out: Tensor
        if index.backend is not backend:
            out = OPS[self._op](x, index, axis=axis)
        else:
            out = dispatch(self[axis], backend, (x, index), (x._native, index._native))
        return out

    def at_once(self, x: Any, index: Any, axis: Any, same: bool = False) -> Tensor | None:
        """Run if there is nothing to normalise but the axis, nor to complain of; else ``None``.

        With ``same`` the indices have the shape of the tensor.
        """
        if type(x) is not Tensor or type(index) is not Tensor or type(axis) is not int:
            return None
        backend, native, places = x.backend, x._native, index._native
        if index.backend is not backend or places.dtype not in backend.native_indices:
            return None
        shape = backend.shape_key(native)
        if axis < 0:
            axis += len(shape)
        if not 0 <= axis < len(shape) or (same and backend.shape_key(places) != shape):
            return None
        if not backend.checks_bounds and not within(index, shape[axis]):
            return None
        try:
            out: Tensor = dispatch(self[axis], backend, (x, index), (native, places))
        except OutOfBoundsError:
            return None
        return out


def written_at_once(op: Planned, x: Tensor, index: Tensor, new: Tensor) -> Tensor | None:
    """Write rows by one array of integers, if the values are real numbers that fit as they are.

    Anything out of the ordinary is left to the long way, which says what is wrong.
    """
    backend, natives = x.backend, (x._native, new._native, index._native)
    old, written, places = natives
    if (
        index.uid
        or new.backend is not backend
        or index.backend is not backend
        or old.dtype is not written.dtype
        or old.dtype not in backend.native_reals
        or places.dtype not in backend.native_indices
    ):
        return None
    shape = backend.shape_key(old)
    if not shape or backend.shape_key(written) != (*backend.shape_key(places), *shape[1:]):
        return None
    if not backend.checks_bounds and not within(index, shape[0]):
        return None
    try:
        out: Tensor = dispatch(op, backend, (x, new, index), natives)
    except OutOfBoundsError:
        return None
    return out
