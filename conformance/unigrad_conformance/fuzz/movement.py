"""The rest of the vocabulary: products of matrices, and operations that move elements."""

from __future__ import annotations

from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.fuzz.vocabulary import Array, Choose, Settings, declare, some_axis

# -- products


def _product(choose: Choose, x: Array, y: Array) -> Settings | None:
    try:
        np.matmul(x, y)
    except ValueError:
        return None
    return {}


def _contract(choose: Choose, x: Array, y: Array) -> Settings | None:
    pairs = [(i, j) for i in range(x.ndim) for j in range(y.ndim) if x.shape[i] == y.shape[j]]
    return {"axes": _lists(pairs[choose(len(pairs))])} if pairs else None


def _lists(pair: tuple[int, int]) -> tuple[tuple[int], tuple[int]]:
    return (pair[0],), (pair[1],)


def _affine_map(choose: Choose, x: Array, y: Array, z: Array) -> Settings | None:
    fits = x.ndim and y.ndim == 2 and x.shape[-1] == y.shape[0] and z.shape == y.shape[1:]
    return {} if fits else None


declare("matmul", 2, np.matmul, _product)
declare("tensordot", 2, np.tensordot, _contract)
declare("outer", 2, np.outer, lambda choose, x, y: {} if x.ndim == y.ndim == 1 else None)
declare("linear", 3, lambda x, y, z: x @ y + z, _affine_map)
declare(
    "einsum",
    2,
    lambda x, y: np.einsum("ij,kj->ik", x, y),
    lambda choose, x, y: {} if x.ndim == y.ndim == 2 and x.shape[1] == y.shape[1] else None,
    lambda x, y: ug.einsum("ij,kj->ik", x, y),
)


# -- shapes


