"""Writing elements by index: ``x[i] = v`` and ``x.at[i].set(v)``, without changing any array.

A write makes a new tensor; ``x[i] = v`` puts it into the handle ``x`` and into no other. With
duplicate indices `add` and `multiply` accumulate, `min` and `max` take the extreme of all, and
`set` keeps the last in index order, whose gradient is the only one. Equal candidates of `min` and
`max` share the gradient evenly.

A written value takes the tensor's dtype if that is of its kind or a wider one (a float does not
fit into an integer tensor: `DTypeError`). It broadcasts to what it replaces (`ShapeError`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.core import dtypes
from unigrad.core.arguments import TensorLike, as_tensor, check_kind, hidden
from unigrad.core.errors import DTypeError, OutOfBoundsError, ShapeError
from unigrad.core.op import OPS, Op, composite, primitive
from unigrad.core.operands import in_dtype
from unigrad.core.plans import Planned
from unigrad.core.tensor import Tensor
from unigrad.core.variable import Variable
from unigrad.ops.along import written_at_once
from unigrad.ops.arithmetic import add, maximum, minimum, multiply
from unigrad.ops.comparison import equal, less, where
from unigrad.ops.indexing import arrange, flat_index, get_basic
from unigrad.ops.joining import concat
from unigrad.ops.keys import Advanced, as_tuple, basic, is_basic, is_bool, without_bools
from unigrad.ops.shaping import broadcast_to, permute_dims, reshape
from unigrad.ops.sorting import argsort

__all__ = [
    "At", "at_add", "at_max", "at_min", "at_multiply", "at_set",
]  # fmt: skip

_slice_update = primitive("slice_update")
_scatter_set = primitive("scatter_set")
_scatter_min = primitive("scatter_min")
_scatter_max = primitive("scatter_max")
_last_of_each = primitive("last_of_each")


@composite
def _at_add(x: Tensor, v: Tensor, index: Tensor, *, axis: int) -> Tensor:
    """Add slices at indices along an axis."""
    return add(x, OPS["scatter_add"](v, index, axis=axis, length=x.shape[axis]))


@composite
def _at_multiply(x: Tensor, v: Tensor, index: Tensor, *, axis: int) -> Tensor:
    """Multiply slices at indices along an axis.

    The factors of one place are brought side by side and multiplied up in log₂ n rounds of a
    segmented scan; no division, so that the derivative is exact at zeros, to any order.
    """
    length = x.shape[axis]
    flat = reshape(index, (-1,))
    count = flat.shape[0]
    # Counted from the front, so that equal places are equal; what is outside stays so.
    flat = where(flat < -length, length, where(flat < 0, flat + length, flat))
    order = argsort(flat)
    flat = OPS["take"](flat, order, axis=0)
    v = reshape(v, (*v.shape[:axis], count, *v.shape[axis + index.ndim :]))
    product = OPS["take"](v, order, axis=axis)
    before = [slice(None)] * axis
    column = [1] * (x.ndim - axis - 1)
    step = 1
    while step < count:
        same = reshape(equal(flat[step:], flat[:-step]), (-1, *column))
        head = product[(*before, slice(None, step))]
        tail = product[(*before, slice(step, None))]
        shifted = product[(*before, slice(None, -step))]
        product = concat([head, multiply(tail, where(same, shifted, 1))], axis=axis)
        step *= 2
    old = OPS["take"](x, flat, axis=axis)
    if hidden(flat):
        # NaN where it lies outside: that is not written, and shall not show in derivatives.
        old = where(reshape(less(flat, length), (-1, *column)), old, 1)
    out: Tensor = _scatter_set(x, multiply(old, product), flat, axis=axis)
    return out


def at_set(x: TensorLike, key: Any, values: TensorLike, /) -> Tensor:
    """Return ``x`` with ``x[key]`` replaced; of duplicates the last one stays.

    Example:
        >>> at_set([1, 2, 3], [0, 0], [7, 8]).tolist()
        [8, 2, 3]
    """
    return _write("at_set", x, key, values, _new_one, _scatter_set)


def _new_one(old: Tensor, new: Tensor) -> Tensor:
    """Return the written value."""
    return new


def at_add(x: TensorLike, key: Any, values: TensorLike, /) -> Tensor:
    """Return ``x`` with values added to ``x[key]``; duplicates accumulate.

    Example:
        >>> at_add([1, 2, 3], [0, 0], 1).tolist()
        [3, 2, 3]
    """
    return _write("at_add", x, key, values, add, _at_add)


def at_multiply(x: TensorLike, key: Any, values: TensorLike, /) -> Tensor:
    """Return ``x`` with ``x[key]`` multiplied by values; duplicates accumulate.

    Example:
        >>> at_multiply([1, 2, 3], [0, 0], [2, 3]).tolist()
        [6, 2, 3]
    """
    return _write("at_multiply", x, key, values, multiply, _at_multiply)


def at_min(x: TensorLike, key: Any, values: TensorLike, /) -> Tensor:
    """Return ``x`` with ``x[key]`` lowered to values that are smaller.

    Example:
        >>> at_min([1, 2, 3], [2, 2], [2, 5]).tolist()
        [1, 2, 2]
    """
    return _write("at_min", x, key, values, minimum, _scatter_min)


def at_max(x: TensorLike, key: Any, values: TensorLike, /) -> Tensor:
    """Return ``x`` with ``x[key]`` raised to values that are greater.

    Example:
        >>> at_max([1, 2, 3], [0, 0], [2, 0]).tolist()
        [2, 2, 3]
    """
    return _write("at_max", x, key, values, maximum, _scatter_max)


def _write(
    name: str,
    x: TensorLike,
    key: Any,
    values: TensorLike,
    combine: Callable[[Any, Any], Any],
    scatter_op: Op,
    called: str | None = None,
    given: Tensor | None = None,
) -> Tensor:
    """Write by a key: ``combine`` old and new where no index can come twice, else scatter.

    Errors name the op ``called``, to which ``given`` was given; by default ``name`` and the key.
    """
    if type(x) is Tensor and type(key) is Tensor and type(values) is Tensor:
        at_once = written_at_once(_rows[scatter_op], x, key, values)
        if at_once is not None:
            return at_once
    x = as_tensor(x, values if type(values) is Tensor else None)
    new = _as_value(name, x, values)
    entries = as_tuple(key)
    if is_basic(entries):
        return _write_basic(name, x, entries, new, combine)
    if len(entries) == 1 and is_bool(entries[0]):
        # As such a key reads: the whole on a new axis, or nothing.
        rows = _write_basic(
            name, get_basic(x, (None,)), (slice(int(bool(entries[0]))),), new, combine
        )
        return get_basic(rows, (0,))
    if (apart := without_bools(x, entries)) is not None:
        wider = get_basic(x, apart[0])
        out = _write(name, wider, apart[1], new, combine, scatter_op, called, given)
        return reshape(out, x.shape)
    mask = _only_mask(x, entries)
    if mask is not None and new.ndim == 0:
        return where(mask, combine(x, new), x)
    plan = Advanced(x, entries, called or name, given)
    rows = arrange(x, plan)
    try:
        index = flat_index(plan)
        shape = (*rows.shape[: plan.axis], *index.shape, *rows.shape[plan.axis + 1 :])
        rows = scatter_op(rows, _fit(plan.name, new, shape), index, axis=plan.axis)
    except OutOfBoundsError as error:
        raise plan.explained(x, error) from error.__cause__
    return _put_back(x, plan, rows)


def _write_basic(
    name: str,
    x: Tensor,
    entries: tuple[Any, ...],
    new: Tensor,
    combine: Callable[[Any, Any], Any],
) -> Tensor:
    """Write by a basic key."""
    spec, starts, shape = basic(entries, x, name)
    new = _fit(name, new, shape)
    if name != "at_set":
        new = combine(OPS["getitem"](x, *starts, spec=spec), new)
    out: Tensor = _slice_update(x, new, *starts, spec=spec)
    return out


def _put_back(x: Tensor, plan: Advanced, rows: Tensor) -> Tensor:
    """Undo `arrange`: put rows back where they were taken from."""
    if len(plan.lengths) > 1:
        rows = reshape(rows, plan.shape)
    if plan.order is not None:
        rows = permute_dims(rows, tuple(int(i) for i in np.argsort(plan.order)))
    if plan.first is None:
        return rows
    spec, starts, _ = basic(plan.first, x)
    out: Tensor = _slice_update(x, rows, *starts, spec=spec)
    return out


def _as_value(name: str, x: Tensor, values: TensorLike) -> Tensor:
    """Return written values in the tensor's dtype.

    Raises:
        DTypeError: when they are of another kind or do not fit, or the dtype is not one for this.
    """
    if name != "at_set" and (
        x.dtype == dtypes.bool_ or (name in ("at_min", "at_max") and x.dtype in dtypes.COMPLEX)
    ):
        raise DTypeError(f"{name}: not for {x.dtype.name}; cast it with ug.astype")
    exact = type(values) is int and x.dtype in dtypes.INTEGER
    new = as_tensor(values, x, x.dtype if exact else None)
    if new.dtype != x.dtype:
        check_kind(name, new, x.dtype)
        new = in_dtype(values if isinstance(values, Tensor) else new, x.dtype)
    return new


def _fit(name: str, new: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Broadcast values to the shape that they are written to."""
    found = new.shape
    if found == shape:
        return new
    while len(found) > len(shape) and found[0] == 1:
        found = found[1:]
    if found != new.shape:
        new = reshape(new, found)
    try:
        if np.broadcast_shapes(found, shape) == shape:
            return broadcast_to(new, shape)
    except ValueError:
        pass
    raise ShapeError(f"{name}: values of shape {found} do not broadcast to {shape}")


