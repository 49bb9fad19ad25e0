"""Properties of all ops: promotion, broadcasting, reductions, round trips, random numbers.

The oracle is NumPy (through `array_api_compat` where the standard and NumPy differ).
"""

import importlib
import itertools
import math
import warnings
from typing import Any

import array_api_compat.numpy
import numpy as np
import pytest
from forall import forall
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import unigrad as ug
from unigrad.core.dtypes import ALL, COMPLEX, FLOATING, INTEGER, SIGNED, UNSIGNED

KINDS = {
    "bool": [ug.bool],
    "integer": [*SIGNED, *UNSIGNED],
    "floating": [ug.float32, ug.float64, *COMPLEX],
}
PAIRS = list(itertools.product(ALL, ALL))


# -- promotion


def in_the_standard(first: Any, second: Any) -> bool:
    """Tell whether the Array API standard has an entry for a pair of dtypes."""
    if {first, second} & {ug.uint64} and {first, second} & set(SIGNED):
        return False
    return any(first in kind and second in kind for kind in KINDS.values())


def expected_dtype(first: Any, second: Any) -> Any:
    """Return the dtype of two dtypes together; None where they have none."""
    if in_the_standard(first, second):
        return array_api_compat.numpy.result_type(first, second)
    if ug.bool in (first, second):
        return first if second == ug.bool else second
    if {first, second} <= INTEGER:
        return None
    for one, other in ((first, second), (second, first)):
        if one in INTEGER:
            return other
    if first in FLOATING and second in FLOATING:
        # One is a half precision.
        return ug.float32 if {first, second} == {ug.float16, ug.bfloat16} else wider(first, second)
    wide = ug.complex128 in (first, second) or ug.float64 in (first, second)
    return ug.complex128 if wide else ug.complex64


def wider(first: Any, second: Any) -> Any:
    return first if first.itemsize >= second.itemsize else second


def test_the_standards_table_is_really_asked() -> None:
    asked = [pair for pair in PAIRS if in_the_standard(*pair)]
    assert len(asked) == 1 + (64 - 8) + 16


def test_promotion() -> None:
    for first, second in PAIRS:
        wanted = expected_dtype(first, second)
        if wanted is None:
            with pytest.raises(ug.DTypeError):
                ug.result_type(first, second)
        else:
            assert ug.result_type(first, second) == wanted, (first, second)


def test_promotion_is_torchs_where_the_standard_is_silent() -> None:
    torch_space = importlib.import_module("array_api_compat.torch")
    compared = 0
    for first, second in PAIRS:
        # torch has no promotion for the larger unsigned integers.
        if any(one in UNSIGNED and one != ug.uint8 for one in (first, second)):
            continue
        found = torch_space.result_type(*[getattr(torch_space, d.name) for d in (first, second)])
        assert ug.result_type(first, second) == ug.result_type(found), (first, second)
        compared += 1
    assert compared == (len(ALL) - 3) ** 2


@forall(st.sampled_from(PAIRS), examples=len(PAIRS), compiling=30)
def test_sum_is_computed_in_the_promoted_dtype(pair: Any) -> None:
    x, y = ug.ones(2, dtype=pair[0]), ug.ones(2, dtype=pair[1])
    wanted = expected_dtype(*pair)
    if wanted is None:
        with pytest.raises(ug.DTypeError, match="add"):
            ug.add(x, y)
    elif wanted != ug.bool:
        found = ug.add(x, y)
        assert found.dtype == wanted
        assert found.tolist() == [2, 2]


@forall(st.sampled_from(ALL), st.sampled_from([True, 3, 2.5, 1j]), compiling=12)
def test_python_scalars_are_weak(dtype: Any, scalar: Any) -> None:
    kinds = {bool: 0, int: 1, float: 2, complex: 3}
    kind = 3 if dtype in COMPLEX else 2 if dtype in FLOATING else int(dtype != ug.bool)
    if kinds[type(scalar)] <= kind:
        wanted = dtype
    elif type(scalar) is int:
        wanted = ug.int64
    elif type(scalar) is float:
        wanted = ug.float32
    else:
        wanted = ug.complex128 if dtype == ug.float64 else ug.complex64
    assert ug.result_type(dtype, scalar) == wanted
    if wanted != ug.bool:
        assert ug.multiply(ug.ones(2, dtype=dtype), scalar).dtype == wanted
        assert ug.multiply(scalar, ug.ones((), dtype=dtype)).dtype == wanted


