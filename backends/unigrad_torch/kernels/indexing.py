"""Reading and writing by index.

Specs and starts are those of `unigrad.ops.keys`. torch's own indexing has no negative steps, and
leaves the order of writes to one place open; both are mended here. Nothing is written in place,
so that the kernels can be batched and traced.
"""

from functools import lru_cache
from math import prod
from operator import itemgetter
from typing import Any, TypeAlias

import torch

from unigrad.autodiff.bridge import body_of
from unigrad_torch.bridge import by_rule
from unigrad_torch.kernels.values import has_values

Spec: TypeAlias = tuple[Any, ...]
Tensor: TypeAlias = torch.Tensor

_WHOLE = slice(None)


def _region(spec: Spec, starts: tuple[int, ...]) -> list[tuple[int, int, int, int, bool]]:
    """Return (axis, first, end, step, reversed) of every axis that is not taken whole."""
    rest = iter(starts)
    out = []
    axis = 0
    for one in spec:
        if one is None:
            continue
        if one == "int":
            start = next(rest)
            out.append((axis, start, start + 1, 1, False))
        elif one != "all":
            count, step = one
            start = next(rest)
            if step < 0:
                out.append((axis, start + (count - 1) * step, start + 1, -step, True))
            else:
                # One past the last element taken: the axis may end before a whole step.
                end = start + (count - 1) * step + 1 if count else start
                out.append((axis, start, end, step, False))
        axis += 1
    return out


def getitem(x: Tensor, *starts: int, spec: Spec) -> Tensor:
    """Basic indexing: a view, unless a step is negative."""
    key, backwards = _native_key(spec, starts)
    view = x[key]
    return torch.flip(view, backwards) if backwards else view


@lru_cache(4096)
def _native_key(spec: Spec, starts: tuple[int, ...]) -> tuple[tuple[Any, ...], list[int]]:
    """Return a key as torch writes it, and the axes of the result to be reversed then."""
    rest = iter(starts)
    key: list[Any] = []
    backwards = []
    kept = 0
    for one in spec:
        if one == "all":
            key.append(_WHOLE)
        elif one == "int":
            key.append(next(rest))
            continue
        elif one is None:
            key.append(None)
        else:
            count, step = one
            start = next(rest)
            if step < 0:
                backwards.append(kept)
                key.append(slice(start + (count - 1) * step, start + 1, -step))
            else:
                key.append(slice(start, start + count * step, step))
        kept += 1
    return tuple(key), backwards


