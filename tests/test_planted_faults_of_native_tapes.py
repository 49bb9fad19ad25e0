"""Each part of torch's and TensorFlow's tapes is needed: planted faults, and what finds them.

A row names a fault, the backend on which it is planted, how, and what must then fail: a scenario,
a lifetime, or one of `tape_checks`.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from planted import Fault, Patch, around, nothing, replace, require_caught, stop_recording

from unigrad.core.op import OPS
from unigrad.core.registry import load_backend

# Loaded in this order, which the frameworks ask for.
load_backend("torch")
load_backend("tensorflow")

from unigrad_tensorflow import tape as tensorflow_tape  # noqa: E402
from unigrad_tensorflow.tape import TensorflowTape  # noqa: E402
from unigrad_torch import tape as torch_tape  # noqa: E402
from unigrad_torch.tape import TorchTape  # noqa: E402


class Lonely(dict[int, Any]):
    """Living tapes that always seem to be one."""

    def __len__(self) -> int:
        return 1


#: TensorFlow's tapes that a fault left recording.
_unpaused: list[Any] = []


def _never_pauses(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TensorflowTape, "pause", lambda self: _unpaused.append(self._tape))
    patch.setattr(TensorflowTape, "resume", nothing)


def _first(tapes: Any, uid: int) -> Any:
    return next((one._natives[uid] for one in tapes if uid in one._natives), None)


def _with_leaf_always(honest: Any) -> Any:
    def read(self: Any, uid: int, variable: Any, value: Any) -> None:
        of, leaf, _ = variable.leaf
        if of is not value:
            honest(self, uid, variable, value)
            return
        self._natives[uid] = leaf
        if isinstance(self, TensorflowTape):
            self._tape.watch(leaf)

    return read


def _forgets_at_once(patch: pytest.MonkeyPatch) -> None:
    def forgetting(self: Any, uid: int, kept: Any) -> Any:
        self._natives.pop(uid, None)
        return kept

    _change_what_is_kept(patch, forgetting)


def _hands_the_graph_out(patch: pytest.MonkeyPatch) -> None:
    _change_what_is_kept(patch, lambda self, uid, kept: self._natives.get(uid, kept))


def _change_what_is_kept(patch: pytest.MonkeyPatch, change: Any) -> None:
    """Change what torch's tape does with a result, in both places where it keeps one."""
    keep, run = TorchTape.keep, TorchTape.run

    def kept(self: Any, uid: int, *rest: Any) -> Any:
        return change(self, uid, keep(self, uid, *rest))

    def ran(self: Any, *given: Any) -> Any:
        return change(self, given[5] if len(given) > 5 else 0, run(self, *given))

    patch.setattr(TorchTape, "keep", kept)
    patch.setattr(TorchTape, "run", ran)


def _unaliased(
    self: Any, kernel: Any, natives: Any, uids: Any, settings: Any, others: Any = (), uid: int = 0
) -> Any:
    import torch

    with torch.enable_grad():
        result = kernel(*self.seen(natives, uids, others), **settings)
    return self.keep(uid, result) if uid else result


def _tf_unaliased(
    self: Any, kernel: Any, natives: Any, uids: Any, settings: Any, others: Any = (), uid: int = 0
) -> Any:
    result = kernel(*self.seen(natives, uids, others), **settings)
    return self.keep(uid, result) if uid else result


def _alone_in_a_tuple(x: Any, **_: Any) -> tuple[Any]:
    return (x,)


def _stays_in_the_graph(honest: Any) -> Any:
    """Torch's short way, which gives the tensor in the graph away."""

    def run(self: Any, kernel: Any, *given: Any) -> Any:
        result = honest(self, kernel, *given)
        uid = given[4] if len(given) > 4 else 0
        return self._natives[uid] if uid and kernel in torch_tape.FRESH else result

    return run


def _ungated(self: Any, natives: Any, uids: Any, others: Any = ()) -> Any:
    return [
        native if known is None else known
        for native, known in (
            (native, torch_tape._newest([self, *others], uid))
            for native, uid in zip(natives, uids, strict=True)
        )
    ]


def _uncounted(honest: Any) -> Any:
    def resume(self: Any) -> None:
        starts = TorchTape.starts
        honest(self)
        TorchTape.starts = starts

    return resume


