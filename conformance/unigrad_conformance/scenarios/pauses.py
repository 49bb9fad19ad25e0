"""Pauses, resets and second uses of a tape."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.scenarios.scenario import Api, error_of, scenario


@scenario([2.0, None, 11.0])
def stop_recording(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = 2.0 * x
        with tape.stop_recording():
            z = x * x
        w = y + x * z
    return [tape.gradient(y, x), tape.gradient(z, x), tape.gradient(w, x)]


@scenario([1.0, 4.0])
def inner_pauses_while_outer_records(api: Api) -> Any:
    # w = x + x²: the inner tape does not see the square.
    x = api.constant(1.5)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            with inner.stop_recording():
                square = x * x
            w = x + square
        by_inner = inner.gradient(w, x)
    return [by_inner, outer.gradient(w, x)]


@scenario([2.25, 3.0])
def inner_gradient_after_a_pause_is_seen_outside(api: Api) -> Any:
    # w = x s with s = x² unseen by the inner tape: ∂w/∂x = s, whose derivative by x is 2 x.
    x = api.constant(1.5)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            with inner.stop_recording():
                square = x * x
            w = x * square
        by_inner = inner.gradient(w, x)
    return [by_inner, outer.gradient(by_inner, x)]


@scenario([12.0, None])
def outer_pauses_while_inner_records(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as outer:
        outer.watch(x)
        with api.GradientTape() as inner:
            inner.watch(x)
            with outer.stop_recording():
                y = x * x * x
        first = inner.gradient(y, x)
    return [first, outer.gradient(y, x)]


@scenario([None, 4.0])
def reset_forgets(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x * x
        tape.reset()
        tape.watch(x)
        z = x * x
    return [tape.gradient(y, x), tape.gradient(z, x)]


@scenario(None)
def reset_forgets_what_was_watched(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        tape.reset()
        y = x * x
    return tape.gradient(y, x)


@scenario([6.0, None])
def reset_inside_the_block_ends_with_it(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        tape.reset()
        tape.watch(x)
        y = x * x
    with api.GradientTape() as other:
        other.watch(x)
        z = x * x
    return [tape.gradient(y, x), tape.gradient(z, x)]


# TensorFlow's `reset` raises outside of the block.
@scenario(6.0, as_tensorflow=False)
def reset_outside_the_block_does_not_record(api: Api) -> Any:
    x, tape = api.constant(3.0), api.GradientTape()
    with tape:
        tape.watch(x)
    tape.reset()
    with tape:
        tape.watch(x)
        y = x * x
    return tape.gradient(y, x)


@scenario([6.0, 27.0])
def a_spent_tape_that_is_entered_starts_anew(api: Api) -> Any:
    x, tape = api.constant(3.0), api.GradientTape()
    with tape:
        tape.watch(x)
        y = x * x
    first = tape.gradient(y, x)
    with tape:
        tape.watch(x)
        z = x * x * x
    return [first, tape.gradient(z, x)]


@scenario([None, 6.0])
def an_exception_ends_a_pause(api: Api) -> Any:
    x = api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        try:
            with tape.stop_recording():
                y = x * x
                raise KeyError("out")
        except KeyError:
            pass
        z = x * x
    return [tape.gradient(y, x), tape.gradient(z, x)]


@scenario(True)
def a_pause_outside_the_block_raises(api: Api) -> Any:
    tape = api.GradientTape()
    with tape:
        pass
    return error_of(lambda: tape.stop_recording().__enter__()) is not None


@scenario([11.0, 44.0])
def a_result_that_is_watched_later_counts_from_the_start(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        early = 3.0 * y
        tape.watch(y)
        z = early + y * y
    return tape.gradient(z, [y, x])


@scenario([12.0, 2.0])
def entering_again_goes_on(api: Api) -> Any:
    x = api.constant(2.0)
    tape = api.GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        y = x * x
    with tape:
        z = y * x
        w = 2.0 * x
    return [tape.gradient(z, x), tape.gradient(w, x)]


@scenario(True)
def entering_a_recording_tape_raises(api: Api) -> Any:
    tape = api.GradientTape()
    with tape:
        return error_of(tape.__enter__) is not None


@scenario([6.0, 6.0])
def exception_inside_the_block_unwinds(api: Api) -> Any:
    x = api.constant(3.0)
    tape = api.GradientTape()
    try:
        with tape:
            tape.watch(x)
            y = x * x
            raise KeyError("out")
    except KeyError:
        pass
    with api.GradientTape() as other:
        other.watch(x)
        z = x * x
    return [tape.gradient(y, x), other.gradient(z, x)]


@scenario([6.0, None])
def exception_through_two_tapes(api: Api) -> Any:
    x = api.constant(3.0)
    first, second = api.GradientTape(), api.GradientTape()
    try:
        with first:
            first.watch(x)
            with second:
                y = x * x
                raise KeyError("out")
    except KeyError:
        pass
    return [first.gradient(y, x), second.gradient(y, x)]


@scenario([12.0, 8.0])
def intermediate_watched_by_a_later_tape(api: Api) -> Any:
    x = api.constant(2.0)
    with api.GradientTape() as first:
        first.watch(x)
        y = x * x * x
    with api.GradientTape() as second:
        second.watch(y)
        z = y * y / 2.0
    return [first.gradient(y, x), second.gradient(z, y)]


@scenario([12.0, 24.0, 36.0])
def one_tensor_on_three_tapes_in_a_row(api: Api) -> Any:
    x, found = api.constant(2.0), []
    for factor in (1.0, 2.0, 3.0):
        with api.GradientTape() as tape:
            tape.watch(x)
            found.append((tape, x * x * x * factor))
    return [tape.gradient(y, x) for tape, y in found]


@scenario([6.0, 12.0, 6.0])
def tensor_that_another_tape_watches_again_inside(api: Api) -> Any:
    # z = 3 x⁴, of which the inner tape takes the first 3 x² for a constant.
    x = api.constant(1.0)
    with api.GradientTape(persistent=True) as outer:
        outer.watch(x)
        y = 3.0 * x * x
        with api.GradientTape() as inner:
            inner.watch(x)
            z = y * (x * x)
        by_inner = inner.gradient(z, x)
    return [outer.gradient(y, x), outer.gradient(z, x), by_inner]
