"""Samples of reading and writing by index."""

from typing import Any

import numpy as np

from unigrad_conformance.sample import (
    booleans,
    case,
    distinct,
    integers,
    positive,
    real,
    samples,
    values,
)

_ALL = slice(None)
_PAIRS = values([[0, 1], [-1, 1]])
_MASK = values([True, False, True])

#: What stands between the brackets of a tensor of shape (2, 3, 4).
_BASIC: tuple[Any, ...] = (
    0,
    (1, -2),
    (_ALL, -1),
    (..., 1),
    (None, 0, None),
    (slice(None, None, -1), slice(2, 0, -1), slice(1, None, 2)),
    (_ALL, slice(None, None, 2), slice(3, None, -3)),
    (0, slice(5, 1, -2)),
    (slice(0, 0),),
    (1, 2, 3),
    (),
)
#: Arrays of indices without duplicates.
_ARRAYS: tuple[Any, ...] = (
    values([1]),
    (values([0, 1]), 2),
    (_ALL, values([[0], [-1]]), values([1, 3])),
    (values([0, 1]), _ALL, values([3, -4])),
    (values([0, 1]), None, values([2, 1])),
    (slice(1, None), values([2, 0]), None, 2),
    (0, _MASK, slice(None, None, 2)),
    (_ALL, _MASK, values([1, 2])),
    (values(1),),
    (values(np.zeros((0,), np.int64)),),
)
#: Arrays of indices that pick some elements twice.
_DUPLICATES: tuple[Any, ...] = (
    _PAIRS,
    (_ALL, _PAIRS),
    (values([0, 1, 0]), _ALL, values([3, 1, -1])),
    (values([0, 1, 0]), values([2, -1, 2])),
    (..., values([1, 1, 1])),
)

#: The key of the first sample, which most checks are made of.
_HARDEST = (_ALL, values([[0, 2], [-1, 2]]))

samples(
    "getitem",
    *[case(real(2, 3, 4), key) for key in (_HARDEST, *_BASIC, *_ARRAYS, *_DUPLICATES)],
    case(real(3, 4), booleans(3, 4)),
    case(real(4), values([True, True, False, True])),
    case(integers(3, 2), (1, _ALL)),
    oracle=lambda x, key: x[key],
)
samples("getitem", case(booleans(3, 2), values([2, 0])), oracle=lambda x, key: x[key], dtype="bool")


def _shape_of(key: Any) -> tuple[int, ...]:
    """Return the shape that a key with drawn parts picks from shape (2, 3, 4)."""
    generator = np.random.default_rng(0)

    def made(one: Any) -> Any:
        return one.make(generator) if hasattr(one, "make") else one

    drawn = tuple(made(one) for one in key) if isinstance(key, tuple) else made(key)
    shape: tuple[int, ...] = np.zeros((2, 3, 4))[drawn].shape
    return shape


def _write(ufunc: Any) -> Any:
    def write(x: Any, key: Any, new: Any) -> Any:
        out = x.copy()
        if ufunc is None:
            out[key] = new
        else:
            ufunc.at(out, key, new)
        return out

    return write


_WRITES = tuple(
    case(real(2, 3, 4), key, real(*_shape_of(key)))
    for key in (_HARDEST, *_BASIC, *_ARRAYS, *_DUPLICATES)
)
_MORE = (
    case(real(2, 3, 4), (0, _ALL), real(4)),
    case(real(2, 3, 4), (_ALL, values([0, 0])), real()),
    case(real(3, 4), booleans(3, 4), 0.5),
    case(real(3, 4), booleans(3), real(4)),
    case(integers(5), values([0, 3, 0]), integers(3)),
)
samples("at_set", *_WRITES, *_MORE[:3], *_MORE[4:], oracle=_write(None))
samples("at_add", *_WRITES, *_MORE[:3], *_MORE[4:], oracle=_write(np.add))
samples("at_multiply", *_WRITES, *_MORE[:3], *_MORE[4:], oracle=_write(np.multiply))
samples(
    "at_multiply",
    case(values([1.0, 2.0, 0.0]), values([0, 2, 0, 0]), values([3.0, 2.0, 0.0, 5.0])),
    oracle=_write(np.multiply),
)
_EXTREMES = tuple(
    case(distinct(2, 3, 4), key, real(*_shape_of(key)))
    for key in (_HARDEST, *_BASIC[:3], *_ARRAYS[:4], *_DUPLICATES)
)
samples("at_min", *_EXTREMES, case(integers(5), values([0, 3, 0]), integers(3)),
        oracle=_write(np.minimum))  # fmt: skip
samples("at_max", *_EXTREMES, case(integers(5), values([0, 3, 0]), integers(3)),
        oracle=_write(np.maximum))  # fmt: skip


def _method(name: str) -> Any:
    return lambda ug, x, key, new: getattr(x.at[key], name)(new)


samples("At", case(real(3), values([1, 1]), real(2)), oracle=_write(np.add), call=_method("add"))

