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