def _leaf_for_each(self: Any, uid: int, result: Any, plain: Any = None) -> Any:
    self._natives[uid] = result if result.requires_grad else torch_tape._leaf_of(result)
    return result.detach() if plain is None and result.requires_grad else result


def _only_what_torch_knows(honest: Any) -> Any:
    def keep(self: Any, uid: int, result: Any, plain: Any = None) -> Any:
        return honest(self, uid, result, plain) if result.requires_grad else result

    return keep


def _in_order_of_what_is_known(honest: Any) -> Any:
    """Gradients that are dealt out without a gap for a source that torch does not know."""

    def gradient(self: Any, *given: Any, **rest: Any) -> Any:
        found = honest(self, *given, **rest)
        there = [one for one in found if one is not None]
        return [*there, *[None] * (len(found) - len(there))]

    return gradient


def _follows_alone(self: Any, results: Any, others: Any) -> None:
    for one in results:
        if one.dtype in tensorflow_tape._FLOATS and not self.tracks(one):
            self._tape.watch(one)


def _uncut(self: Any, natives: Any, uids: Any, others: Any = ()) -> Any:
    return [
        next((one._natives[uid] for one in (self, *others) if uid in one._natives), native)
        for native, uid in zip(natives, uids, strict=True)
    ]


FAULTS = [
    # torch's tape
    Fault(
        "no alias at watch",
        "torch",
        around(torch_tape, "_newest", lambda honest: nothing),
        (
            "a_value_used_before_and_after_it_is_watched_again",
            "second_order",
        ),
    ),
    Fault(
        "no gates",
        "torch",
        replace(torch_tape, "_shut_for", lambda native, tapes: native),
        ("what_another_computed_in_a_pause_and_this_one_watches",),
    ),
    Fault(
        "never gated",
        "torch",
        replace(TorchTape, "resume", nothing),
        ("what_another_computed_in_a_pause_and_this_one_watches",),
    ),
    Fault(
        "gates shut for everybody",
        "torch",
        replace(torch_tape._Gate, "backward", staticmethod(lambda ctx, *g: (None, None))),
        ("inner_pauses_while_outer_records",),
    ),
    Fault(
        "retain only what is kept",
        "torch",
        lambda patch: patch.setattr(torch_tape, "_living", Lonely(torch_tape._living)),
        ("a_value_used_before_and_after_it_is_watched_again",),
    ),
    Fault(
        "a leaf that went to torch's functions is used again",
        "torch",
        replace(
            TorchTape,
            "lend",
            lambda self, handle, others=(): self.seen([handle._native], [handle.uid], others)[0],
        ),
        ("a_librarys_result_of_an_earlier_tape_is_a_constant",),
    ),
    Fault(
        "a leaf is used again beside another tape",
        "torch",
        around(TorchTape, "read", _with_leaf_always),
        ("a_tape_entered_again_inside_another",),
    ),
    Fault(
        "handles carry the graph",
        "torch",
        _hands_the_graph_out,
        (
            "an_untracked_handle_carries_no_graph",
            "result_carries_no_graph",
        ),
    ),
    Fault(
        "the oldest tensor stands for a value",
        "torch",
        replace(torch_tape, "_newest", _first),
        ("second_order",),
    ),
    Fault(
        "results are forgotten at once",
        "torch",
        _forgets_at_once,
        (
            "square_of_a_watched_tensor",
            "a_reference_tape_inside_another",
        ),
    ),
    Fault(
        "a kernel that returns its input",
        "torch",
        lambda patch: (
            patch.setattr(TorchTape, "run", _unaliased),
            patch.setitem(OPS["identity"].kernels, load_backend("torch"), lambda x: x),
        ),
        ("copies_are_their_own_on_a_tape",),
    ),
    Fault(
        "the short way hands the graph out",
        "torch",
        around(TorchTape, "run", _stays_in_the_graph),
        ("result_carries_no_graph",),
    ),
    Fault(
        "a kernel that returns its input among several results",
        "torch",
        lambda patch: (
            patch.setattr(torch_tape, "_alias", lambda result, natives: result),
            patch.setitem(OPS["split"].kernels, load_backend("torch"), _alone_in_a_tuple),
        ),
        ("a_part_that_is_the_whole_is_a_value_of_its_own",),
    ),
    Fault(
        "no gate before inputs",
        "torch",
        replace(TorchTape, "seen", _ungated),
        ("a_value_of_both_that_one_of_them_uses_in_a_pause",),
    ),
    Fault(
        "to go on is no start",
        "torch",
        around(TorchTape, "resume", _uncounted),
        ("a_value_of_both_that_one_uses_while_the_other_is_left",),
    ),
    Fault(
        "what came through a bool is a leaf for each tape",
        "torch",
        replace(TorchTape, "keep", _leaf_for_each),
        ("a_step_on_two_tapes", "second_order_by_a_step"),
    ),
    Fault(
        "what came through a bool is no leaf",
        "torch",
        around(TorchTape, "keep", _only_what_torch_knows),
        ("a_step_on_two_tapes",),
    ),
    Fault(
        "one gradient for two sources",
        "torch",
        replace(torch_tape, "_distinct", lambda gradients, cotangents: gradients),
        ("gradients_by_two_sources_are_two_values",),
    ),
    Fault(
        "gradients go to the wrong sources",
        "torch",
        around(TorchTape, "gradient", _in_order_of_what_is_known),
        ("sources_without_a_derivative_beside_one_with",),
    ),
    Fault(
        "torch's own switch stops the tape",
        "torch",
        replace(torch_tape.torch, "enable_grad", nullcontext),
        ("a_tape_records_where_torch_does_not",),
    ),
    # TensorFlow's tape
    Fault(
        "what came through a bool is nobody's",
        "tensorflow",
        replace(TensorflowTape, "_follow", nothing),
        ("a_step_on_two_tapes",),
    ),
    Fault(
        "what came through a bool is one tape's",
        "tensorflow",
        replace(TensorflowTape, "_follow", _follows_alone),
        ("second_order_by_a_step", "one_tape_watches_the_condition_and_another_the_values"),
    ),
    Fault(
        "one gradient for two sources",
        "tensorflow",
        replace(tensorflow_tape, "_distinct", lambda gradients, cotangents: list(gradients)),
        ("gradients_by_two_sources_are_two_values",),
    ),
    Fault(
        "a kernel that returns its input among several results",
        "tensorflow",
        lambda patch: (
            patch.setattr(tensorflow_tape, "_alias", lambda result, natives: result),
            patch.setitem(OPS["split"].kernels, load_backend("tensorflow"), _alone_in_a_tuple),
        ),
        ("a_part_that_is_the_whole_is_a_value_of_its_own",),
    ),
    Fault(
        "a tensor for every tape",
        "tensorflow",
        around(
            tensorflow_tape,
            "_shared_by_all",
            lambda honest: lambda handle: tensorflow_tape.tf.stop_gradient(handle._native),
        ),
        (
            "second_order",
            "an_intermediate_watched_by_another_between_two_blocks",
        ),
    ),
    Fault(
        "the handle's tensor is watched",
        "tensorflow",
        replace(tensorflow_tape, "_leaf_of", lambda native: native),
        ("assignment_is_not_differentiated",),
    ),
    Fault(
        "what nobody tracks is not cut off",
        "tensorflow",
        replace(TensorflowTape, "seen", _uncut),
        ("an_assigned_result_is_a_constant",),
    ),
    Fault(
        "a kernel that returns its input",
        "tensorflow",
        lambda patch: (
            patch.setattr(TensorflowTape, "run", _tf_unaliased),
            patch.setitem(OPS["identity"].kernels, load_backend("tensorflow"), lambda x: x),
        ),
        ("copies_are_their_own_on_a_tape",),
    ),
    Fault(
        "no pause",
        "tensorflow",
        _never_pauses,
        ("inner_pauses_while_outer_records",),
    ),
    Fault(
        "a leaf is used again beside another tape",
        "tensorflow",
        around(TensorflowTape, "read", _with_leaf_always),
        ("a_tape_entered_again_inside_another",),
    ),
]


@pytest.fixture(autouse=True)
def nobody_records() -> Iterator[None]:
    """The next test is to start without recorders."""
    yield
    stop_recording()
    for tape in _unpaused:
        if tape._recording:
            tape.__exit__(None, None, None)
    _unpaused.clear()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.name} ({fault.backend})")
@pytest.mark.filterwarnings("ignore::unigrad.GradientWarning")
def test_a_planted_fault_is_caught(fault: Fault, monkeypatch: Patch) -> None:
    require_caught(fault, monkeypatch)
