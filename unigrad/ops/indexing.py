"""Reading elements by index.

Indices count from the front, negative ones from the end. In eager mode on the CPU an index
outside of its axis raises `OutOfBoundsError` on every backend; in a traced function or on an
accelerator such a read gives NaN (0 for integers, False for bools) and such a write is dropped.

Other errors, the same for all: `ShapeError` for shapes and axes that do not fit, `DTypeError` for
indices that are no integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.core import dtypes, whole
from unigrad.core.arguments import TensorLike, as_tensor, cast
from unigrad.core.axes import normalize_axis
from unigrad.core.dispatch import dispatch
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError, TracingError
from unigrad.core.op import backend_of, primitive
from unigrad.core.plans import Planned, Plans
from unigrad.core.tensor import Tensor
from unigrad.ops.along import Along
from unigrad.ops.comparison import not_equal
from unigrad.ops.keys import (
    Advanced,
    as_tuple,
    basic,
    is_basic,
    is_bool,
    outside,
    plain_key,
    without_bools,
)
from unigrad.ops.picking import by_arrays, by_one_array
from unigrad.ops.shaping import broadcast_to, permute_dims, reshape

__all__ = [
    "boolean_mask", "gather_nd", "getitem", "index_select", "nonzero", "take", "take_along_axis",
]  # fmt: skip

_getitem = primitive("getitem")
_place_slice = primitive("place_slice")
_take = primitive("take")
_scatter_add = primitive("scatter_add")
_take_along_axis = primitive("take_along_axis")
_add_along_axis = primitive("add_along_axis")
_ravel_index = primitive("ravel_index")
_nonzero = primitive("nonzero")
_nonzero.by_value = True


def getitem(x: TensorLike, key: Any, /) -> Tensor:
    """Return ``x[key]`` in NumPy's meaning: ints, slices, ``None``, ``...``, arrays and masks.

    Arrays of integers pick element by element and broadcast against each other; their shape
    stands where they stand in the key, or first when they stand apart. A mask picks its true
    elements and needs values (no traced mask).

    Raises:
        OutOfBoundsError: when an index is outside of its axis or a mask has another shape.

    Example:
        >>> getitem([[1, 2], [3, 4]], (slice(None), -1)).tolist()
        [2, 4]
        >>> getitem([1, 2, 3], [0, 2]).tolist()
        [1, 3]
    """
    if type(x) is not Tensor:
        x = as_tensor(x)
    kind = type(key)
    if kind is Tensor and key.uid == 0:
        picked = by_one_array(x, key)
        if picked is not None:
            return picked
    if kind is tuple and type(key[0] if key else None) is Tensor:
        picked = by_arrays(x, key)
        if picked is not None:
            return picked
    plain = key if kind is int else plain_key(key)
    if plain is not None:
        backend, native = x.backend, x._native
        name = (backend.shape_key(native), plain)
        try:
            found = _plans[name]
        except KeyError:
            spec, starts, _ = basic(as_tuple(key), x)
            found = _plans.keep(name, Planned(_getitem, {"spec": spec}, starts))
        out: Tensor = dispatch(found, backend, (x,), (native,))
        return out
    entries = as_tuple(key)
    if is_basic(entries):
        return get_basic(x, entries)
    if len(entries) == 1 and is_bool(entries[0]):
        return get_basic(x, (None,))[: int(bool(entries[0]))]
    if (apart := without_bools(x, entries)) is not None:
        x, entries = get_basic(x, apart[0]), apart[1]
    return get_advanced(x, Advanced(x, entries))


_plans = Plans()


def get_basic(x: Tensor, entries: tuple[Any, ...]) -> Tensor:
    """Read by a basic key."""
    spec, starts, _ = basic(entries, x)
    out: Tensor = _getitem(x, *starts, spec=spec)
    return out


def get_advanced(x: Tensor, plan: Advanced) -> Tensor:
    """Read by a key with arrays."""
    try:
        out: Tensor = _take(arrange(x, plan), flat_index(plan), axis=plan.axis)
    except OutOfBoundsError as error:
        raise plan.explained(x, error) from error.__cause__
    return out


def arrange(x: Tensor, plan: Advanced) -> Tensor:
    """Bring the axes that a key's arrays pick from together, as one axis."""
    if plan.first is not None:
        x = get_basic(x, plan.first)
    if plan.order is not None:
        x = permute_dims(x, plan.order)
    return x if len(plan.lengths) == 1 else reshape(x, plan.merged())


