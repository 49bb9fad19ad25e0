"""Reading and writing by index.

Specs and starts are those of `unigrad.ops.keys`. In a traced function and on a GPU, reads out of
bounds give NaN or 0 and writes are dropped; in eager mode the front end has checked.
"""

from contextlib import suppress
from functools import cache, lru_cache
from math import prod
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from unigrad_tensorflow.bridge import by_rule
from unigrad_tensorflow.kernels.values import may_be_read
from unigrad_tensorflow.private import numpy_of
from unigrad_tensorflow.raw import raw
from unigrad_tensorflow.settings import together
from unigrad_tensorflow.short import short
from unigrad_tensorflow.whole import as_graph

Spec: TypeAlias = tuple[Any, ...]
Tensor: TypeAlias = Any


def _bounds(spec: Spec, starts: tuple[int, ...]) -> tuple[Any, Any, Any, int]:
    """Return begins, ends and steps as settings, and the bits of the axes without begin or end."""
    rest = iter(starts)
    begins, ends, steps = [], [], []
    open_begin = open_end = 0
    for position, one in enumerate(spec):
        begin, end, step = 0, 1, 1
        if one == "all":
            open_begin |= 1 << position
            open_end |= 1 << position
        elif one == "int":
            begin = next(rest)
            end = begin + 1
        elif one is not None:
            count, step = one
            begin = next(rest)
            end = begin + count * step
            if end < 0:
                open_end |= 1 << position
        begins.append(begin)
        ends.append(end)
        steps.append(step)
    masks = open_begin | (open_end << 32)
    return *together(tuple(begins), tuple(ends), tuple(steps)), masks


def getitem(x: Tensor, *starts: int, spec: Spec) -> Tensor:
    """Basic indexing."""
    if not spec:
        return x
    begins, ends, steps, masks = _bounds(spec, starts)
    new = dropped = 0
    for position, one in enumerate(spec):
        if one is None:
            new |= 1 << position
        elif one == "int":
            dropped |= 1 << position
    return _slice(masks, new, dropped)(x, begins, ends, steps)


@lru_cache(4096)
def _slice(masks: int, new: int, dropped: int) -> Any:
    """Return the raw op of a slice with these bits for the axes of the key."""
    return raw(
        "StridedSlice", "input", "begin", "end", "strides",
        begin_mask=masks & 0xFFFFFFFF, end_mask=masks >> 32, ellipsis_mask=0, new_axis_mask=new,
        shrink_axis_mask=dropped,
    )  # fmt: skip


def slice_update(x: Tensor, v: Tensor, *starts: int, spec: Spec) -> Tensor:
    """``x`` with ``v`` where `getitem` reads."""
    axes = [one for one in spec if one is not None]
    if not axes:
        return tf.reshape(v, x.shape)
    begins, ends, steps, masks = _bounds(tuple(axes), starts)
    counts = [
        length if one == "all" else 1 if one == "int" else one[0]
        for one, length in zip(axes, x.shape, strict=True)
    ]
    return tf.raw_ops.TensorStridedSliceUpdate(
        input=x,
        begin=begins,
        end=ends,
        strides=steps,
        value=tf.reshape(v, counts),
        begin_mask=masks & 0xFFFFFFFF,
        end_mask=masks >> 32,
    )


def place_slice(v: Tensor, *starts: int, spec: Spec, shape: tuple[int, ...]) -> Tensor:
    """Zeros of a shape, with ``v`` where `getitem` reads."""
    return slice_update(tf.zeros(shape, v.dtype), v, *starts, spec=spec)


def _within(index: Tensor, length: int) -> tuple[Tensor, Tensor | None]:
    """Return indices from the front, and which ones are valid (``None``: all).

    Where they have values, the front end has checked these.
    """
    if may_be_read(index):
        values = np.asarray(numpy_of(index))
        if not values.size or values.min() >= 0:
            return index, None
        return tf.where(index < 0, index + length, index), None
    wrapped = tf.where(index < 0, index + length, index)
    valid = (wrapped >= 0) & (wrapped < length)
    return tf.where(valid, wrapped, 0), valid


def _beside(valid: Tensor, x: Tensor, axis: int) -> Tensor:
    """Return a mask of the axes from one on so that it broadcasts."""
    shape = [1] * axis + valid.shape.as_list()
    return tf.reshape(valid, shape + [1] * (len(x.shape) - len(shape)))


def _nothing(x: Tensor) -> Tensor:
    """What a read out of bounds gives."""
    if x.dtype.is_floating or x.dtype.is_complex:
        return tf.constant(float("nan"), x.dtype)
    return tf.zeros((), x.dtype)


