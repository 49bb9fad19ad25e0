"""`ug.grad` and its kin, on every backend."""

import warnings
from typing import Any

import numpy as np
import pytest

import unigrad as ug


def test_grad_and_value(backend: str) -> None:
    def f(w: dict[str, ug.Tensor], x: ug.Tensor) -> ug.Tensor:
        return (w["a"] * x + w["b"]).sum()

    x = ug.asarray([1.0, 2.0])
    weights = {"a": ug.asarray([3.0, 4.0]), "b": ug.asarray(0.5)}
    value, gradient = ug.value_and_grad(f)(weights, x)
    assert float(value) == 12.0
    assert gradient["a"].tolist() == [1.0, 2.0]
    assert float(gradient["b"]) == 2.0
    both = ug.grad(f, argnums=(0, 1))(weights, x)
    assert both[1].tolist() == [3.0, 4.0]


def test_has_aux(backend: str) -> None:
    gradient, aux = ug.grad(lambda x: (x * x, {"twice": 2 * x}), has_aux=True)(3.0)
    assert float(gradient) == 6.0
    assert float(aux["twice"]) == 6.0


def test_unconnected_is_zero(backend: str) -> None:
    with pytest.warns(ug.GradientWarning, match="argument 0"):
        assert ug.grad(lambda x, y: y * 2.0, argnums=0)(1.0, 2.0).item() == 0.0
    # A part of an argument may be left unused without a word.
    found = ug.grad(lambda one: one["used"] * 2.0)({"used": 1.0, "unused": 2.0})
    assert {name: float(one) for name, one in found.items()} == {"used": 2.0, "unused": 0.0}


def test_closures_are_constants(backend: str) -> None:
    z = ug.asarray(3.0)
    assert float(ug.grad(lambda x: x * z)(z)) == 3.0


def test_nested_to_order_four(backend: str) -> None:
    f = ug.sin
    for _ in range(4):
        f = ug.grad(f)
    assert float(f(0.7)) == pytest.approx(np.sin(0.7), rel=1e-5)


def test_grad_inside_a_tape(backend: str) -> None:
    x = ug.Variable(2.0)
    with ug.GradientTape() as tape:
        slope = ug.grad(lambda t: t * t * x)(x)
    # d/dx of 2 t x at t = x, the argument and the closure both counting: 4 x.
    assert float(tape.gradient(slope, x)) == 8.0


def test_perturbations_do_not_mix(backend: str) -> None:
    def inner(x: ug.Tensor) -> ug.Tensor:
        return x * ug.jvp(lambda y: x + y, (1.0,), (1.0,))[1]

    assert float(ug.jvp(inner, (3.0,), (1.0,))[1]) == 1.0
    assert float(ug.grad(lambda x: x * ug.grad(lambda y: x + y)(1.0))(3.0)) == 1.0


def test_forward_and_reverse_nest_either_way(backend: str) -> None:
    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.sin(x) * ug.exp(x)

    expected = 2 * np.cos(0.3) * np.exp(0.3)
    over_reverse = ug.jvp(ug.grad(f), (0.3,), (1.0,))[1]
    over_forward = ug.grad(lambda x: ug.jvp(f, (x,), (1.0,))[1])(0.3)
    twice = ug.jvp(lambda x: ug.jvp(f, (x,), (1.0,))[1], (0.3,), (1.0,))[1]
    for found in (over_reverse, over_forward, twice):
        assert float(found) == pytest.approx(expected, rel=1e-5)


def test_vjp_any_number_of_times(backend: str) -> None:
    x = ug.asarray([1.0, 2.0])
    out, pullback = ug.vjp(lambda x: x * x, x)
    assert out.tolist() == [1.0, 4.0]
    assert pullback([1.0, 0.0])[0].tolist() == [2.0, 0.0]
    assert pullback([0.0, 1.0])[0].tolist() == [0.0, 4.0]


def test_stop_gradient(backend: str) -> None:
    assert float(ug.grad(lambda x: x * ug.stop_gradient(x))(3.0)) == 3.0
    assert float(ug.jvp(lambda x: x * ug.stop_gradient(x), (3.0,), (1.0,))[1]) == 3.0


