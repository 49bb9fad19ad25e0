"""Variables: watched as they are read, assigned in between, trainable or not; threads."""

from __future__ import annotations

import threading
from typing import Any

from unigrad_conformance.scenarios.scenario import Api, scenario


@scenario(6.0)
def variable_is_watched_by_itself(api: Api) -> Any:
    v = api.variable(3.0)
    with api.GradientTape() as tape:
        y = v * v
    return tape.gradient(y, v)


@scenario([3.0, 6.0])
def worked_example(api: Api) -> Any:
    x = api.variable(1.0)
    with api.GradientTape() as outer:
        with api.GradientTape() as inner:
            y = x * x * x
        first = inner.gradient(y, x)
    return [first, outer.gradient(first, x)]


@scenario(None)
def variable_that_is_not_trainable(api: Api) -> Any:
    v = api.variable(3.0, trainable=False)
    with api.GradientTape() as tape:
        y = v * v
    return tape.gradient(y, v)


@scenario(6.0)
def variable_that_is_not_trainable_but_watched(api: Api) -> Any:
    v = api.variable(3.0, trainable=False)
    with api.GradientTape() as tape:
        tape.watch(v)
        y = v * v
    return tape.gradient(y, v)


@scenario([None, 5.0])
def variables_not_watched_unless_asked(api: Api) -> Any:
    v, w = api.variable(3.0), api.variable(2.0)
    with api.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = v * v + 5.0 * w
    return tape.gradient(y, [v, w])


@scenario([True, True, 2])
def watched_variables_in_order_of_construction(api: Api) -> Any:
    a, b, c = api.variable(1.0), api.variable(2.0), api.variable(3.0)
    with api.GradientTape() as tape:
        b * 2.0
        a * b
        b * 3.0
    watched = tape.watched_variables()
    del c
    return [watched[0] is a, watched[1] is b, len(watched)]


@scenario([0, 1])
def watched_variables_leave_out_the_untrainable(api: Api) -> Any:
    v = api.variable(1.0, trainable=False)
    with api.GradientTape() as tape:
        v * 2.0
        before = len(tape.watched_variables())
        tape.watch(v)
    return [before, len(tape.watched_variables())]


@scenario([4.0, 6.0, 10.0])
def variable_assigned_between_reads(api: Api) -> Any:
    v = api.variable(2.0)
    with api.GradientTape(persistent=True) as tape:
        y1 = v * v
        v.assign(3.0)
        y2 = v * v
        y = y1 + y2
    return [tape.gradient(y1, v), tape.gradient(y2, v), tape.gradient(y, v)]


@scenario([4.0, 9.0])
def variable_assigned_after_the_block(api: Api) -> Any:
    v = api.variable(2.0)
    with api.GradientTape() as tape:
        y = v * v
    v.assign(9.0)
    return [tape.gradient(y, v), v + 0.0]


@scenario([1.0, 3.0])
def assignment_is_not_differentiated(api: Api) -> Any:
    v, x = api.variable(2.0), api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        v.assign(x * x)
        y = 1.0 * v + 3.0 * x
    return [tape.gradient(y, v), tape.gradient(y, x)]


@scenario([2.0, 5.0])
def assign_add_inside_the_tape(api: Api) -> Any:
    v = api.variable(2.0)
    with api.GradientTape() as tape:
        v.assign_add(3.0)
        y = 2.0 * v
    return [tape.gradient(y, v), v + 0.0]


@scenario(None)
def variable_read_outside_the_tape(api: Api) -> Any:
    v = api.variable(2.0)
    y = v * v
    with api.GradientTape() as tape:
        z = 2.0 * y
    return tape.gradient(z, v)


@scenario(5.0)
def variable_read_before_and_inside(api: Api) -> Any:
    v = api.variable(2.0)
    y = v * v
    with api.GradientTape() as tape:
        z = y + 5.0 * v
    return tape.gradient(z, v)


@scenario(1.0)
def variable_is_also_the_target(api: Api) -> Any:
    v = api.variable(2.0)
    with api.GradientTape() as tape:
        v * 1.0
    return tape.gradient(v, v)


@scenario([None, 0.0])
def variable_that_the_target_does_not_use(api: Api) -> Any:
    v, w = api.variable(2.0), api.variable(3.0)
    with api.GradientTape(persistent=True) as tape:
        y = v * v
        w * w
    return [tape.gradient(y, w), tape.gradient(y, w, unconnected_gradients="zero")]


@scenario([[4.0, 6.0], {"v": 4.0}])
def variables_beside_tensors_as_sources(api: Api) -> Any:
    v, x = api.variable(2.0), api.constant(3.0)
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = v * v + x * x
    return [tape.gradient(y, [v, x]), tape.gradient(y, {"v": v})]


@scenario([20.0, 12.0])
def steps_of_descent(api: Api) -> Any:
    v = api.variable(10.0)
    slopes = []
    for _ in range(2):
        with api.GradientTape() as tape:
            loss = v * v
        slope = tape.gradient(loss, v)
        v.assign_sub(0.2 * slope)
        slopes.append(slope)
    return slopes


@scenario([6.0, None])
def reset_forgets_the_variables(api: Api) -> Any:
    v = api.variable(3.0)
    with api.GradientTape(persistent=True) as tape:
        y = v * v
        tape.reset()
        z = v * v
    return [tape.gradient(z, v), tape.gradient(y, v)]