# -- broadcasting


def numbers(shape: tuple[int, ...], start: float = 1.0) -> np.ndarray:
    """Return small numbers, no two alike and none zero."""
    count = math.prod(shape)
    return (start + np.arange(count) * 0.25).reshape(shape) * np.where(
        np.arange(count) % 3, 1, -1
    ).reshape(shape)


def unbroadcast(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return what is left of a cotangent for an input of a shape: the sum over its copies."""
    array = array.sum(axis=tuple(range(array.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and array.shape[i] != 1)
    return array.sum(axis=axes, keepdims=True)


@forall(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3),
    compiling=10,
)
def test_broadcasting_and_its_gradient(shapes: Any) -> None:
    first, second = (numbers(shape, 1 + k) for k, shape in enumerate(shapes.input_shapes))
    x, y = ug.asarray(first), ug.asarray(second)
    weights = numbers(shapes.result_shape, 0.5)
    with ug.GradientTape() as tape:
        tape.watch([x, y])
        z = x * y + x
    found = tape.gradient(z, [x, y], ug.asarray(weights))
    np.testing.assert_allclose(z.numpy(), first * second + first, rtol=1e-14)
    assert z.shape == shapes.result_shape
    for got, factor, of in zip(found, (second + 1, first), (first, second)):
        wanted = unbroadcast(weights * np.broadcast_to(factor, weights.shape), of.shape)
        assert got.shape == of.shape
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-13, atol=1e-13)


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


@forall(SHAPES, SHAPES, examples=100, compiling=30)
def test_what_does_not_broadcast_is_a_shape_error(first: Any, second: Any) -> None:
    x, y = ug.zeros(first), ug.zeros(second)
    try:
        wanted = np.broadcast_shapes(first, second)
    except ValueError:
        for op in (ug.add, ug.less, ug.maximum, ug.logical_and):
            with pytest.raises(ug.ShapeError, match=op.__name__):
                op(x, y)
    else:
        assert ug.broadcast_shapes(first, second) == wanted


# -- reductions


@st.composite
def reductions(draw: st.DrawFn) -> tuple[tuple[int, ...], Any, bool]:
    """Draw a shape, axes and keepdims."""
    shape = draw(SHAPES)
    axis: Any = None
    if shape:
        one = st.integers(-len(shape), len(shape) - 1)
        many = st.lists(one, unique_by=lambda i: i % len(shape), max_size=3).map(tuple)
        axis = draw(st.one_of(st.none(), one, many))
    return shape, axis, draw(st.booleans())


REDUCTIONS = {
    "sum": np.sum,
    "prod": np.prod,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "any": np.any,
    "all": np.all,
    "var": np.var,
    "std": np.std,
    "count_nonzero": np.count_nonzero,
}


@forall(
    st.sampled_from(sorted(REDUCTIONS)),
    reductions(),
    st.sampled_from(["float64", "float32", "int32", "bool"]),
    examples=250,
    compiling=25,
)
def test_reductions(name: str, how: Any, dtype: str) -> None:
    shape, axis, keepdims = how
    values = (np.arange(math.prod(shape)) * 7 % 5 - 1).reshape(shape).astype(dtype)
    x = ug.asarray(values)
    if dtype == "bool" and name in ("max", "min"):
        return
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            wanted = REDUCTIONS[name](values, axis=axis, keepdims=keepdims)
        except ValueError:
            with pytest.raises(ug.ShapeError, match=name):
                getattr(ug, name)(x, axis=axis, keepdims=keepdims)
            return
        got = getattr(ug, name)(x, axis=axis, keepdims=keepdims)
    if dtype in ("int32", "bool"):
        kind = {"mean": "float32", "var": "float32", "std": "float32"}.get(name, wanted.dtype)
        assert got.dtype == kind
    else:
        assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    rtol = 1e-13 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(got.numpy(), wanted, rtol=rtol, atol=rtol)


@forall(st.sampled_from(["sum", "mean", "max"]), reductions(), examples=80, compiling=10)
def test_gradients_of_reductions(name: str, how: Any) -> None:
    shape, axis, keepdims = how
    values = numbers(shape)
    if not values.size:
        return
    x = ug.asarray(values)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = getattr(ug, name)(x, axis=axis, keepdims=keepdims)
    spread = np.ones(np.sum(values, axis=axis, keepdims=True).shape)
    weights = numbers(spread.shape, 2.0)
    got = tape.gradient(y, x, ug.asarray(weights.reshape(y.shape)))
    share = {
        "sum": np.ones(shape),
        "mean": np.full(shape, spread.size / values.size),
        "max": values == values.max(axis=axis, keepdims=True),
    }[name]
    np.testing.assert_allclose(got.numpy(), weights * share, rtol=1e-14)


# -- there and back


@st.composite
def blocks(draw: st.DrawFn) -> tuple[np.ndarray, int, list[int]]:
    """Draw an array, an axis and places at which to cut it there."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    cuts = sorted(draw(st.lists(st.integers(0, shape[axis]), max_size=3)))
    return numbers(shape), axis, cuts


@forall(blocks(), st.randoms(use_true_random=False), compiling=6)
def test_round_trips(block: Any, shuffle: Any) -> None:
    values, axis, cuts = block
    x = ug.asarray(values)
    order = list(range(x.ndim))
    shuffle.shuffle(order)
    back = [order.index(i) for i in range(x.ndim)]
    length = values.shape[axis]
    places = list(range(length))
    shuffle.shuffle(places)

    def same(tensor: ug.Tensor) -> None:
        np.testing.assert_array_equal(tensor.numpy(), values)
        assert tensor.shape == values.shape

    pieces = ug.split(x, cuts, axis=axis)
    for piece, wanted in zip(pieces, np.split(values, cuts, axis=axis), strict=True):
        np.testing.assert_array_equal(piece.numpy(), wanted)
    same(ug.concat(pieces, axis=axis))
    if length:
        same(ug.stack(ug.unstack(x, axis=axis), axis=axis))
    turned = ug.permute_dims(x, order)
    np.testing.assert_array_equal(turned.numpy(), values.transpose(order))
    same(ug.permute_dims(turned, back))
    same(ug.reshape(ug.ravel(x), values.shape))
    same(ug.flip(ug.flip(x, axis=axis), axis=axis))
    same(ug.roll(ug.roll(x, len(cuts), axis=axis), -len(cuts), axis=axis))
    taken = ug.take(x, np.asarray(places, np.int64), axis=axis)
    np.testing.assert_array_equal(taken.numpy(), np.take(values, places, axis=axis))
    same(ug.take(taken, np.argsort(places), axis=axis))


# -- random numbers


RANDOM_SHAPES = st.sampled_from([(), (1,), (3,), (2, 5), (0, 2), (64,)])
SEEDS = st.integers(-(2**63), 2**63 - 1)


def same_bits(draw: Any) -> None:
    """Compare a draw on the current backend with NumPy's, bit for bit."""
    got = draw().numpy()
    with ug.use_backend("numpy"):
        wanted = draw().numpy()
    assert (got.dtype, got.shape) == (wanted.dtype, wanted.shape)
    assert got.tobytes() == wanted.tobytes()


@forall(
    SEEDS,
    RANDOM_SHAPES,
    st.sampled_from(["float16", "bfloat16", "float32", "float64"]),
    st.tuples(st.floats(-100, 100), st.floats(0.001, 100)),
    compiling=8,
)
def test_uniform_floats_are_the_same_bits(seed: int, shape: Any, dtype: str, span: Any) -> None:
    same_bits(lambda: ug.random.uniform(ug.random.key(seed), shape, dtype))
    low, high = span[0], span[0] + span[1]
    same_bits(lambda: ug.random.uniform(ug.random.key(seed), shape, dtype, low, high))


@forall(SEEDS, RANDOM_SHAPES, st.sampled_from(sorted(INTEGER, key=str)), st.data(), compiling=8)
def test_integers_are_the_same(seed: int, shape: Any, dtype: Any, data: Any) -> None:
    limits = np.iinfo(dtype)
    low = data.draw(st.integers(limits.min, limits.max))
    high = data.draw(st.integers(low, limits.max))
    same_bits(lambda: ug.random.randint(ug.random.key(seed), shape, low, high, dtype))
    values = ug.random.randint(ug.random.key(seed), shape, low, high, dtype).numpy()
    assert np.all((values >= low) & (values < max(high, low + 1)))
