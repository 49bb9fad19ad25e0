"""Watching, asking, and asking again."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.scenarios.scenario import Api, error_of, scenario


@scenario(6.0)
def square_of_a_watched_tensor(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.gradient(y, x)


@scenario(None)
def unwatched_tensor(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, x)


@scenario([4.0, None])
def one_watched_one_not(api: Api) -> Any:
    x, z = api.constant(2.0), api.constant(5.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x + z
    return tape.gradient(y, [x, z])


@scenario([6.0, 27.0])
def persistent_tape_is_asked_twice(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = x * y
    return [tape.gradient(y, x), tape.gradient(z, x)]


@scenario([6.0, "RuntimeError"])
def second_use_raises(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return [tape.gradient(y, x), error_of(lambda: tape.gradient(y, x))]


@scenario("RuntimeError")
def second_use_raises_after_a_jacobian(api: Api) -> Any:
    x = api.constant([1.0, 2.0])
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.jacobian(y, x)
    return error_of(lambda: tape.gradient(y, x))


@scenario([6.0, 108.0])
def persistent_tape_asked_inside_its_own_block(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        first = tape.gradient(y, x)
        z = y * y
    return [first, tape.gradient(z, x)]


@scenario([6.0, 2.0])
def persistent_tape_records_its_own_gradient(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        first = tape.gradient(y, x)
    return [first, tape.gradient(first, x)]


@scenario(6.0)
def one_shot_tape_asked_inside_its_own_block(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        return tape.gradient(y, x)


@scenario(4.0)
def watching_twice_counts_once(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        tape.watch(x)
        y = x * x
    return tape.gradient(y, x)


@scenario(3.0)
def watch_in_the_middle(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        early = x * x
        tape.watch(x)
        y = early + 3.0 * x
    return tape.gradient(y, x)


@scenario(None)
def computed_before_the_tape(api: Api) -> Any:
    x = api.constant(2.0)
    y = x * x
    with api.GradientTape() as tape:
        tape.watch(x)
        z = 2.0 * y
    return tape.gradient(z, x)


@scenario(None)
def computed_after_the_tape(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    z = 2.0 * y
    return tape.gradient(z, x)


@scenario([None, 4.0])
def partly_outside(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
    z = y * x
    return [tape.gradient(z, x), tape.gradient(y, x)]


@scenario([[2.0, 4.0], 12.0])
def target_that_is_no_scalar_is_summed(api: Api) -> Any:
    x, s = api.constant([1.0, 2.0]), api.constant(2.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch([x, s])
        y = x * x
        z = s * s * x
    return [tape.gradient(y, x), tape.gradient(z, s)]


@scenario([[3.0, 3.0], [[2.0], [2.0], [2.0]]])
def broadcasting_is_undone(api: Api) -> Any:
    x, y = api.constant([1.0, 2.0]), api.constant([[1.0], [2.0], [3.0]])
    with api.GradientTape() as tape:
        tape.watch([x, y])
        z = x + y
    return tape.gradient(z, [x, y])


@scenario(1.0)
def source_is_also_the_target(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
    return tape.gradient(x, x)


@scenario(1.0)  # the one exception for a value that nobody watches
def unwatched_source_is_also_the_target(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        x * x
    return tape.gradient(x, x)


@scenario(1.0)
def intermediate_is_also_the_target(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.gradient(y, y)


@scenario([6.0, 6.0])
def same_source_twice(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return tape.gradient(y, [x, x])


@scenario([10.0, 60.0])
def intermediate_source(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x - 4.0
        z = y * y
    return tape.gradient(z, [y, x])


@scenario([13.0, 9.0])
def intermediate_source_beside_a_path_around_it(api: Api) -> Any:
    # z = x y + 5 y with y = x: by x it is 2 x + 5, by y alone x + 5.
    x = api.constant(4.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = 1.0 * x
        z = x * y + 5.0 * y
    return tape.gradient(z, [x, y])


@scenario(None)
def unconnected_source(api: Api) -> Any:
    x, z = api.constant(3.0), api.constant(4.0)
    with api.GradientTape() as tape:
        tape.watch([x, z])
        y = x * x
    return tape.gradient(y, z)


@scenario([[0.0, 0.0], 6.0, 0.0])
def unconnected_gives_zeros_when_asked(api: Api) -> Any:
    x, z, w = api.constant(3.0), api.constant([4.0, 5.0]), api.constant(1.0)
    with api.GradientTape() as tape:
        tape.watch([x, z])
        y = x * x
    return tape.gradient(y, [z, x, w], unconnected_gradients="zero")


@scenario("ValueError")
def unknown_word_for_unconnected(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    return error_of(lambda: tape.gradient(y, x, unconnected_gradients="nothing"))


@scenario([None, 0.0])
def stopped_gradient_is_unconnected(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = api.stop_gradient(x * x)
    return [tape.gradient(y, x), tape.gradient(y, x, unconnected_gradients="zero")]


@scenario(9.0)
def stopped_gradient_is_a_constant(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = api.stop_gradient(x * x) * x
    return tape.gradient(y, x)


@scenario([None, None])
def integer_source(api: Api) -> Any:
    x, n = api.constant(3.0), api.integer(2)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        tape.watch(n)
        y = n * n
        z = 2.0 * x
    return [tape.gradient(y, n), tape.gradient(z, n)]


@scenario(None)
def path_through_integers(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = api.to_integer(x) * 2
    return tape.gradient(y, x)


@scenario([[3.0, 3.0], None])
def zero_times_a_slope_is_connected(api: Api) -> Any:
    x, z = api.constant([1.0, 2.0]), api.constant(1.0)
    with api.GradientTape() as tape:
        tape.watch([x, z])
        y = 3.0 * x + 0.0 * api.sin(x)
    return tape.gradient(y, [x, z])


@scenario([[[2.0, 3.0]], [[1.0], [3.0]]])
def product_of_matrices(api: Api) -> Any:
    a, b = api.constant([[1.0, 3.0]]), api.constant([[2.0], [3.0]])
    with api.GradientTape() as tape:
        tape.watch([a, b])
        y = api.matmul(a, b)
    return tape.gradient(y, [a, b])