def test_scan_carries_and_differentiates(backend: str) -> None:
    def total(x: ug.Tensor) -> ug.Tensor:
        carry, results = ug.scan(lambda c, row: (c * row, c), ug.asarray(1.0), x)
        return carry + results.sum()

    x = np.array([2.0, 3.0, 4.0], np.float32)
    # carry = xyz, results = 1 + x + xy
    expected = [3 * 4 + 1 + 3, 2 * 4 + 2, 2 * 3]
    assert ug.grad(total)(ug.asarray(x)).tolist() == expected
    _, backwards = ug.scan(lambda c, row: (c + row, c + row), ug.asarray(0.0), x, reverse=True)
    assert backwards.tolist() == [9.0, 7.0, 4.0]


def test_bad_calls(backend: str) -> None:
    with pytest.raises(ug.ShapeError, match="scalar"):
        ug.grad(lambda x: x * 2.0)(ug.asarray([1.0, 2.0]))
    with pytest.raises(ug.DTypeError, match="int64"):
        ug.grad(lambda x: x * 2)(3)
    with pytest.raises(ug.ShapeError, match="carry"):
        ug.scan(lambda c, x: ((c, c), x), ug.asarray(1.0), ug.asarray([1.0]))
    with pytest.raises(ug.ShapeError, match="length"):
        ug.scan(lambda c, x: (c, x), 0.0)
    with pytest.raises(ug.ShapeError, match="structure"):
        ug.jvp(lambda x: x, (1.0,), (1.0, 2.0))


def test_a_value_that_outlived_its_tape_is_a_constant_to_the_next(backend):
    v = ug.Variable(3.0)
    tangents = ug.ForwardAccumulator(v, ug.asarray(1.0))
    with ug.GradientTape() as first:
        before = v * 1.0
        tangents.__enter__()
        y = v * v
    tangents.__exit__()
    assert float(tangents.jvp(y)) == 6.0
    assert float(first.gradient([y, before], v)) == 7.0
    del first
    with ug.GradientTape() as second:
        z = y * v
    assert float(second.gradient(z, v)) == 9.0


