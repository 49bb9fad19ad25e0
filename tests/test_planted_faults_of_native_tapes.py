"""Each part of torch's and TensorFlow's tapes is needed: planted faults, and what finds them.

A row names a fault, the backend on which it is planted, how, and what must then fail: a scenario,
a lifetime, or one of `tape_checks`.
"""

from collections.abc import Iterator
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


def _first(tapes: Any, uid: int) -> Any:
    return next((one._natives[uid] for one in tapes if uid in one._natives), None)


def _with_leaf_always(honest: Any) -> Any:
    def watch(self: Any, handle: Any, leaf: Any = None) -> Any:
        if leaf is None:
            return honest(self, handle)
        self._natives[handle.uid] = leaf[0] if isinstance(leaf, tuple) else leaf
        if isinstance(self, TensorflowTape):
            self._tape.watch(leaf)
        return leaf

    return watch


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
            lambda self, handle, others=(): self.seen([handle.native], [handle.uid], others)[0],
        ),
        ("a_librarys_result_of_an_earlier_tape_is_a_constant",),
    ),
    Fault(
        "a leaf is used again beside another tape",
        "torch",
        around(TorchTape, "watch", _with_leaf_always),
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
    # TensorFlow's tape
    Fault(
        "a tensor for every tape",
        "tensorflow",
        around(
            tensorflow_tape,
            "_shared_by_all",
            lambda honest: lambda handle: tensorflow_tape.tf.stop_gradient(handle.native),
        ),
        (
            "second_order",
            "an_intermediate_watched_by_another_between_two_blocks",
        ),
    ),
    Fault(
        "the handle's tensor is watched",
        "tensorflow",
        replace(tensorflow_tape, "_shared_by_all", lambda handle: handle.native),
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
        lambda patch: (
            patch.setattr(TensorflowTape, "pause", nothing),
            patch.setattr(TensorflowTape, "resume", nothing),
        ),
        ("inner_pauses_while_outer_records",),
    ),
    Fault(
        "a leaf is used again beside another tape",
        "tensorflow",
        around(TensorflowTape, "watch", _with_leaf_always),
        ("a_tape_entered_again_inside_another",),
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
