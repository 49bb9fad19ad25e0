"""One identity per value: what shares an array, or is handed through, is no other's source."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.scenarios.scenario import Api, scenario


@scenario([12.0, 3.0])
def watched_by_another_between_two_blocks(api: Api) -> Any:
    x = api.constant(2.0)
    first, second = api.GradientTape(persistent=True), api.GradientTape()
    with first:
        first.watch(x)
        y = x * x
    with second:
        second.watch(x)
        w = x * 3.0
    with first:
        z = y * x
    return [first.gradient(z, x), second.gradient(w, x)]


@scenario([12.0, 4.0, 4.0, None])
def an_intermediate_watched_by_another_between_two_blocks(api: Api) -> Any:
    x = api.constant(2.0)
    first, second = api.GradientTape(persistent=True), api.GradientTape(persistent=True)
    with first:
        first.watch(x)
        y = x * x
    with second:
        second.watch(y)
    with first, second:
        z = y * x
    with second:
        w = y * x
    return [
        first.gradient(z, x),
        second.gradient(w, y) + 2.0,
        second.gradient(z, y) + 2.0,
        first.gradient(w, x),
    ]


@scenario([6.0, 3.0, 1.0])
def what_a_layer_handed_through_is_no_variable(api: Api) -> Any:
    v = api.variable(3.0)
    first, second = api.GradientTape(persistent=True), api.GradientTape(persistent=True)
    with first:
        h = api.passed(v)
    z = h * 2.0
    with second:
        y, w = v * z, v * h
    return [second.gradient(y, v), second.gradient(w, v), first.gradient(h, v)]


@scenario([3.0, 5.0, 9.0])
def writing_to_what_a_layer_handed_through(api: Api) -> Any:
    v, x = api.variable(3.0), api.constant(5.0)
    of_v, of_x = api.passed(v), api.passed(x)
    of_v, of_x = api.written(of_v, api.constant(9.0)), api.written(of_x, api.constant(9.0))
    return [v, x, of_v]


@scenario([4.0, None])
def an_assigned_result_is_a_constant(api: Api) -> Any:
    x, v = api.constant(2.0), api.variable(1.0, trainable=False)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        v.assign(y)
        z, w = v * x, v * 3.0
    return [tape.gradient(z, x), tape.gradient(w, x)]


@scenario([4.0, 16.0])
def what_another_computed_in_a_pause_and_this_one_watches(api: Api) -> Any:
    x = api.constant(2.0)
    first, second = api.GradientTape(persistent=True), api.GradientTape(persistent=True)
    with first, second:
        first.watch(x)
        second.watch(x)
        y = x * 1.0
        with second.stop_recording():
            z = y * y
        second.watch(z)
        w = z * y
    # To `second` z is a source: what it was computed from is not in its sight.
    return [second.gradient(w, x), first.gradient(w, x) + 4.0]


@scenario([3.0, 5.0])
def a_cotangent_that_is_watched(api: Api) -> Any:
    x, c = api.constant(5.0), api.constant(2.0)
    with api.GradientTape(persistent=True) as outer:
        outer.watch([x, c])
        with api.GradientTape(persistent=True) as inner:
            inner.watch(x)
            y, z = 3.0 * x, 0.5 * x * x
        slope = inner.gradient(y, x, output_gradients=c)
        other = inner.gradient(z, x, output_gradients=c)
    return [outer.gradient(slope, c), outer.gradient(other, c)]


@scenario([2.0, 4.0])
def a_value_used_before_and_after_it_is_watched_again(api: Api) -> Any:
    x = api.constant(1.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        early = x * 2.0
        with api.GradientTape() as inner:
            inner.watch(x)
            y = early * x
    return [inner.gradient(y, x), outer.gradient(y, x)]


@scenario([[1.0, 2.0], [2.0, 4.0]])
def a_part_that_is_the_whole_is_a_value_of_its_own(api: Api) -> Any:
    x = api.constant([1.0, 2.0])
    with api.GradientTape() as tape:
        tape.watch(x)
        part = api.part(x)
        y = part * x
    return tape.gradient(y, [part, x])
