"""What one tape sees of another: of its watching, its pauses, its gradients."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.scenarios.scenario import Api, scenario


@scenario([None, 2.0])
def a_constant_gradient_is_no_source(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            y = x * 2.0
        slope = inner.gradient(y, x)
        z = slope * x
    return outer.gradient(z, [slope, x])


@scenario([0, 1])
def watching_a_variable_tells_one_tape(api: Api) -> Any:
    v = api.variable(3.0)
    with api.GradientTape() as outer, api.GradientTape() as inner:
        outer.watch(v)
    return [len(inner.watched_variables()), len(outer.watched_variables())]


@scenario([8.0, 2.0])
def a_variable_read_by_tapes_in_turn(api: Api) -> Any:
    v = api.variable(3.0)
    first, second = api.GradientTape(), api.GradientTape()
    with first:
        x = 2.0 * v
        with first.stop_recording(), second:
            y = 2.0 * v
        z = x + v * v
    return [first.gradient(z, v), second.gradient(y, v)]


@scenario(None)
def jacobian_of_an_unwatched_source_by_itself(api: Api) -> Any:
    x = api.constant([1.0, 2.0])
    with api.GradientTape() as tape:
        pass
    return tape.jacobian(x, x)


@scenario([9.0, 27.0])
def a_tape_entered_again_inside_another(api: Api) -> Any:
    v = api.variable(3.0)
    first, second = api.GradientTape(persistent=True), api.GradientTape(persistent=True)
    with first:
        y = v * v
    with second:
        x = 2.0 * v
        with first:
            z = y * v + 0.0 * x
    # What `first` alone saw of v is not in the sight of `second`.
    return [second.gradient(z, v), first.gradient(z, v)]


@scenario([48.0, 12.0])
def an_intermediate_that_an_inner_tape_watches_later(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape(persistent=True) as outer:
        outer.watch(x)
        y = x * x
        z = y * y * y
        with api.GradientTape() as inner:
            inner.watch(y)
            w = y * y * y
        inner.gradient(w, y)
        v = z + w
    # Uses of y from before and from after the inner tape count alike.
    return [outer.gradient(z, y), 0.125 * outer.gradient(v, y)]


# TensorFlow knows nothing of a path through a bool or an integer: there the next three are None.
@scenario([3.0, 3.0], as_tensorflow=False)
def a_step_on_two_tapes(api: Api) -> Any:
    x = api.constant(1.5)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            step = api.step(x)
            y = step * 3.0
    return [outer.gradient(y, step), inner.gradient(y, step)]


@scenario([3.0, 6.0], as_tensorflow=False)
def second_order_by_a_step(api: Api) -> Any:
    x = api.constant(1.5)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            step = api.step(x)
            y = step * step * step
        slope = inner.gradient(y, step)
    return [slope, outer.gradient(slope, step)]


@scenario([6.0, 6.0], as_tensorflow=False)
def one_tape_watches_the_condition_and_another_the_values(api: Api) -> Any:
    x, w = api.constant(1.0), api.constant(3.0)
    with api.GradientTape() as outer:
        outer.watch(w)
        with api.GradientTape() as inner:
            inner.watch(x)
            chosen = api.choice(x, w, 2.0 * w)
            y = chosen * chosen
    return [inner.gradient(y, chosen), outer.gradient(y, w)]


@scenario([36.0, 108.0, 36.0])
def a_value_of_both_that_one_of_them_uses_in_a_pause(api: Api) -> Any:
    # y = 4 x², of which the inner tape sees nothing, though it has seen a = 2 x.
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            a = x * 2.0
            with inner.stop_recording():
                y = a * a
            z = y * x
    return [inner.gradient(z, x), outer.gradient(z, x), outer.gradient(z, a)]


@scenario([36.0, 108.0])
def a_value_of_both_that_one_uses_while_the_other_is_left(api: Api) -> Any:
    x = api.constant(3.0)
    first, second = api.GradientTape(), api.GradientTape()
    with first, second:
        first.watch(x)
        second.watch(x)
        a = x * 2.0
    with second:
        y = a * a
    with first, second:
        z = y * x
    return [first.gradient(z, x), second.gradient(z, x)]


# On TensorFlow the two gradients are one tensor, and each derivative by them 8.
@scenario([[3.0, 5.0, 8.0], [3.0, 5.0, 8.0]], as_tensorflow=False)
def gradients_by_two_sources_are_two_values(api: Api) -> Any:
    x, y, c = api.constant(1.5), api.constant(2.5), api.constant(2.0)
    with api.GradientTape(persistent=True) as outer:
        outer.watch(c)
        with api.GradientTape(persistent=True) as inner:
            inner.watch([x, y])
            z = x + y
            scaled = z * c
        handed = inner.gradient(z, [x, y], output_gradients=c)
        through = inner.gradient(scaled, [x, y])
        pairs = [handed, through]
        sums = [3.0 * by_x + 5.0 * by_y for by_x, by_y in pairs]
    return [outer.gradient(total, [*pair, c]) for total, pair in zip(sums, pairs, strict=True)]


@scenario([None, 3.0, None])
def sources_without_a_derivative_beside_one_with(api: Api) -> Any:
    x, other = api.constant(1.5), api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        positive = x > 0.0
        y = x * x
    return tape.gradient(y, [positive, x, other])
