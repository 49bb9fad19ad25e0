"""An index out of bounds: one message on every backend, in the words of the call."""

from contextlib import nullcontext

import numpy as np
import pytest

import unigrad as ug
from unigrad.layers import Embedding


def table():
    """A tensor that every tape follows."""
    return ug.Variable(ug.ones((3, 4))) * 1.0


def index(*values):
    return ug.asarray(list(values))


def embed(indices):
    layer = Embedding(3, 4, name="words")
    layer.build(())
    return layer(indices)


def assign(x, key):
    x[key] = 1.0


BEYOND = "index 3 is out of bounds for axis 0 of length 3"
NEGATIVE = "index -5 is out of bounds for axis 1 of length 4"
CALLS = {
    "int": (lambda: table()[3], f"getitem(float32[3, 4]): {BEYOND}"),
    "ints": (lambda: table()[1, -5], f"getitem(float32[3, 4]): {NEGATIVE}"),
    "many": (lambda: table()[0, 0, 0], "getitem(float32[3, 4]): 3 indices for 2 axes"),
    "array": (lambda: table()[index(0, 3)], f"getitem(float32[3, 4], int64[2]): {BEYOND}"),
    "list": (lambda: table()[[0, 3]], f"getitem(float32[3, 4], int64[2]): {BEYOND}"),
    "second": (
        lambda: table()[index(0, 2), index(1, -5)],
        f"getitem(float32[3, 4], int64[2]): {NEGATIVE}",
    ),
    "after a slice": (
        lambda: table()[::-1, index(0, -5)],
        f"getitem(float32[3, 4], int64[2]): {NEGATIVE}",
    ),
    "mask": (
        lambda: table()[ug.asarray([True])],
        "getitem(float32[3, 4]): a mask of shape (1,) does not fit axes of lengths (3,)",
    ),
    "take": (
        lambda: ug.take(table(), index(3), axis=0),
        f"take(float32[3, 4], int64[1]): {BEYOND}",
    ),
    "take narrow": (
        lambda: ug.take(table(), ug.asarray([[3]], dtype="int8"), axis=0),
        f"take(float32[3, 4], int64[1, 1]): {BEYOND}",
    ),
    "index_select": (
        lambda: ug.index_select(table(), index(3)),
        f"index_select(float32[3, 4], int64[1]): {BEYOND}",
    ),
    "take_along_axis": (
        lambda: ug.take_along_axis(table(), ug.asarray([[1], [0], [-5]])),
        f"take_along_axis(float32[3, 4], int64[3, 1]): {NEGATIVE}",
    ),
    "take_along_axis, broadcast": (
        lambda: ug.take_along_axis(table(), ug.asarray([[-5]])),
        f"take_along_axis(float32[3, 4], int64[1, 1]): {NEGATIVE}",
    ),
    "gather_nd": (
        lambda: ug.gather_nd(table(), ug.asarray([[0, 0], [3, 1]])),
        f"gather_nd(float32[3, 4], int64[2, 2]): {BEYOND}",
    ),
    "gather_nd of rows": (
        lambda: ug.gather_nd(table(), ug.asarray([[0], [3]])),
        f"gather_nd(float32[3, 4], int64[2, 1]): {BEYOND}",
    ),
    "scatter_add": (
        lambda: ug.scatter_add(table(), ug.asarray([[0, 0], [3, 1]]), 1.0),
        f"scatter_add(float32[3, 4], int64[2, 2]): {BEYOND}",
    ),
    "scatter_update": (
        lambda: ug.scatter_update(table(), ug.asarray([[3]]), 1.0),
        f"scatter_update(float32[3, 4], int64[1, 1]): {BEYOND}",
    ),
    "put_along_axis": (
        lambda: ug.put_along_axis(table(), ug.asarray([[1], [0], [-5]]), 0.0),
        f"put_along_axis(float32[3, 4], int64[3, 1]): {NEGATIVE}",
    ),
    "embedding": (lambda: embed(index(0, 3)), f"words(float32[3, 4], int64[2]): {BEYOND}"),
    "embedding, negative": (
        lambda: embed(index(0, -1)),
        "words(float32[3, 4], int64[2]): index -1 is negative",
    ),
    "assignment": (lambda: assign(table(), 3), f"at_set(float32[3, 4]): {BEYOND}"),
    "assignment by array": (
        lambda: assign(table(), index(3)),
        f"at_set(float32[3, 4], int64[1]): {BEYOND}",
    ),
    **{
        f"at[].{how}": (
            lambda how=how: getattr(table().at[:, index(-5)], how)(2.0),
            f"at_{how}(float32[3, 4], int64[1]): {NEGATIVE}",
        )
        for how in ("set", "add", "multiply", "min", "max")
    },
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("recorded", [False, True])
def test_an_index_out_of_bounds(backend, name, recorded):
    call, message = CALLS[name]
    tape = ug.GradientTape() if recorded else nullcontext()
    with tape, pytest.raises(ug.OutOfBoundsError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("set", [1.0, 1.0, 2.0]),
        ("add", [1.0, 1.0, 3.0]),
        ("multiply", [1.0, 1.0, 2.0]),
        ("min", [1.0, 1.0, 1.0]),
        ("max", [1.0, 1.0, 2.0]),
    ],
)
def test_a_compiled_write_out_of_bounds_is_dropped(backend, how, expected):
    # Not even where counting from the end twice would lead back inside.
    written = ug.jit(lambda x, at: getattr(x.at[at], how)(2.0))
    assert written(ug.ones(3), index(2, -4, 3)).tolist() == expected


def test_the_library_s_error_is_the_cause():
    with ug.use_backend("numpy"), pytest.raises(ug.OutOfBoundsError) as caught:
        ug.take(np.ones(3), index(3), axis=0)
    assert isinstance(caught.value.__cause__, IndexError)
