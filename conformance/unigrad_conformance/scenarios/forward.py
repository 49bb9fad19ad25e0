"""Forward accumulators beside tapes and inside one another."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.scenarios.scenario import Api, error_of, scenario


# On TensorFlow a tape sees the tangents of accumulators inside of it alone.
@scenario([12.0, 12.0], as_tensorflow=False)
def an_inner_tape_sees_the_tangents(api: Api) -> Any:
    x = api.constant(2.0)
    with api.ForwardAccumulator(x, api.constant(1.0)) as accumulator, api.GradientTape() as tape:
        tape.watch(x)
        y = x * x * x
        slope = accumulator.jvp(y)
    return [slope, tape.gradient(slope, x)]


@scenario([12.0, True, 12.0])
def an_inner_accumulator_does_not_see_the_outer_ones_tangents(api: Api) -> Any:
    x = api.constant(2.0)
    with api.ForwardAccumulator(x, api.constant(1.0)) as outer:
        with api.ForwardAccumulator(x, api.constant(1.0)) as inner:
            y = x * x * x
            by_outer = outer.jvp(y)
        by_inner = inner.jvp(y)
    return [by_outer, inner.jvp(by_outer) is None, outer.jvp(by_inner)]


@scenario(True)
def entering_a_recording_accumulator_raises(api: Api) -> Any:
    x = api.constant(2.0)
    with api.ForwardAccumulator(x, x) as accumulator:
        return error_of(accumulator.__enter__) is not None