def _only_mask(x: Tensor, entries: tuple[Any, ...]) -> Tensor | None:
    """Return a key's one mask of the first axes, shaped to broadcast against ``x``."""
    if len(entries) != 1 or not isinstance(entries[0], (Tensor, np.ndarray)):
        return None
    mask = entries[0]
    if mask.dtype != np.bool_ or mask.shape != x.shape[: mask.ndim]:
        return None
    return reshape(as_tensor(mask, x), (*mask.shape, *[1] * (x.ndim - mask.ndim)))


#: Those along the first axis.
_rows = {
    op: Planned(op, {"axis": 0})
    for op in (_scatter_set, _at_add, _at_multiply, _scatter_min, _scatter_max)
}


class At:
    """What ``x.at`` gives: ``x.at[key].set(v)`` and the like return new tensors.

    Example:
        >>> import unigrad as ug
        >>> ug.asarray([1, 2]).at[0].add(10).tolist()
        [11, 2]
    """

    __slots__ = ("_key", "_x")

    def __init__(self, x: Tensor, key: Any = ...) -> None:
        self._x = x
        self._key = key

    def __getitem__(self, key: Any) -> At:
        return At(self._x, key)

    def get(self) -> Tensor:
        """Return the elements."""
        return self._x[self._key]

    def set(self, values: TensorLike) -> Tensor:
        """Replace them; see `at_set`."""
        return at_set(self._x, self._key, values)

    def add(self, values: TensorLike) -> Tensor:
        """Add to them; see `at_add`."""
        return at_add(self._x, self._key, values)

    def multiply(self, values: TensorLike) -> Tensor:
        """Multiply them; see `at_multiply`."""
        return at_multiply(self._x, self._key, values)

    def min(self, values: TensorLike) -> Tensor:
        """Lower them; see `at_min`."""
        return at_min(self._x, self._key, values)

    def max(self, values: TensorLike) -> Tensor:
        """Raise them; see `at_max`."""
        return at_max(self._x, self._key, values)


def assign_item(x: Tensor, key: Any, values: TensorLike) -> None:
    """Make a handle stand for itself with ``x[key]`` replaced: ``x[key] = values``."""
    out = at_set(x, key, values)
    # A value of an interpreter makes the whole tensor one.
    x._native, x.backend, x.uid = out._native, out.backend, out.uid


def assign_variable_item(variable: Variable, key: Any, values: TensorLike) -> None:
    """Assign a variable its value with ``value[key]`` replaced."""
    variable.assign(at_set(variable._untaped(), key, values))