@scenario([4.0, 300.0])
def tapes_of_two_threads(api: Api) -> Any:
    v, found = api.variable(2.0), [None, None]
    meeting = threading.Barrier(2, timeout=30)

    def work(position: int, factor: float) -> None:
        with api.GradientTape() as tape:
            meeting.wait()
            y = v * v * factor
            meeting.wait()
        found[position] = tape.gradient(y, v)

    other = threading.Thread(target=work, args=(1, 75.0))
    other.start()
    work(0, 1.0)
    other.join()
    return found


@scenario([None, 4.0])
def tape_does_not_hear_another_thread(api: Api) -> Any:
    x, found = api.constant(2.0), []
    with api.GradientTape(persistent=True) as tape:
        tape.watch(x)
        other = threading.Thread(target=lambda: found.append(x * x * x))
        other.start()
        other.join()
        y = x * x
    return [tape.gradient(found[0], x), tape.gradient(y, x)]


@scenario([None, 2.0, 9.0])
def variable_assigned_in_a_compiled_function(api: Api) -> Any:
    v, x = api.variable(2.0), api.constant(3.0)

    @api.jit
    def f(x: Any) -> Any:
        v.assign(x * x)
        return 2.0 * v

    with api.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return [*tape.gradient(y, [x, v]), v + 0.0]


@scenario([2.0, 9.0, 36.0])
def variable_read_and_assigned_in_a_compiled_function(api: Api) -> Any:
    v, x = api.variable(2.0), api.constant(3.0)

    @api.jit
    def f(x: Any) -> Any:
        y = v * x
        v.assign(y * y)
        return y + 6.0 * v

    with api.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return [*tape.gradient(y, [x, v]), v + 0.0]


@scenario([None, None])
def variable_that_is_not_trainable_assigned_in_a_compiled_function(api: Api) -> Any:
    v, x = api.variable(2.0, trainable=False), api.constant(3.0)
    f = api.jit(lambda x: v.assign(x * x) * 2.0)
    with api.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, [x, v])


@scenario([16.0, 5.0, 9.0])
def tape_in_a_compiled_function_that_assigns(api: Api) -> Any:
    v, x = api.variable(2.0), api.constant(3.0)

    @api.jit
    def slopes(x: Any) -> Any:
        with api.GradientTape() as inner:
            inner.watch(x)
            v.assign(x * x)
            y = v * v + v * x
        return inner.gradient(y, [x, v])

    with api.GradientTape() as tape:
        tape.watch(x)
        by_x, by_v = slopes(x)
        # v, and 2 v + x.
        y = 6.0 * by_x + 5.0 * by_v
    return [*tape.gradient(y, [v, x], unconnected_gradients="zero"), by_x]


@scenario([None, 6.0])
def input_that_a_compiled_function_does_not_use(api: Api) -> Any:
    x, z = api.constant(3.0), api.constant(2.0)
    f = api.jit(lambda x, z: x * x + api.stop_gradient(z) * 2.0)
    with api.GradientTape() as tape:
        tape.watch([x, z])
        y = f(x, z)
    return tape.gradient(y, [z, x])


@scenario([6.0, 5.0, 3.0])
def a_variable_read_by_two_tapes_at_a_time(api: Api) -> Any:
    v = api.variable(3.0)
    first, second, third = (api.GradientTape(persistent=True) for _ in range(3))
    with first:
        x = v * 1.0
    with second:
        y = v * 1.0
    with first, third:
        x = x + v * 1.0
    with second, third:
        y = y + v * 2.0
    with first, third:
        z = v * 3.0 + x + y
    return [third.gradient(z, v), first.gradient(z, v), second.gradient(y, v)]


@scenario([10.0, 6.0])
def a_variable_that_an_inner_tape_watches_after_an_assignment(api: Api) -> Any:
    v = api.variable(3.0, trainable=False)
    with api.GradientTape(persistent=True) as outer:
        outer.watch(v)
        y = v * v
        v.assign(5.0)
        with api.GradientTape() as inner:
            inner.watch(v)
            with outer.stop_recording():
                z = v * v
    return [inner.gradient(z, v), outer.gradient(y, v)]


@scenario(16.0)
def a_variable_assigned_between_reads_of_two_tapes(api: Api) -> Any:
    v = api.variable(3.0)
    with api.GradientTape(), api.GradientTape() as inner:
        y = v * v
        v.assign(5.0)
        y = y + v * v
    return inner.gradient(y, v)


@scenario(10.0)
def a_variable_that_an_inner_tape_watches_after_it_was_read_again(api: Api) -> Any:
    v = api.variable(3.0, trainable=False)
    with api.GradientTape(persistent=True) as outer:
        outer.watch(v)
        early = v * v
        v.assign(5.0)
        late = v * early
        with api.GradientTape() as inner:
            inner.watch(v)
            with outer.stop_recording():
                z = v * v + late
    return inner.gradient(z, v)


@scenario([6.0, 10.0])
def a_variable_assigned_between_two_tapes(api: Api) -> Any:
    v, found = api.variable(3.0), []
    for value in (5.0, 7.0):
        with api.GradientTape() as tape:
            y = v * v
        found.append(tape.gradient(y, v))
        del tape
        v.assign(value)
    return found