def test_derivatives_that_are_zero_are_no_reason_to_warn(backend: str) -> None:
    x = ug.asarray([1.5, 2.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ug.hvp(lambda x: ug.sum(x * 3.0), (x,), (x,)).tolist() == [0.0, 0.0]
        assert not ug.hessian(lambda x: ug.sum(x))(x).numpy().any()
        assert ug.jvp(ug.floor, (x,), (x,))[1].tolist() == [0.0, 0.0]
        assert not ug.jacobian(ug.floor, mode="forward")(x).numpy().any()
    with pytest.warns(ug.GradientWarning, match="not computed from the arguments"):
        ug.jvp(lambda _: ug.ones(2), (x,), (x,))


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_an_infinite_slope_on_the_side_not_taken_is_nan_in_programs_too(backend: str) -> None:
    def f(x: ug.Tensor) -> ug.Tensor:
        return ug.where(x > 0, ug.sqrt(x), 0.0)

    x = ug.asarray(0.0)
    for run in (ug.grad(f), lambda x: ug.jvp(f, (x,), (ug.ones(()),))[1]):
        assert np.isnan(float(run(x)))
        assert np.isnan(float(ug.jit(run)(x)))


@pytest.mark.parametrize("mode", ["auto", "forward", "reverse"])
def test_jacobian_with_aux(backend: str, mode: Any) -> None:
    def f(x: ug.Tensor) -> Any:
        return x * x, {"twice": 2.0 * x, "name": "f"}

    x = ug.asarray([1.0, 2.0])
    found, aux = ug.jacobian(f, mode=mode, has_aux=True)(x)
    assert found.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert aux["twice"].tolist() == [2.0, 4.0]
    assert aux["name"] == "f"
    second, aux = ug.hessian(lambda x: (ug.sum(x**3), x + 1.0), has_aux=True)(x)
    assert second.tolist() == [[6.0, 0.0], [0.0, 12.0]]
    assert aux.tolist() == [2.0, 3.0]
    # What is beside is computed from the arguments.
    beside = ug.grad(lambda x: ug.sum(ug.jacobian(f, mode=mode, has_aux=True)(x)[1]["twice"]))(x)
    assert beside.tolist() == [2.0, 2.0]


def test_number_of_examples(backend: str) -> None:
    x = ug.asarray([1.0, 2.0])
    assert ug.vmap(lambda: x + 1.0, axis_size=3)().tolist() == [[2.0, 3.0]] * 3
    keys = ug.random.split(ug.random.key(0), 2)
    assert ug.vmap(ug.random.uniform, axis_size=2)(keys).shape == (2,)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_map_in_batches(backend: str, size: int) -> None:
    x = ug.asarray([1.0, 2.0, 3.0, 4.0, 5.0])
    for run in (lambda f: f, ug.jit):
        squares = run(lambda x: ug.map(lambda one: {"s": one * one}, x, batch_size=size))(x)
        assert squares["s"].tolist() == [1.0, 4.0, 9.0, 16.0, 25.0]
    slopes = ug.grad(lambda x: ug.sum(ug.map(lambda one: one**3, x, batch_size=size)))(x)
    assert slopes.tolist() == [3.0, 12.0, 27.0, 48.0, 75.0]


def test_derivatives_by_hand_have_the_dtypes_of_values(backend: str) -> None:
    def wide(x: ug.Tensor) -> ug.Tensor:
        return ug.astype(x, "float64")

    f, g = ug.custom_vjp(lambda x: x * 2.0), ug.custom_jvp(lambda x: x * 2.0)
    f.defvjp(lambda x: (x * 2.0, None), lambda _, g: (wide(g),))
    g.defjvp(lambda primals, tangents: (primals[0] * 2.0, wide(tangents[0])))
    x = ug.asarray(1.0)
    for run in (lambda f: f, ug.jit):
        assert run(ug.grad(f))(x).dtype == run(ug.grad(g))(x).dtype == ug.float32
        assert run(lambda x: ug.jvp(g, (x,), (x,)))(x)[1].dtype == ug.float32


def test_a_gradient_of_several_results(backend: str) -> None:
    with pytest.raises(ug.ShapeError, match="a tuple of 2, not a scalar: with has_aux"):
        ug.grad(lambda x: (x, x))(1.0)


def test_batches_of_cotangents_lead_to_variables(backend: str) -> None:
    weight, x = ug.Variable([0.3, 0.5]), ug.asarray([0.7, -0.4])
    rows = ug.asarray([[1.0, 2.0], [0.5, -1.0]])

    def gradient(mapped: bool) -> list[list[float]]:
        with ug.GradientTape() as tape:
            tape.watch(x)
            _, pullback = ug.vjp(lambda x: ug.tanh(x * weight), x)
            weight.assign([9.0, 9.0])
            total = ug.zeros(2)
            for scale in (1.0, 2.0):
                if mapped:
                    total = total + ug.sum(ug.vmap(pullback)(scale * rows)[0], axis=0)
                else:
                    total = total + sum(pullback(scale * row)[0] for row in rows)
        weight.assign([0.3, 0.5])
        return [one.tolist() for one in tape.gradient(total, [weight, x])]

    np.testing.assert_allclose(gradient(True), gradient(False), rtol=1e-5)
    np.testing.assert_allclose(gradient(True)[0], [3.93283, 2.65551], rtol=1e-5)


def test_second_derivatives_through_a_mask(backend: str) -> None:
    x, mask = ug.asarray(np.arange(6.0).reshape(3, 2)), np.array([True, False, True])

    def cubes(x: ug.Tensor) -> ug.Tensor:
        return ug.sum(ug.boolean_mask(x, ug.asarray(mask), axis=0) ** 3)

    found = ug.grad(lambda x: ug.sum(ug.grad(cubes)(x)))(x)
    np.testing.assert_allclose(found.numpy(), 6.0 * x.numpy() * mask[:, None])


def test_no_examples_of_indices(backend: str) -> None:
    x, index = ug.zeros((0, 3, 4)), ug.zeros((0, 2), dtype="int64")
    assert ug.vmap(lambda x, i: ug.take(x, i, axis=0))(x, index).shape == (0, 2, 4)
    assert ug.take(ug.zeros((0, 4)), index, axis=0).shape == (0, 2, 4)
