"""Reading by arrays of indices, and by masks, by the shortest way."""

from __future__ import annotations

from math import prod
from typing import Any

from unigrad.core.dispatch import dispatch
from unigrad.core.errors import OutOfBoundsError
from unigrad.core.op import OPS, composite
from unigrad.core.tensor import Tensor
from unigrad.ops.along import Along
from unigrad.ops.keys import within
from unigrad.ops.shaping import ravel, reshape

__all__: list[str] = []

_taken = Along("take")


def by_one_array(x: Tensor, key: Tensor) -> Tensor | None:
    """Read by one array of integers, or one mask, that is the whole key, if that is all there is.

    Anything out of the ordinary is left to the long way, which says what is wrong.
    """
    backend = x.backend
    if key.backend is not backend:
        return None
    dtype = key._native.dtype
    if dtype in backend.native_integers:
        return _taken.at_once(x, key, 0)
    shape = backend.shape_key(key._native)
    if (
        shape
        and dtype in backend.native_bools
        and backend.shape_key(x._native)[: len(shape)] == shape
        and not backend.is_traced(key._native)
    ):
        out: Tensor = dispatch(_masked, backend, (x, key), (x._native, key._native))
        return out
    return None


def by_arrays(x: Tensor, key: tuple[Any, ...]) -> Tensor | None:
    """Read by arrays of integers of one shape for the first axes, if the key is no more than that.

    Anything out of the ordinary is left to the long way, which says what is wrong.
    """
    backend, native = x.backend, x._native
    lengths = backend.shape_key(native)
    if not 1 < len(key) <= len(lengths):
        return None
    natives = [native]
    shape = None
    for one, length in zip(key, lengths):  # noqa: B905  # the other axes are taken whole
        if type(one) is not Tensor or one.uid or one.backend is not backend:
            return None
        index = one._native
        found = backend.shape_key(index)
        if index.dtype not in backend.native_indices or (shape is not None and found != shape):
            return None
        if not backend.checks_bounds and not within(one, length):
            return None
        shape = found
        natives.append(index)
    try:
        out: Tensor = dispatch(_picked, backend, (x, *key), tuple(natives))
    except OutOfBoundsError:
        return None
    return out


@composite
def _picked(x: Tensor, *indices: Tensor) -> Tensor:
    """Read by arrays of integers, one for each of the first axes."""
    shape, count = x.shape, len(indices)
    flat = OPS["ravel_index"](*indices, dims=shape[:count])
    out: Tensor = OPS["take"](reshape(x, (prod(shape[:count]), *shape[count:])), flat, axis=0)
    return out


@composite
def _masked(x: Tensor, mask: Tensor) -> Tensor:
    """Read by one mask of the first axes."""
    (places,) = OPS["nonzero"](ravel(mask))
    merged = reshape(x, (mask.size, *x.shape[mask.ndim :])) if mask.ndim > 1 else x
    out: Tensor = OPS["take"](merged, places, axis=0)
    return out


_masked.by_value = True