def _slice_update(x: Tensor, v: Tensor, *starts: int, spec: Spec) -> Tensor:
    region = _region(spec, starts)
    shape = list(x.shape)
    for axis, first, end, step, _ in region:
        shape[axis] = -(-(end - first) // step)
    v = v.reshape(shape)
    backwards = [axis for axis, *_, reverse in region if reverse]
    return _write(x, torch.flip(v, backwards) if backwards else v, region)


_complex_update = by_rule("slice_update", _slice_update)


def slice_update(x: Tensor, v: Tensor, *starts: int, spec: Spec) -> Tensor:
    """``x`` with ``v`` where `getitem` reads. Of complex numbers torch has no derivative of it."""
    return (_complex_update if x.is_complex() else _slice_update)(x, v, *starts, spec=spec)


def _write(x: Tensor, v: Tensor, region: list[tuple[int, int, int, int, bool]]) -> Tensor:
    """Write axis by axis: the slice of one axis is itself written on the next."""
    if not region:
        return v
    axis, first, end, step, _ = region[0]
    if len(region) > 1:
        part = x[(*[_WHOLE] * axis, slice(first, end, step))]
        v = _write(part, v, region[1:])
    return torch.slice_scatter(x, v, axis, first, end, step)


def place_slice(v: Tensor, *starts: int, spec: Spec, shape: tuple[int, ...]) -> Tensor:
    """Zeros of a shape, with ``v`` where `getitem` reads."""
    return slice_update(v.new_zeros(shape), v, *starts, spec=spec)


def _wrapped(index: Tensor, length: int) -> Tensor:
    """Return indices from the front, checked: looking is cheaper than replacing none."""
    if index.numel() == 0:
        return index
    low, high = (int(one) for one in torch.aminmax(index))
    if high >= length or low < -length:
        bad = high if high >= length else low
        raise IndexError(f"index {bad} is out of bounds for an axis of length {length}")
    return index if low >= 0 else torch.where(index < 0, index + length, index)


def _within(index: Tensor, length: int) -> tuple[Tensor, Tensor | None]:
    """Return flat indices from the front, and which ones are valid (None: all, checked)."""
    index = index.reshape(-1)
    if has_values(index):
        return _wrapped(index, length), None
    wrapped = torch.where(index < 0, index + length, index)
    valid = (wrapped >= 0) & (wrapped < length)
    return torch.where(valid, wrapped, 0), valid


def _beside(valid: Tensor, x: Tensor, axis: int) -> Tensor:
    """Return a mask of one axis so that it broadcasts."""
    return valid.reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def _zero(x: Tensor) -> int:
    """The zero that `torch.where` takes without another dtype as the result."""
    return False if x.dtype is torch.bool else 0


def _nothing(x: Tensor) -> Any:
    """What a read out of bounds gives."""
    return float("nan") if x.is_floating_point() or x.is_complex() else _zero(x)


#: torch does not write by index into unsigned integers. Signed ones have the same bits.
_SIGNED = {
    torch.uint16: torch.int16,
    torch.uint32: torch.int32,
    torch.uint64: torch.int64,
}


def _as_signed(write: Any) -> Any:
    """Let a kernel write unsigned values as the signed ones of the same bits."""

    def run(x: Tensor, v: Tensor, *rest: Any, **settings: Any) -> Tensor:
        signed = _SIGNED.get(x.dtype)
        if signed is None:
            out: Tensor = write(x, v, *rest, **settings)
            return out
        return write(x.view(signed), v.view(signed), *rest, **settings).view(x.dtype)

    return run


def take(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """Slices at indices along an axis."""
    if has_values(index):
        try:
            # The library looks at the bounds itself; negative indices it refuses.
            if index.ndim == 1:
                return torch.index_select(x, axis, index)
            out = torch.index_select(x, axis, index.reshape(-1))
            return out.reshape((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))
        except (IndexError, RuntimeError):
            pass
    flat, valid = _within(index, x.shape[axis])
    out = torch.index_select(x, axis, flat)
    if valid is not None:
        out = torch.where(_beside(valid, out, axis), out, _nothing(x))
    return out.reshape((*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]))


def _flatten(v: Tensor, index: Tensor, axis: int) -> Tensor:
    """Make one axis of those that the indices stand for."""
    return v.reshape((*v.shape[:axis], index.numel(), *v.shape[axis + index.ndim :]))


def scatter_add(v: Tensor, index: Tensor, axis: int, length: int) -> Tensor:
    """Zeros, with the slices of ``v`` added at indices along an axis."""
    v = _flatten(v, index, axis)
    zeros = v.new_zeros((*v.shape[:axis], length, *v.shape[axis + 1 :]))
    return _add(zeros, v, index, axis)


def at_add(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    """``x`` with the slices of ``v`` added at indices along an axis."""
    return _add(x, _flatten(v, index, axis), index, axis)


@_as_signed
def _add(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    if index.ndim == 1 and has_values(index):
        try:
            # The library looks at the bounds itself; negative indices it refuses.
            return torch.index_add(x, axis, index, v)
        except (IndexError, RuntimeError):
            pass
    flat, valid = _within(index, x.shape[axis])
    if valid is not None:
        v = torch.where(_beside(valid, v, axis), v, _zero(v))
    return torch.index_add(x, axis, flat, v)


def last_of_each(index: Tensor, length: int) -> Tensor:
    """True where no later index is the same."""
    flat, valid = _within(index, length)
    order = torch.arange(flat.shape[0], device=index.device)
    if valid is not None:
        flat = torch.where(valid, flat, length)
    last = torch.full((length + 1,), -1, device=index.device).scatter_reduce(
        0, flat.long(), order, "amax"
    )
    won = torch.index_select(last, 0, flat) == order
    return (won if valid is None else won & valid).reshape(index.shape)


@_as_signed
def scatter_set(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    """A copy with slices replaced; the last one of each place wins.

    What does not win is written to a place behind the end, which is then cut off.
    """
    v = _flatten(v, index, axis)
    length = x.shape[axis]
    flat, _ = _within(index, length)
    flat = torch.where(last_of_each(index, length).reshape(-1), flat, length)
    behind = x.new_zeros((*x.shape[:axis], 1, *x.shape[axis + 1 :]))
    out = torch.index_copy(torch.cat([x, behind], axis), axis, flat.long(), v)
    return out.narrow(axis, 0, length)


def _extreme(name: str) -> Any:
    def write(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
        if x.is_complex():
            raise TypeError("complex numbers have no order")
        v = _flatten(v, index, axis)
        flat, valid = _within(index, x.shape[axis])
        if valid is not None:
            # Written onto itself, an element does not change.
            v = torch.where(_beside(valid, v, axis), v, torch.index_select(x, axis, flat))
        full = _beside(flat.long(), v, axis).expand(v.shape)
        signed = _SIGNED.get(x.dtype)
        if signed is None:
            return torch.scatter_reduce(x, axis, full, v, name)
        # With the first bit turned over, the order of the signed numbers is that of the unsigned.
        least = torch.iinfo(signed).min
        x_signed, v_signed = x.view(signed) ^ least, v.view(signed) ^ least
        out = torch.scatter_reduce(x_signed, axis, full, v_signed, name) ^ least
        return out.view(x.dtype)

    return write


def _along(index: Tensor, length: int) -> tuple[Tensor, Tensor | None]:
    """Return indices for gather from the front, and which ones are valid."""
    if has_values(index):
        return _wrapped(index, length).long(), None
    wrapped = torch.where(index < 0, index + length, index).long()
    valid = (wrapped >= 0) & (wrapped < length)
    return torch.where(valid, wrapped, 0), valid


def take_along_axis(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """One choice per place along an axis."""
    if index.dtype is torch.int64 and has_values(index):
        try:
            # The library looks at the bounds itself; negative indices it refuses.
            return torch.gather(x, axis, index)
        except (IndexError, RuntimeError):
            pass
    wrapped, valid = _along(index, x.shape[axis])
    out = torch.gather(x, axis, wrapped)
    return out if valid is None else torch.where(valid, out, _nothing(x))


@_as_signed
def put_along(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    """``x`` with one element per place along an axis replaced; the last one of each place wins.

    torch promises no order. On the CPU it goes along the axis one by one.
    """
    if not has_values(index):
        return _composed_put_along(x, v, index, axis=axis)
    if index.dtype is torch.int64:
        try:
            # The library looks at the bounds itself; negative indices it refuses.
            return torch.scatter(x, axis, index, v)
        except (IndexError, RuntimeError):
            pass
    return torch.scatter(x, axis, _wrapped(index, x.shape[axis]).long(), v)


_composed_put_along = body_of("torch", "put_along")


def add_along_axis(v: Tensor, index: Tensor, axis: int, length: int) -> Tensor:
    """Zeros, with every element of ``v`` added at its index along an axis."""
    wrapped, valid = _along(index, length)
    if valid is not None:
        v = torch.where(valid, v, _zero(v))
    zeros = v.new_zeros((*v.shape[:axis], length, *v.shape[axis + 1 :]))
    return torch.scatter_add(zeros, axis, wrapped, v)


def ravel_index(*indices: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Indices along several axes as one, negative ones counted from the end.

    What is out of bounds on an axis is so for the result.
    """
    total: Any = 0
    good: Any = None
    for index, length in zip(indices, dims, strict=True):
        if has_values(index):
            wrapped = _wrapped(index, length)
        else:
            wrapped = torch.where(index < 0, index + length, index)
            valid = (wrapped >= 0) & (wrapped < length)
            good = valid if good is None else good & valid
        total = total * length + wrapped
    return total if good is None else torch.where(good, total, prod(dims))


def picked(x: Tensor, *indices: Tensor) -> Tensor:
    """Elements at indices, one array for each of the first axes."""
    if has_values(indices[0]):
        return x[indices]
    shape, count = x.shape, len(indices)
    rows = x.reshape((prod(shape[:count]), *shape[count:]))
    return take(rows, ravel_index(*indices, dims=tuple(shape[:count])), 0)


#: Kernels that look at indices where they can, and raise for one that is out of bounds.
LOOKING = {
    "picked": picked,
    "take": take,
    "scatter_add": scatter_add,
    "scatter_set": scatter_set,
    "scatter_min": _extreme("amin"),
    "scatter_max": _extreme("amax"),
    "at_add": at_add,
    "last_of_each": last_of_each,
    "take_along_axis": take_along_axis,
    "add_along_axis": add_along_axis,
    # torch gives a gradient to all that were written to a place.
    "put_along": by_rule("put_along", put_along),
    "ravel_index": ravel_index,
}
TABLE = {
    **LOOKING,
    "getitem": getitem,
    "place_slice": place_slice,
    "slice_update": slice_update,
    "masked": lambda x, mask: x[mask],
    "nonzero": lambda x: torch.nonzero(x, as_tuple=True),
}


def _bind_getitem(*starts: int, spec: Spec) -> Any:
    """Return `getitem` of one key."""
    entries, backwards = _native_key(spec, starts)
    used = len(entries)
    while used and entries[used - 1] is _WHOLE:
        used -= 1
    key: Any = entries[0] if used == 1 else entries[:used]
    if backwards:
        return lambda x: torch.flip(x[key], backwards)
    return itemgetter(key)


BINDERS: dict[Any, Any] = {
    getitem: _bind_getitem,
    take: lambda axis: lambda x, index: take(x, index, axis),
    take_along_axis: lambda axis: lambda x, index: take_along_axis(x, index, axis),
}