def _shape(choose: Choose, x: Array) -> Settings:
    size = x.size
    shapes = [(size,), (1, size), (-1, 1)]
    shapes += [(n, size // n) for n in (2, 3) if size % n == 0]
    return {"shape": shapes[choose(len(shapes))]}


def _order(choose: Choose, x: Array) -> Settings:
    left = list(range(x.ndim))
    return {"axes": tuple([left.pop(choose(len(left))) for _ in range(x.ndim)])}


def _wider(choose: Choose, x: Array) -> Settings:
    return {"shape": (2, *[3 if n == 1 else n for n in x.shape])}


def _shift(choose: Choose, x: Array) -> Settings | None:
    return {"shift": choose(5) - 2, "axis": some_axis(choose, x)} if x.ndim else None


def _one_axis(choose: Choose, x: Array) -> Settings | None:
    return {"axis": some_axis(choose, x)} if x.ndim else None


def _repeated(choose: Choose, x: Array) -> Settings | None:
    return {"repeats": 2, "axis": some_axis(choose, x)} if x.ndim else None


def _widths(choose: Choose, x: Array) -> Settings | None:
    return {"pad_width": tuple((choose(2), choose(2)) for _ in x.shape)} if x.ndim else None


def _joined(choose: Choose, x: Array, y: Array) -> Settings | None:
    fits = [
        axis
        for axis in range(x.ndim)
        if x.ndim == y.ndim
        and x.shape[:axis] == y.shape[:axis]
        and x.shape[axis + 1 :] == y.shape[axis + 1 :]
    ]
    return {"axis": fits[choose(len(fits))]} if fits else None


def _stacked(choose: Choose, x: Array, y: Array) -> Settings | None:
    return {"axis": choose(x.ndim + 1)} if x.shape == y.shape else None


declare("reshape", 1, lambda x, shape: np.reshape(x, shape), _shape)
declare("permute_dims", 1, lambda x, axes: np.transpose(x, axes), _order)
declare("broadcast_to", 1, lambda x, shape: np.broadcast_to(x, shape), _wider)
declare("roll", 1, lambda x, shift, axis: np.roll(x, shift, axis), _shift)
declare("flip", 1, lambda x, axis: np.flip(x, axis), _one_axis)
declare("expand_dims", 1, lambda x, axis: np.expand_dims(x, axis), _one_axis)
declare(
    "repeat",
    1,
    lambda x, repeats, axis: np.repeat(x, repeats, axis),
    _repeated,
    lambda x, repeats, axis: ug.repeat(x, repeats, axis=axis),
)
declare(
    "pad",
    1,
    lambda x, pad_width: np.pad(x, pad_width),
    _widths,
    lambda x, pad_width: ug.pad(x, pad_width),
)
declare(
    "tril",
    1,
    lambda x, k: np.tril(x, k),
    lambda choose, x: {"k": choose(3) - 1} if x.ndim >= 2 else None,
)
declare(
    "concat",
    2,
    lambda x, y, axis: np.concatenate([x, y], axis),
    _joined,
    lambda x, y, axis: ug.concat([x, y], axis=axis),
)
declare(
    "stack",
    2,
    lambda x, y, axis: np.stack([x, y], axis),
    _stacked,
    lambda x, y, axis: ug.stack([x, y], axis=axis),
)


# -- elements


def some_key(choose: Choose, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Choose a key of ints, slices, arrays of ints and new axes that stays in bounds."""
    key: list[Any] = []
    for length in shape[: choose(len(shape) + 1)]:
        kind = choose(6) if length else 1
        if kind == 0:
            key.append(choose(2 * length) - length)
        elif kind == 1:
            key.append(slice(None, None, (1, -1, 2, -2)[choose(4)]))
        elif kind == 2:
            key.append(slice(choose(length), length - choose(length)))
        elif kind == 3:
            key.append([choose(2 * length) - length for _ in range(2)])
        elif kind == 4:
            key += [None, slice(None)]
        else:
            key.append(slice(-length, None))
    if choose(4) == 0:
        key.append(...)
    return tuple(key)


def _read(choose: Choose, x: Array) -> Settings | None:
    key = some_key(choose, x.shape)
    return {"key": key} if x[key].size else None


def _places(choose: Choose, x: Array, y: Array) -> Settings | None:
    if not x.ndim:
        return None
    rows = [choose(x.shape[0]) for _ in range(2)]
    try:
        fits = np.broadcast_shapes(y.shape, x[rows].shape) == x[rows].shape
    except ValueError:
        return None
    return {"rows": rows} if fits else None


def _set(x: Array, y: Array, *, rows: list[int]) -> Array:
    out = x.copy()
    for row, one in zip(rows, np.broadcast_to(y, x[rows].shape), strict=True):
        out[row] = one
    return out


def _added(x: Array, y: Array, *, rows: list[int]) -> Array:
    out = x.copy()
    np.add.at(out, (rows,), y)
    return out


def _multiplied(x: Array, y: Array, *, rows: list[int]) -> Array:
    out = x.copy()
    np.multiply.at(out, (rows,), y)
    return out


def _assign(x: Any, y: Any, *, rows: list[int]) -> Any:
    """Assign into a handle: the values computed from it before must not change."""
    handle = +x
    before = handle * 2.0
    handle[rows] = y
    return handle + before - x * 2.0


declare("getitem", 1, lambda x, key: x[key], _read, lambda x, key: x[key])
declare(
    "take",
    1,
    lambda x, indices, axis: np.take(x, indices, axis),
    lambda choose, x: {"indices": [0, -1, 0], "axis": some_axis(choose, x)} if x.ndim else None,
    lambda x, indices, axis: ug.take(x, indices, axis=axis),
)
declare("at_set", 2, _set, _places, lambda x, y, rows: x.at[rows].set(y))
declare("at_add", 2, _added, _places, lambda x, y, rows: x.at[rows].add(y))
declare("at_multiply", 2, _multiplied, _places, lambda x, y, rows: x.at[rows].multiply(y))
declare("assign", 2, _set, _places, _assign)