samples(
    "take",
    case(real(2, 3, 2), values([[0, 2], [2, 1]]), axis=-2),
    case(real(3, 4), values([2, 0, 2]), axis=0),
    case(real(3, 4), values([[1], [-1]]), axis=1),
    case(real(3, 4), values([7, -1])),
    case(real(3, 4), 1, axis=0),
    case(real(3, 4), values(np.zeros((0,), np.int64)), axis=0),
    case(real(0, 4), values(np.zeros((0, 2), np.int64)), axis=0),
    case(integers(4), values([3, 3])),
    oracle=np.take,
)
samples("take", case(booleans(4), values([3, 0])), oracle=np.take, dtype="bool")
samples(
    "index_select",
    case(real(3, 4), values([2, 0, 2])),
    case(real(3, 4), values([-1]), axis=1),
    oracle=lambda x, index, axis=0: np.take(x, index, axis),
)
samples(
    "take_along_axis",
    case(real(3, 4), values([[3, 0], [1, 1], [-1, 2]])),
    case(real(3, 4), values([[2], [0], [2]]), axis=-1),
    case(real(3, 4), values([[2, 0, 2, 1]]), axis=0),
    case(real(2, 3, 2), values([[[2, 0]], [[1, 1]]]), axis=1),
    case(real(2, 1, 3), values([[[2, 0], [1, 1], [0, 0]]]), axis=-1),
    case(integers(3, 2), values([[1], [0], [1]])),
    oracle=lambda x, index, axis=-1: np.take_along_axis(
        *_broadcast_beside(x, index, axis), axis=axis
    ),
)


def _broadcast_beside(x: Any, index: Any, axis: int) -> tuple[Any, Any]:
    """Broadcast two arrays on all axes but one."""
    shape = list(np.broadcast_shapes(_without(x, axis), _without(index, axis)))
    place = axis % x.ndim
    first, second = ((*shape[:place], one.shape[place], *shape[place + 1 :]) for one in (x, index))
    return np.broadcast_to(x, first), np.broadcast_to(index, second)


def _without(x: Any, axis: int) -> tuple[int, ...]:
    shape = list(x.shape)
    shape[axis] = 1
    return tuple(shape)


def _put_along(x: Any, index: Any, new: Any, axis: int = -1) -> Any:
    out = x.copy()
    np.put_along_axis(out, index, new, axis)
    return out


samples(
    "put_along_axis",
    case(real(3, 4), values([[3], [1], [-1]]), real(3, 1)),
    case(real(3, 4), values([[2, 0, 2, 1]]), real(1, 4), axis=0),
    oracle=_put_along,
)
_ND = values([[0, 1], [2, 3], [0, 1]])
samples(
    "gather_nd",
    case(real(3, 4), _ND),
    case(real(3, 4), values([[2], [0]])),
    case(real(2, 3, 4), values([[[1, 2, 3]], [[0, 0, -1]]])),
    oracle=lambda x, index: x[tuple(np.moveaxis(index, -1, 0))],
)
samples(
    "scatter_update",
    case(real(3, 4), _ND, real(3)),
    case(real(3, 4), values([[2], [0]]), real(2, 4)),
    oracle=lambda x, index, new: _write(None)(x, tuple(np.moveaxis(index, -1, 0)), new),
)
samples(
    "scatter_add",
    case(real(3, 4), _ND, real(3)),
    case(real(3, 4), values([[2], [2]]), real(2, 4)),
    oracle=lambda x, index, new: _write(np.add)(x, tuple(np.moveaxis(index, -1, 0)), new),
)
samples(
    "scatter",
    case(_ND, real(3), (3, 4)),
    case(values([[1], [1]]), positive(2, 3), (4, 3)),
    oracle=lambda index, new, shape: _write(np.add)(
        np.zeros(shape, new.dtype), tuple(np.moveaxis(index, -1, 0)), new
    ),
)
samples(
    "nonzero",
    case(values([[0.0, 1.0], [2.0, 0.0]])),
    case(booleans(3, 4)),
    case(values([0, 0])),
    oracle=np.nonzero,
    dtype="int64",
    differentiable=False,
)
samples(
    "boolean_mask",
    case(real(3, 4), _MASK),
    case(real(2, 3), _MASK, axis=1),
    case(real(2, 3), values([[True, False, True], [False, False, True]])),
    oracle=lambda x, mask, axis=0: x[(_ALL,) * axis + (mask,)],
)


def _window(x: Any, starts: Any, shape: Any) -> tuple[Any, ...]:
    """Return the key of a window, moved inside."""
    firsts = [
        min(max(start, 0), n - count)
        for start, count, n in zip(starts, shape, x.shape, strict=True)
    ]
    return tuple(slice(a, a + n) for a, n in zip(firsts, shape, strict=True))


_WINDOWS = (
    case(real(4, 5), [1, 2], (2, 3)),
    case(real(4, 5), values([3, -1]), (2, 3)),
    case(real(4), [0], (4,)),
)
for _name in ("slice", "dynamic_slice"):
    samples(_name, *_WINDOWS, oracle=lambda x, starts, shape: x[_window(x, starts, shape)])
samples(
    "slice_update",
    case(real(4, 5), [1, 2], real(2, 3)),
    case(real(4, 5), values([3, 9]), real(2, 5)),
    oracle=lambda x, starts, new: _write(None)(x, _window(x, starts, new.shape), new),
)