def flat_index(plan: Advanced) -> Tensor:
    """Return the indices of a key as indices into the one axis that `arrange` makes."""
    plan.picked_shape()
    if len(plan.indices) == 1:
        return plan.indices[0]
    out: Tensor = _ravel_index(*plan.indices, dims=plan.lengths)
    return out


_taken, _taken_along = Along("take"), Along("take_along_axis")


def pick(name: str, x: Tensor, index: Tensor, axis: int) -> Tensor:
    """Take along an axis by normalised arguments; errors are those of the op ``name``."""
    try:
        return _taken.run(x, index, axis)
    except OutOfBoundsError as error:
        raise outside(name, index, x, axis) or error from error.__cause__


def take(x: TensorLike, indices: TensorLike, /, *, axis: int | None = None) -> Tensor:
    """Return the slices of ``x`` at indices along an axis; the indices' shape replaces the axis.

    Without ``axis`` the elements are taken from ``x`` in row-major order.

    Raises:
        OutOfBoundsError: when an index is outside of the axis.

    Example:
        >>> take([[1, 2], [3, 4]], [1, 0, 1], axis=0).tolist()
        [[3, 4], [1, 2], [3, 4]]
    """
    found = _taken.at_once(x, indices, axis)
    if found is not None:
        return found
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    place = normalize_axis("take", axis, x.ndim)
    return pick("take", x, as_index("take", indices, x, place), place)


def index_select(x: TensorLike, indices: TensorLike, /, *, axis: int = 0) -> Tensor:
    """Return the slices of ``x`` at a list of indices along an axis.

    Example:
        >>> index_select([[1, 2, 3]], [2, 0], axis=1).tolist()
        [[3, 1]]
    """
    if type(indices) is Tensor and indices._native.ndim == 1:
        found = _taken.at_once(x, indices, axis)
        if found is not None:
            return found
    x = as_tensor(x)
    place = normalize_axis("index_select", axis, x.ndim)
    index = as_index("index_select", indices, x, place)
    if index.ndim != 1:
        raise ShapeError(f"index_select: the indices have shape {index.shape}, not one axis")
    return pick("index_select", x, index, place)


def take_along_axis(x: TensorLike, indices: TensorLike, /, *, axis: int = -1) -> Tensor:
    """Return out[…, i, …] = x[…, indices[…, i, …], …]: one choice per place along an axis.

    The other axes of ``x`` and ``indices`` broadcast.

    Raises:
        OutOfBoundsError: when an index is outside of the axis.

    Example:
        >>> take_along_axis([[1, 2], [3, 4]], [[1], [0]]).tolist()
        [[2], [3]]
    """
    found = _taken_along.at_once(x, indices, axis, same=True)
    if found is not None:
        return found
    x = as_tensor(x)
    place = normalize_axis("take_along_axis", axis, x.ndim)
    given = as_index("take_along_axis", indices, x, place)
    wide, index = along("take_along_axis", x, given, place)
    try:
        return _taken_along.run(wide, index, place)
    except OutOfBoundsError as error:
        raise outside("take_along_axis", given, x, place) or error from error.__cause__


