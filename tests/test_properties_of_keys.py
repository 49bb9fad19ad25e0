"""Indexing by random keys, read and written, against NumPy on every backend.

Reading is linear, so its gradient puts the cotangent back where it was read; so are the gradients
of writing known, from which of the written values stayed.
"""

import math
from typing import Any

import numpy as np
import pytest
from forall import forall
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import unigrad as ug

INT = st.integers


def arrays_of_indices(length: int) -> st.SearchStrategy[Any]:
    """Arrays of valid indices, as an ndarray or a list."""
    index = INT(-length, length - 1)
    arrays = hnp.arrays(
        np.int64, hnp.array_shapes(min_dims=1, max_dims=2, max_side=3), elements=index
    )
    return st.one_of(arrays, st.lists(index, min_size=1, max_size=3)) if length else st.just([])


@st.composite
def keys(draw: st.DrawFn) -> tuple[tuple[int, ...], Any]:
    """Draw a shape and a key for it, within bounds; its arrays may not broadcast."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    key: list[Any] = []
    axis = 0
    stop = draw(INT(0, len(shape)))
    dots = False
    while axis < stop:
        length = shape[axis]
        kinds = ["slice", "slice", "whole", "new", "array", "mask"]
        kinds += ["int", "int"] * bool(length) + ["dots"] * (not dots)
        kind = draw(st.sampled_from(kinds))
        if kind == "new":
            key.append(None)
            if len(key) > 5:
                break
            continue
        if kind == "dots":
            # It stands for all axes that are left of what follows: here, for one.
            rest = draw(INT(0, len(shape) - axis))
            key.append(...)
            dots, axis, stop = True, axis + rest, len(shape)
            continue
        if kind == "mask":
            many = draw(INT(1, stop - axis))
            key.append(draw(hnp.arrays(np.bool_, shape[axis : axis + many])))
            axis += many
            continue
        if kind == "int":
            key.append(draw(INT(-length, length - 1)))
        elif kind == "slice":
            bound = st.one_of(st.none(), INT(-length - 1, length + 1))
            key.append(slice(draw(bound), draw(bound), draw(st.sampled_from([None, 1, 2, -1, -2]))))
        elif kind == "whole":
            key.append(slice(None))
        else:
            key.append(draw(arrays_of_indices(length)))
        axis += 1
    # A lone list of lists apart, a key is a tuple unless it has one entry.
    alone = len(key) == 1 and draw(st.booleans())
    return shape, key[0] if alone else tuple(key)


def values_of(shape: tuple[int, ...], start: float = 1.0) -> np.ndarray:
    return start + np.arange(math.prod(shape), dtype=np.float64).reshape(shape)


def read(values: np.ndarray, key: Any) -> np.ndarray:
    """Read by NumPy; skip a key that it does not take."""
    try:
        return values[key]
    except IndexError:
        assume(False)
        raise


@forall(keys(), examples=250, compiling=12)
def test_reading_and_its_gradient(case: Any) -> None:
    shape, key = case
    values = values_of(shape)
    wanted = read(values, key)
    weights = values_of(wanted.shape, 0.5)
    x = ug.asarray(values)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x[key]
    assert y.shape == wanted.shape
    np.testing.assert_array_equal(y.numpy(), wanted)
    got = tape.gradient(y, x, ug.asarray(weights))
    back = np.zeros(shape)
    np.add.at(back, key, weights)
    np.testing.assert_array_equal(got.numpy(), back)


@forall(keys(), examples=120, compiling=8)
def test_keys_of_tensors(case: Any) -> None:
    shape, key = case
    values = values_of(shape)
    wanted = read(values, key)

    def placed(one: Any) -> Any:
        if isinstance(one, list):
            one = np.asarray(one, np.int64)
        return ug.asarray(one) if isinstance(one, np.ndarray) else one

    as_tensors = tuple([placed(one) for one in key]) if isinstance(key, tuple) else placed(key)
    np.testing.assert_array_equal(ug.asarray(values)[as_tensors].numpy(), wanted)


@forall(keys(), examples=300, compiling=60)
def test_what_numpy_refuses_is_an_error(case: Any) -> None:
    shape, key = case
    try:
        values_of(shape)[key]
    except IndexError:
        with pytest.raises((ug.OutOfBoundsError, ug.ShapeError)):
            ug.zeros(shape)[key]
        with pytest.raises((ug.OutOfBoundsError, ug.ShapeError)):
            ug.zeros(shape)[key] = 1.0


@st.composite
def keys_outside(draw: st.DrawFn) -> tuple[tuple[int, ...], Any]:
    """Draw a shape and a key of which one index is out of bounds."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3))
    axis = draw(INT(0, len(shape) - 1))
    beyond = draw(INT(0, 3))
    bad = draw(st.sampled_from([shape[axis] + beyond, -shape[axis] - 1 - beyond]))
    entry = draw(st.sampled_from([bad, [0, bad], np.asarray([[bad], [0]]), np.int32(bad)]))
    before = [draw(st.sampled_from([slice(None), 0, slice(0, 1)])) for _ in range(axis)]
    return shape, (*before, entry)


