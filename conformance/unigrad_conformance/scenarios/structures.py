"""Targets, sources and cotangents in structures; Jacobians."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.scenarios.scenario import Api, scenario


@scenario({"a": 4.0, "b": [1.0, None]})
def nested_sources(api: Api) -> Any:
    x, y, z = api.constant(2.0), api.constant(3.0), api.constant(4.0)
    with api.GradientTape() as tape:
        tape.watch([x, y, z])
        w = x * x + y
    return tape.gradient(w, {"a": x, "b": [y, z]})


@scenario([[6.0], [1.0]])
def lists_of_lists_of_sources(api: Api) -> Any:
    x, y = api.constant(3.0), api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch([[x], [y]])
        w = x * x + y
    return tape.gradient(w, [[x], [y]])


@scenario(16.0)
def several_targets_are_summed(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = x * x * x
    return tape.gradient([y, z], x)


@scenario(16.0)
def targets_in_a_dictionary(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = {"square": x * x, "cube": x * x * x}
    return tape.gradient(y, x)


@scenario(8.0)
def same_target_twice(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.gradient([y, y], x)


@scenario([16.0, 4.0])
def target_and_what_it_is_made_of(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = 3.0 * y
    return tape.gradient([y, z], [x, y])


@scenario(4.0)
def one_of_two_targets_is_unconnected(api: Api) -> Any:
    x, c = api.constant(2.0), api.constant(1.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        z = c + 1.0
    return tape.gradient([y, z], x)


@scenario([20.0, 80.0])
def cotangent_of_the_target(api: Api) -> Any:
    x = api.constant([1.0, 2.0])
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.gradient(y, x, output_gradients=api.constant([10.0, 20.0]))


@scenario(52.0)
def cotangents_in_a_list(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y, z = x * x, x * x * x
    return tape.gradient([y, z], x, output_gradients=[api.constant(10.0), api.constant(1.0)])


@scenario(124.0, as_tensorflow=False)  # TensorFlow 2.21 fails on the None that its page allows
def cotangent_left_out(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y, z = x * x, x * x * x
    return tape.gradient([y, z], x, output_gradients=[None, api.constant(10.0)])


@scenario([[2.0, 0.0], [0.0, 4.0]])
def jacobian_of_a_square(api: Api) -> Any:
    x = api.constant([1.0, 2.0])
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.jacobian(y, x)


@scenario([[[[[1.0, 3.0]]]], [[[[2.0], [5.0]]]]])
def jacobian_by_two_sources(api: Api) -> Any:
    a, b = api.constant([[2.0, 5.0]]), api.constant([[1.0], [3.0]])
    with api.GradientTape() as tape:
        tape.watch([a, b])
        y = api.matmul(a, b)
    return tape.jacobian(y, [a, b])


@scenario([2.0, 4.0])
def jacobian_of_a_scalar_is_its_gradient(api: Api) -> Any:
    x = api.constant([1.0, 2.0])
    with api.GradientTape() as tape:
        tape.watch(x)
        y = api.sum(x * x)
    return tape.jacobian(y, x)


@scenario([None, [[1.0, 0.0], [0.0, 1.0]]])
def jacobian_of_an_unconnected_source(api: Api) -> Any:
    x, z = api.constant([1.0, 2.0]), api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch([x, z])
        y = 1.0 * x
    return [tape.jacobian(y, z), tape.jacobian(y, x)]


@scenario([[[2.0, 0.0], [0.0, 4.0]], [[6.0, 0.0], [0.0, 8.0]]])
def batch_jacobian_of_a_square(api: Api) -> Any:
    x = api.constant([[1.0, 2.0], [3.0, 4.0]])
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.batch_jacobian(y, x)


@scenario([[2.0, 0.0], [0.0, 2.0]])
def jacobian_of_a_gradient_is_the_hessian(api: Api) -> Any:
    x = api.constant([1.0, 2.0])
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            y = api.sum(x * x)
        slope = inner.gradient(y, x)
    return outer.jacobian(slope, x)


@scenario([[], None, []])
def jacobian_of_no_elements(api: Api) -> Any:
    x, z = api.constant([1.0, 2.0]), api.constant([3.0, 4.0])
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = (x * x)[:0]
    return [
        tape.jacobian(y, x),
        tape.jacobian(y, z),
        tape.jacobian(y, z, unconnected_gradients="zero"),
    ]


@scenario([[[[0.0, 0.0], [0.0, 0.0]]], [[]]])
def batch_jacobian_of_what_is_not_connected(api: Api) -> Any:
    x, z = api.constant([[1.0, 2.0]]), api.constant([[3.0, 4.0]])
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        none = y[:, :0]
    return [tape.batch_jacobian(y, z), tape.batch_jacobian(none, x)]