def along(name: str, x: Tensor, index: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Broadcast a tensor and its indices on all axes but one."""
    first, second = x.shape, index.shape
    if first == second:
        return x, index
    if len(first) != len(second):
        raise ShapeError(f"{name}: x of shape {first} and indices of shape {second} differ in axes")
    rest = (first[:axis] + first[axis + 1 :], second[:axis] + second[axis + 1 :])
    if rest[0] == rest[1]:
        return x, index
    try:
        common = np.broadcast_shapes(*rest)
    except ValueError:
        raise ShapeError(
            f"{name}: x of shape {first} and indices of shape {second} do not broadcast beside "
            f"axis {axis}"
        ) from None
    return (
        broadcast_to(x, (*common[:axis], first[axis], *common[axis:])),
        broadcast_to(index, (*common[:axis], second[axis], *common[axis:])),
    )


@whole.as_one_op("native_dtypes", looks=True)
def gather_nd(x: TensorLike, indices: TensorLike, /) -> Tensor:
    """Return out[…] = x[indices[…, 0], indices[…, 1], …]: the last axis holds whole indices.

    Example:
        >>> gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).tolist()
        [2, 3]
    """
    x = as_tensor(x)
    key, index = nd_key("gather_nd", x, indices)
    return get_advanced(x, Advanced(x, key, "gather_nd", index))


def nd_key(name: str, x: Tensor, indices: TensorLike) -> tuple[tuple[Any, ...], Tensor]:
    """Return indices whose last axis runs over the axes of ``x`` as a key, and as a tensor."""
    index = as_tensor(indices, x)
    if index.ndim == 0 or index.shape[-1] > x.ndim:
        raise ShapeError(f"{name}: indices of shape {index.shape} do not index shape {x.shape}")
    if index.shape[-1] == 0:
        raise ShapeError(f"{name}: indices of shape {index.shape} name no axis")
    return tuple([index[..., k] for k in range(index.shape[-1])]), index


def nonzero(x: TensorLike, /) -> tuple[Tensor, ...]:
    """Return the indices of the elements that are not zero, one int64 tensor per axis.

    Its shape depends on values, so it cannot be traced. Derivative zero.

    Raises:
        TracingError: inside a traced function.
        ShapeError: for a 0-d tensor.

    Example:
        >>> [index.tolist() for index in nonzero([[0, 1], [2, 0]])]
        [[0, 1], [1, 0]]
    """
    x = as_tensor(x)
    if x.backend.is_traced(x._native):
        raise TracingError(
            "nonzero: the shape of its result depends on values, which do not exist while the "
            "function is traced"
        )
    if x.ndim == 0:
        raise ShapeError("nonzero: a 0-d tensor has no indices")
    # Asked of truths: a comparison is differentiable everywhere, with derivative zero.
    out: tuple[Tensor, ...] = _nonzero(x if x.dtype == dtypes.bool_ else not_equal(x, 0))
    return out


def boolean_mask(x: TensorLike, mask: TensorLike, /, *, axis: int = 0) -> Tensor:
    """Return the elements of ``x`` where a mask of its axes from ``axis`` on is true.

    Example:
        >>> boolean_mask([[1, 2], [3, 4]], [True, False], axis=1).tolist()
        [[1], [3]]
    """
    x = as_tensor(x)
    mask = as_tensor(mask, x)
    if axis == 0 and not mask.uid and mask._native.dtype in mask.backend.native_bools:
        picked = by_one_array(x, mask)
        if picked is not None:
            return picked
    place = normalize_axis("boolean_mask", axis, x.ndim)
    if mask.dtype != dtypes.bool_ or mask.ndim == 0:
        raise DTypeError(f"boolean_mask: the mask is {mask.dtype.name}{list(mask.shape)}")
    return getitem(x, (*[slice(None)] * place, mask))


def as_index(name: str, indices: TensorLike, x: Tensor, axis: int, given: Any = None) -> Tensor:
    """Return indices as an integer tensor beside ``x``, checked where they can be.

    Raises:
        DTypeError: when they are no integers.
        OutOfBoundsError: when one can be seen to be outside of the axis; see `outside`.
    """
    backend = x.backend
    if type(indices) is Tensor:
        if (
            indices.backend is backend
            and backend.checks_bounds
            and indices._native.dtype in backend.native_indices
        ):
            return indices
    else:
        if isinstance(indices, (list, tuple)) and len(indices) == 0:
            indices = np.zeros((0,), np.int64)
        if isinstance(indices, (int, list, tuple, np.ndarray, np.generic)):
            known = np.asarray(indices) if not _has_tensor(indices) else None
            if known is not None and known.dtype.kind in "iu":
                _check(name, known, x, axis, given)
        indices = as_tensor(indices, x)
    index: Tensor = indices
    backend_of(_take, (x, index))
    if index._native.dtype not in backend.native_integers:
        raise DTypeError(f"{name}: indices are integers, not {index.dtype.name}")
    if index.dtype not in (dtypes.int64, dtypes.int32):
        index = cast(index, dtypes.int64)
    if not backend.checks_bounds:
        _check(name, index, x, axis, given)
    return index


def _has_tensor(values: Any) -> bool:
    """Tell whether a nested list holds a Tensor."""
    if isinstance(values, (list, tuple)):
        return any(_has_tensor(one) for one in values)
    return isinstance(values, Tensor)


def _check(name: str, index: Any, x: Tensor, axis: int, given: Any) -> None:
    """Raise when an index is seen to be outside of its axis."""
    error = outside(name, index, x, axis, given)
    if error is not None:
        raise error
