"""`ug.scan`: dtypes and structures of what the steps give."""

import numpy as np
import pytest

import unigrad as ug
from unigrad.core.dispatch import wrap
from unigrad.core.registry import load_backend

#: Initial carry, the dtype of ``xs``, and what stacking the carries gives.
STARTS = [
    (0, "float32", "float32"),
    (0.0, "float16", "float16"),
    (0.5, "int32", "float32"),
    (True, "float32", "float32"),
    (np.int64(0), "float32", "float32"),
    (np.True_, "int32", "int32"),
    (np.float16(0.5), "float32", "float32"),
    (np.float64(0.5), "float32", "float64"),
    (np.int32(0), "uint8", "int32"),
]


@pytest.mark.parametrize(("start", "dtype", "wanted"), STARTS)
@pytest.mark.parametrize("reverse", [False, True])
def test_results_are_promoted_as_stack_does(backend, start, dtype, wanted, reverse):
    xs = ug.ones(3, dtype=dtype)

    def total(xs):
        init = start if type(start) in (bool, int, float) else ug.asarray(start)
        return ug.scan(lambda carry, x: (carry + x, carry), init, xs, reverse=reverse)

    for run in (total, ug.jit(total)):
        carry, before = run(xs)
        assert carry.dtype.name == before.dtype.name == wanted
        # Whatever the dtype, the numbers are those of a loop.
        expected = [float(start) + step for step in range(3)]
        assert before.tolist() == (expected[::-1] if reverse else expected)
        assert float(carry) == float(start) + 3


def test_a_sum_that_begins_with_a_number_has_its_gradient(backend):
    def loss(xs):
        return ug.sum(ug.scan(lambda carry, x: (carry + x, carry * carry), 0, xs)[1])

    gradient = ug.grad(loss)(ug.ones(3))
    # 0² + x₀² + (x₀ + x₁)²
    assert gradient.dtype == ug.float32
    assert gradient.tolist() == [6.0, 4.0, 0.0]


def test_a_number_is_weak_in_a_scan_of_nothing(backend):
    carry, results = ug.scan(lambda c, x: (c + x, c + x), 0.0, ug.ones(0, dtype="float16"))
    assert carry == 0.0
    assert (results.dtype, results.shape) == (ug.float16, (0,))


def test_results_without_a_common_dtype(backend):
    first = ug.asarray(1, dtype="uint64")
    with pytest.raises(ug.DTypeError, match="uint64 and int64"):
        ug.scan(lambda carry, x: (ug.asarray(1), carry), first, ug.ones(2))


def changing(*given):
    """A step that gives one result after the other."""
    left = iter(given)
    return lambda carry, x: (carry, next(left))


ONE = np.ones(2)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (ONE, (ONE, ONE)),
        ((ONE, ONE), ONE),
        ({"a": ONE, "b": ONE}, (ONE, ONE)),
        ({"a": ONE}, {"b": ONE}),
        (None, ONE),
        ([ONE], (ONE,)),
    ],
)
def test_the_result_keeps_its_structure(backend, first, then):
    with pytest.raises(ug.ShapeError) as caught:
        ug.scan(changing(first, then), 0.0, ug.ones(2))
    shown = [str(ug.tree.structure(one)) for one in (first, then)]
    assert str(caught.value) == (
        f"scan: the result changed its structure from {shown[0]} to {shown[1]}"
    )


@pytest.mark.parametrize("count", [0, 2])
def test_the_carry_keeps_its_structure(backend, count):
    with pytest.raises(ug.ShapeError) as caught:
        ug.scan(lambda carry, x: ({"a": carry, "b": x}, x), (1.0, 2.0), ug.ones(count))
    shown = [str(ug.tree.structure(one)) for one in ((1, 1), {"a": 1, "b": 1})]
    # Only the first step is needed to see it.
    assert str(caught.value).startswith(f"scan: the carry changed its structure from {shown[0]}")
    assert "{'a': " in str(caught.value)


def test_results_of_several_shapes(backend):
    with pytest.raises(ug.ShapeError, match="stack"):
        ug.scan(changing(np.ones(2), np.ones(3)), 0.0, ug.ones(2))


def test_a_library_without_kernels_of_loops():
    numpy = type(load_backend("numpy"))
    table = {name: kernel for name, kernel in numpy.kernels.items() if name != "scan"}
    bare = type("Bare", (numpy,), {"name": "bare", "kernels": table})()

    def loss(x):
        y = ug.while_loop(lambda v: ug.sum(v) < 9.0, lambda v: v * x + 1.0, x, max_steps=8)
        last, ys = ug.scan(lambda c, row: (c * row, c + y), x[0], x, reverse=True)
        return ug.sum(ug.cond(last > 0.0, lambda: ys * last, lambda: ys))

    x = np.asarray([1.0, 2.0, 0.5])
    wanted = [loss(ug.asarray(x)), ug.grad(loss)(ug.asarray(x))]
    runs = [ug.jit(loss), ug.jit(ug.grad(loss))]
    for run, value in zip(runs, wanted, strict=True):
        np.testing.assert_allclose(run(wrap(bare, x)).numpy(), value.numpy(), rtol=1e-12)
