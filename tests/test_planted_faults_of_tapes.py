"""Each part of the front end's tape is needed: planted faults, and the checks that find them.

A row names a fault, the backend on which it is planted, how, and what must then fail: a scenario,
a lifetime, or one of `tape_checks`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from planted import (
    Fault,
    Patch,
    around,
    everywhere,
    nothing,
    replace,
    require_caught,
    stop_recording,
)
from tape_checks import CHECKS, FOREIGN, check

import unigrad as ug
from unigrad.autodiff import backward, differentiation, jacobians
from unigrad.autodiff import tape as tapes
from unigrad.autodiff.forward import ForwardAccumulator
from unigrad.autodiff.tape import GradientTape
from unigrad.core import foreign, op, recorders
from unigrad.core.registry import load_backend
from unigrad.layers import module
from unigrad.tracing import graph_function
from unigrad.tracing.program import Trace
from unigrad.tracing.recorded import RecordedTrace

# Loaded in this order, which the frameworks ask for.
load_backend("torch")
load_backend("tensorflow")


def _shared(x: Any) -> Any:
    return op.wrap(x.backend, x._native, x.uid)


def _last_is_popped(recorder: Any) -> None:
    recorders.thread.active.pop()
    recorders.thread.refresh()
    recorders.process.recording.discard(id(recorder))


def _never_told(honest: Any) -> Any:
    return lambda self, recording, outputs: None


def _all_connected(graph: Any) -> Any:
    return [frozenset(range(len(graph.inputs)))] * len(graph.outputs)


def _last_handle_only(honest: Any) -> Any:
    def read(self: Any, which: Any, value: Any, handle: Any = None) -> Any:
        out = honest(self, which, value, handle)
        if which.uid in self._handles:
            self._handles[which.uid] = self._handles[which.uid][-1:]
        return out

    return read


def _native_always(self: Any, backend: Any) -> Any:
    native = self.native_tapes[backend] = backend.open_tape()
    return native


def _only_asked_by_itself(self: Any, backend: Any) -> Any:
    native = self.native_tapes[backend] = None if self.needs_rules else backend.open_tape()
    return native


def _unseen(honest: Any) -> Any:
    def walk(*arguments: Any) -> None:
        with recorders.only([]):
            honest(*arguments)

    return walk


def _never_renewed(self: Any) -> Any:
    self._resume()
    return self


@contextmanager
def _not_resumed_after_an_error(self: Any) -> Iterator[None]:
    self._pause()
    yield
    self._resume()


@contextmanager
def _paused_anywhere(self: Any) -> Iterator[None]:
    yield


def _forgets_while_it_listens(self: Any) -> None:
    recording = self._recording
    self._start()
    if recording:
        self._resume()


def _listens_from_now_on(self: Any) -> None:
    if self._recording:
        self._pause()
    self._start()
    self._resume()


def _watches_results_anew(honest: Any) -> Any:
    def watch(self: Any, tensor: Any) -> None:
        self.tracked.pop(tensor.uid, None)
        honest(self, tensor)

    return watch


def _one_handle_often(honest: Any) -> Any:
    def read(self: Any, which: Any, value: Any, handle: Any = None) -> Any:
        known = self._handles.get(which.uid, [])
        out = honest(self, which, value, handle)
        if handle is not None and any(one is handle for one in known[:-1]):
            known.append(handle)
        return out

    return read


def _handle_of_any_value(self: Any, variable: Any, value: Any) -> Any:
    return self._handles.get(variable.uid, [None])[-1]


def _first_handle(self: Any, variable: Any, value: Any) -> Any:
    known = self._values.get(variable.uid) is value
    return self._handles[variable.uid][0] if known else None


def _all_but_the_first(found: Any) -> Any:
    return [
        op.another_handle(one)
        if isinstance(one, ug.Tensor) and any(one is other for other in found[:i])
        else one
        for i, one in enumerate(found)
    ]


def _with_the_leaf_of_before(honest: Any) -> Any:
    leaves: dict[int, Any] = {}

    def read(self: Any, which: Any, value: Any, handle: Any = None) -> Any:
        if which.uid in leaves:
            which.leaf = value, *leaves[which.uid]
        out = honest(self, which, value, handle)
        leaves[which.uid] = which.leaf[1:]
        return out

    return read


FAULTS = [
    # handles
    *[
        Fault(
            "a copy of the same identity",
            name,
            lambda patch: [
                everywhere(made, _shared)(patch) for made in ("another_handle", "copied_handle")
            ],
            ("copies_are_their_own_on_a_tape",),
        )
        for name in ("numpy", "torch")
    ],
    Fault(
        "a variable's readers share a handle",
        "numpy",
        replace(ug.Variable, "read", lambda self: self.__unigrad_tensor__()),
        ("reads_are_their_own",),
    ),
    Fault(
        "modules hand their arguments through",
        "numpy",
        replace(module, "_not_given", lambda result, inputs, settings: result),
        ("writing_to_what_a_layer_handed_through",),
    ),
    Fault(
        "results of functions are what they return",
        "numpy",
        everywhere("own_handles", lambda values: values),
        ("results_are_nobody_elses",),
    ),
    Fault(
        "cotangents without their graph",
        "torch",
        replace(differentiation, "native_of", lambda x, lent=False: x._native),
        ("a_cotangent_that_is_watched",),
    ),
    Fault(
        "functions of the library get no graph",
        "torch",
        replace(foreign, "native_of", lambda x, lent=False: x._native),
        ("a_librarys_function_is_seen",),
    ),
    Fault(
        "one gradient for two sources",
        "numpy",
        replace(differentiation, "_distinct", lambda found: found),
        ("gradients_by_two_sources_are_two",),
    ),
    # the tape
    Fault(
        "needs_rules ignored",
        "torch",
        replace(GradientTape, "_open", _native_always),
        (
            "forward_over_reverse",
            "the_reference_tape_goes_by_the_rules",
        ),
    ),
    Fault(
        "needs_rules of those around ignored",
        "torch",
        replace(GradientTape, "_open", _only_asked_by_itself),
        ("forward_over_reverse",),
    ),
    Fault(
        "the second use does not raise",
        "numpy",
        replace(GradientTape, "_spend", nothing),
        ("second_use_raises",),
    ),
    Fault(
        "a persistent tape is spent",
        "numpy",
        around(
            GradientTape,
            "_spend",
            lambda honest: lambda self: (setattr(self, "persistent", False), honest(self)),
        ),
        ("persistent_tape_is_asked_twice",),
    ),
    Fault(
        "a pause is none",
        "numpy",
        replace(GradientTape, "_pause", nothing),
        (
            "computed_after_the_tape",
            "exception_lets_go",
        ),
    ),
    Fault(
        "reset keeps what was watched",
        "numpy",
        around(GradientTape, "reset", lambda honest: nothing),
        ("reset_forgets_what_was_watched",),
    ),
    Fault(
        "only the last value of a variable counts",
        "numpy",
        around(GradientTape, "read", _last_handle_only),
        ("variable_assigned_between_reads",),
    ),
    Fault(
        "a compiled function's assignments are differentiated",
        "numpy",
        replace(RecordedTrace, "write", Trace.write),
        (
            "variable_assigned_in_a_compiled_function",
            "variable_read_and_assigned_in_a_compiled_function",
            "variable_that_is_not_trainable_assigned_in_a_compiled_function",
            "tape_in_a_compiled_function_that_assigns",
        ),
    ),
    Fault(
        "a compiled function's results depend on all inputs",
        "numpy",
        replace(graph_function, "connections", _all_connected),
        ("input_that_a_compiled_function_does_not_use",),
    ),
    Fault(
        "gradients are not tracked",
        "torch",
        replace(GradientTape, "track", nothing),
        ("second_order",),
    ),
    Fault(
        "nothing leads anywhere",
        "torch",
        replace(differentiation, "_leads_to", lambda *_: False),
        ("a_zero_derivative_is_connected",),
    ),
    Fault(
        "all leads everywhere",
        "torch",
        replace(differentiation, "_leads_to", lambda *_: True),
        ("unconnected_source",),
    ),
    Fault(
        "a source's handles are not added up",
        "numpy",
        replace(tapes, "summed", lambda found, sizes: found[: len(sizes)]),
        ("one_watched_one_not",),
    ),
    Fault(
        "an unwatched source by itself",
        "numpy",
        replace(tapes, "by_itself", nothing),
        ("unwatched_source_is_also_the_target",),
    ),
    Fault(
        "cotangents are ignored",
        "numpy",
        replace(tapes, "given_cotangents", lambda targets, structure, given: [None] * len(targets)),
        ("cotangent_of_the_target",),
    ),
    Fault(
        "watching again starts anew",
        "numpy",
        around(
            GradientTape,
            "_watch",
            lambda honest: (
                lambda self, tensor: (setattr(tensor, "uid", 0), honest(self, tensor))[1]
            ),
        ),
        ("second_order",),
    ),
    Fault(
        "a spent tape keeps what it recorded",
        "numpy",
        replace(GradientTape, "_release", nothing),
        ("spent_tape_lets_go",),
    ),
    *[
        Fault(
            "a variable's leaf outlives its value",
            name,
            around(GradientTape, "read", _with_the_leaf_of_before),
            ("a_variable_assigned_between_two_tapes",),
        )
        for name in ("torch", "tensorflow")
    ],
    Fault(
        "a spent tape stays spent",
        "numpy",
        replace(GradientTape, "__enter__", _never_renewed),
        ("a_spent_tape_that_is_entered_starts_anew", "entering_a_recording_tape_raises"),
    ),
    Fault(
        "an error in a pause stops the tape",
        "numpy",
        replace(GradientTape, "stop_recording", _not_resumed_after_an_error),
        ("an_exception_ends_a_pause", "a_pause_outside_the_block_raises"),
    ),
    Fault(
        "a pause is allowed where nothing records",
        "numpy",
        replace(GradientTape, "stop_recording", _paused_anywhere),
        ("a_pause_outside_the_block_raises",),
    ),
    Fault(
        "reset listens twice",
        "numpy",
        replace(GradientTape, "reset", _forgets_while_it_listens),
        ("reset_inside_the_block_ends_with_it",),
    ),
    Fault(
        "reset starts a tape that did not record",
        "numpy",
        replace(GradientTape, "reset", _listens_from_now_on),
        ("reset_outside_the_block_does_not_record",),
    ),
    Fault(
        "a result that is watched is a new source",
        "torch",
        around(GradientTape, "_watch", _watches_results_anew),
        ("a_result_that_is_watched_later_counts_from_the_start",),
    ),
    Fault(
        "a handle that is known is noted again",
        "numpy",
        around(GradientTape, "read", _one_handle_often),
        ("a_variable_read_by_two_tapes_at_a_time",),
    ),
    Fault(
        "a variable's handle is that of an earlier value",
        "numpy",
        replace(GradientTape, "handle_of", _handle_of_any_value),
        ("a_variable_assigned_between_reads_of_two_tapes",),
    ),
    Fault(
        "a variable's handle is its first one",
        "numpy",
        replace(GradientTape, "handle_of", _first_handle),
        ("a_variable_that_an_inner_tape_watches_after_it_was_read_again",),
    ),
    Fault(
        "the innermost gradients are one another's",
        "numpy",
        replace(differentiation, "_distinct", _all_but_the_first),
        ("gradients_by_two_sources_are_two_values",),
    ),
    # the walk back
    Fault(
        "broadcasting is not undone",
        "numpy",
        replace(backward, "unbroadcast", lambda cotangent, shape: cotangent),
        ("the_reference_tape_undoes_broadcasting",),
    ),
    Fault(
        "cotangents replace each other",
        "numpy",
        replace(backward, "add_cotangent", lambda found, uid, one: found.__setitem__(uid, one)),
        ("second_order",),
    ),
    Fault("nobody sees the walk", "numpy", around(backward, "_walk", _unseen), ("second_order",)),
    Fault(
        "wanted values are taken",
        "numpy",
        replace(backward, "_taken", lambda natives, uid, wanted: natives.pop(uid, None)),
        ("a_result_among_several_is_a_source",),
    ),
    Fault(
        "a first zero is one",
        "numpy",
        replace(
            backward,
            "_materialize",
            lambda recording, i: backward.ones_like(
                op.wrap(recording.backend, recording.outputs[i])
            ),
        ),
        ("several_results_on_two_tapes",),
    ),
    Fault(
        "the walk goes forward",
        "numpy",
        around(
            differentiation,
            "backward",
            lambda honest: (
                lambda backend, recordings, *rest, **more: honest(
                    backend, recordings[::-1], *rest, **more
                )
            ),
        ),
        ("up_to_fourth_order",),
    ),
    # recorders
    Fault(
        "the innermost recorder is dropped",
        "numpy",
        lambda patch: patch.setattr(recorders, "pop", _last_is_popped),
        ("interleaved_tapes",),
    ),
    Fault(
        "nobody sees the tangents",
        "numpy",
        replace(ForwardAccumulator, "_who_may_see", lambda self: []),
        (
            "reverse_over_forward",
            "forward_over_forward",
        ),
    ),
    Fault(
        "inner tapes do not see the tangents",
        "numpy",
        replace(
            ForwardAccumulator,
            "_who_may_see",
            lambda self: recorders.active()[: recorders.active().index(self)],
        ),
        ("an_inner_tape_sees_the_tangents",),
    ),
    Fault(
        "inner accumulators see the tangents",
        "numpy",
        replace(
            ForwardAccumulator,
            "_who_may_see",
            lambda self: [one for one in recorders.active() if one is not self],
        ),
        ("an_inner_accumulator_does_not_see_the_outer_ones_tangents",),
    ),
    Fault(
        "an accumulator is entered twice",
        "numpy",
        around(
            ForwardAccumulator,
            "__enter__",
            lambda honest: lambda self: (setattr(self, "_spent", False), honest(self))[1],
        ),
        ("entering_a_recording_accumulator_raises",),
    ),
    Fault(
        "variables have no tangents",
        "numpy",
        replace(
            ForwardAccumulator,
            "read",
            lambda self, which, value, handle=None: value if handle is None else handle,
        ),
        ("forward_by_a_variable",),
    ),
    Fault(
        "an accumulator hears nothing",
        "numpy",
        around(ForwardAccumulator, "record", _never_told),
        ("forward_broadcasts",),
    ),
    # Jacobians
    Fault(
        "rows are columns",
        "numpy",
        around(jacobians, "_basis", lambda honest: lambda target: honest(target)[::-1]),
        ("jacobian_of_a_square",),
    ),
    Fault(
        "a row for all",
        "numpy",
        around(
            jacobians, "_basis", lambda honest: lambda target: [honest(target)[0]] * target.size
        ),
        ("jacobian_of_a_square",),
    ),
]


@pytest.fixture(autouse=True)
def nobody_records() -> Iterator[None]:
    """The next test is to start without recorders."""
    yield
    stop_recording()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.name} ({fault.backend})")
@pytest.mark.filterwarnings("ignore::unigrad.GradientWarning")
def test_a_planted_fault_is_caught(fault: Fault, monkeypatch: Patch) -> None:
    require_caught(fault, monkeypatch)


@pytest.mark.parametrize("name", sorted(CHECKS))
@pytest.mark.filterwarnings("ignore::unigrad.GradientWarning")
def test_nothing_is_found_without_a_fault(backend: str, name: str) -> None:
    if name in FOREIGN and backend not in ("torch", "tensorflow"):
        return
    check(name)