def take(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """Slices at indices along an axis."""
    out = valid = None
    if may_be_read(index) and may_be_read(x):
        # The library looks at the bounds itself; negative indices it refuses.
        with suppress(tf.errors.InvalidArgumentError):
            out = _gather(0)(x, index, axis)
    if out is None:
        wrapped, valid = _within(index, x.shape[axis])
        out = _gather(0)(x, wrapped, axis)
    if not out.shape.num_elements():
        # TensorFlow has no derivative of this: it is nothing of x.
        return tf.reshape(tf.reshape(x, [-1])[:0], out.shape)
    return out if valid is None else tf.where(_beside(valid, out, axis), out, _nothing(x))


def _rows(v: Tensor, axis: int, count: int) -> Tensor:
    """Move some axes to the front."""
    if axis == 0:
        return v
    n = len(v.shape)
    chosen = list(range(axis, axis + count))
    return tf.transpose(v, chosen + [i for i in range(n) if i not in chosen])


def _listed(v: Tensor, index: Tensor, axis: int, ndim: int) -> tuple[Tensor, Tensor]:
    """Return values and indices as a list of rows to write."""
    rows = _rows(v, axis, len(index.shape))
    rest = rows.shape.as_list()[len(rows.shape) - (ndim - 1) :]
    count = prod(index.shape.as_list())
    return tf.reshape(rows, [count, *rest]), tf.reshape(index, [count, 1])


def _back(x: Tensor, axis: int) -> Tensor:
    """Move the first axis where it belongs."""
    if axis == 0:
        return x
    n = len(x.shape)
    return tf.transpose(x, [*range(1, axis + 1), 0, *range(axis + 1, n)])


def _dropping(index: Tensor, length: int) -> Tensor:
    """Return indices from the front, -1 where they are out of bounds."""
    wrapped, valid = _within(index, length)
    return wrapped if valid is None else tf.where(valid, wrapped, -1)


def scatter_add(v: Tensor, index: Tensor, axis: int, length: int) -> Tensor:
    """Zeros, with the slices of ``v`` added at indices along an axis."""
    rows = _rows(v, axis, len(index.shape))
    return _back(tf.math.unsorted_segment_sum(rows, _dropping(index, length), length), axis)


def at_add(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    """``x`` with the slices of ``v`` added at indices along an axis."""
    return x + scatter_add(v, index, axis, x.shape[axis])


def at_multiply(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    """``x`` times the slices of ``v`` at indices along an axis."""
    rows, length = _rows(v, axis, len(index.shape)), x.shape[axis]
    factors = tf.math.unsorted_segment_prod(rows, _dropping(index, length), length)
    return x * _back(factors, axis)


def last_of_each(index: Tensor, length: int) -> Tensor:
    """True where no later index is the same."""
    flat = tf.reshape(_dropping(index, length), [-1])
    order = tf.range(flat.shape[0])
    last = tf.math.unsorted_segment_max(order, flat, length)
    won = tf.gather(last, tf.maximum(flat, 0)) == order if length else tf.zeros(flat.shape, tf.bool)
    return tf.reshape(won & (flat >= 0), index.shape)


def scatter_set(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
    """A copy with slices replaced; the last one of each place wins.

    What does not win is written to a place behind the end, which is then cut off.
    """
    if not x.shape.num_elements():
        return tf.identity(x)
    length = x.shape[axis]
    place = tf.where(last_of_each(index, length), _dropping(index, length), length)
    rows = _rows(x, axis, 1)
    longer = tf.concat([rows, tf.zeros([1, *rows.shape[1:]], x.dtype)], 0)
    v, place = _listed(v, place, axis, len(x.shape))
    out = tf.tensor_scatter_nd_update(longer, place, v)
    return _back(out[:length], axis)


def _extreme(write: Any) -> Any:
    def kernel(x: Tensor, v: Tensor, index: Tensor, axis: int) -> Tensor:
        if not x.shape.num_elements():
            return tf.identity(x)
        wrapped, valid = _within(index, x.shape[axis])
        rows = _rows(x, axis, 1)
        if valid is not None:
            # Written onto itself, an element does not change.
            v = tf.where(_beside(valid, v, axis), v, tf.gather(x, wrapped, axis=axis))
        v, place = _listed(v, wrapped, axis, len(x.shape))
        out = write(rows, place, v)
        if x.dtype.is_floating:
            # TensorFlow's comparison passes over a NaN that is written.
            missing = tf.where(tf.math.is_nan(v), v, tf.zeros((), v.dtype))
            out += tf.tensor_scatter_nd_add(tf.zeros_like(rows), place, missing)
        return _back(out, axis)

    return kernel


@cache
def _gather(batch_dims: int) -> Any:
    return raw("GatherV2", "params", "indices", "axis", keeps=1, batch_dims=batch_dims)


def take_along_axis(x: Tensor, index: Tensor, axis: int) -> Tensor:
    """One choice per place along an axis."""
    wrapped, valid = _within(index, x.shape[axis])
    last = len(x.shape) - 1
    if axis == last:
        out = _gather(last)(x, wrapped, last)
    else:
        order = [i if i < axis else last if i == axis else i for i in range(last + 1)]
        order[axis], order[last] = last, axis
        out = tf.transpose(
            tf.gather(tf.transpose(x, order), tf.transpose(wrapped, order), batch_dims=last), order
        )
    return out if valid is None else tf.where(valid, out, _nothing(x))


def add_along_axis(v: Tensor, index: Tensor, axis: int, length: int) -> Tensor:
    """Zeros, with every element of ``v`` added at its index along an axis."""
    place = tf.cast(_dropping(index, length), tf.int64)
    shape = v.shape.as_list()
    before, after = prod(shape[:axis]), prod(shape[axis + 1 :])
    # Every line along the axis is a group of its own among all places.
    lines = tf.reshape(
        tf.range(before, dtype=tf.int64) * length, [*shape[:axis], *[1] * (len(shape) - axis)]
    )
    columns = tf.reshape(tf.range(after, dtype=tf.int64), [1] * (axis + 1) + shape[axis + 1 :])
    flat = tf.where(place < 0, tf.constant(-1, tf.int64), (lines + place) * after + columns)
    out = tf.math.unsorted_segment_sum(v, flat, before * length * after)
    return tf.reshape(out, [*shape[:axis], length, *shape[axis + 1 :]])


def ravel_index(*indices: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Indices along several axes as one, negative ones counted from the end.

    What is out of bounds on an axis is so for the result.
    """
    total: Any = tf.zeros((), tf.int64)
    good: Any = None
    for index, length in zip(indices, dims, strict=True):
        wrapped, valid = _within(tf.cast(index, tf.int64), length)
        total = total * length + wrapped
        if valid is not None:
            good = valid if good is None else good & valid
    return total if good is None else tf.where(good, total, tf.constant(prod(dims), tf.int64))


def picked(x: Tensor, *indices: Tensor) -> Tensor:
    """Elements at indices, one array for each of the first axes."""
    if may_be_read(x) and all(map(may_be_read, indices)):
        # The library looks at the bounds itself; negative indices it refuses.
        with suppress(tf.errors.InvalidArgumentError):
            return _gather_nd(x, _beside_each_other(indices))
    shape, count = x.shape.as_list(), len(indices)
    flat = ravel_index(*indices, dims=tuple(shape[:count]))
    return take(tf.reshape(x, [prod(shape[:count]), *shape[count:]]), flat, 0)


_nonzero = raw("Where", "condition")
_reshape = raw("Reshape", "tensor", "shape", keeps=1)


def masked(x: Tensor, mask: Tensor) -> Tensor:
    """Elements by a mask of the first axes: what ``tf.boolean_mask`` does, in raw ops."""
    places = _reshape(_nonzero(_reshape(mask, (-1,))), (-1,))
    shape, count = mask.shape.as_list(), len(mask.shape)
    if count > 1:
        x = _reshape(x, (prod(shape), *x.shape.as_list()[count:]))
    return _gather(0)(x, places, 0)


_gather_nd = raw("GatherNd", "params", "indices")
_beside_each_other = raw("Pack", "values", axis=-1)


@cache
def _unpack(count: int) -> Any:
    return raw("Unpack", "value", num=count, axis=1)


def _gathered(x: Tensor, index: Tensor) -> Tensor | None:
    if index.dtype not in (tf.int64, tf.int32) or not (may_be_read(x) and may_be_read(index)):
        return None
    # As in `picked`.
    with suppress(tf.errors.InvalidArgumentError):
        return _gather_nd(x, index)
    return None


TABLE = {
    "getitem": getitem,
    "place_slice": place_slice,
    "slice_update": slice_update,
    "masked": masked,
    "take": take,
    "picked": picked,
    "scatter_add": scatter_add,
    "scatter_set": as_graph(scatter_set),
    "scatter_min": as_graph(_extreme(tf.tensor_scatter_nd_min)),
    "scatter_max": as_graph(_extreme(tf.tensor_scatter_nd_max)),
    "at_add": at_add,
    "at_multiply": by_rule("at_multiply", at_multiply),
    "last_of_each": as_graph(last_of_each),
    "take_along_axis": take_along_axis,
    "add_along_axis": as_graph(add_along_axis),
    "ravel_index": as_graph(ravel_index),
    "nonzero": lambda x: _unpack(x.shape.rank)(_nonzero(x)),
    "gather_nd": short("gather_nd", _gathered),
}
