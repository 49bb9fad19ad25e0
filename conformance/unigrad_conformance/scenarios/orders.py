"""Tapes inside tapes: higher orders, and tapes that overlap."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.scenarios.scenario import Api, scenario


@scenario([12.0, 12.0])
def second_order(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            y = x * x * x
        first = inner.gradient(y, x)
    return [first, outer.gradient(first, x)]


@scenario([32.0, 48.0, 48.0, 24.0])
def up_to_fourth_order(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as fourth:
        fourth.watch(x)
        with api.GradientTape() as third:
            third.watch(x)
            with api.GradientTape() as second:
                second.watch(x)
                with api.GradientTape() as first:
                    first.watch(x)
                    y = x * x * x * x
                d1 = first.gradient(y, x)
            d2 = second.gradient(d1, x)
        d3 = third.gradient(d2, x)
    return [d1, d2, d3, fourth.gradient(d3, x)]


@scenario([0.28366218546322625, 0.9589242746631385, -0.28366218546322625])
def third_order_of_a_sine(api: Api) -> Any:
    x = api.constant(5.0)
    with api.GradientTape() as third:
        third.watch(x)
        with api.GradientTape() as second:
            second.watch(x)
            with api.GradientTape() as first:
                first.watch(x)
                y = api.sin(x)
            d1 = first.gradient(y, x)
        d2 = second.gradient(d1, x)
    return [d1, d2, third.gradient(d2, x)]


@scenario([3.0, None])
def second_derivative_of_a_linear_function(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            y = 3.0 * x
        first = inner.gradient(y, x)
    return [first, outer.gradient(first, x)]


@scenario([7.0, 2.0, 1.0, None])
def mixed_second_derivatives_of_a_product(api: Api) -> Any:
    x, y = api.constant(2.0), api.constant(7.0)
    with api.GradientTape(persistent=True) as outer:
        outer.watch([x, y])
        with api.GradientTape() as inner:
            inner.watch([x, y])
            z = x * y
        by_x, by_y = inner.gradient(z, [x, y])
    return [by_x, by_y, outer.gradient(by_x, y), outer.gradient(by_x, x)]


@scenario([12.0, 8.0])
def tapes_side_by_side(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as first, api.GradientTape() as second:
        first.watch(x)
        second.watch(x)
        y = x * x * x
        z = x * x + 4.0 * x
    return [first.gradient(y, x), second.gradient(z, x)]


@scenario([12.0, 8.0])
def interleaved_tapes(api: Api) -> Any:
    x = api.constant(2.0)
    first, second = api.GradientTape(), api.GradientTape()
    first.__enter__()
    first.watch(x)
    y = x * x * x
    second.__enter__()
    second.watch(x)
    z = x * x
    first.__exit__(None, None, None)
    w = z + 4.0 * x
    second.__exit__(None, None, None)
    return [first.gradient(y, x), second.gradient(w, x)]


@scenario([4.0, None, 4.0])
def interleaved_tapes_see_only_their_own(api: Api) -> Any:
    # The first sees z = x² and not w = x z, the second w and not z.
    x = api.constant(2.0)
    first, second = api.GradientTape(persistent=True), api.GradientTape()
    first.__enter__()
    first.watch(x)
    z = x * x
    second.__enter__()
    second.watch(x)
    first.__exit__(None, None, None)
    w = z * x
    second.__exit__(None, None, None)
    return [second.gradient(w, x), first.gradient(w, x), first.gradient(z, x)]


@scenario([5.0, 20.0])
def inner_watch_of_an_outer_intermediate(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        y = x * x
        with api.GradientTape() as inner:
            inner.watch(y)
            z = 5.0 * y
        by_y = inner.gradient(z, y)
    return [by_y, outer.gradient(z, x)]


@scenario([8.0, 8.0])
def inner_gradient_by_an_outer_intermediate_is_seen_outside(api: Api) -> Any:
    # z = y², so ∂z/∂y = 2 y = 2 x², whose derivative by x is 4 x.
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        y = x * x
        with api.GradientTape() as inner:
            inner.watch(y)
            z = y * y
        by_y = inner.gradient(z, y)
    return [by_y, outer.gradient(by_y, x)]


@scenario([None, 12.0])
def watched_by_the_outer_tape_only(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            y = x * x * x
        by_inner = inner.gradient(y, x)
    return [by_inner, outer.gradient(y, x)]


@scenario([12.0, None])
def watched_by_the_inner_tape_only(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        with api.GradientTape() as inner:
            inner.watch(x)
            y = x * x * x
        by_inner = inner.gradient(y, x)
    return [by_inner, outer.gradient(by_inner, x)]


@scenario([16.0, 32.0])
def inner_tape_counts_from_its_own_watch(api: Api) -> Any:
    # y = x² x², of which the inner tape sees the second factor only.
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        early = x * x
        with api.GradientTape() as inner:
            inner.watch(x)
            y = early * (x * x)
        by_inner = inner.gradient(y, x)
    return [by_inner, outer.gradient(y, x)]


@scenario(6.0)
def inner_gradient_asked_after_the_outer_block(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            y = x * x
    return inner.gradient(y, x)


@scenario([6.0, None])
def gradient_asked_outside_is_not_recorded(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            y = x * x
    first = inner.gradient(y, x)
    return [first, outer.gradient(first, x)]


@scenario([6.0, 2.0, 108.0, 108.0])
def persistent_tapes_at_both_levels(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with api.GradientTape(persistent=True) as inner:
            inner.watch(x)
            y = x * x
            z = y * y
        first = inner.gradient(y, x)
        other = inner.gradient(z, x)
    return [first, outer.gradient(first, x), other, outer.gradient(other, x)]
