"""What tapes promise in unigrad's own names: checks that planted faults are to be found by."""

from collections.abc import Callable
from typing import Any

import numpy as np

import unigrad as ug
from unigrad_conformance.lifetime import LIFETIMES
from unigrad_conformance.scenarios import every_scenario
from unigrad_conformance.scenarios.scenario import check_scenario, unigrad_api


def reads_are_their_own() -> None:
    v = ug.Variable([1.0, 2.0])
    read = v.read()
    read[0] = 9.0
    assert v.tolist() == [1.0, 2.0]


def copies_are_their_own_on_a_tape() -> None:
    x = ug.asarray(3.0)
    with ug.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = ug.copy(x)
        z = y * y
        both = x * y
    assert float(tape.gradient(z, y)) == 6.0
    assert float(tape.gradient(both, y)) == 3.0


def an_untracked_handle_carries_no_graph() -> None:
    x, v = ug.asarray(3.0), ug.Variable(2.0)
    with ug.GradientTape() as outer:
        outer.watch(x)
        with ug.GradientTape() as inner:
            inner.watch(x)
            y = x * x * v
        slope = inner.gradient(y, x)
        for one in (x, y, slope, v.current(), ug.copy(y)):
            assert not getattr(one._native, "requires_grad", False)


def forward_over_reverse() -> None:
    x = ug.asarray([1.0, 2.0])
    with ug.ForwardAccumulator(x, ug.asarray([1.0, 1.0])) as accumulator:
        with ug.GradientTape() as tape:
            tape.watch(x)
            y = ug.sum(x * x * x)
        slope = tape.gradient(y, x)
    assert accumulator.jvp(slope).tolist() == [6.0, 12.0]


def reverse_over_forward() -> None:
    x = ug.asarray(2.0)
    with ug.GradientTape() as tape:
        tape.watch(x)
        with ug.ForwardAccumulator(x, ug.asarray(1.0)) as accumulator:
            y = x * x * x
        slope = accumulator.jvp(y)
    assert float(tape.gradient(slope, x)) == 12.0


def forward_over_forward() -> None:
    x = ug.asarray(2.0)
    with ug.ForwardAccumulator(x, ug.asarray(1.0)) as outer:
        with ug.ForwardAccumulator(x, ug.asarray(1.0)) as inner:
            y = x * x * x
        slope = inner.jvp(y)
        assert inner.jvp(slope) is None
    assert (float(slope), float(outer.jvp(slope))) == (12.0, 12.0)


def forward_by_a_variable() -> None:
    v = ug.Variable(3.0)
    with ug.ForwardAccumulator(v, ug.asarray(2.0)) as accumulator:
        y = v * v
    assert float(accumulator.jvp(y)) == 12.0


def forward_broadcasts() -> None:
    x = ug.asarray(2.0)
    with ug.ForwardAccumulator(x, ug.asarray(1.0)) as accumulator:
        y = x + ug.zeros(3)
    assert accumulator.jvp(y).shape == (3,)


def a_reference_tape_inside_another() -> None:
    x, w = ug.asarray(2.0), ug.asarray(3.0)
    with ug.GradientTape() as outer:
        outer.watch([x, w])
        with ug.GradientTape(reference=True) as inner:
            inner.watch(x)
            # The handle of w * w is gone when the inner tape walks back.
            y = ug.sin(x * (w * w))
        slope = inner.gradient(y, x)
    by_w = 6.0 * (np.cos(18.0) - 18.0 * np.sin(18.0))
    np.testing.assert_allclose(float(outer.gradient(slope, w)), by_w, rtol=1e-4)


def the_reference_tape_goes_by_the_rules() -> None:
    x = ug.asarray(2.0)
    with ug.GradientTape(reference=True) as tape:
        tape.watch(x)
        y = ug.sin(x)
    assert tape.recordings
    assert tape.gradient(y, x) is not None


def several_results_on_two_tapes() -> None:
    x = ug.asarray([3.0, 1.0, 2.0])
    with ug.GradientTape() as first, ug.GradientTape() as second:
        first.watch(x)
        second.watch(x)
        a, b, _ = ug.unstack(x)
        y = a * a * b
    for tape in (first, second):
        assert tape.gradient(y, x).tolist() == [6.0, 9.0, 0.0]


def a_librarys_function_is_seen() -> None:
    w = ug.Variable([0.5, 1.0])
    with ug.GradientTape() as tape:
        y = ug.asarray(_sine()(w))
    np.testing.assert_allclose(tape.gradient(y, w).numpy(), np.cos(w.numpy()), rtol=1e-6)


