"""Faults planted into what keeps threads apart and paths in sight: each is noticed, by name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import test_host_leaks
import test_threads

import unigrad as ug
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.transforms import _TransformTape
from unigrad.core import exchanging, leaks, recorders, registry, variable
from unigrad.layers import module
from unigrad.optimizers import base, descent
from unigrad.random import generator
from unigrad_conformance.leaks import LEAKS

Plant = pytest.MonkeyPatch


def _exchange_at_once(variables: Sequence[Any], compute: Callable[[Any], Any]) -> Any:
    """Compute and assign, whatever other threads do in between."""
    values, result = compute([one.current() for one in variables])
    for one, value in zip(variables, values, strict=True):
        one.assign(value)
    return result


def additions_are_lost(plant: Plant) -> None:
    def changed(self: Any, change: Callable[[Any, Any], Any], delta: Any) -> Any:
        return self.assign(change(self.current(), delta))

    plant.setattr(variable.Variable, "_changed", changed)


def draws_share_a_key(plant: Plant) -> None:
    plant.setattr(generator, "exchange", _exchange_at_once)


def steps_are_lost(plant: Plant) -> None:
    plant.setattr(base, "exchange", _exchange_at_once)


def steps_wait_for_nobody(plant: Plant) -> None:
    @contextmanager
    def taken(variables: Any) -> Iterator[list[ug.Tensor]]:
        values = [one.current() for one in variables]
        yield values
        exchanging.replace_all(variables, values)

    plant.setattr(descent, "taken", taken)


def nobody_looks_whether_a_value_has_changed(plant: Plant) -> None:
    plant.setattr(exchanging, "is_", lambda one, other: True)


def every_thread_builds(plant: Plant) -> None:
    def ensure_built(self: Any, shape: Any) -> None:
        if not self._built:
            self.build(tuple(shape))
            self._built = True

    plant.setattr(module.Module, "ensure_built", ensure_built)


def one_waits_and_builds_again(plant: Plant) -> None:
    def ensure_built(self: Any, shape: Any) -> None:
        if not self._built:
            with module.making:
                self.build(tuple(shape))
                self._built = True

    plant.setattr(module.Module, "ensure_built", ensure_built)


def slots_are_made_twice(plant: Plant) -> None:
    plant.setattr(base, "making", nullcontext())


def threads_share_recorders(plant: Plant) -> None:
    shared: list[Any] = []

    def init(self: Any) -> None:
        self.active, self.traced, self.single = shared, False, None

    plant.setattr(recorders._Thread, "__init__", init)


def threads_share_a_backend(plant: Plant) -> None:
    class Everywhere:
        value: Any = None

        def get(self) -> Any:
            return self.value

        def set(self, value: Any) -> Any:
            before, self.value = self.value, value
            return before

        def reset(self, before: Any) -> None:
            self.value = before

    plant.setattr(registry, "_current", Everywhere())


def a_foreign_token_is_an_error(plant: Plant) -> None:
    plant.setattr(registry, "restore", lambda variable, token: variable.reset(token))


def values_leave_without_a_word(plant: Plant) -> None:
    plant.setattr("unigrad.core.tensor.warn_if_it_leaves", lambda *_: None)


def native_arrays_leave_without_a_word(plant: Plant) -> None:
    plant.setattr("unigrad.core.tensor.warn_if_taken", lambda *_: None)


def arrays_leave_without_a_word(plant: Plant) -> None:
    honest = ug.Tensor._values

    def values(self: Any, way: str | None) -> Any:
        return honest(self, None if way == "np.asarray(x)" else way)

    plant.setattr(ug.Tensor, "_values", values)


def formatting_is_a_leak(plant: Plant) -> None:
    plant.setattr(ug.Tensor, "_element", lambda self, way: self._values(way or "any").item())


def the_line_is_the_librarys(plant: Plant) -> None:
    plant.setattr(leaks, "program_frame", lambda frame: frame)


def no_path_is_zero_without_a_word(plant: Plant) -> None:
    def connected(
        self: Any, name: str, positions: Any, target: Any, sources: Any, cotangent: Any = None
    ) -> Any:
        return self.gradient(target, sources, cotangent, unconnected_gradients="zero")

    plant.setattr(_TransformTape, "connected", connected)


def tapes_know_no_array(plant: Plant) -> None:
    plant.setattr(ug.GradientTape, "holds", lambda self, native: False)


def accumulators_know_no_array(plant: Plant) -> None:
    plant.setattr(ForwardAccumulator, "holds", lambda self, native: False)


#: How often a check is run until it notices.
TRIES = 12
#: Faults and the check that notices each.
FAULTS: list[tuple[Callable[[Plant], None], Callable[[], None]]] = [
    (additions_are_lost, lambda: test_threads.test_assignments("numpy")),
    (draws_share_a_key, lambda: test_threads.test_generators("numpy")),
    (steps_wait_for_nobody, lambda: test_threads.test_gradients_applied_together("numpy")),
    (steps_are_lost, lambda: test_threads.test_two_optimizers_of_one_variable("numpy")),
    (nobody_looks_whether_a_value_has_changed, lambda: test_threads.test_generators("numpy")),
    (every_thread_builds, lambda: test_threads.test_first_calls_of_layers("numpy")),
    (one_waits_and_builds_again, lambda: test_threads.test_first_calls_of_layers("numpy")),
    (slots_are_made_twice, lambda: test_threads.test_first_steps("numpy")),
    (threads_share_recorders, lambda: test_threads.test_tapes("numpy")),
    (threads_share_a_backend, test_threads.test_use_backend),
    (a_foreign_token_is_an_error, test_threads.test_a_generator_closed_in_another_thread),
    (values_leave_without_a_word, LEAKS["values_that_leave_are_warned_of"]),
    (arrays_leave_without_a_word, LEAKS["values_that_leave_are_warned_of"]),
    (formatting_is_a_leak, LEAKS["values_that_stay_are_not"]),
    (the_line_is_the_librarys, LEAKS["values_that_leave_are_warned_of"]),
    (no_path_is_zero_without_a_word, LEAKS["values_that_leave_are_warned_of"]),
    (native_arrays_leave_without_a_word, LEAKS["native_results_are_followed_or_warned_of"]),
    (tapes_know_no_array, test_host_leaks.test_a_native_array_that_was_taken_before),
    (accumulators_know_no_array, test_host_leaks.test_a_native_array_that_was_taken_before),
]


@pytest.mark.parametrize(
    ("fault", "check"), FAULTS, ids=[f"{i}-{fault.__name__}" for i, (fault, _) in enumerate(FAULTS)]
)
def test_noticed(
    fault: Callable[[Plant], None], check: Callable[[], None], monkeypatch: Plant
) -> None:
    with ug.use_backend("numpy"):
        check()
    with monkeypatch.context() as plant:
        fault(plant)
        # Whether threads meet is chance, and rare on a busy machine.
        for _ in range(TRIES):
            with ug.use_backend("numpy"):
                try:
                    check()
                except (Exception, pytest.fail.Exception):
                    return
    pytest.fail(f"{fault.__name__} went unnoticed")