@forall(keys_outside(), examples=100, compiling=50)
def test_out_of_bounds_raises(case: Any) -> None:
    shape, key = case
    x = ug.zeros(shape)
    with pytest.raises(ug.OutOfBoundsError):
        x[key]
    with pytest.raises(ug.OutOfBoundsError):
        x[key] = 1.0
    with pytest.raises(ug.OutOfBoundsError):
        x.at[key].add(1.0)
    *_, entry = key
    with pytest.raises(ug.OutOfBoundsError):
        ug.take(x, ug.asarray(np.asarray(entry)), axis=len(key) - 1)
    np.testing.assert_array_equal(x.numpy(), np.zeros(shape))


@st.composite
def writes(draw: st.DrawFn) -> tuple[tuple[int, ...], Any, tuple[int, ...]]:
    """Draw a shape, a key and the shape of values that broadcast to what it names."""
    shape, key = draw(keys())
    out = read(values_of(shape), key).shape
    kept = out[draw(INT(0, len(out))) :]
    return shape, key, tuple([1 if n == 1 or draw(INT(0, 3)) == 0 else n for n in kept])


@forall(writes(), examples=200, compiling=8)
def test_replacing_and_its_gradients(case: Any) -> None:
    shape, key, of_values = case
    old, new = values_of(shape), values_of(of_values, 100.0)
    # The last of all that are written to one place stays.
    turn = np.full(shape, -1)
    order = np.arange(math.prod(turn[key].shape)).reshape(turn[key].shape)
    turn[key] = order
    stays = turn[key] == order
    wanted = old.copy()
    wanted[key] = new
    weights = values_of(shape, 0.5)

    x, v = ug.asarray(old), ug.asarray(new)
    with ug.GradientTape(persistent=True) as tape:
        tape.watch([x, v])
        y = x.at[key].set(v)
        handle = x * 1.0
        untouched = handle[...]
        handle[key] = v
    np.testing.assert_array_equal(y.numpy(), wanted)
    np.testing.assert_array_equal(handle.numpy(), wanted)
    np.testing.assert_array_equal(untouched.numpy(), old)
    by_new = np.where(stays, weights[key], 0.0)
    by_new = by_new.sum(axis=tuple(range(by_new.ndim - new.ndim)))
    narrow = tuple(i for i, n in enumerate(of_values) if n == 1 and by_new.shape[i] != 1)
    for target in (y, handle):
        by_x, by_v = tape.gradient(target, [x, v], ug.asarray(weights))
        np.testing.assert_array_equal(by_x.numpy(), np.where(turn < 0, weights, 0.0))
        np.testing.assert_allclose(by_v.numpy(), by_new.sum(axis=narrow, keepdims=True))


UPDATES = {"add": np.add, "multiply": np.multiply, "min": np.minimum, "max": np.maximum}


@forall(
    writes(),
    st.sampled_from(sorted(UPDATES)),
    st.sampled_from([np.float64, np.int64, np.float32]),
    examples=200,
    compiling=20,
)
def test_updating(case: Any, how: str, dtype: Any) -> None:
    shape, key, of_values = case
    old = values_of(shape).astype(dtype)
    new = (values_of(of_values) % 4 + 1).astype(dtype)
    wanted = old.copy()
    UPDATES[how].at(wanted, key, np.broadcast_to(new, old[key].shape))
    got = getattr(ug.asarray(old).at[key], how)(ug.asarray(new))
    assert got.dtype == dtype
    np.testing.assert_array_equal(got.numpy(), wanted)
