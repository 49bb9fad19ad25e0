"""Python numbers and lists beside tensors: no digit lost on the way, nothing that does not fit."""

import numpy as np
import pytest

import unigrad as ug


def _double(values):
    return ug.asarray(values, dtype="float64")


@pytest.mark.parametrize(
    "taken",
    [
        lambda x: ug.Variable(0.1, dtype="float64"),
        lambda x: ug.Variable(_double(0.0)).assign(0.1),
        lambda x: ug.Variable(_double([0.0])).assign([0.1])[0],
        lambda x: (x * 0.0 + [0.1, 0.1])[0],
        lambda x: x.at[0].set(0.1)[0],
        lambda x: (x * 0.0).at[0].add(0.1)[0],
        lambda x: ug.stack([x[0], 0.1])[1],
        lambda x: ug.asarray([x[0], 0.1])[1],
        lambda x: ug.concat([x, [0.1]])[-1],
        lambda x: ug.where(x > 5.0, x, [0.1, 0.1])[0],
        lambda x: ug.vjp(lambda t: t * 1.0, x[0])[1](0.1)[0],
        lambda x: ug.jvp(lambda t: t * 1.0, (x[0],), (0.1,))[1],
    ],
)
def test_a_python_float_keeps_its_digits_beside_float64(backend, taken):
    assert float(taken(_double([1.0, 2.0]))) == 0.1


def test_assigned_and_given_values_keep_their_digits(backend):
    x = _double([1.0, 2.0])
    x[0] = 0.1
    assert x.tolist() == [0.1, 2.0]
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = x[0] * 1.0
    assert tape.gradient(y, x, output_gradients=0.1).tolist() == [0.1, 0.0]


def test_narrower_dtypes_stay_what_they_were(backend):
    assert ug.add(ug.asarray([1.0], dtype="float16"), [0.1]).dtype == ug.float32
    assert ug.add(ug.asarray([1]), [0.5]).dtype == ug.float32
    assert (ug.asarray([1.0]) + 0.1).dtype == ug.float32


def test_a_list_of_tensors_is_differentiable_and_traceable(backend):
    x = ug.asarray(3.0)
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.asarray([[x, 1.0], [2.0, x * x]]).sum()
    assert float(tape.gradient(y, x)) == 7.0
    assert ug.jit(lambda t: ug.asarray([t, 2.0 * t]))(x).tolist() == [3.0, 6.0]


@pytest.mark.parametrize(
    ("dtype", "integer"), [("uint8", 300), ("uint8", -1), ("int8", 128), ("int64", 2**63)]
)
def test_an_integer_that_does_not_fit_is_refused(backend, dtype, integer):
    x = ug.asarray([1], dtype=dtype)
    for call in (
        lambda: x + integer,
        lambda: integer * x,
        lambda: x < integer,
        lambda: ug.full_like(x, integer),
        lambda: ug.full((2,), integer, dtype=dtype),
        lambda: ug.asarray([integer], dtype=dtype),
        lambda: x.at[0].set(integer),
    ):
        with pytest.raises(ug.DTypeError, match=f"{integer}|bounds|too large|out of"):
            call()


def test_large_integers_beside_floats(backend):
    x = ug.asarray([1.0, 2.0])
    assert (x + 2**70).tolist() == [float(np.float32(2.0**70))] * 2
    assert (x * 10**30).dtype == ug.float32
    assert (x * 1000).tolist() == (1000 * x).tolist() == [1000.0, 2000.0]
    assert (x - 2**31).tolist() == [-(2.0**31)] * 2
    with pytest.raises(ug.DTypeError):
        x + 10**400
    assert ug.clip(x, -(2**70), 10**400).tolist() == [1.0, 2.0]
    assert ug.clip(x, 2**63, 2**64).tolist() == [2.0**63] * 2
    assert ug.clip(ug.asarray([2**63 + 5], dtype="uint64"), 0, 2**64).tolist() == [2**63 + 5]
    assert ug.grad(lambda x: ug.sum(ug.clip(x, -(2**70), 2**70)))(x).tolist() == [1.0, 1.0]
    with pytest.raises(ug.DTypeError, match="64 bits"):
        ug.full((2,), 2**70)


def test_large_unsigned_integers_are_exact(backend):
    assert ug.asarray([2**63 + 5, 3], dtype="uint64").tolist() == [2**63 + 5, 3]
    assert int(ug.asarray(2**63)) == 2**63


def test_an_array_of_the_other_byte_order_is_taken(backend):
    assert ug.asarray(np.arange(3, dtype=">i4")).tolist() == [0, 1, 2]
    assert ug.asarray(np.arange(3, dtype=">f8")).dtype == ug.float64


def test_settings_that_compare_equal_keep_their_types(backend):
    floats, integers = ug.asarray([0.0, 2.0]), ug.asarray([0, 2])
    for _ in range(2):
        assert ug.clip(floats, 1.0, 5.0).dtype == ug.float32
        assert ug.clip(integers, 1, 5).dtype == ug.int64
    assert ug.clip(integers, 1, 5).tolist() == [1, 2]