def a_librarys_result_of_an_earlier_tape_is_a_constant() -> None:
    import warnings

    w = ug.Variable([0.5, 1.0])
    with ug.GradientTape() as tape:
        kept = _sine()(w)
        y = w * 1.0
    tape.gradient(y, w)
    del tape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ug.GradientWarning)
        with ug.GradientTape() as tape:
            y = w * kept
        found = tape.gradient(y, w)
    np.testing.assert_allclose(found.numpy(), np.sin(w.numpy()), rtol=1e-6)


def a_zero_derivative_is_connected() -> None:
    x = ug.asarray([1.5, 2.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        y = ug.astype(x > 1.0, "float32")
    assert tape.gradient(y, x).tolist() == [0.0, 0.0]


def the_reference_tape_undoes_broadcasting() -> None:
    x = ug.asarray(2.0)
    with ug.GradientTape(reference=True) as tape:
        tape.watch(x)
        y = ug.sin(x) * ug.ones((3, 1)) + x
    found = tape.gradient(y, x)
    assert found.shape == ()
    np.testing.assert_allclose(float(found), 3 * (np.cos(2.0) + 1.0), rtol=1e-6)


def a_result_among_several_is_a_source() -> None:
    x = ug.asarray([3.0, 1.0])
    with ug.GradientTape() as tape:
        tape.watch(x)
        a, b = ug.unstack(x)
        y = a * a * b
    by_a, by_x = tape.gradient(y, [a, x])
    assert (float(by_a), by_x.tolist()) == (6.0, [6.0, 9.0])


def a_tape_records_where_torch_does_not() -> None:
    import torch

    x = ug.asarray(3.0)
    with torch.no_grad():
        with ug.GradientTape() as outer:
            outer.watch(x)
            with ug.GradientTape() as inner:
                inner.watch(x)
                y = x * x * x
            slope = inner.gradient(y, x)
        assert (float(slope), float(outer.gradient(slope, x))) == (27.0, 18.0)


def _sine() -> Any:
    if ug.get_backend() == "torch":
        import torch

        return torch.sin
    import tensorflow as tf

    return tf.sin


def results_are_nobody_elses() -> None:
    x, c = ug.asarray([1.0, 2.0]), ug.asarray([3.0, 4.0])
    out, pullback = ug.vjp(lambda t: t, x)
    [found] = pullback(c)
    _, tangent = ug.jvp(lambda t: t, (x,), (c,))
    kept = ug.jit(lambda: x)()
    carry, _ = ug.scan(lambda carry, row: (carry, row), x, length=2)
    _, aux = ug.grad(lambda t: (t, x), has_aux=True)(ug.asarray(1.0))
    for one in (out, found, tangent, kept, carry, aux):
        one[0] = 9.0
    assert (x.tolist(), c.tolist()) == ([1.0, 2.0], [3.0, 4.0])
    assert pullback(c)[0].tolist() == [3.0, 4.0]


def gradients_by_two_sources_are_two() -> None:
    x, y = ug.asarray(1.0), ug.asarray(2.0)
    with ug.GradientTape() as outer:
        outer.watch([x, y])
        with ug.GradientTape() as inner:
            inner.watch([x, y])
            z = x + y
        by_x, by_y = inner.gradient(z, [x, y])
    by_x[...] = 5.0
    assert float(by_y) == 1.0


CHECKS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        reads_are_their_own,
        copies_are_their_own_on_a_tape,
        an_untracked_handle_carries_no_graph,
        forward_over_reverse,
        reverse_over_forward,
        forward_over_forward,
        forward_by_a_variable,
        forward_broadcasts,
        a_reference_tape_inside_another,
        the_reference_tape_goes_by_the_rules,
        several_results_on_two_tapes,
        a_librarys_function_is_seen,
        a_librarys_result_of_an_earlier_tape_is_a_constant,
        a_zero_derivative_is_connected,
        the_reference_tape_undoes_broadcasting,
        a_result_among_several_is_a_source,
        results_are_nobody_elses,
        gradients_by_two_sources_are_two,
        a_tape_records_where_torch_does_not,
    )
}
#: These are about libraries with functions that a tape can see.
FOREIGN = {
    "a_librarys_function_is_seen",
    "a_librarys_result_of_an_earlier_tape_is_a_constant",
}


def check(name: str) -> None:
    """Run a check by name on the current backend."""
    if name in CHECKS:
        CHECKS[name]()
    elif name in LIFETIMES:
        LIFETIMES[name]()
    else:
        [one] = [one for one in every_scenario() if one.name == name]
        check_scenario(one, unigrad_api())
